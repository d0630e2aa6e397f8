"""Long polls: what they bring is handed out, kept or handed back, and never lost."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from queue import SimpleQueue
from typing import Any

import pytest
from moto.sqs import models
from tests import moto_sqs, sqs_world
from tests.sqs_world import PATIENCE, Calls, OnSqs

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.sqs import SqsQueue, polls
from media_nommer.core.errors import AccessDenied
from media_nommer.core.jobs import Priority
from media_nommer.core.ports.queue import Delivery
from media_nommer.core.tasks import TaskId
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.concurrency import at_once

TASK = TaskId("job-1.1.encode-000")
OTHER = TaskId("job-1.1.encode-001")
MINUTE = timedelta(minutes=1)
LONG = timedelta(minutes=5)


def beside(action: Callable[[], Any]) -> Callable[[], Any]:
    """Do something in a thread; return what waits for what it answers."""
    answers: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=lambda: answers.put(action()), daemon=True).start()
    return lambda: answers.get(timeout=PATIENCE)


def in_flight(queue: SqsQueue, calls: Calls) -> None:
    """Leave three long polls in flight for which nobody waits any more."""
    queue.take(MINUTE, wait=LONG, give_up=lambda: len(calls.polls) >= 3)


class Waiting(OnSqs):
    """Long polls take their time here, so that none ends before a test is over."""

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> ManualClock:
        clock = ManualClock()
        moto_sqs.correct(monkeypatch, clock=clock)
        return clock

    @pytest.fixture
    def queue(
        self, clients: AwsClients, name: str, clock: ManualClock
    ) -> Iterator[SqsQueue]:
        """Return a queue that keeps what it fetched ahead until it is closed."""
        queue = SqsQueue(clients, name, clock, grace=LONG)
        queue.depth()
        yield queue
        queue.close()

    @pytest.fixture
    def calls(self, clients: AwsClients, queue: SqsQueue) -> Calls:
        return Calls(clients)

    @pytest.fixture
    def others(
        self, aws: str, name: str, clock: ManualClock, queue: SqsQueue
    ) -> Iterator[SqsQueue]:
        """The same queue, as another process has it."""
        others = SqsQueue(AwsClients(), name, clock)
        yield others
        others.close()


class TestWaiting(Waiting):
    @pytest.mark.parametrize("priority", list(Priority))
    def test_a_message_of_any_priority_ends_the_wait(
        self, queue: SqsQueue, others: SqsQueue, calls: Calls, priority: Priority
    ) -> None:
        answer = beside(lambda: queue.take(MINUTE, wait=LONG))
        calls.until(lambda seen: len(seen.polls) == 3)

        others.put(TASK, priority=priority)

        delivery = answer()
        assert (delivery.task_id, delivery.times) == (TASK, 1)
        assert calls.polls == [20, 20, 20]
        queue.done(delivery)
        assert others.depth() == 0

    def test_what_a_look_misses_a_wait_finds(
        self, queue: SqsQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A look asks some of the servers that hold a queue, a wait all of them."""
        receive = models.SQSBackend.receive_message

        def sampled(self: Any, name: str, count: int, wait: int, *more: Any) -> Any:
            return receive(self, name, count, wait, *more) if wait else []

        monkeypatch.setattr(models.SQSBackend, "receive_message", sampled)
        queue.put(TASK)

        assert queue.take(MINUTE) is None
        delivery = queue.take(MINUTE, wait=LONG)

        assert delivery is not None
        assert delivery.task_id == TASK

    def test_who_gives_up_loses_nothing_that_comes_later(
        self, queue: SqsQueue, others: SqsQueue, calls: Calls
    ) -> None:
        in_flight(queue, calls)

        others.put(TASK)
        delivery = queue.take(MINUTE, wait=LONG)

        assert delivery is not None
        assert (delivery.task_id, delivery.times) == (TASK, 1)

    def test_a_poll_in_flight_serves_the_next_wait(
        self, queue: SqsQueue, others: SqsQueue, calls: Calls
    ) -> None:
        in_flight(queue, calls)

        answer = beside(lambda: queue.take(MINUTE, wait=LONG))
        others.put(TASK)

        assert answer().task_id == TASK
        assert len(calls.polls) == 3

    def test_an_idle_worker_polls_each_priority_once_at_a_time_and_looks_nowhere(
        self,
        queue: SqsQueue,
        calls: Calls,
        clock: ManualClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(polls, "_STAYS_EMPTY", 600.0)
        moto_sqs.correct(monkeypatch, clock=clock, second=0.02)
        began = time.monotonic()
        in_flight(queue, calls)
        looks = calls.looks

        queue.take(MINUTE, wait=LONG, give_up=lambda: len(calls.polls) >= 12)

        assert looks == 3
        assert calls.looks == looks
        assert set(calls.polls) == {20}
        assert len(calls.polls) <= 3 * (1 + (time.monotonic() - began) / (20 * 0.02))

    def test_a_failing_poll_is_told_to_those_who_wait(
        self,
        queue: SqsQueue,
        clients: AwsClients,
        calls: Calls,
        clock: ManualClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        moto_sqs.correct(monkeypatch, clock=clock, second=0.01)
        in_flight(queue, calls)
        sqs_world.refusing(clients, "AccessDenied", on="ReceiveMessage")

        with pytest.raises(AccessDenied, match="sqs refuses ReceiveMessage"):
            queue.take(MINUTE, wait=LONG)

    def test_who_waits_when_the_queue_is_closed_gets_nothing(
        self, queue: SqsQueue, calls: Calls
    ) -> None:
        answer = beside(lambda: queue.take(MINUTE, wait=LONG))
        calls.until(lambda seen: len(seen.polls) == 3)

        queue.close()

        assert answer() is None

    def test_of_many_who_wait_each_message_goes_to_one(
        self, queue: SqsQueue, others: SqsQueue
    ) -> None:
        tasks = [TaskId(f"job-1.1.{number:02}") for number in range(24)]
        left = threading.Semaphore(len(tasks))

        def work(number: int) -> list[Delivery]:
            mine = []
            for task in tasks[number::8]:
                others.put(task, priority=list(Priority)[number % 3])
            while left.acquire(blocking=False):
                delivery = queue.take(MINUTE, wait=LONG)
                assert delivery is not None
                queue.done(delivery)
                mine.append(delivery)
            return mine

        hands = at_once(work)

        got = [d for hand in hands if isinstance(hand, list) for d in hand]
        assert sorted(delivery.task_id for delivery in got) == tasks
        assert others.depth() == 0


class TestWhatWasFetchedAhead(Waiting):
    def brought(self, queue: SqsQueue, others: SqsQueue, calls: Calls) -> None:
        """Let a poll bring a task for which nobody waits."""
        in_flight(queue, calls)
        others.put(TASK, priority=Priority.LOW)
        calls.until(lambda seen: seen.brought == 1)

    def test_it_is_handed_out_by_the_next_take_without_another_receive(
        self, queue: SqsQueue, others: SqsQueue, calls: Calls
    ) -> None:
        self.brought(queue, others, calls)
        before = calls["ReceiveMessage"]

        delivery = queue.take(MINUTE, wait=LONG)

        assert delivery is not None
        assert (delivery.task_id, delivery.times) == (TASK, 1)
        assert calls["ReceiveMessage"] - before <= 1  # a new poll of its class, at most
        queue.done(delivery)

    def test_a_second_one_that_comes_with_the_first_is_not_lost(
        self, queue: SqsQueue, others: SqsQueue, calls: Calls
    ) -> None:
        answer = beside(lambda: queue.take(MINUTE, wait=LONG))
        calls.until(lambda seen: len(seen.polls) == 3)

        others.put(TASK, priority=Priority.LOW)
        others.put(OTHER, priority=Priority.HIGH)
        found = [answer(), queue.take(MINUTE, wait=LONG)]

        assert {delivery.task_id for delivery in found} == {TASK, OTHER}
        assert {delivery.times for delivery in found} == {1}

    def test_it_is_not_handed_out_when_its_lease_is_nearly_over(
        self, queue: SqsQueue, others: SqsQueue, calls: Calls, clock: ManualClock
    ) -> None:
        self.brought(queue, others, calls)

        clock.advance(timedelta(seconds=50))
        assert queue.take(MINUTE) is None
        clock.advance(timedelta(seconds=11))
        delivery = others.take(MINUTE)

        assert delivery is not None
        assert (delivery.task_id, delivery.times) == (TASK, 2)

    def test_it_is_hidden_for_the_whole_lease_of_its_taker(
        self, queue: SqsQueue, others: SqsQueue, calls: Calls, clock: ManualClock
    ) -> None:
        self.brought(queue, others, calls)
        clock.advance(timedelta(seconds=30))

        delivery = queue.take(10 * MINUTE, wait=LONG)
        clock.advance(timedelta(minutes=9))

        assert delivery is not None
        assert others.take(MINUTE) is None
        queue.done(delivery)

    def test_what_nobody_takes_soon_is_handed_to_others(
        self, clients: AwsClients, name: str, clock: ManualClock, others: SqsQueue
    ) -> None:
        hasty = SqsQueue(clients, name, clock, grace=timedelta())
        calls = Calls(clients)
        self.brought(hasty, others, calls)

        delivery = others.take(MINUTE, wait=LONG)

        assert delivery is not None
        assert (delivery.task_id, delivery.times) == (TASK, 2)
        hasty.close()

    def test_close_hands_it_to_others(
        self, queue: SqsQueue, others: SqsQueue, calls: Calls
    ) -> None:
        self.brought(queue, others, calls)

        queue.close()
        delivery = others.take(MINUTE, wait=LONG)

        assert delivery is not None
        assert delivery.task_id == TASK

    def test_what_a_poll_brings_after_close_is_handed_to_others(
        self, queue: SqsQueue, others: SqsQueue, calls: Calls
    ) -> None:
        in_flight(queue, calls)
        queue.close()

        others.put(TASK)
        delivery = others.take(MINUTE, wait=LONG)

        assert delivery is not None
        assert delivery.task_id == TASK
