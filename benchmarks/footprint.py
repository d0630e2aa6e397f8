"""(d) How fast the command line answers, and what idle daemons hold of the memory."""

import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks import films, tables
from benchmarks.figures import Sample
from benchmarks.running import CommandFailed, Running, run
from benchmarks.serving import clean_environment, job_document, program, served, wait_for

HELPS = 10
COLUMNS = ("", "RSS MB", "PSS MB", "USS MB", "least-most RSS")
_SETTLE = 3.0


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print both tables."""
    del quick
    helps = _helps(folder)
    tables.show(
        f"(d) `nommer --help`, {HELPS} runs",
        ("", "wall s", "least-most", "CPU s", "least-most"),
        [tables.pair_row("nommer --help", helps)[:5]],
    )
    tables.note("aim: wall 0.3 s")
    (clip,) = films.small_clips(folder, 1)
    seen: dict[str, list[tuple[float, float, float]]] = {}
    for number in range(runs):
        for name, megabytes in _idle(folder / f"idle{number}", clip):
            seen.setdefault(name, []).append(megabytes)
    tables.show(
        f"(d) memory when idle, embedded engine, {runs} runs",
        COLUMNS,
        [_memory_row(name, found) for name, found in seen.items()],
    )
    tables.note("aim: feederd 90 MB, ec2nommerd 70 MB of RSS")


def _helps(folder: Path) -> list[Sample]:
    argv = [program("nommer"), "--help"]
    env = clean_environment()
    run(argv, cwd=folder, env=env, timeout=60)
    return [run(argv, cwd=folder, env=env, timeout=60) for _ in range(HELPS)]


def _idle(folder: Path, clip: Path) -> list[tuple[str, tuple[float, float, float]]]:
    """Return what each process holds, before the first job and after it."""
    with served(folder, min_nodes=1, settings={"slots": "1"}) as server:
        server.nodes_there(1)
        time.sleep(_SETTLE)
        before = _family(server.running, "fresh")
        server.client.ask("POST", "/v1/jobs", job_document(clip, folder / "out"))
        wait_for(lambda: not server.unfinished(), 60, "the job to end")
        time.sleep(_SETTLE)
        return before + _family(server.running, "after a job")


def _family(running: Running, when: str) -> list[tuple[str, tuple[float, float, float]]]:
    feederd, *others = running.family()
    nodes = [p for p in others if "media_nommer.daemons.ec2nommerd" in p.cmdline()]
    if len(nodes) != 1:
        raise CommandFailed(f"expected one ec2nommerd, found {nodes}")
    helpers = nodes[0].children(recursive=True)
    found = [
        (f"feederd, {when}", _megabytes([feederd])),
        (f"ec2nommerd, {when}", _megabytes(nodes)),
    ]
    if helpers:
        name = f"  its {len(helpers)} children, {when}"
        found.append((name, _megabytes(helpers)))
    return found


def _megabytes(processes: Sequence[psutil.Process]) -> tuple[float, float, float]:
    """Return RSS, PSS and USS; PSS shares what is shared, so only it adds up."""
    found = [process.memory_full_info() for process in processes]
    sums = (sum(m.rss for m in found), sum(m.pss for m in found), sum(m.uss for m in found))
    rss, pss, uss = (value / 1e6 for value in sums)
    return rss, pss, uss


def _memory_row(name: str, found: Sequence[tuple[float, float, float]]) -> list[str]:
    rss, pss, uss = (list(values) for values in zip(*found, strict=True))
    cells = [tables.spread_cells(values, 1) for values in (rss, pss, uss)]
    return [name, *(median for median, _ in cells), cells[0][1]]
