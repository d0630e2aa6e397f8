"""What every task queue must do: subclass ``QueueContract`` and give it a ``queue``.

The queue must time its leases on the ``clock`` of the suite; an adapter of a service that
has a clock of its own overrides ``clock`` with one that moves the service's, too. An
adapter whose messages are text runs ``MessageContract`` as well.
"""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import pytest

from media_nommer.core.errors import LeaseLost
from media_nommer.core.jobs import Priority
from media_nommer.core.ports.queue import Delivery, TaskQueue
from media_nommer.core.tasks import TaskId
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.concurrency import at_once
from media_nommer.testing.samples import MINUTE

TASK = TaskId("job-1.1.encode-000 é")
OTHER = TaskId("job-1.1.encode-001")
OVER_A_MINUTE = timedelta(seconds=61)
ALMOST_A_MINUTE = timedelta(seconds=55)


def taken(queue: TaskQueue, lease: timedelta = MINUTE) -> Delivery:
    """Take a message that must be there."""
    delivery = queue.take(lease)
    assert delivery is not None, "the queue has nothing to hand out"
    return delivery


class QueueContract:
    """Everything that is promised by ``TaskQueue``."""

    #: Whether ``done`` of a message that another holds is noticed (the port allows not).
    notices_late_done: ClassVar[bool] = True

    #: Whether groups share what is taken (the port allows not).
    lets_groups_share: ClassVar[bool] = True

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Return the clock that leases are timed on."""
        return ManualClock()

    @pytest.fixture
    def queue(self, clock: ManualClock) -> TaskQueue:
        """Return an empty queue."""
        raise NotImplementedError("give the suite a queue")

    def late_done(self, queue: TaskQueue, delivery: Delivery) -> None:
        """Finish a message that another holds; most queues refuse that."""
        expected = (
            pytest.raises(LeaseLost)
            if self.notices_late_done
            else contextlib.suppress(LeaseLost)
        )
        with expected:
            queue.done(delivery)

    def _if_groups_share(self) -> None:
        if not self.lets_groups_share:
            pytest.skip("this queue takes no notice of groups")

    def test_an_empty_queue_hands_out_nothing(self, queue: TaskQueue) -> None:
        assert queue.take(MINUTE) is None
        assert queue.depth() == 0

    def test_a_task_is_handed_out_once_while_its_lease_runs(
        self, queue: TaskQueue, clock: ManualClock
    ) -> None:
        queue.put(TASK)

        delivery = taken(queue)
        clock.advance(ALMOST_A_MINUTE)

        assert (delivery.task_id, delivery.times) == (TASK, 1)
        assert queue.take(MINUTE) is None

    def test_a_dead_workers_task_comes_back_under_a_new_token(
        self, queue: TaskQueue, clock: ManualClock
    ) -> None:
        """Silence is how workers die; the lease running out is how it is noticed."""
        queue.put(TASK)
        first = taken(queue)

        clock.advance(OVER_A_MINUTE)
        again = taken(queue)

        assert (again.task_id, again.times) == (TASK, 2)
        assert again.token != first.token

    def test_a_late_worker_cannot_finish_what_it_lost(
        self, queue: TaskQueue, clock: ManualClock
    ) -> None:
        """The new holder's message must not be removed under it."""
        queue.put(TASK)
        stale = taken(queue)
        clock.advance(OVER_A_MINUTE)
        held = taken(queue)

        self.late_done(queue, stale)

        assert queue.depth() == 1
        queue.keep(held, MINUTE)

    def test_a_late_worker_cannot_keep_what_it_lost(
        self, queue: TaskQueue, clock: ManualClock
    ) -> None:
        queue.put(TASK)
        stale = taken(queue)
        clock.advance(OVER_A_MINUTE)
        held = taken(queue)

        with pytest.raises(LeaseLost):
            queue.keep(stale, timedelta())

        assert queue.take(MINUTE) is None
        queue.done(held)
        assert queue.depth() == 0

    def test_what_is_done_does_not_come_back(
        self, queue: TaskQueue, clock: ManualClock
    ) -> None:
        queue.put(TASK)

        queue.done(taken(queue))
        clock.advance(OVER_A_MINUTE)

        assert queue.take(MINUTE) is None
        assert queue.depth() == 0

    def test_what_is_done_is_not_done_again(self, queue: TaskQueue) -> None:
        queue.put(TASK)
        delivery = taken(queue)
        queue.done(delivery)

        self.late_done(queue, delivery)

        assert queue.depth() == 0

    def test_a_lease_that_is_kept_does_not_run_out(
        self, queue: TaskQueue, clock: ManualClock
    ) -> None:
        queue.put(TASK)
        delivery = taken(queue)
        for _ in range(5):
            clock.advance(timedelta(seconds=40))
            queue.keep(delivery, MINUTE)
            assert queue.take(MINUTE) is None

        queue.done(delivery)

        assert queue.depth() == 0

    def test_a_kept_lease_counts_from_now(
        self, queue: TaskQueue, clock: ManualClock
    ) -> None:
        queue.put(TASK)
        delivery = taken(queue, 10 * MINUTE)

        queue.keep(delivery, MINUTE)
        clock.advance(OVER_A_MINUTE)

        assert taken(queue).task_id == TASK

    def test_a_lease_of_zero_hands_the_task_over(self, queue: TaskQueue) -> None:
        queue.put(TASK)
        mine = taken(queue)

        queue.keep(mine, timedelta())
        theirs = taken(queue)

        assert (theirs.task_id, theirs.times) == (TASK, 2)
        self.late_done(queue, mine)
        queue.keep(theirs, MINUTE)

    def test_a_delayed_task_waits(self, queue: TaskQueue, clock: ManualClock) -> None:
        queue.put(TASK, delay=MINUTE)
        queue.put(OTHER)

        assert taken(queue).task_id == OTHER
        clock.advance(ALMOST_A_MINUTE)
        assert queue.take(MINUTE) is None
        clock.advance(timedelta(seconds=6))
        assert taken(queue, 5 * MINUTE).task_id in {TASK, OTHER}
        assert queue.depth() == 2

    def test_every_task_is_handed_out(self, queue: TaskQueue) -> None:
        tasks = {TaskId(f"job-1.1.{number}") for number in range(30)}
        for task_id in tasks:
            queue.put(task_id)

        assert {taken(queue).task_id for _ in tasks} == tasks
        assert queue.take(MINUTE) is None

    def test_depth_counts_what_waits_and_what_is_hidden(self, queue: TaskQueue) -> None:
        queue.put(TASK)
        queue.put(OTHER)
        queue.put(TaskId("later"), delay=MINUTE)

        delivery = taken(queue)
        assert queue.depth() == 3

        queue.done(delivery)
        assert queue.depth() == 2

    def test_a_second_put_loses_nothing(self, queue: TaskQueue) -> None:
        queue.put(TASK)
        queue.put(TASK)

        queue.keep(taken(queue), timedelta())

        assert taken(queue).task_id == TASK

    def test_a_put_makes_a_hidden_task_available(self, queue: TaskQueue) -> None:
        """A task goes on to the next worker before its old message is done."""
        queue.put(TASK)
        old = taken(queue, 10 * MINUTE)

        queue.put(TASK)
        new = taken(queue)

        assert new.task_id == TASK
        with contextlib.suppress(LeaseLost):
            queue.done(old)
        queue.keep(new, MINUTE)
        assert queue.depth() >= 1

    def test_a_put_outlives_the_message_that_it_follows(
        self, queue: TaskQueue, clock: ManualClock
    ) -> None:
        queue.put(TASK)
        old = taken(queue, 10 * MINUTE)

        queue.put(TASK, delay=MINUTE)
        with contextlib.suppress(LeaseLost):
            queue.done(old)

        assert queue.take(MINUTE) is None
        clock.advance(OVER_A_MINUTE)
        assert taken(queue).task_id == TASK

    def test_a_put_without_delay_ends_the_wait_of_one_with(self, queue: TaskQueue) -> None:
        queue.put(TASK, delay=MINUTE)

        queue.put(TASK)

        assert taken(queue).task_id == TASK

    def test_a_put_with_delay_does_not_make_a_waiting_task_wait(
        self, queue: TaskQueue
    ) -> None:
        queue.put(TASK)

        queue.put(TASK, delay=MINUTE)

        assert taken(queue).task_id == TASK

    def test_a_task_can_be_put_after_it_was_done(self, queue: TaskQueue) -> None:
        queue.put(TASK)
        queue.done(taken(queue))

        queue.put(TASK)

        assert taken(queue).task_id == TASK

    def test_the_higher_priority_goes_first(self, queue: TaskQueue) -> None:
        for priority in (Priority.LOW, Priority.NORMAL, Priority.HIGH):
            queue.put(TaskId(f"job-1.1.{priority}"), priority=priority)

        taken_ids = [taken(queue).task_id for _ in Priority]

        assert taken_ids == ["job-1.1.high", "job-1.1.normal", "job-1.1.low"]

    def test_a_low_priority_is_not_starved_by_a_high_one(self, queue: TaskQueue) -> None:
        queue.put(TASK, priority=Priority.LOW)
        queue.put(OTHER, priority=Priority.NORMAL)
        for number in range(60):
            queue.put(TaskId(f"job-2.1.{number}"), priority=Priority.HIGH)

        got = [taken(queue).task_id for _ in range(40)]

        assert {TASK, OTHER} <= set(got)
        assert TASK not in got[:5]

    def test_a_second_put_may_change_the_priority(self, queue: TaskQueue) -> None:
        queue.put(TASK, priority=Priority.LOW)
        queue.put(OTHER)

        queue.put(TASK, priority=Priority.HIGH)

        assert taken(queue).task_id == TASK

    def test_a_task_that_comes_back_keeps_its_priority(
        self, queue: TaskQueue, clock: ManualClock
    ) -> None:
        queue.put(TASK, priority=Priority.HIGH)
        queue.put(OTHER)
        taken(queue)

        clock.advance(OVER_A_MINUTE)

        assert taken(queue).task_id == TASK

    def test_tasks_of_many_groups_are_all_handed_out(self, queue: TaskQueue) -> None:
        tasks = {TaskId(f"job-{number}.1.inspect") for number in range(12)}
        for number, task_id in enumerate(sorted(tasks)):
            queue.put(task_id, group=f"group-{number % 3}")

        assert {taken(queue).task_id for _ in tasks} == tasks

    def test_a_group_with_one_task_does_not_wait_for_one_with_many(
        self, queue: TaskQueue
    ) -> None:
        self._if_groups_share()
        for number in range(40):
            queue.put(TaskId(f"job-1.1.{number}"), group="busy")
        for _ in range(4):
            queue.done(taken(queue))
        queue.put(TASK, group="small")

        got = [taken(queue).task_id for _ in range(4)]

        assert TASK in got

    def test_groups_with_as_many_tasks_get_as_many_taken(self, queue: TaskQueue) -> None:
        self._if_groups_share()
        for group in ("first", "second", "third"):
            for number in range(12):
                queue.put(TaskId(f"{group}.{number}"), group=group)

        got = [taken(queue).task_id.partition(".")[0] for _ in range(18)]

        assert min(got.count(group) for group in ("first", "second", "third")) >= 4

    def test_a_group_that_was_busy_before_is_not_made_to_wait_for_it(
        self, queue: TaskQueue
    ) -> None:
        """Who comes new begins where the others are, not where they began."""
        self._if_groups_share()
        for number in range(20):
            queue.put(TaskId(f"busy.{number}"), group="busy")
        for _ in range(12):
            taken(queue)
        for number in range(20):
            queue.put(TaskId(f"new.{number}"), group="new")

        got = [taken(queue).task_id.partition(".")[0] for _ in range(10)]

        assert got.count("busy") >= 3

    def test_a_task_of_a_small_group_that_comes_back_goes_before_a_busy_group(
        self, queue: TaskQueue, clock: ManualClock
    ) -> None:
        self._if_groups_share()
        for number in range(40):
            queue.put(TaskId(f"job-1.1.{number}"), group="busy")
        queue.put(TASK, delay=MINUTE, group="small")
        clock.advance(OVER_A_MINUTE)

        got = [taken(queue).task_id for _ in range(4)]

        assert TASK in got

    def test_ever_new_groups_do_not_starve_the_second_task_of_one(
        self, queue: TaskQueue
    ) -> None:
        queue.put(OTHER, group="old")
        queue.put(TASK, group="old")
        got: list[TaskId] = []
        for number in range(30):
            for half in "ab":
                queue.put(TaskId(f"job-{number}{half}.1"), group=f"new-{number}{half}")
            got.append(taken(queue).task_id)

        assert {OTHER, TASK} <= set(got)

    def test_what_is_there_is_not_waited_for(self, queue: TaskQueue) -> None:
        """A taker that waits, waits for nothing else: the suite would hang."""
        queue.put(TASK)

        delivery = queue.take(MINUTE, wait=timedelta(hours=1))

        assert delivery is not None
        assert delivery.task_id == TASK

    def test_who_gives_up_waits_no_longer(self, queue: TaskQueue) -> None:
        found = queue.take(MINUTE, wait=timedelta(hours=1), give_up=lambda: True)

        assert found is None

    def test_a_task_that_comes_while_one_waits_is_taken(self, queue: TaskQueue) -> None:
        def wait_for_it() -> Delivery:
            while True:
                delivery = queue.take(MINUTE, wait=timedelta(seconds=5))
                if delivery is not None:
                    return delivery

        def wait_or_put(number: int) -> Delivery | None:
            return wait_for_it() if number == 0 else queue.put(TASK)

        answers = at_once(wait_or_put, threads=2)

        assert isinstance(answers[0], Delivery)
        assert answers[0].task_id == TASK

    def test_many_takers_never_get_one_message_twice(self, queue: TaskQueue) -> None:
        tasks = [f"job-1.1.{number:02}" for number in range(40)]
        for name in tasks:
            queue.put(TaskId(name))

        def take_until_empty(_: int) -> list[Delivery]:
            return list(iter(lambda: queue.take(MINUTE), None))

        hands = at_once(take_until_empty)

        got = [d for hand in hands if isinstance(hand, list) for d in hand]
        assert sorted(delivery.task_id for delivery in got) == tasks
        assert len({delivery.token for delivery in got}) == len(tasks)

    def test_of_many_putting_one_task_none_loses_it(self, queue: TaskQueue) -> None:
        at_once(lambda _: queue.put(TASK))

        assert taken(queue).task_id == TASK


