"""What stands on SQS, for how long and at what cost, and what is lost or cannot be read."""

import json
from datetime import timedelta

import pytest
from tests import moto_sqs
from tests.sqs_world import Calls, OnSqs, attributes, of_version, send_raw, url_of, waiting

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.sqs import SqsQueue, create_queues
from media_nommer.core.errors import LeaseLost
from media_nommer.core.jobs import Priority
from media_nommer.core.ports.queue import Delivery
from media_nommer.core.tasks import TaskId
from media_nommer.testing.clock import ManualClock

TASK = TaskId("job-1.1.encode-000 é")
MINUTE = timedelta(minutes=1)
HALF_HOUR = timedelta(minutes=30)


def taken(queue: SqsQueue, lease: timedelta = MINUTE) -> Delivery:
    delivery = queue.take(lease)
    assert delivery is not None, "there is nothing on the queue"
    return delivery


def kept_until_lost(queue: SqsQueue, delivery: Delivery, clock: ManualClock) -> timedelta:
    """Keep a delivery for half an hour every twenty minutes; return how long that went."""
    held = timedelta()
    while held < timedelta(hours=13):
        clock.advance(timedelta(minutes=20))
        try:
            queue.keep(delivery, HALF_HOUR)
        except LeaseLost:
            return held
        held += timedelta(minutes=20)
    return held


