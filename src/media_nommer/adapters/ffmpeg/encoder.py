"""Runs one FFmpeg command: progress out, log kept, stopped when it must stop.

What is encoded is planning's: inputs, maps, filters, codecs, outputs. How it is run is
decided here: the binary, ``-nostdin``, ``-y`` (outputs lie in scratch), the log's level,
progress on standard output (so no output may go there), and the fence before every input.
"""

import shlex
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from typing_extensions import override

from media_nommer.adapters.ffmpeg.formats import guarded
from media_nommer.adapters.ffmpeg.kept_log import LOG_TAIL_LINES, KeptLog
from media_nommer.adapters.ffmpeg.launcher import NO_LIMITS, Launcher
from media_nommer.adapters.ffmpeg.process import Limits, Sink, Watch
from media_nommer.adapters.ffmpeg.progress import ProgressReader, StallWatch
from media_nommer.adapters.ffmpeg.trouble import trouble
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import EncoderMissing
from media_nommer.core.ports.encoder import Encoded, Encoder, Progress

OnProgress = Callable[[Progress], None]

_GLOBAL = (
    *("-hide_banner", "-nostdin", "-y", "-loglevel", "level+info", "-nostats"),
    *("-progress", "pipe:1", "-stats_period", "0.5"),
)


class FfmpegEncoder(Encoder):
    """Runs FFmpeg commands through a launcher. Several threads may share one.

    ``confined`` it sees no files but its folder's, where the kernel can; some that are no
    more than a script, or come in a box of their own, do not run so.
    """

    def __init__(
        self,
        launcher: Launcher,
        ffmpeg: Path,
        *,
        limits: Limits = NO_LIMITS,
        stall_after: timedelta | None = timedelta(minutes=5),
        clock: Clock = system_clock,
        confined: bool = False,
    ) -> None:
        self._launcher = launcher
        self._ffmpeg = ffmpeg
        self._limits = limits
        self._stall_after = stall_after
        self._clock = clock
        self._sees = _seen_by(ffmpeg) if confined else None

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
        with KeptLog(log, command) as kept, kept.explaining():
            ended = self._launcher.run(
                argv,
                cwd=cwd,
                limits=limits,
                stdin=stdin,
                sees=self._sees,
                on_stdout=_telling(stall, on_progress),
                on_stderr=kept.write,
                watch=lambda: (stop() if stop else None) or stall.verdict(),
            )
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


def runs_confined(launcher: Launcher, ffmpeg: Path) -> bool:
    """Return whether an FFmpeg runs where it sees no files but its own."""
    asked, here = [str(ffmpeg), "-version"], launcher.scratch_root
    try:
        return launcher.run(asked, cwd=here, sees=_seen_by(ffmpeg)).code == 0
    except EncoderMissing:
        return False


def _seen_by(ffmpeg: Path) -> tuple[Path, ...]:
    """Return what an FFmpeg sees of its own: itself, and libraries that came with it."""
    return (ffmpeg, ffmpeg.resolve().parent.parent / "lib")


def _telling(stall: StallWatch, on_progress: OnProgress | None) -> Sink:
    """Return what reads FFmpeg's progress, and tells of it."""
    reader = ProgressReader()

    def read(chunk: bytes) -> None:
        for progress in reader.feed(chunk):
            stall.saw(progress)
            if on_progress:
                on_progress(progress)

    return read
