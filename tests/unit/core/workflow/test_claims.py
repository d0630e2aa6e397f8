"""Rule 2: the store decides who owns a task; the queue only spreads work."""

from datetime import timedelta

import pytest
from tests.workshop import LEASE, SECOND, Call, Workshop

from media_nommer.core.errors import Fenced, JobOver, ServiceUnavailable
from media_nommer.core.tasks import AttemptEnd, Outcome, Result, Task, TaskState
from media_nommer.core.workflow.claims import HeldTask, Watched
from media_nommer.core.workflow.submitting import cancel
from media_nommer.core.workflow.watch import BeatWatch
from media_nommer.testing.concurrency import at_once

HOURS = timedelta(hours=13)


def committed(held: HeldTask) -> Task:
    return held.change(
        lambda task: task.committed(
            Outcome.SUCCEEDED, at=held.task.changed_at, result=Result()
        )
    )


def test_rule_2_a_live_owners_task_is_left_hidden(shop: Workshop) -> None:
    shop.submit()
    held, watch = shop.claim(), BeatWatch(shop.clock)
    shop.queue.put(held.task.id)
    delivery = shop.take()

    for _ in range(20):
        found = shop.receive(delivery, watch=watch)
        assert isinstance(found, Watched)
        shop.clock.advance(LEASE - SECOND)
        held.beat()

    assert held.stopped is None
    assert shop.task().claims == 1


def test_rule_2_an_expired_queue_lease_alone_ends_nothing(shop: Workshop) -> None:
    shop.submit()
    held = shop.claim()

    shop.clock.advance(HOURS)
    found = shop.receive(shop.take())

    assert isinstance(found, Watched)
    assert committed(held).outcome is Outcome.SUCCEEDED


def test_rule_2_a_silent_owners_task_is_taken_after_a_whole_lease_of_watching(
    shop: Workshop,
) -> None:
    shop.submit()
    shop.claim()
    shop.clock.advance(HOURS)
    watch, delivery = BeatWatch(shop.clock), shop.take()
    first = shop.receive(delivery, watch=watch)
    shop.clock.advance(LEASE - SECOND)
    second = shop.receive(delivery, watch=watch)
    shop.clock.advance(SECOND)
    third = shop.receive(delivery, watch=watch)

    assert isinstance(first, Watched)
    assert first.wait == LEASE
    assert isinstance(second, Watched)
    assert second.wait == SECOND
    assert isinstance(third, HeldTask)
    assert (third.number, third.task.losses) == (2, 1)
    assert [a.end for a in third.task.attempts] == [AttemptEnd.LOST]


def test_rule_2_a_beat_begins_the_watch_anew(shop: Workshop) -> None:
    shop.submit()
    held, watch = shop.claim(), BeatWatch(shop.clock)
    shop.queue.put(held.task.id)
    delivery = shop.take()
    shop.receive(delivery, watch=watch)
    shop.clock.advance(LEASE - SECOND)
    held.beat()
    shop.receive(delivery, watch=watch)
    shop.clock.advance(LEASE - SECOND)

    assert isinstance(shop.receive(delivery, watch=watch), Watched)


@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_rule_2_a_wall_clock_that_jumps_takes_nothing_and_keeps_nothing(
    shop: Workshop, jump: timedelta
) -> None:
    shop.submit()
    held, watch = shop.claim(), BeatWatch(shop.clock)
    shop.queue.put(held.task.id)
    delivery = shop.take()
    shop.receive(delivery, watch=watch)
    shop.clock.jump(jump)
    early = shop.receive(delivery, watch=watch)
    shop.clock.advance(LEASE)
    late = shop.receive(delivery, watch=watch)

    assert isinstance(early, Watched)
    assert isinstance(late, HeldTask)


def test_rule_2_each_claim_is_watched_for_its_own_lease(shop: Workshop) -> None:
    """Rule 2: a worker with a longer lease in its settings is given that long."""
    shop.submit()
    held, watch = shop.claim(), BeatWatch(shop.clock)
    held.change(
        lambda task: Task.claimed(
            task, held.claim.node, lease=3 * LEASE, at=shop.clock.now()
        )
    )
    shop.queue.put(held.task.id)
    delivery = shop.take()
    shop.receive(delivery, watch=watch)
    shop.clock.advance(2 * LEASE)

    assert isinstance(shop.receive(delivery, watch=watch), Watched)


def test_rule_2_a_late_commit_is_fenced(shop: Workshop) -> None:
    shop.submit()
    late, watch = shop.claim(), BeatWatch(shop.clock)
    shop.clock.advance(LEASE)
    delivery = shop.take()
    shop.receive(delivery, watch=watch)
    shop.clock.advance(LEASE)
    newer = shop.receive(delivery, watch=watch)

    with pytest.raises(Fenced):
        committed(late)

    assert isinstance(newer, HeldTask)
    assert committed(newer).claim == newer.claim
    late.beat()
    assert isinstance(late.stopped, Fenced)


def test_rule_2_of_two_that_hold_a_message_one_has_the_task(shop: Workshop) -> None:
    shop.submit()
    one = shop.take()
    shop.queue.put(shop.task().id)
    two = shop.take()

    found = [shop.receive(one, "a"), shop.receive(two, "b")]

    assert [isinstance(each, HeldTask) for each in found] == [True, False]