class TestTheTwelveHourCap(OnSqs):
    def test_a_task_is_held_for_almost_twelve_hours_and_then_put_again(
        self, queue: SqsQueue, clock: ManualClock, clients: AwsClients, name: str
    ) -> None:
        queue.put(TASK, priority=Priority.HIGH, group="show-7")
        delivery = taken(queue, HALF_HOUR)

        held = kept_until_lost(queue, delivery, clock)
        clock.advance(HALF_HOUR)

        assert timedelta(hours=11) < held < timedelta(hours=12)
        assert queue.depth() == 1
        (message,) = waiting(clients, name, "high")
        assert message["Attributes"]["MessageGroupId"] == "show-7"
        assert message["Attributes"]["ApproximateReceiveCount"] == "1"
        assert taken(queue).task_id == TASK

    def test_the_put_again_task_is_hidden_for_the_lease_that_was_asked(
        self, queue: SqsQueue, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("media_nommer.adapters.aws.sqs.queue._CAP", 3 * MINUTE)
        queue.put(TASK)
        delivery = taken(queue, 2 * MINUTE)
        clock.advance(MINUTE)
        queue.keep(delivery, 5 * MINUTE)

        clock.advance(timedelta(minutes=4, seconds=55))
        assert queue.take(MINUTE) is None
        clock.advance(timedelta(seconds=6))

        assert taken(queue).task_id == TASK

    def test_a_clock_that_sees_the_cap_later_than_sqs_loses_nothing(
        self, queue: SqsQueue, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(moto_sqs, "_CAP", 90)
        queue.put(TASK)
        delivery = taken(queue)
        clock.advance(MINUTE / 2)

        queue.keep(delivery, 5 * MINUTE)

        assert queue.depth() == 1
        assert queue.take(MINUTE) is None
        clock.advance(timedelta(minutes=5, seconds=1))
        assert taken(queue).task_id == TASK

    def test_a_lease_longer_than_the_cap_is_no_error(self, queue: SqsQueue) -> None:
        queue.put(TASK)

        delivery = taken(queue, timedelta(days=2))
        queue.keep(delivery, timedelta(days=3))

        assert queue.take(MINUTE) is None
        assert queue.depth() == 1


class TestDelays(OnSqs):
    @pytest.mark.parametrize("hours", [0.25, 0.75, 30])
    def test_a_task_comes_after_its_delay_however_long_that_is(
        self, queue: SqsQueue, clock: ManualClock, hours: float
    ) -> None:
        delay, step = timedelta(hours=hours), timedelta(hours=hours) / 40
        queue.put(TASK, delay=delay)

        for _ in range(39):
            clock.advance(step)
            assert queue.take(MINUTE) is None, "it came too early"
        clock.advance(step + timedelta(seconds=1))

        assert taken(queue).task_id == TASK

    def test_a_fraction_of_a_second_is_hidden_for_a_whole_one(
        self, queue: SqsQueue, clock: ManualClock
    ) -> None:
        """Were it none, whoever rests a task for a moment would get it back at once."""
        queue.put(TASK)

        queue.keep(taken(queue), timedelta(milliseconds=300))

        assert queue.take(MINUTE) is None
        clock.advance(timedelta(seconds=1))
        assert taken(queue).task_id == TASK


class TestGroups(OnSqs):
    @pytest.mark.parametrize(
        ("group", "sent"),
        [
            pytest.param("caller:42/show=7", "caller:42/show=7", id="as it is"),
            pytest.param("", None, id="none"),
            pytest.param("two words", "hash", id="a space"),
            pytest.param("ü", "hash", id="not ASCII"),
            pytest.param("x" * 129, "hash", id="too long"),
            pytest.param("\ud800", "hash", id="not Unicode"),
        ],
    )
    def test_a_group_arrives_in_a_form_that_sqs_takes(
        self, queue: SqsQueue, clients: AwsClients, name: str, group: str, sent: str | None
    ) -> None:
        queue.put(TASK, group=group)

        (message,) = waiting(clients, name, "normal")

        arrived = message["Attributes"].get("MessageGroupId")
        if sent == "hash":
            assert len(arrived) == 64
        else:
            assert arrived == sent

    def test_two_groups_that_do_not_fit_stay_two(
        self, queue: SqsQueue, clients: AwsClients, name: str
    ) -> None:
        queue.put(TASK, group="x" * 200)
        queue.put(TASK, group="x" * 201)

        found = waiting(clients, name, "normal")

        assert len({message["Attributes"]["MessageGroupId"] for message in found}) == 2


class TestWhatCannotBeRead(OnSqs):
    @pytest.mark.parametrize(
        "body",
        [
            "hello",
            "[]",
            "null",
            '{"task": "x"}',
            '{"v": "2"}',
            '{"v": true}',
            '{"v": 1}',
            '{"v": 1, "task": 5}',
            pytest.param("[" * 100_000, id="nested"),
        ],
    )
    def test_what_is_no_message_of_ours_goes_to_the_dead_letter_queue(
        self, queue: SqsQueue, clients: AwsClients, name: str, body: str
    ) -> None:
        create_queues(clients, name)
        send_raw(clients, name, body, "low")
        queue.put(TASK, priority=Priority.LOW)

        found = [queue.take(MINUTE) for _ in range(2)]

        assert [delivery.task_id for delivery in found if delivery] == [TASK]
        assert queue.depth() == 1
        (aside,) = waiting(clients, name, "unreadable")
        assert aside["Body"] == body
        assert aside["MessageAttributes"]["from"]["StringValue"] == f"{name}-low"

    def test_another_versions_message_is_left_to_that_version(
        self, queue: SqsQueue, clock: ManualClock, clients: AwsClients, name: str
    ) -> None:
        create_queues(clients, name)
        send_raw(clients, name, of_version("x", 2))
        assert queue.take(MINUTE) is None

        clock.advance(timedelta(minutes=6))

        assert [m["Body"] for m in waiting(clients, name, "normal")] == [of_version("x", 2)]
        assert waiting(clients, name, "unreadable") == []

    def test_a_message_is_a_reference_and_no_more(
        self, queue: SqsQueue, clients: AwsClients, name: str
    ) -> None:
        queue.put(TASK)

        (message,) = waiting(clients, name, "normal")

        assert json.loads(message["Body"]) == {"v": 1, "task": TASK}
        assert "MessageAttributes" not in message


class TestLosses(OnSqs):
    def test_after_its_lease_no_call_is_made_for_a_delivery(
        self, queue: SqsQueue, clock: ManualClock, clients: AwsClients
    ) -> None:
        """SQS might do what the outdated receipt says to what another holds."""
        queue.put(TASK)
        delivery = taken(queue)
        clock.advance(MINUTE)
        calls = Calls(clients)

        for late in (queue.done, lambda d: queue.keep(d, MINUTE)):
            with pytest.raises(LeaseLost):
                late(delivery)

        assert not calls

    def test_what_was_received_before_the_process_was_stopped_is_not_handed_out(
        self, queue: SqsQueue, clock: ManualClock, clients: AwsClients
    ) -> None:
        """Its lease ran while the answer waited to be read; another may hold it."""
        stops = [3 * MINUTE]

        def stop_once(**_: object) -> None:
            if stops:
                clock.advance(stops.pop())

        queue.put(TASK, priority=Priority.HIGH)
        event = "after-call.sqs.ReceiveMessage"
        clients.client("sqs").meta.events.register(event, stop_once)

        delivery = taken(queue)

        assert delivery.times == 2
        queue.keep(delivery, 2 * MINUTE)

    @pytest.mark.parametrize("span", [timedelta(), 10 * MINUTE])
    def test_a_message_that_somebody_removed_is_lost(
        self, queue: SqsQueue, clients: AwsClients, name: str, span: timedelta
    ) -> None:
        queue.put(TASK)
        delivery = taken(queue)
        clients.client("sqs").purge_queue(QueueUrl=url_of(clients, name, "normal"))

        with pytest.raises(LeaseLost):
            queue.keep(delivery, span)
        with pytest.raises(LeaseLost):
            queue.done(delivery)

    def test_a_message_that_is_not_hidden_any_more_is_lost(
        self, queue: SqsQueue, clock: ManualClock, clients: AwsClients, name: str
    ) -> None:
        """Somebody made it visible by hand, or SQS's clock is ahead of ours."""
        own = ManualClock()
        slow = SqsQueue(clients, name, own)
        slow.put(TASK)
        delivery = taken(slow)
        clock.advance(2 * MINUTE)
        own.advance(MINUTE / 2)

        with pytest.raises(LeaseLost):
            slow.keep(delivery, MINUTE)


class TestSetUp(OnSqs):
    def test_messages_stay_for_two_weeks_and_receives_are_not_counted_against_them(
        self, clients: AwsClients, name: str
    ) -> None:
        create_queues(clients, name)

        for part in ("high", "normal", "low", "unreadable"):
            found = attributes(clients, name, part)
            assert found["MessageRetentionPeriod"] == str(14 * 24 * 60 * 60)
            assert "RedrivePolicy" not in found


class TestCost(OnSqs):
    @pytest.mark.parametrize(("priority", "receives"), [("high", 1), ("normal", 2)])
    def test_a_task_costs_one_send_one_delete_and_a_receive_or_two(
        self, queue: SqsQueue, clients: AwsClients, priority: str, receives: int
    ) -> None:
        queue.depth()
        calls = Calls(clients)

        queue.put(TASK, priority=Priority(priority))
        queue.done(taken(queue))

        assert calls == {"SendMessage": 1, "ReceiveMessage": receives, "DeleteMessage": 1}

    def test_beats_ten_times_a_lease_cost_a_call_for_every_third(
        self, queue: SqsQueue, clock: ManualClock, clients: AwsClients
    ) -> None:
        queue.put(TASK)
        delivery = taken(queue)
        calls = Calls(clients)

        for _ in range(60):
            clock.advance(MINUTE / 10)
            queue.keep(delivery, MINUTE)

        assert calls == {"ChangeMessageVisibility": 20}
        assert queue.take(MINUTE) is None
