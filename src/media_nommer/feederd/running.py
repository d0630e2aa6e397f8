"""A feederd that runs: HTTP in one thread, each loop in another, the end in its own."""

import fcntl
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType

import structlog

from media_nommer.core.errors import (
    AccessDenied,
    DataDirInUse,
    InvalidSetting,
    NommerError,
)
from media_nommer.core.ports.fleet import Fleet
from media_nommer.feederd.duties import Chore, Duties

log = structlog.get_logger(__name__)

#: How often who waits looks whether it was asked to stop.
_LOOK_EVERY = 0.1
#: How long a node may take that was asked to end at once.
_TIME_TO_END = timedelta(seconds=20)


@contextmanager
def sole_user(data_dir: Path) -> Iterator[str]:
    """Have a data directory for ourselves; give the name of its feederd, ever the same.

    Raises:
        DataDirInUse: another feederd has it.
        AccessDenied: it cannot be written to.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(data_dir / "feederd.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise AccessDenied(
            f"the data directory {data_dir} cannot be written to: {error.strerror}"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise DataDirInUse(f"another feederd already runs on {data_dir}") from error
    try:
        yield _name_in(handle)
    finally:
        os.close(handle)


def _name_in(handle: int) -> str:
    name = os.pread(handle, 100, 0).decode(errors="replace")
    if not name:
        name = f"feederd-{uuid.uuid4().hex}"
        os.pwrite(handle, name.encode(), 0)
    return name


def listen(host: str, port: int) -> socket.socket:
    """Open the socket to answer on; port 0 takes any that is free.

    Raises:
        InvalidSetting: it cannot be had.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, proto)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(128)
    except OSError as error:
        raise InvalidSetting(
            f"feederd cannot listen on {host} port {port}: {error.strerror}",
            advice="Something else may use it: set another `port`.",
        ) from error
    return bound


class Loop:
    """Does a chore again and again in a thread of its own, as long as its duty is ours."""

    def __init__(self, chore: Chore, duties: Duties) -> None:
        self._chore = chore
        self._duties = duties
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=chore.name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Do the next step now."""
        self._wake.set()

    def stop(self) -> None:
        """End after the step that is being done; ``join`` waits for it."""
        self._stopping = True
        self._wake.set()

    def join(self, timeout: float) -> None:
        """Wait until it has ended, so many seconds at most."""
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping:
            self._step()
            self._wake.wait(self._chore.pause.total_seconds())
            self._wake.clear()

    def _step(self) -> None:
        """Do one step; whatever goes wrong in it, the next one tries again."""
        try:
            if self._duties.have(self._chore.duty):
                self._chore.step()
        except NommerError as error:
            log.warning(
                "chore_failed",
                chore=self._chore.name,
                code=error.code,
                message=error.message,
            )
        except Exception:
            log.exception("chore_broken", chore=self._chore.name)


class Signals:
    """Counts how often we were asked to stop, by signals or by whoever calls ``ask``.

    The handler does no more than count: whatever takes a lock could wait for itself there.
    """

    def __init__(self) -> None:
        self.asked = 0

    @contextmanager
    def caught(self) -> Iterator["Signals"]:
        """Take SIGINT and SIGTERM as requests to stop."""
        before = {s: signal.signal(s, self._take) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def ask(self) -> None:
        """Ask once more."""
        self.asked += 1

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self.ask()


def wait_until(
    condition: Callable[[], bool], *, at_most: timedelta = timedelta.max
) -> bool:
    """Return whether ``condition`` came true in time; the wait lets signals in."""
    until = time.monotonic() + at_most.total_seconds()
    while not condition():
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_EVERY)
    return True


def drain_fleet(fleet: Fleet, signals: Signals, *, patience: timedelta) -> int:
    """Ask every node to end and wait until all have; return how many had to be killed.

    They finish what they work on or hand it back. Each further request to stop hurries
    them: first to hand back at once, then to end at once. The first one brought us here.
    """
    for node_id in fleet.alive():
        fleet.stop(node_id)
    wait_until(lambda: not fleet.alive() or signals.asked > 1, at_most=patience)
    for node_id in fleet.alive():
        fleet.stop(node_id)
    wait_until(lambda: not fleet.alive() or signals.asked > 2, at_most=_TIME_TO_END)
    left = fleet.alive()
    for node_id in left:
        fleet.kill(node_id)
    wait_until(lambda: not fleet.alive(), at_most=_TIME_TO_END)
    return len(left)
