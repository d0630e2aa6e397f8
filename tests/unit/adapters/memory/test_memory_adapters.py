from datetime import timedelta

from media_nommer.adapters.memory import MemoryFleet, MemoryQueue
from media_nommer.core.tasks import TaskId
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import MINUTE, a_node

TASK = TaskId("task")


def test_without_duplicates_a_task_has_one_message() -> None:
    queue = MemoryQueue(ManualClock())

    queue.put(TASK)
    queue.put(TASK)

    assert queue.depth() == 1


def test_with_duplicates_every_put_is_a_message() -> None:
    queue = MemoryQueue(ManualClock(), duplicates=True)

    queue.put(TASK)
    queue.put(TASK)

    assert queue.depth() == 2
    first, second = queue.take(MINUTE), queue.take(MINUTE)
    assert first is not None
    assert second is not None
    queue.done(first)
    queue.keep(second, MINUTE)


def test_a_lease_does_not_run_out_when_the_wall_clock_jumps() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    queue.put(TASK)
    queue.take(MINUTE)

    clock.jump(timedelta(days=1))

    assert queue.take(MINUTE) is None


def test_a_node_that_has_ended_is_not_started_again() -> None:
    fleet = MemoryFleet()
    fleet.start(a_node())
    fleet.end(a_node().id)

    fleet.start(a_node())

    assert fleet.alive() == frozenset()
    assert [node.id for node in fleet.started()] == [a_node().id]
