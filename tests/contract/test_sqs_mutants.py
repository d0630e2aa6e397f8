"""The mistakes that SQS invites must each be found by the suite."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from mutants import failures
from tests import moto_sqs, sqs_world
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.sqs import SqsQueue
from media_nommer.adapters.aws.sqs.calls import Message, SqsCalls
from media_nommer.adapters.aws.sqs.leases import Held, Leases
from media_nommer.core.clock import Clock
from media_nommer.core.jobs import Priority
from media_nommer.core.ports.queue import Delivery, TaskQueue
from media_nommer.core.tasks import TaskId
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.queue_contract import QueueContract

FOREVER = 1e9


class WithoutAClockOfItsOwn(SqsQueue):
    """Asks SQS whether a delivery is still ours, which it does not know."""

    class _Trusting(Leases):
        @override
        def hand_out(self, held: Held) -> Delivery:
            return super().hand_out(replace(held, ends=FOREVER))

        @override
        def renew(self, delivery: Delivery, held: Held) -> None:
            super().renew(delivery, replace(held, ends=FOREVER))

    def __init__(self, clients: AwsClients, name: str, clock: Clock) -> None:
        super().__init__(clients, name, clock)
        self._leases = self._Trusting(clock)


class ThatKeepsNothing(SqsQueue):
    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        if not lease:
            super().keep(delivery, lease)


class ThatKeepsOnlyForLonger(SqsQueue):
    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        if not lease or self._leases.of(delivery).lease <= lease.total_seconds():
            super().keep(delivery, lease)


class ThatKeepsForSecondsTooFew(SqsQueue):
    """Rounds down to minutes."""

    @override
    def _hidden(self, held: Held, lease: timedelta) -> Held:
        kept = super()._hidden(held, lease)
        self._calls.hide(held.message, int(lease.total_seconds() / 60))
        return kept


class ThatHandsNothingOver(SqsQueue):
    """Takes a lease of zero for one of a second."""

    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        super().keep(delivery, max(lease, timedelta(seconds=1)))


class ThatForgetsOnTake(SqsQueue):
    @override
    def _look(self, priority: Priority, lease: timedelta) -> Held | None:
        held = super()._look(priority, lease)
        if held is not None:
            self._calls.delete(held.message)
        return held


class ThatRemovesNothing(SqsQueue):
    @override
    def done(self, delivery: Delivery) -> None:
        self._leases.of(delivery)
        self._leases.forget(delivery)


class ThatHidesForAsLongAsTheQueueSays(SqsQueue):
    @override
    def _look(self, priority: Priority, lease: timedelta) -> Held | None:
        return super()._look(priority, timedelta(seconds=30))


class ThatDoesNotDelay(SqsQueue):
    @override
    def put(
        self,
        task_id: TaskId,
        *,
        delay: timedelta = timedelta(),
        priority: Priority = Priority.NORMAL,
        group: str = "",
    ) -> None:
        super().put(task_id, priority=priority, group=group)


class WithOneQueueForAll(SqsQueue):
    @override
    def put(
        self,
        task_id: TaskId,
        *,
        delay: timedelta = timedelta(),
        priority: Priority = Priority.NORMAL,
        group: str = "",
    ) -> None:
        super().put(task_id, delay=delay, group=group)


class ThatCountsFromOne(SqsQueue):
    """Does not ask SQS how often a message was received."""

    @override
    def _read(self, message: Message, since: float, span: float) -> Held | None:
        return super()._read(replace(message, times=1), since, span)


class ThatCountsWhatWaits(SqsQueue):
    class _Visible(SqsCalls):
        @override
        def count(self, priority: Priority) -> int:
            with self._on(priority) as url:
                answer = self._sqs.get_queue_attributes(
                    QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
                )
            return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def __init__(self, clients: AwsClients, name: str, clock: Clock) -> None:
        super().__init__(clients, name, clock)
        self._calls = self._Visible(clients, name, create=True)


class ThatStarvesTheLow(SqsQueue):
    @override
    def _next_order(self) -> tuple[Priority, ...]:
        return tuple(Priority)


#: Each mistake, and the tests of the suite that could find it.
MISTAKES: Mapping[type[SqsQueue], tuple[str, ...]] = {
    WithoutAClockOfItsOwn: (
        "test_a_late_worker_cannot_keep_what_it_lost",
        "test_a_late_worker_cannot_finish_what_it_lost",
    ),
    ThatKeepsNothing: ("test_a_lease_that_is_kept_does_not_run_out",),
    ThatKeepsOnlyForLonger: ("test_a_kept_lease_counts_from_now",),
    ThatKeepsForSecondsTooFew: ("test_a_lease_that_is_kept_does_not_run_out",),
    ThatHandsNothingOver: ("test_a_lease_of_zero_hands_the_task_over",),
    ThatForgetsOnTake: ("test_a_dead_workers_task_comes_back_under_a_new_token",),
    ThatRemovesNothing: ("test_what_is_done_does_not_come_back",),
    ThatHidesForAsLongAsTheQueueSays: (
        "test_a_task_is_handed_out_once_while_its_lease_runs",
    ),
    ThatDoesNotDelay: ("test_a_delayed_task_waits",),
    WithOneQueueForAll: ("test_the_higher_priority_goes_first",),
    ThatCountsFromOne: ("test_a_dead_workers_task_comes_back_under_a_new_token",),
    ThatCountsWhatWaits: ("test_depth_counts_what_waits_and_what_is_hidden",),
    ThatStarvesTheLow: ("test_a_low_priority_is_not_starved_by_a_high_one",),
}


class Bench:
    """Runs some tests of the suite on queues of a class; on one set of clients."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self._clients = AwsClients()

    def failures(self, kind: type[SqsQueue], tests: tuple[str, ...]) -> set[str]:
        """Return which of the tests a queue of this class does not pass."""
        others = {
            name: None
            for name in dir(QueueContract)
            if name.startswith("test_") and name not in tests
        }
        suite = type("FewerTests", (QueueContract,), others)
        return failures(suite, lambda: self._fixtures(kind))

    def _fixtures(self, kind: type[SqsQueue]) -> Mapping[str, object]:
        clock = ManualClock()
        moto_sqs.correct(self._patch, clock=clock, second=0.02)
        queue: TaskQueue = kind(self._clients, sqs_world.fresh_name(), clock)
        return {"clock": clock, "queue": queue}


@pytest.fixture
def bench(aws: str, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


@pytest.mark.parametrize("broken", list(MISTAKES))
def test_a_broken_queue_on_sqs_is_found(broken: type[SqsQueue], bench: Bench) -> None:
    tests = MISTAKES[broken]

    assert bench.failures(broken, tests) == set(tests)


def test_what_is_not_broken_is_not_found(bench: Bench) -> None:
    everything = {name for tests in MISTAKES.values() for name in tests}
    slow = "test_a_low_priority_is_not_starved_by_a_high_one"

    assert bench.failures(SqsQueue, tuple(everything - {slow})) == set()
