"""What a page of jobs takes: steps of SQLite's machine, which no clock is needed for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from media_nommer.adapters.sql import SqlStore, open_engine, sqlite_url
from media_nommer.adapters.sql import store as sql_store
from media_nommer.core.jobs import JobState
from media_nommer.core.ports.store import JobFilter
from media_nommer.testing.clock import START
from media_nommer.testing.samples import a_job

FEW, MANY, PAGE = 40, 160, 5
_A_STEP = 20


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(sqlite_url(tmp_path / "jobs.db"))
    yield engine
    engine.dispose()


def _add(store: SqlStore, first: int, end: int) -> None:
    for number in range(first, end):
        tags = {"customer": "large", "show": str(number // 3)}
        job = store.add_job(a_job(number, minutes=number, tags=tags, presets=("web",)))
        if number < PAGE:
            store.swap_job(job.moved_to(JobState.RUNNING, at=START))
        elif number < 2 * PAGE:
            store.swap_job(job.moved_to(JobState.ABANDONED, at=START))
        elif number % 2:
            store.swap_job(job.moved_to(JobState.CANCELED, at=START))


def _steps(engine: sa.Engine, store: SqlStore, wanted: JobFilter) -> int:
    """Return how many steps a page takes, on the connection that the pool gives next."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    with engine.connect() as db:
        connection = db.connection.dbapi_connection
        assert connection is not None
        connection.set_progress_handler(step, _A_STEP)
    page = store.list_jobs(wanted, limit=PAGE)
    connection.set_progress_handler(None, 0)
    assert page.jobs
    return count * _A_STEP


@pytest.mark.parametrize(
    "wanted",
    [
        JobFilter(),
        JobFilter(states=(JobState.PENDING,)),
        JobFilter(states=(JobState.PENDING, JobState.CANCELED)),
        JobFilter(tag=("customer", "large")),
        JobFilter(tag=("customer", "large"), states=(JobState.RUNNING,)),
        JobFilter(tag=("customer", "large"), states=(JobState.ABANDONED,)),
        JobFilter(tag=("customer", "large"), preset="web"),
        JobFilter(tag=("show", "7"), preset="web"),
    ],
    ids=str,
)
def test_a_page_of_many_jobs_takes_little_more_than_one_of_few(
    engine: sa.Engine, wanted: JobFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_store, "_FEW", 2 * PAGE)
    store = SqlStore(engine)
    _add(store, 0, FEW)
    among_few = _steps(engine, store, wanted)
    _add(store, FEW, MANY)

    among_many = _steps(engine, store, wanted)

    assert among_many < 1.5 * among_few + 20 * _A_STEP
