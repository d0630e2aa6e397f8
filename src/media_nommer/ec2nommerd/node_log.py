"""The log of a node whose machine goes away, kept where it can be read afterwards."""

import io
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import structlog
from typing_extensions import override

from media_nommer.core.errors import (
    NommerError,
    OutputChanged,
    OutputExists,
    WorkStopped,
)
from media_nommer.core.ports.storage import Storage

log = structlog.get_logger(__name__)

#: How often what was written since is kept: what a machine that dies at once leaves.
KEEP_EVERY = timedelta(seconds=60)

#: Characters of a log that are kept; when there are more, the older half goes.
_MOST = 8_000_000

#: How long, in seconds, the last of it may take to be kept.
_TIME_TO_KEEP = 20.0


class LogTail(io.StringIO):
    """A stream that passes on what is written to it, and remembers the newest of it."""

    def __init__(self, out: TextIO, *, most: int = _MOST) -> None:
        super().__init__()
        self._out = out
        self._most = most
        self._lock = threading.Lock()
        #: How many characters were ever written.
        self.written = 0

    @override
    def write(self, text: str, /) -> int:
        with self._lock:
            self.written += len(text)
            super().write(text)
            if self.tell() > self._most:
                self._drop_older_half()
        return self._out.write(text)

    @override
    def flush(self) -> None:
        self._out.flush()

    @override
    def isatty(self) -> bool:
        return self._out.isatty()

    def text(self) -> str:
        """Return what is remembered."""
        with self._lock:
            return self.getvalue()

    def _drop_older_half(self) -> None:
        newer = self.getvalue()[-self._most // 2 :].partition("\n")[2]
        self.seek(0)
        self.truncate()
        super().write(newer)


class NodeLog:
    """Keeps what a tail remembers at ``url``: at intervals, when hurried, and at the end.

    A context manager, to be left after all that may still have something to say.
    """

    def __init__(
        self,
        storage: Storage,
        url: str,
        tail: LogTail,
        *,
        every: timedelta = KEEP_EVERY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._url = url
        self._tail = tail
        self._every = every.total_seconds()
        self._monotonic = monotonic
        self._wake = threading.Event()
        self._until: float | None = None
        self._kept = 0
        self._version: str | None = None
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._until = self._monotonic() + _TIME_TO_KEEP
        self._wake.set()
        self._thread.join(_TIME_TO_KEEP + 1)

    def hurry(self) -> None:
        """Have what was written until now kept soon; it does not wait for that."""
        self._wake.set()

    def keep(self) -> None:
        """Put the log in its place, if it grew."""
        written = self._tail.written
        if written == self._kept:
            return
        try:
            with tempfile.NamedTemporaryFile(prefix="nommer-log-") as file:
                file.write(self._tail.text().encode("utf-8", "replace"))
                file.flush()
                self._put(Path(file.name))
        except (NommerError, OSError) as error:
            log.warning("node_log_not_kept", message=str(error))
            return
        self._kept = written

    def _put(self, path: Path) -> None:
        """Put a file where the last one stands: ours, although an answer may be lost."""
        try:
            self._version = self._stored(path)
        except (OutputExists, OutputChanged):
            standing = self._storage.stat(self._url)
            self._version = standing.version if standing else None
            self._version = self._stored(path)

    def _stored(self, path: Path) -> str:
        stored = self._storage.put(path, self._url, before=self._version, stop=self._late)
        return stored.version

    def _late(self) -> WorkStopped | None:
        if self._until is None or self._monotonic() < self._until:
            return None
        return WorkStopped("the node ends, with or without its log")

    def _run(self) -> None:
        while self._until is None:
            self._wake.wait(self._every)
            self._wake.clear()
            try:
                self.keep()
            except Exception:
                log.exception("node_log_broken")
        self.keep()  # what was said while the last one was put
