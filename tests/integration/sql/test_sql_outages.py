"""Databases that do not answer: what callers see is an error of ours, and then it works."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from media_nommer.adapters.sql import SqlQueue, SqlStore, open_engine, sqlite_url
from media_nommer.core.errors import (
    AccessDenied,
    BadRequest,
    InvalidSetting,
    JobNotFound,
    NoSpace,
    ServiceUnavailable,
)
from media_nommer.core.jobs import JobId
from media_nommer.core.tasks import TaskId
from media_nommer.testing.samples import MINUTE, a_job


@pytest.fixture
def postgres_engine(postgres_url: Callable[[], str]) -> Iterator[sa.Engine]:
    engine = open_engine(postgres_url())
    yield engine
    engine.dispose()


def terminate_others(engine: sa.Engine) -> None:
    """End every connection to the server but the one that says so."""
    with engine.connect() as db:
        db.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


def test_a_connection_that_was_cut_is_made_again(
    postgres_engine: sa.Engine, postgres_url: Callable[[], str]
) -> None:
    store = SqlStore(postgres_engine)
    store.add_job(a_job())
    other = open_engine(postgres_url())

    terminate_others(other)
    other.dispose()

    assert store.get_job(a_job().id).id == a_job().id


def test_cuts_in_the_middle_are_errors_that_may_be_retried(
    postgres_engine: sa.Engine, postgres_url: Callable[[], str]
) -> None:
    queue = SqlQueue(postgres_engine)
    other = open_engine(postgres_url())
    over = threading.Event()
    strange: list[BaseException] = []
    cut = 0

    def work(number: int) -> None:
        nonlocal cut
        while not over.is_set():
            try:
                queue.put(TaskId(f"task-{number}"))
                queue.take(MINUTE)
            except ServiceUnavailable:
                cut += 1
            except BaseException as error:
                strange.append(error)
                return

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        terminate_others(other)
    over.set()
    for thread in threads:
        thread.join()
    other.dispose()

    assert strange == []
    queue.put(TaskId("after all"))


def test_a_server_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")

    with pytest.raises(ServiceUnavailable):
        open_engine(f"postgresql://nommer@/postgres?host={tmp_path}")


def test_a_text_that_postgres_cannot_hold_is_the_callers_mistake(
    postgres_engine: sa.Engine,
) -> None:
    with pytest.raises((BadRequest, JobNotFound)):
        SqlStore(postgres_engine).get_job(JobId("a\0b"))


def test_a_locked_database_is_waited_for_and_then_said_to_be_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_nommer.adapters.sql.sqlite.BUSY_TIMEOUT", 0.05)
    path = tmp_path / "nommer.db"
    engine = open_engine(sqlite_url(path))
    queue = SqlQueue(engine)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")

    with pytest.raises(ServiceUnavailable, match="locked"):
        queue.put(TaskId("task"))
    assert queue.take(MINUTE) is None
    assert queue.depth() == 0

    blocker.execute("COMMIT")
    blocker.close()
    queue.put(TaskId("task"))
    assert queue.take(MINUTE) is not None
    engine.dispose()


def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "nommer.db"))
    sa.event.listen(
        engine,
        "checkout",
        lambda connection, *_: connection.execute("PRAGMA max_page_count=1"),
    )
    store = SqlStore(engine)

    with pytest.raises(NoSpace):
        store.add_job(a_job(source="x" * 1_000_000))

    assert store.list_jobs().jobs == ()
    engine.dispose()


def test_every_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "nommer.db"))

    with engine.connect() as one, engine.connect() as two:
        for db in (one, two):
            assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert db.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000

    engine.dispose()


@pytest.mark.parametrize(
    "url",
    ["mysql://host/name", "sqlite://", "sqlite:///:memory:", "not a url", "sqlite"],
)
def test_a_url_that_is_no_database_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting):
        open_engine(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"this is not a database" * 100)

    with pytest.raises(InvalidSetting):
        open_engine(sqlite_url(path))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(AccessDenied):
        open_engine(sqlite_url(tmp_path / "file" / "nommer.db"))
