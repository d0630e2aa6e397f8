"""A stand-in machine as the pocket sees it: started, cut off, stopped, killed.

Whatever happens to whom, no process of a machine outlives its pocket's: see the package's
docstring for why.
"""

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.pocket import stubs, userdata
from tests.pocket.init import HELD

CHECKOUT = Path(__file__).parents[2]
_PATIENCE = 120


class NoMachines(Exception):
    """This host does not let us have machines."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a machine is to be.

    ``baked`` are folders of the machine, and those of the host that hold what is in them at
    first, as in an image. ``listen`` are the addresses in its network at which somebody
    outside answers; ``address`` is its own. When it is switched off while it is ``held``,
    its files stay until it is killed.
    """

    id: str
    hostname: str
    folder: Path
    steps: userdata.Steps
    baked: Mapping[str, Path] = field(default_factory=dict)
    listen: tuple[tuple[str, int], ...] = ()
    address: str = ""
    held: bool = False

    def written(self) -> str:
        """Return it as the keeper reads it."""
        files = [*stubs.scripts(), *stubs.python(), *self.steps.files]
        return json.dumps(
            {
                "id": self.id,
                "hostname": self.hostname,
                "folder": str(self.folder),
                "hidden": str(CHECKOUT),
                "baked": {name: str(source) for name, source in self.baked.items()},
                "listen": self.listen,
                "address": self.address,
                "files": files,
                "held": self.held,
                "scripts": self.steps.scripts,
            }
        )


class StandIn:
    """A machine that runs from when it is made. ``on_end`` is called once, when it is off.

    ``listeners`` are the sockets of its network, in the order of ``plan.listen``; they are
    the caller's.
    """

    def __init__(
        self, plan: Plan, on_end: Callable[[int], None] = lambda _code: None
    ) -> None:
        self.plan = plan
        (plan.folder / "machine").mkdir(parents=True)
        spec = plan.folder / "spec.json"
        spec.write_text(plan.written())
        self.console = plan.folder / "console.log"
        self._control, theirs = socket.socketpair()
        self._dialing = threading.Lock()
        with theirs, self.console.open("ab") as console:
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "tests.pocket.keeper", str(spec)],
                cwd=CHECKOUT,
                env={"LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                stdin=theirs,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.listeners = self._listeners()
        self._on_end = on_end
        self._over = threading.Event()
        self._waiter = threading.Thread(target=self._wait, name=plan.id, daemon=True)
        self._waiter.start()

    def stop(self) -> None:
        """Push its power button: it has time to stop its services."""
        self._tell(b"stop ")

    def kill(self) -> None:
        """Kill every process of it at once; return when there is none left."""
        self._tell(b"kill ")
        assert self.ended(_PATIENCE), f"{self.plan.id} does not die"

    def cut(self) -> None:
        """Take its network down: it reaches nobody, and is reached by nobody."""
        self._tell(b"cut ")

    def mend(self) -> None:
        """Bring its network up again."""
        self._tell(b"mend ")

    def dial(self, host: str, port: int) -> socket.socket:
        """Return a connection to an address of its network.

        Raises:
            OSError: nobody answers there, or it is off.
        """
        with self._dialing:
            self._control.sendall(f"dial:{host}:{port} ".encode())
            said, fds, _, _ = socket.recv_fds(self._control, 512, 1)
        if not fds:
            raise ConnectionRefusedError(said.decode().strip() or "it is off")
        return socket.socket(fileno=fds[0])

    def ended(self, timeout: float = 0.0) -> bool:
        """Return whether it is off, all processes of it included; wait for that a while."""
        return self._over.wait(timeout)

    def said(self) -> str:
        """Return what stands on its console."""
        return self.console.read_text(errors="replace")

    def copy(self, folder: str, to: Path) -> None:
        """Copy a folder of a machine that is held to the host, where nothing may be yet."""
        assert HELD in self.said(), "it is at work yet"
        # The keeper has the machine's root. No link is followed.
        source = f"/proc/{self._keeper.pid}/root{folder}"
        subprocess.run(["cp", "-a", source, str(to)], check=True)

    def processes(self) -> list[int]:
        """Return the host's numbers of all processes in its network."""
        try:
            mine = Path(f"/proc/{self._keeper.pid}/ns/net").readlink()
        except OSError:
            return []
        found = []
        for path in Path("/proc").glob("[0-9]*/ns/net"):
            with contextlib.suppress(OSError):
                if path.readlink() == mine:
                    found.append(int(path.parts[2]))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill it, and close what it listens with."""
        self.kill()
        self._waiter.join()
        self._control.close()
        for listener in self.listeners:
            listener.close()

    def _listeners(self) -> list[socket.socket]:
        self._control.settimeout(_PATIENCE)
        said, fds, _, _ = socket.recv_fds(self._control, 64, len(self.plan.listen) + 1)
        self._control.settimeout(None)
        if not said:
            self._keeper.wait(_PATIENCE)
            self._control.close()
            raise NoMachines(self.said().strip().rpartition("\n")[2])
        return [socket.socket(fileno=fd) for fd in fds]

    def _tell(self, word: bytes) -> None:
        with contextlib.suppress(OSError):  # it is off
            self._control.sendall(word)

    def _wait(self) -> None:
        code = self._keeper.wait()
        self._over.set()
        self._on_end(code)


def why_none(folder: Path) -> str:
    """Return why this host has no machines, or nothing where it has.

    A machine is tried, and switches itself off.
    """
    script = ("/run/probe", "#!/bin/sh\nshutdown -h now\n", 0o755)
    steps = userdata.Steps((script,), ("/run/probe",))
    plan = Plan(id="i-probe", hostname="probe", folder=folder, steps=steps)
    try:
        with StandIn(plan) as machine:
            machine.ended(_PATIENCE)
            said = machine.said()
    except NoMachines as error:
        return str(error)
    return "" if "pocket: off" in said else said[-500:] or "it said nothing"