def test_rule_2_a_claim_that_slides_in_before_ours_is_seen(shop: Workshop) -> None:
    shop.submit()
    delivery = shop.take()

    def overtake(call: Call) -> None:
        if call.name == "store.swap_task":
            shop.tape.before = None
            shop.receive(delivery, "other")

    shop.tape.before = overtake

    assert isinstance(shop.receive(delivery, "node-2"), Watched)
    claim = shop.task().claim
    assert claim is not None
    assert claim.node == "other"


def test_rule_2_many_threads_claim_a_task_once(shop: Workshop) -> None:
    shop.submit()
    shop.tape.deaf = True
    deliveries = [shop.take()] * 8

    found = at_once(lambda n: shop.receive(deliveries[n], f"node-{n}"))

    assert sum(isinstance(each, HeldTask) for each in found) == 1
    assert shop.task().claims == 1


def test_rule_2_a_beat_that_returns_late_hides_no_commit(shop: Workshop) -> None:
    """Rule 2: the keeper and the slot share a held task; neither may step back in time."""
    shop.submit()
    held = shop.claim()

    def commit_meanwhile(call: Call) -> None:
        if call.name == "store.swap_task":
            shop.tape.after = None
            committed(held)

    shop.tape.after = commit_meanwhile  # after the beat's effect, before its answer
    held.beat()

    assert held.task.state is TaskState.COMMITTED
    assert held.task.outcome is Outcome.SUCCEEDED


def test_rule_2_a_queue_that_does_not_answer_costs_no_beat(shop: Workshop) -> None:
    shop.submit()
    held = shop.claim()

    def silent(call: Call) -> None:
        if call.port == "queue":
            raise ServiceUnavailable("the queue does not answer")

    shop.tape.before = silent
    with pytest.raises(ServiceUnavailable):
        held.beat()

    claim = shop.task().claim
    assert claim is not None
    assert claim.beat == 1


def test_rule_2_a_store_that_does_not_answer_stops_no_work(shop: Workshop) -> None:
    shop.submit()
    held = shop.claim()

    def silent(call: Call) -> None:
        if call.port == "store":
            raise ServiceUnavailable("the store does not answer")

    shop.tape.before = silent
    with pytest.raises(ServiceUnavailable):
        held.beat()

    assert held.stopped is None
    assert "queue.keep" in shop.tape.names


def test_beats_and_changes_from_two_threads_are_all_kept(shop: Workshop) -> None:
    shop.submit()
    held = shop.claim()
    shop.tape.deaf = True

    def beat(_number: int) -> None:
        for _ in range(20):
            held.beat()

    at_once(beat)

    claim = shop.task().claim
    assert claim is not None
    assert claim.beat == 160
    assert held.stopped is None


def test_a_message_of_a_settled_task_is_removed(shop: Workshop) -> None:
    shop.submit()
    held = shop.claim()
    committed(held)
    held.change(lambda task: task.done(at=shop.clock.now()))
    shop.queue.put(held.task.id)

    assert shop.receive(shop.take()) is None
    assert shop.queue.depth() == 0


def test_a_message_of_a_task_that_nobody_knows_is_removed(shop: Workshop) -> None:
    shop.queue.put(shop.task_id("nothing"))

    assert shop.receive(shop.take()) is None
    assert shop.queue.depth() == 0


def test_a_task_that_rests_is_hidden_until_it_may_be_tried(shop: Workshop) -> None:
    shop.submit()
    held = shop.claim()
    rest = shop.clock.now() + 10 * SECOND
    held.change(lambda task: task.set_back(at=shop.clock.now(), ready_at=rest))
    shop.queue.put(held.task.id)

    assert shop.receive(shop.take()) is None
    shop.clock.advance(9 * SECOND)
    assert shop.queue.take(LEASE) is None
    shop.clock.advance(SECOND)
    assert isinstance(shop.receive(shop.take()), HeldTask)


def test_rule_8_a_held_task_learns_at_its_next_beat_that_its_job_is_over(
    shop: Workshop,
) -> None:
    job = shop.submit()
    held = shop.claim()
    cancel(shop.engine, job.id)

    held.beat()

    assert isinstance(held.stopped, JobOver)
    with pytest.raises(JobOver):
        held.look()


def test_rule_8_a_task_of_a_final_job_is_not_claimed(shop: Workshop) -> None:
    job = shop.submit()
    delivery = shop.take()
    cancel(shop.engine, job.id)

    assert shop.receive(delivery) is None
    assert shop.task().outcome is Outcome.CANCELED
    assert shop.queue.depth() == 0


def test_the_first_sight_of_a_beat_says_nothing_about_how_old_it_is(shop: Workshop) -> None:
    watch = BeatWatch(shop.clock)
    shop.clock.advance(HOURS)

    assert watch.still_for("task", 1) == timedelta()
    assert not watch.moved_within("node", 1, LEASE)
    shop.clock.advance(SECOND)
    assert watch.still_for("task", 1) == SECOND
    assert watch.moved_within("node", 2, LEASE)
    shop.clock.advance(LEASE)
    assert not watch.moved_within("node", 2, LEASE)


def test_a_watch_forgets(shop: Workshop) -> None:
    watch = BeatWatch(shop.clock)
    watch.still_for("task", 1)
    shop.clock.advance(SECOND)
    watch.forget("task")

    assert watch.still_for("task", 1) == timedelta()
