"""Waiting at PostgreSQL: a word wakes who waits, and its loss costs a look, not a task."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from media_nommer.adapters.sql import SqlQueue, open_engine
from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.ports.queue import Delivery
from media_nommer.core.tasks import TaskId
from media_nommer.testing.samples import MINUTE

TASK = TaskId("job-1.1.inspect")
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(postgres_url: Callable[[], str]) -> Iterator[sa.Engine]:
    engine = open_engine(postgres_url())
    yield engine
    engine.dispose()


@pytest.fixture
def queue(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlQueue]:
    """A queue that never looks by itself: only a word can wake who waits at it."""
    monkeypatch.setattr("media_nommer.adapters.sql.queue._LOOK_EVERY", 1e6)
    queue = SqlQueue(engine)
    yield queue
    queue.close()


class Waiting:
    """Somebody who waits at a queue, in a thread."""

    def __init__(self, queue: SqlQueue) -> None:
        self.given_up = threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._asked = threading.Event()
        self._answer = self._pool.submit(self._wait, queue)
        assert self._asked.wait(120), "nobody asked the one who waits"

    def _wait(self, queue: SqlQueue) -> Delivery | None:
        def give_up() -> bool:
            self._asked.set()
            return self.given_up.is_set()

        return queue.take(MINUTE, wait=HOUR, give_up=give_up)

    def answer(self) -> Delivery | None:
        try:
            return self._answer.result(120)
        finally:
            self.given_up.set()
            self._pool.shutdown()


def test_a_put_wakes_who_waits(queue: SqlQueue, engine: sa.Engine) -> None:
    waiting = Waiting(queue)

    SqlQueue(engine).put(TASK)

    delivery = waiting.answer()
    assert delivery is not None
    assert delivery.task_id == TASK


def test_a_task_that_is_handed_back_wakes_who_waits(
    queue: SqlQueue, engine: sa.Engine
) -> None:
    other = SqlQueue(engine)
    other.put(TASK)
    held = other.take(MINUTE)
    assert held is not None
    waiting = Waiting(queue)

    other.keep(held, timedelta())

    delivery = waiting.answer()
    assert delivery is not None
    assert delivery.task_id == TASK


def test_a_word_for_another_installation_of_the_same_server_wakes_nobody(
    queue: SqlQueue, postgres_url: Callable[[], str]
) -> None:
    elsewhere = open_engine(postgres_url())
    waiting = Waiting(queue)

    SqlQueue(elsewhere).put(TASK)
    waiting.given_up.set()

    assert waiting.answer() is None
    elsewhere.dispose()


def test_a_listening_connection_that_is_cut_is_told_and_made_again(
    queue: SqlQueue, engine: sa.Engine
) -> None:
    waiting = Waiting(queue)
    with engine.connect() as db:
        db.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND query LIKE 'LISTEN%%'"
        )
    with pytest.raises(ServiceUnavailable):
        waiting.answer()

    again = Waiting(queue)
    SqlQueue(engine).put(TASK)

    assert again.answer() is not None


def test_what_no_word_tells_of_is_found_by_a_look(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_nommer.adapters.sql.queue._LOOK_EVERY", 0.01)
    queue = SqlQueue(engine)
    queue.put(TASK, delay=timedelta(milliseconds=300))

    delivery = queue.take(MINUTE, wait=MINUTE)

    assert delivery is not None
    queue.close()


def test_two_who_wait_in_one_process_are_both_served(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_nommer.adapters.sql.queue._LOOK_EVERY", 0.05)
    queue = SqlQueue(engine)
    waiting = [Waiting(queue), Waiting(queue)]

    for number in range(2):
        queue.put(TaskId(f"job-{number}"))

    found = {delivery.task_id for w in waiting if (delivery := w.answer())}
    assert found == {"job-0", "job-1"}
    queue.close()


def test_a_wait_ends_when_its_time_is_over(engine: sa.Engine) -> None:
    queue = SqlQueue(engine)
    begun = time.monotonic()

    assert queue.take(MINUTE, wait=timedelta(milliseconds=50)) is None

    assert time.monotonic() - begun >= 0.05
    queue.close()
