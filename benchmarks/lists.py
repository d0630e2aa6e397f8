"""(f) Lists of jobs where there are very many: how long a page takes, and what it reads."""

import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import quantiles

import sqlalchemy as sa

from benchmarks import page_costs, tables
from benchmarks.many_jobs import (
    COMMON_PRESET,
    COMMON_STATE,
    COMMON_TAG,
    RARE_PRESET,
    RARE_STATE,
    ManyJobs,
    copy_to_postgres,
    sqlite_file,
)
from benchmarks.postgres import postgres
from media_nommer.adapters.sql import SqlStore, open_engine, sqlite_url
from media_nommer.core.cursors import dump_cursor, place_of
from media_nommer.core.jobs import JobState
from media_nommer.core.ports.store import EVERY_JOB, JobFilter, JobStore

PAGE = 50
_SLOW_MS = 20.0
#: How much of a plan is shown, in characters.
_PLAN = 300
_SEED = 20260101
_UNFINISHED = (JobState.PENDING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of ``list_jobs``."""

    wanted: JobFilter = EVERY_JOB
    cursor: str | None = None


#: Makes a call of its kind, another one each time.
Kind = Callable[[ManyJobs, random.Random], Asked]


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print both tables."""
    jobs, times = (ManyJobs(20_000), 40) if quick else (ManyJobs(1_000_000), 100 * runs)
    kept = sqlite_file(jobs)
    copied = folder / "jobs.db"
    shutil.copyfile(kept, copied)
    columns = ["a page of 50", "SQLite p50", "p99"]
    rows = [[name] for name in KINDS]
    slow = list(_filled(rows, "SQLite", sqlite_url(copied), jobs, times))
    with postgres() as databases:
        if databases is None:
            tables.note("there is no PostgreSQL on this machine: (f) leaves it out")
        else:
            (url,) = databases(1)
            copy_to_postgres(kept, url)
            columns += ["PostgreSQL p50", "p99"]
            slow += _filled(rows, "PostgreSQL", url, jobs, times)
    tables.show(f"(f) lists of {jobs.count} jobs, ms, {times} calls each", columns, rows)
    tables.note("records are read and checked; what the first call does once is left out")
    for line in slow:
        tables.note(line)
    page_costs.measure()


def _filled(
    rows: Sequence[list[str]], engine_name: str, url: str, jobs: ManyJobs, times: int
) -> Iterator[str]:
    """Add the figures of one store to the rows; yield how slow queries were planned."""
    engine = open_engine(url)
    try:
        store = SqlStore(engine)
        for row, kind in zip(rows, KINDS.values(), strict=True):
            took = _milliseconds(store, jobs, kind, times)
            percentiles = quantiles(took, n=100)
            row += [f"{percentiles[49]:.1f}", f"{percentiles[98]:.1f}"]
            if percentiles[49] > _SLOW_MS:
                plan = _plan(engine, store, jobs, kind)[:_PLAN]
                yield f"{engine_name}, {row[0]}: {plan}"
    finally:
        engine.dispose()


def _milliseconds(store: JobStore, jobs: ManyJobs, kind: Kind, times: int) -> list[float]:
    """Time a kind of call, less often where it is so slow that it would take minutes."""
    dice = random.Random(_SEED)
    store.list_jobs(kind(jobs, dice).wanted, limit=PAGE)
    took: list[float] = []
    until = time.monotonic() + 30
    while len(took) < times and (len(took) < 10 or time.monotonic() < until):
        asked = kind(jobs, dice)
        begun = time.perf_counter()
        store.list_jobs(asked.wanted, limit=PAGE, cursor=asked.cursor)
        took.append(1000 * (time.perf_counter() - begun))
    return took


def _plan(engine: sa.Engine, store: JobStore, jobs: ManyJobs, kind: Kind) -> str:
    """Return how the database goes about such a call, as it says itself."""
    asked, said = kind(jobs, random.Random(_SEED)), list[str]()
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "

    def explained(
        db: sa.Connection, cursor: object, statement: str, values: object, *_: object
    ) -> None:
        if statement.startswith("SELECT") and not said:
            said.append("")
            lines = db.exec_driver_sql(explain + statement, values)  # type: ignore[arg-type]
            said[0] = "; ".join(str(line[-1]).strip() for line in lines)

    sa.event.listen(engine, "before_cursor_execute", explained)
    try:
        store.list_jobs(asked.wanted, limit=PAGE, cursor=asked.cursor)
    finally:
        sa.event.remove(engine, "before_cursor_execute", explained)
    return said[0]


def _all(_jobs: ManyJobs, _dice: random.Random) -> Asked:
    return Asked()


def _filtered(**wanted: object) -> Kind:
    return lambda _jobs, _dice: Asked(JobFilter(**wanted))  # type: ignore[arg-type]


def _deep(**wanted: object) -> Kind:
    """Return the kind that begins anywhere in a list."""

    def deep(jobs: ManyJobs, dice: random.Random) -> Asked:
        place = place_of(jobs.job(dice.randrange(jobs.count // 4, jobs.count * 3 // 4)))
        return Asked(JobFilter(**wanted), dump_cursor(place))  # type: ignore[arg-type]

    return deep


def _rare_tag(jobs: ManyJobs, dice: random.Random) -> Asked:
    return Asked(JobFilter(tag=jobs.rare_tag(dice.randrange(jobs.count))))


def _rare_tag_of_common_preset(jobs: ManyJobs, dice: random.Random) -> Asked:
    tag = jobs.rare_tag(dice.randrange(jobs.count))
    return Asked(JobFilter(tag=tag, preset=COMMON_PRESET))


def _absent_tag(_jobs: ManyJobs, dice: random.Random) -> Asked:
    return Asked(JobFilter(tag=("show", f"absent-{dice.random()}")))


def _a_day(**wanted: object) -> Kind:
    """Return the kind that asks for the jobs of a day."""

    def day(jobs: ManyJobs, dice: random.Random) -> Asked:
        since = jobs.job(dice.randrange(jobs.count)).created_at
        until = since + timedelta(days=1)
        return Asked(JobFilter(since=since, until=until, **wanted))  # type: ignore[arg-type]

    return day


KINDS: dict[str, Kind] = {
    "the first of all": _all,
    "deep inside of all, by cursor": _deep(),
    "state, rare": _filtered(states=(RARE_STATE,)),
    "state, common": _filtered(states=(COMMON_STATE,)),
    "state, common, deep inside": _deep(states=(COMMON_STATE,)),
    "states, pending and running": _filtered(states=_UNFINISHED),
    "states, two common ones, deep inside": _deep(states=(COMMON_STATE, JobState.FAILED)),
    "tag, rare": _rare_tag,
    "tag, absent": _absent_tag,
    "tag, common": _filtered(tag=COMMON_TAG),
    "tag, common, deep inside": _deep(tag=COMMON_TAG),
    "preset, rare": _filtered(preset=RARE_PRESET),
    "preset, common": _filtered(preset=COMMON_PRESET),
    "a day": _a_day(),
    "a day, state common": _a_day(states=(COMMON_STATE,)),
    "a day, tag common": _a_day(tag=COMMON_TAG),
    "tag common, preset common": _filtered(tag=COMMON_TAG, preset=COMMON_PRESET),
    "tag rare, preset common": _rare_tag_of_common_preset,
    "tag common, unfinished": _filtered(tag=COMMON_TAG, states=_UNFINISHED),
    "tag common, state rare": _filtered(tag=COMMON_TAG, states=(RARE_STATE,)),
    "preset rare, tag common": _filtered(preset=RARE_PRESET, tag=COMMON_TAG),
}
