"""What belongs to one instance that runs: its machine, its metadata, its lines outside."""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from tests.pocket import imds, userdata
from tests.pocket.imds import Metadata, MetadataServer
from tests.pocket.instances import Instance
from tests.pocket.lines import Line
from tests.pocket.standin import Plan, StandIn


class Running:
    """One instance's machine, which begins after a while, until it is off.

    ``on_change`` is called with ``running`` and ``off``, and with ``broken`` and a reason
    where the machine cannot be had.
    """

    def __init__(
        self,
        instance: Instance,
        *,
        user_data: bytes,
        folder: Path,
        baked: Mapping[str, Path],
        held: bool,
        services: Sequence[str],
        boot: float,
        on_change: Callable[[str, str], None],
    ) -> None:
        self.metadata = Metadata(instance)
        self.machine: StandIn | None = None
        self._instance = instance
        self._services = [_address(url) for url in services]
        self._user_data = user_data
        self._folder, self._baked = folder, dict(baked)
        self._boot, self._held = boot, held
        self._on_change = on_change
        self._off = threading.Event()
        self._begun = threading.Lock()
        self._open = contextlib.ExitStack()
        self._thread = threading.Thread(target=self._live, name=instance.id, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Have it switched off politely."""
        with self._begun:
            self._off.set()
            if self.machine is not None:
                self.machine.stop()

    def kill(self) -> None:
        """End all its processes at once; return when there is none left."""
        with self._begun:
            self._off.set()
            if self.machine is not None:
                self.machine.kill()

    def close(self) -> None:
        """Kill it, and leave nothing behind."""
        self.kill()
        self._thread.join()

    def said(self) -> str:
        """Return what stands on its console."""
        return self.machine.said() if self.machine else ""

    def _live(self) -> None:
        self._off.wait(self._boot)
        try:
            with self._open:
                if self._start():
                    self._on_change("running", "")
                    assert self.machine is not None, "it was started"
                    while not self.machine.ended(5):
                        pass
        except Exception as error:
            self._on_change("broken", repr(error))
            raise
        self._on_change("off", "")

    def _start(self) -> bool:
        """Start it, unless it is to be off already; return whether it was started."""
        plan = Plan(
            id=self._instance.id,
            hostname=self._instance.hostname,
            folder=self._folder,
            steps=userdata.read(self._user_data),
            baked=self._baked,
            held=self._held,
            listen=(imds.ADDRESS, *self._services),
            address=self._instance.address,
        )
        with self._begun:
            if self._off.is_set():
                return False
            self.machine = self._open.enter_context(StandIn(plan))
        first, *others = self.machine.listeners
        server = MetadataServer(self.metadata, first)
        self._open.callback(server.close)
        for listener, target in zip(others, self._services, strict=True):
            dial = partial(socket.create_connection, target)
            self._open.callback(Line(listener, dial).close)
        return True


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None, "services have hosts"
    assert parts.port is not None, "services have ports"
    return parts.hostname, parts.port
