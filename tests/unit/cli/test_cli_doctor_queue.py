from datetime import timedelta

import pytest

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.cli.doctor import check_queue
from media_nommer.core.tasks import TaskId
from media_nommer.core.workflow.engine import Engine
from media_nommer.testing.clock import ManualClock

LEASE = timedelta(seconds=30)


@pytest.fixture
def engine() -> Engine:
    clock = ManualClock()
    return Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


def test_looking_at_an_empty_queue_leaves_nothing_in_it(engine: Engine) -> None:
    said = check_queue(engine)

    assert said == "0 messages"
    assert engine.queue.take(LEASE) is None


def test_a_message_that_waits_for_a_worker_still_waits_after_a_look(engine: Engine) -> None:
    engine.queue.put(TaskId("waits"))

    check_queue(engine)

    taken = engine.queue.take(LEASE)
    assert taken is not None
    assert taken.task_id == "waits"
