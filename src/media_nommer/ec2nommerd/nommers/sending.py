"""Moving what an attempt makes to the work area while its encoder still writes."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import structlog

from media_nommer.core.errors import NommerError, WorkStopped
from media_nommer.core.ports.storage import BegunPut

log = structlog.get_logger(__name__)

#: How often, in seconds, there is a look for something to send where there was nothing.
_LOOK_EVERY = 1.0
#: How long a file is left alone that could not be sent.
_REST = 30.0


class Feed(Protocol):
    """What has small files to send, one after another."""

    @property
    def name(self) -> str:
        """What it is known by in a log."""
        ...

    def send(self) -> bool:
        """Send one that is whole, if there is one; return whether there was."""
        ...


@dataclass(slots=True)
class _Line:
    """What is sent in steps; the lock is held by whoever takes one."""

    name: str
    step: Callable[[], bool]
    put: BegunPut | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    rests_until: float = 0.0
    over: bool = False


class Ahead:
    """What of an attempt is sent ahead; files that grow are finished one by one.

    What is ``outgoing`` is finished and dropped by others, once this is at its end.
    """

    def __init__(
        self,
        puts: Mapping[Path, BegunPut],
        feeds: Sequence[Feed] = (),
        outgoing: Mapping[Path, BegunPut] = MappingProxyType({}),
    ) -> None:
        self._growing = {
            path: _Line(path.name, put.send_ahead, put) for path, put in puts.items()
        }
        self._fed = [_Line(feed.name, feed.send) for feed in feeds]
        going = [_Line(path.name, put.send_ahead) for path, put in outgoing.items()]
        self._lines = [*self._growing.values(), *self._fed, *going]
        self._over = threading.Event()

    def finish(self, path: Path, sha256: str | None) -> bool:
        """Put a file in its place that is whole now; return whether it was on its way.

        Raises:
            StorageError: as ``Storage.put`` does.
        """
        line = self._growing.get(path)
        if line is None or line.over or line.put is None:
            return False
        with line.lock:
            line.put.finish(sha256=sha256)
            line.over = True
        return True

    def stop_feeding(self) -> None:
        """Take no more from feeds: what they have is put by somebody else now."""
        for line in self._fed:
            line.over = True

    def run(self) -> None:
        """Send what there is to send, step by step in turns, until all is over."""
        while not self._over.is_set():
            if not [line for line in self._lines if self._send(line)]:
                self._over.wait(_LOOK_EVERY)

    def end(self) -> None:
        """Send nothing more; leave nothing of the files that were not finished."""
        self._over.set()
        for line in self._lines:
            with line.lock:
                if line.put is not None and not line.over:
                    line.put.drop()
                line.over = True

    def _send(self, line: _Line) -> bool:
        """Take one step; what fails is tried again later."""
        if self._over.is_set() or line.rests_until > time.monotonic():
            return False
        with line.lock:
            try:
                return not line.over and line.step()
            except WorkStopped:
                self._over.set()  # whoever made the file will hear of it
            except (NommerError, OSError) as error:  # also of scratch that is full
                log.warning("not_sent_ahead", file=line.name, message=str(error))
                line.rests_until = time.monotonic() + _REST
        return False


NOTHING_AHEAD = Ahead({})


@contextmanager
def sending_ahead(
    puts: Mapping[Path, BegunPut],
    feeds: Sequence[Feed] = (),
    outgoing: Mapping[Path, BegunPut] = MappingProxyType({}),
) -> Iterator[Ahead]:
    """Send files ahead while they are written, and until they are finished.

    Whatever ends this early, nothing is left of those that were not finished, but for what
    is ``outgoing``.
    """
    moving = {path: put for path, put in puts.items() if put.goes_ahead}
    if not moving and not feeds and not outgoing:
        yield NOTHING_AHEAD
        return
    ahead = Ahead(moving, feeds, outgoing)
    thread = threading.Thread(target=ahead.run, name="ahead", daemon=True)
    thread.start()
    try:
        yield ahead
    finally:
        ahead.end()
        thread.join()
