"""The log of one run: a file that does not grow without bounds, and its end in memory."""

import contextlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from media_nommer.core.errors import EncodeError, NommerError

LOG_TAIL_LINES = 20
MAX_LOG = 16 * 1024 * 1024
_TAIL_BYTES = 64 * 1024


class KeptLog:
    """A log file with its end in memory. Of a log beyond 16 MiB, the middle is dropped."""

    def __init__(self, path: Path, command: str) -> None:
        self._path = path
        self._command = command
        self._room = MAX_LOG
        self._end: deque[bytes] = deque()
        self._end_size = 0

    def __enter__(self) -> Self:
        try:
            self._file = self._path.open("ab", buffering=0)
        except OSError as error:
            raise EncodeError(f"the log {self._path} cannot be written: {error}") from error
        self._put(f"$ {self._command}\n".encode())
        return self

    def __exit__(
        self,
        _t: type[BaseException] | None,
        _e: BaseException | None,
        _b: TracebackType | None,
    ) -> None:
        with self._file:
            if self._room <= 0:
                self._put(b"\n[... the middle of this log was dropped ...]\n")
                self._put(b"".join(self._end))

    @contextlib.contextmanager
    def explaining(self) -> Iterator[None]:
        """Give an error that passes here the last lines, unless it has some."""
        try:
            yield
        except NommerError as error:
            error.log_tail = error.log_tail or self.tail()[-LOG_TAIL_LINES:]
            raise

    def write(self, chunk: bytes) -> None:
        """Take what a process printed."""
        if self._room > 0:
            self._put(chunk[: self._room])
            self._room -= len(chunk)
        self._end.append(chunk)
        self._end_size += len(chunk)
        while len(self._end) > 1 and self._end_size - len(self._end[0]) >= _TAIL_BYTES:
            self._end_size -= len(self._end.popleft())

    def tail(self) -> tuple[str, ...]:
        """Return the last lines, at most 64 KiB or a little more of them."""
        text = b"".join(self._end).decode("utf-8", "replace")
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())

    def _put(self, data: bytes) -> None:
        """Write if the disk has room: the encoder will say itself that it has none."""
        with contextlib.suppress(OSError):
            self._file.write(data)
