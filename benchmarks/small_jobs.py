"""(b) Ten small clips through a running ``nommer serve``, against a loop of FFmpeg."""

import shlex
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks import films, tables
from benchmarks.figures import Sample
from benchmarks.running import CommandFailed, run
from benchmarks.serving import Served, job_document, served, wait_for

CLIPS = 10
_PATIENCE = 120
_ONE_SLOT = {"slots": "1"}


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print the table; quick or not, it takes a few seconds a run."""
    del quick
    clips = films.small_clips(folder, CLIPS)
    warm: list[Sample] = []
    cold: list[Sample] = []
    loop: list[Sample] = []
    with served(folder / "warm", min_nodes=1, settings=_ONE_SLOT) as server:
        server.nodes_there(1)
        jobs, _ = _through(server, clips, folder / "first")
        script = _loop(folder, clips, [_command_of(server, job) for job in jobs])
        for number in range(runs):
            jobs, sample = _through(server, clips, folder / f"warm-out{number}")
            warm.append(sample)
            loop.append(run(["/bin/sh", str(script)], cwd=folder, timeout=_PATIENCE))
            cold.append(_from_nothing(folder / f"cold{number}", clips))
        rests = _rests(server)
    tables.show(
        f"(b) {CLIPS} clips of 1 s, 640x360, to `web`, one slot, {runs} runs, interleaved",
        tables.PAIR_COLUMNS,
        [
            tables.pair_row("shell loop of bare ffmpeg", loop),
            tables.pair_row("nommer serve, its node idle", warm, loop),
            tables.pair_row("nommer serve, starts a node", cold, loop),
        ],
    )
    tables.note("aim: wall 1.5 with the node idle; CPU is that of feederd and its node")
    tables.note(tables.pairs_text("node idle / loop", warm, loop))
    median, range_ = tables.spread_cells([rest * 1000 for rest in rests], 0)
    tables.note(f"from the end of a job to the start of the next: {median} ms ({range_})")


def _from_nothing(folder: Path, clips: Sequence[Path]) -> Sample:
    """Do the clips on a feederd that has no node yet."""
    with served(folder, settings=_ONE_SLOT) as server:
        return _through(server, clips, folder / "out")[1]


def _through(
    server: Served, clips: Sequence[Path], out: Path
) -> tuple[list[dict[str, Any]], Sample]:
    """Submit a job for each clip, wait for the last, and return the jobs and what it took.

    The end is when the last job says that it was finished, so that we need not ask often.

    Raises:
        CommandFailed: a job did not finish.
    """
    client, meter = server.client, server.running.meter
    used, begun = meter.read(), time.time()
    ids = [client.ask("POST", "/v1/jobs", job_document(clip, out))["id"] for clip in clips]
    wait_for(lambda: not server.unfinished(), _PATIENCE, "the jobs to end")
    used = meter.read() - used
    jobs = [client.ask("GET", f"/v1/jobs/{job_id}") for job_id in ids]
    if failed := [job for job in jobs if job["state"] != "finished"]:
        raise CommandFailed(f"a job did not finish: {failed[0]}")
    ended = max(_when(job["finished_at"]) for job in jobs)
    return jobs, Sample(ended - begun, used)


def _command_of(server: Served, job: dict[str, Any]) -> str:
    """Return FFmpeg's command line, as the attempt's log has it."""
    attempts = server.client.ask("GET", f"/v1/jobs/{job['id']}/logs")["attempts"]
    commands = [command for attempt in attempts for command in attempt["commands"]]
    if len(commands) != 1:
        raise CommandFailed(f"expected one command of job {job['id']}, found {commands}")
    return str(commands[0])


def _loop(folder: Path, clips: Sequence[Path], commands: Sequence[str]) -> Path:
    """Write the shell script that runs the commands one after the other."""
    lines = ["set -e"]
    for clip, command in zip(clips, commands, strict=True):
        place = folder / "loop" / clip.stem
        place.mkdir(parents=True)
        (place / "source").symlink_to(clip)
        lines.append(f"cd {shlex.quote(str(place))} && {command} >/dev/null 2>&1")
    script = folder / "loop.sh"
    script.write_text("\n".join(lines) + "\n")
    return script


def _rests(server: Served) -> list[float]:
    """Return how long the slot was empty between two jobs of the last run."""
    jobs = server.client.ask("GET", f"/v1/jobs?limit={CLIPS}")["jobs"]
    times = sorted((_when(job["started_at"]), _when(job["finished_at"])) for job in jobs)
    return [after[0] - before[1] for before, after in pairwise(times)]


def _when(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