class MessageContract:
    """What must hold of messages that this version cannot read (rule 4).

    ``put_raw`` puts a message of the given version number, as another version would.
    """

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Return the clock that leases are timed on."""
        return ManualClock()

    @pytest.fixture
    def queue(self, clock: ManualClock) -> TaskQueue:
        """Return an empty queue."""
        raise NotImplementedError("give the suite a queue")

    @pytest.fixture
    def put_raw(self, queue: TaskQueue) -> Callable[[TaskId, int], None]:
        """Return what puts a message of a task in another version's words."""
        raise NotImplementedError("give the suite a put_raw")

    def test_a_message_of_another_version_is_handed_to_nobody_and_stays(
        self, queue: TaskQueue, clock: ManualClock, put_raw: Callable[[TaskId, int], None]
    ) -> None:
        put_raw(TASK, 99)

        for _ in range(3):
            assert queue.take(MINUTE) is None
            clock.advance(OVER_A_MINUTE)

        assert queue.depth() == 1

    def test_a_message_of_another_version_holds_nobody_up(
        self, queue: TaskQueue, put_raw: Callable[[TaskId, int], None]
    ) -> None:
        for number in range(3):
            put_raw(TaskId(f"unreadable-{number}"), 99)
        queue.put(OTHER)

        found = [queue.take(MINUTE) for _ in range(5)]

        assert [delivery.task_id for delivery in found if delivery] == [OTHER]
