"""Runs one FFmpeg command: progress out, log kept, stopped when it must stop.

What is encoded is planning's: inputs, maps, filters, codecs, outputs. How it is run is
decided here: the binary, ``-nostdin``, ``-y`` (outputs lie in scratch), the log's level,
progress on standard output (so no output may go there), and the fence before every input.
"""

import contextlib
import shlex
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from typing_extensions import override

from media_nommer.adapters.ffmpeg.formats import guarded
from media_nommer.adapters.ffmpeg.launcher import NO_LIMITS, Launcher
from media_nommer.adapters.ffmpeg.process import Limits, Watch
from media_nommer.adapters.ffmpeg.progress import ProgressReader, StallWatch
from media_nommer.adapters.ffmpeg.trouble import trouble
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import EncodeError, NommerError
from media_nommer.core.ports.encoder import Encoded, Encoder, Progress

OnProgress = Callable[[Progress], None]

LOG_TAIL_LINES = 20
MAX_LOG = 16 * 1024 * 1024
_TAIL_BYTES = 64 * 1024
_GLOBAL = (
    *("-hide_banner", "-nostdin", "-y", "-loglevel", "level+info", "-nostats"),
    *("-progress", "pipe:1", "-stats_period", "0.5"),
)


class FfmpegEncoder(Encoder):
    """Runs FFmpeg commands through a launcher. Several threads may share one."""

    def __init__(
        self,
        launcher: Launcher,
        ffmpeg: Path,
        *,
        limits: Limits = NO_LIMITS,
        stall_after: timedelta | None = timedelta(minutes=5),
        clock: Clock = system_clock,
    ) -> None:
        self._launcher = launcher
        self._ffmpeg = ffmpeg
        self._limits = limits
        self._stall_after = stall_after
        self._clock = clock

    def command(self, args: Sequence[str]) -> tuple[str, ...]:
        """Return the whole command line that ``run`` would run for planning's arguments."""
        return (str(self._ffmpeg), *_GLOBAL, *guarded(args))

    @override
    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        log: Path,
        on_progress: OnProgress | None = None,
        stop: Watch | None = None,
        limits: Limits | None = None,
        stdin: int | None = None,
    ) -> Encoded:
        """Run FFmpeg with ``args`` (all that follows its name) in the folder ``cwd``.

        ``log`` gets the command line and all that FFmpeg prints, at its end. ``stop`` is
        asked ten times a second: the error it returns is raised once FFmpeg is dead.

        Raises:
            EncodeError: FFmpeg refused, crashed, stalled, crossed a limit or lacks an
                encoder.
            MediaError: it could not read the source.
            NoSpace: the disk is full.
            EncoderMissing: it cannot be run.
            NommerError: whatever ``stop`` returned.
        """
        limits = limits or self._limits
        argv = self.command(args)
        command = shlex.join(argv)
        stall = StallWatch(self._stall_after, self._clock)
        reader = ProgressReader()

        def read_progress(chunk: bytes) -> None:
            for progress in reader.feed(chunk):
                stall.saw(progress)
                if on_progress:
                    on_progress(progress)

        def watch() -> NommerError | None:
            return (stop() if stop else None) or stall.verdict()

        with KeptLog(log, command) as kept:
            try:
                ended = self._launcher.run(
                    argv,
                    cwd=cwd,
                    limits=limits,
                    stdin=stdin,
                    on_stdout=read_progress,
                    on_stderr=kept.write,
                    watch=watch,
                )
            except NommerError as error:
                error.log_tail = error.log_tail or kept.tail()[-LOG_TAIL_LINES:]
                raise
            lines = kept.tail()
        if ended.code:
            raise trouble(ended, lines, limits)
        return Encoded(
            command=command,
            cpu_seconds=ended.cpu_seconds,
            wall_seconds=ended.wall_seconds,
            peak_memory=ended.peak_memory,
            log_tail=lines[-LOG_TAIL_LINES:],
        )


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

    def write(self, chunk: bytes) -> None:
        """Take what a process printed."""
        if self._room > 0:
            self._put(chunk[: self._room])
            self._room -= len(chunk)
        self._end.append(chunk)
        self._end_size += len(chunk)
        while len(self._end) > 1 and self._end_size - len(self._end[0]) >= _TAIL_BYTES:
            self._end_size -= len(self._end.popleft())

    def _put(self, data: bytes) -> None:
        """Write if the disk has room: the encoder will say itself that it has none."""
        with contextlib.suppress(OSError):
            self._file.write(data)

    def tail(self) -> tuple[str, ...]:
        """Return the last lines, at most 64 KiB or a little more of them."""
        text = b"".join(self._end).decode("utf-8", "replace")
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())
