"""Measures what media-nommer adds to FFmpeg, and how its parts do: ``make bench``."""

import argparse
import os
import platform
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from benchmarks import (
    calls,
    footprint,
    ladders,
    lists,
    meter,
    objects,
    one_film,
    queues,
    sending,
    small_jobs,
    throughput,
    trials,
)
from benchmarks.running import CommandFailed
from media_nommer import __version__

PARTS = {
    "a": one_film.measure,
    "b": small_jobs.measure,
    "c": throughput.measure,
    "d": footprint.measure,
    "e": queues.measure,
    "f": lists.measure,
    "g": objects.measure,
    "h": calls.measure,
    "i": ladders.measure,
    "j": sending.measure,
    "k": trials.measure,
}
_RUNS, _QUICK_RUNS = 5, 2


def main() -> int:
    """Run the parts that are wanted, print their tables, and return the exit status."""
    said = _arguments()
    runs = said.runs or (_QUICK_RUNS if said.quick else _RUNS)
    signal.signal(signal.SIGTERM, _leave)
    _introduce()
    failed = False
    for part in said.only:
        with tempfile.TemporaryDirectory(prefix="nommer-bench-") as name:
            try:
                PARTS[part](Path(name), runs, quick=said.quick)
            except (CommandFailed, OSError) as error:
                print(f"\n({part}) could not be measured: {error}", flush=True)
                failed = True
    print(f"\nload average at the end: {_load()}")
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        type=_parts,
        default=list(PARTS),
        metavar="a,b,...,k",
        help="which parts to measure; default: all",
    )
    parser.add_argument(
        "--quick", action="store_true", help="less film and fewer runs: does it work?"
    )
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each; default: 5")
    return parser.parse_args()


def _parts(text: str) -> list[str]:
    wanted = text.split(",")
    if unknown := [part for part in wanted if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part is called {unknown[0]!r}")
    return wanted


def _introduce() -> None:
    print(
        f"media-nommer {__version__}, Python {platform.python_version()}, "
        f"{len(os.sched_getaffinity(0))} cores, load average {_load()}"
    )
    exact = "every process of the tree, counted by the kernel"
    waited = "the processes that were waited for (the kernel's counter is not to be had)"
    print(f"CPU seconds: user and system of {exact if meter.can_count() else waited}")
    sys.stdout.flush()


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main())
