"""Databases that were made before, by others at the same moment, or by a newer version."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from media_nommer.adapters.sql import SqlQueue, SqlStore, open_engine, sqlite_url
from media_nommer.adapters.sql.migrate import HEAD
from media_nommer.adapters.sql.schema import metadata
from media_nommer.adapters.sql.upgrade import config, upgrade
from media_nommer.core.ports.queue import Delivery
from media_nommer.core.tasks import TaskId
from media_nommer.core.wire import UnknownVersion, dump
from media_nommer.testing.samples import MINUTE, a_full_job, a_job, a_task


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "nommer.db")
    new: Callable[[], str] = request.getfixturevalue("postgres_url")
    return new()


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = open_engine(url)
    yield engine
    engine.dispose()


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [HEAD]


def test_the_migrations_make_the_tables_that_the_code_knows(engine: sa.Engine) -> None:
    with engine.connect() as db:
        context = MigrationContext.configure(db, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_a_database_of_the_first_version_opens_with_all_that_is_in_it(url: str) -> None:
    raw = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    upgrade(raw, "0001")
    row = {"id": "job-0001", "state": "failed", "created": 7, "revision": 3}
    with raw.begin() as db:
        insert = (
            "INSERT INTO jobs (id, state, created, revision, document)"
            " VALUES (:id, :state, :created, :revision, :document)"
        )
        db.execute(sa.text(insert), {**row, "document": dump(a_full_job())})
        message = "INSERT INTO messages VALUES ('task-1', 1, 0, '', 4)"
        db.execute(sa.text(message))
    raw.dispose()

    engine = open_engine(url)
    try:
        assert SqlStore(engine).get_job(a_full_job().id) == a_full_job()
        delivery = SqlQueue(engine).take(MINUTE)
        assert delivery is not None
        assert (delivery.task_id, delivery.times) == ("task-1", 5)
    finally:
        engine.dispose()


def test_messages_of_the_version_before_keep_their_rank_and_their_lease(url: str) -> None:
    raw = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    upgrade(raw, "0002")
    insert = "INSERT INTO messages (task_id, version, free_at, token, times, rank) VALUES "
    far = 4 * 10**15
    with raw.begin() as db:
        for row in ("'low', 1, 5, '', 0, 2", "'high', 1, 9, '', 0, 0"):
            db.exec_driver_sql(f"{insert}({row})")
        db.exec_driver_sql(f"{insert}('held', 1, {far}, 'by-the-old', 1, 0)")
    raw.dispose()

    engine = open_engine(url)
    queue = SqlQueue(engine)
    found = [queue.take(MINUTE) for _ in range(3)]
    queue.keep(Delivery(task_id=TaskId("held"), token="by-the-old"), timedelta())

    assert [each and each.task_id for each in found] == ["high", "low", None]
    again = queue.take(MINUTE)
    assert again is not None
    assert (again.task_id, again.times) == ("held", 2)
    engine.dispose()


def test_what_the_version_before_puts_takes_and_keeps_is_found_due_and_hidden(
    url: str,
) -> None:
    """It writes neither stage nor turn: the time alone says who may take a message."""
    engine = open_engine(url)
    queue = SqlQueue(engine)
    queue.put(TaskId("mine"))
    mine = queue.take(MINUTE)
    queue.put(TaskId("theirs"))
    with engine.connect() as db:
        db.exec_driver_sql(
            f"UPDATE messages SET free_at = {4 * 10**15}, token = 'old' WHERE token = ''"
        )
        taken_by_the_old = queue.take(MINUTE)
        db.exec_driver_sql("UPDATE messages SET free_at = 1, token = ''")

    found = {each.task_id for each in iter(lambda: queue.take(MINUTE), None)}

    assert mine is not None
    assert taken_by_the_old is None
    assert found == {"mine", "theirs"}
    engine.dispose()


def test_the_version_before_can_go_on_writing_after_the_upgrade(url: str) -> None:
    """Machines are upgraded one after the other, while jobs go on."""
    engine = open_engine(url)
    before = "(task_id, version, free_at, token, times) VALUES ('task-1', 1, 0, '', 0)"
    with engine.connect() as db:
        db.exec_driver_sql(f"INSERT INTO messages {before}")

    delivery = SqlQueue(engine).take(MINUTE)

    assert delivery is not None
    assert delivery.task_id == "task-1"
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_with_a_sentence(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()

    with pytest.raises(UnknownVersion, match=r"version 9999, made by a newer media-nommer"):
        open_engine(url)


def test_many_processes_may_open_a_new_database_at_once(url: str) -> None:
    program = (
        "import sys\n"
        "from media_nommer.adapters.sql import SqlStore, open_engine\n"
        "from media_nommer.testing.samples import a_job\n"
        "engine = open_engine(sys.argv[1])\n"
        "SqlStore(engine).add_job(a_job(int(sys.argv[2])))\n"
        "engine.dispose()\n"
    )

    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, url, str(number)], stderr=subprocess.PIPE
        )
        for number in range(4)
    ]
    said = [process.communicate()[1].decode() for process in processes]

    assert said == [""] * 4
    engine = open_engine(url)
    assert len(SqlStore(engine).list_jobs().jobs) == 4
    engine.dispose()


def test_what_was_stored_is_there_when_it_is_opened_again(url: str) -> None:
    first = open_engine(url)
    job = SqlStore(first).add_job(a_job())
    SqlQueue(first).put(a_task().id)
    first.dispose()

    second = open_engine(url)

    assert SqlStore(second).get_job(job.id) == job
    assert SqlQueue(second).depth() == 1
    second.dispose()


def test_opening_a_database_that_is_up_to_date_does_not_load_alembic(
    tmp_path: Path,
) -> None:
    url = sqlite_url(tmp_path / "nommer.db")
    open_engine(url).dispose()
    program = (
        "import sys\n"
        "from media_nommer.adapters.sql import open_engine\n"
        "open_engine(sys.argv[1]).dispose()\n"
        "assert 'alembic' not in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", program, url], check=True)
