"""FFmpeg's command line, as what is measured runs it."""

import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.running import CommandFailed, Running
from benchmarks.serving import clean_environment

_PATIENCE = 900


def command_of(argv: Sequence[str], folder: Path) -> list[str]:
    """Encode once, unmeasured, and read FFmpeg's command line off the process table.

    Raises:
        CommandFailed: none was seen, or more than one.
    """
    seen: set[tuple[str, ...]] = set()
    with Running(argv, cwd=folder, env=clean_environment()) as running:
        while running.alive:
            seen |= set(encoders(running).values())
            time.sleep(0.02)
        running.wait(_PATIENCE)
    if len(seen) != 1:
        raise CommandFailed(f"expected one FFmpeg command of `nommer encode`, saw {seen}")
    return list(seen.pop())


def encoders(running: Running) -> dict[int, tuple[str, ...]]:
    """Return the command lines of the FFmpegs that a command runs now, by their numbers."""
    found = {process.pid: _argv(process) for process in running.family()}
    return {pid: argv for pid, argv in found.items() if _encodes(argv)}


def _argv(process: psutil.Process) -> tuple[str, ...]:
    try:
        return tuple(process.cmdline())
    except psutil.Error:
        return ()


def _encodes(argv: Sequence[str]) -> bool:
    return bool(argv) and Path(argv[0]).name.startswith("ffmpeg") and "-i" in argv
