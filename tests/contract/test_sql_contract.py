from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from media_nommer.adapters.sql import SqlQueue, SqlStore, open_engine, sqlite_url
from media_nommer.adapters.sql.schema import messages
from media_nommer.core.ports.queue import TaskQueue
from media_nommer.core.ports.store import JobStore
from media_nommer.core.tasks import TaskId
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.queue_contract import MessageContract, QueueContract
from media_nommer.testing.store_contract import StoreContract


class OnSqlite:
    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[sa.Engine]:
        engine = open_engine(sqlite_url(tmp_path / "data dir" / "nommer%20ü.db"))
        yield engine
        engine.dispose()


class OnPostgres:
    @pytest.fixture
    def engine(self, postgres_url: Callable[[], str]) -> Iterator[sa.Engine]:
        engine = open_engine(postgres_url())
        yield engine
        engine.dispose()


class SqlStoreContract(StoreContract):
    @pytest.fixture
    def store(self, engine: sa.Engine) -> JobStore:
        return SqlStore(engine)


class SqlQueueContract(QueueContract, MessageContract):
    @pytest.fixture
    def queue(self, engine: sa.Engine, clock: ManualClock) -> Iterator[TaskQueue]:
        queue = SqlQueue(engine, clock)
        yield queue
        queue.close()

    @pytest.fixture
    def put_raw(self, engine: sa.Engine, queue: TaskQueue) -> Callable[[TaskId, int], None]:
        def put(task_id: TaskId, version: int) -> None:
            queue.put(task_id)
            with engine.connect() as db:
                row = messages.c.task_id == task_id
                db.execute(sa.update(messages).where(row).values(version=version))

        return put


class TestSqlStoreOnSqlite(OnSqlite, SqlStoreContract):
    pass


class TestSqlQueueOnSqlite(OnSqlite, SqlQueueContract):
    pass


class TestSqlStoreOnPostgres(OnPostgres, SqlStoreContract):
    pass


class TestSqlQueueOnPostgres(OnPostgres, SqlQueueContract):
    pass
