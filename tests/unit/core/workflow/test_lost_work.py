"""Rule 4: lost messages come back."""

from datetime import timedelta

import pytest
from tests.workshop import LEASE, POLICY, SECOND, Call, Workshop

from media_nommer.core.jobs import JobState
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import AttemptEnd, Outcome, Result, TaskState
from media_nommer.core.workflow.claims import HeldTask
from media_nommer.core.workflow.lost import (
    MOST_DOUBLINGS,
    LostWork,
    abandon_overdue,
    let_go_of,
)
from media_nommer.core.workflow.submitting import cancel, retry
from media_nommer.core.workflow.watch import BeatWatch

AFTER = POLICY.put_again_after


@pytest.fixture
def lost(shop: Workshop) -> LostWork:
    return LostWork(shop.engine, POLICY)


def lose_message(shop: Workshop) -> None:
    shop.queue.done(shop.take())
    assert shop.queue.depth() == 0


def test_rule_4_a_lost_message_comes_back_after_a_while(
    shop: Workshop, lost: LostWork
) -> None:
    shop.submit()
    lose_message(shop)
    shop.clock.advance(AFTER - SECOND)
    early = lost.put_again()
    shop.clock.advance(SECOND)

    assert (early, lost.put_again()) == (0, 1)
    assert shop.take().task_id == shop.task().id


def test_rule_4_each_re_put_in_vain_doubles_the_wait_up_to_a_limit(
    shop: Workshop, lost: LostWork
) -> None:
    shop.submit()

    waits = []
    for _ in range(MOST_DOUBLINGS + 3):
        waited = timedelta()
        while not lost.put_again():
            shop.clock.advance(AFTER)
            waited += AFTER
        waits.append(waited // AFTER)

    assert waits == [1, 2, 4, 8, 16, 32, 32, 32]


def test_rule_4_once_somebody_came_the_waits_begin_anew(
    shop: Workshop, lost: LostWork
) -> None:
    shop.submit()
    for _ in range(4):
        shop.clock.advance(100 * AFTER)
        lost.put_again()
    held = shop.claim()
    now = shop.clock.now()
    held.change(lambda task: task.set_back(at=now, ready_at=now))
    held.drop_message()
    shop.clock.advance(AFTER)

    assert lost.put_again() == 1


def test_rule_4_a_task_that_rests_is_not_put_before_it_may_be_tried(
    shop: Workshop, lost: LostWork
) -> None:
    shop.submit()
    held = shop.claim()
    now = shop.clock.now()
    held.change(lambda task: task.set_back(at=now, ready_at=now + 3 * AFTER))
    shop.clock.advance(3 * AFTER)

    assert lost.put_again() == 0
    shop.clock.advance(AFTER)
    assert lost.put_again() == 1


def test_rule_4_the_task_of_an_owner_that_beats_is_not_put(
    shop: Workshop, lost: LostWork
) -> None:
    shop.submit()
    held = shop.claim()
    for _ in range(10):
        shop.clock.advance(AFTER / 2)
        held.beat()
        assert lost.put_again() == 0


def test_rule_4_a_task_that_is_settled_while_one_looks_is_not_put(
    shop: Workshop, lost: LostWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.submit()
    held = shop.claim()
    seen = shop.task()
    at = shop.clock.now()
    held.change(lambda t: t.committed(Outcome.SUCCEEDED, at=at, result=Result()))
    held.change(lambda t: t.done(at=at))
    held.drop_message()
    monkeypatch.setattr(shop.store, "unsettled_tasks", lambda **_: [seen])
    shop.clock.advance(AFTER)

    assert lost.put_again() == 0
    assert shop.queue.depth() == 0


def test_rule_4_a_committed_task_whose_owner_died_comes_back(
    shop: Workshop, lost: LostWork
) -> None:
    shop.submit()
    held = shop.claim()
    at = shop.clock.now()
    held.change(lambda t: t.committed(Outcome.SUCCEEDED, at=at, result=Result()))
    held.drop_message()
    shop.clock.advance(AFTER)

    assert lost.put_again() == 1
    watch, delivery = BeatWatch(shop.clock), shop.take()
    shop.receive(delivery, watch=watch)
    shop.clock.advance(LEASE)
    again = shop.receive(delivery, watch=watch)
    assert isinstance(again, HeldTask)
    assert again.task.outcome is Outcome.SUCCEEDED
    assert [a.end for a in again.task.attempts] == [AttemptEnd.COMMITTED]


def test_rule_4_a_settled_task_is_left_alone(shop: Workshop, lost: LostWork) -> None:
    shop.submit()
    shop.work()
    shop.clock.advance(100 * AFTER)

    assert lost.put_again() == 0


def test_rule_4_two_that_look_at_once_record_one_re_put(
    shop: Workshop, lost: LostWork
) -> None:
    shop.submit()
    shop.clock.advance(AFTER)

    def meanwhile(call: Call) -> None:
        if call.name == "store.swap_task":
            shop.tape.before = None
            LostWork(shop.engine, POLICY).put_again()

    shop.tape.before = meanwhile
    lost.put_again()

    assert shop.task().puts == 1
    assert shop.queue.depth() == 1


def test_rule_4_jobs_whose_submitter_died_are_begun_in_each_run(
    shop: Workshop, lost: LostWork
) -> None:
    """Rules 1 and 4: between the record and its first task there may be a death."""
    shop.store.add_job(shop.job_to_submit())
    shop.clock.advance(AFTER)

    assert lost.put_again() == 1
    assert lost.put_again() == 0
    shop.work()
    job = shop.changed(state=JobState.CANCELED)
    shop.store.swap_job(job.retried(at=shop.clock.now(), whole=True))
    shop.clock.advance(AFTER)
    assert lost.put_again() == 1
    assert shop.task(run=2).state is TaskState.READY


def test_rule_4_more_jobs_than_a_page_are_begun(shop: Workshop, lost: LostWork) -> None:
    for number in range(1, 251):
        shop.store.add_job(shop.job_to_submit(number))
    shop.clock.advance(AFTER)

    assert lost.put_again() == 250


def test_rule_6_a_task_that_is_let_go_of_counts_as_a_loss(shop: Workshop) -> None:
    shop.submit()
    held = shop.claim("node-1")

    freed = let_go_of(shop.engine, NodeId("node-1"))

    assert freed == 1
    task = shop.task()
    assert (task.state, task.claim) == (TaskState.READY, None)
    assert (task.losses, task.failures) == (1, 0)
    assert [a.end for a in task.attempts] == [AttemptEnd.LOST]
    held.beat()
    assert held.stopped is not None


def test_the_tasks_of_other_nodes_are_not_let_go_of(shop: Workshop) -> None:
    shop.submit()
    held = shop.claim("node-1")

    assert let_go_of(shop.engine, NodeId("node-2")) == 0
    held.beat()
    assert held.stopped is None


def test_rule_1_a_job_past_its_deadline_is_abandoned_and_its_tasks_are_closed(
    shop: Workshop,
) -> None:
    job = shop.submit()
    shop.changed(deadline=shop.clock.now() + SECOND)

    assert abandon_overdue(shop.engine) == 0
    shop.clock.advance(SECOND)
    assert abandon_overdue(shop.engine) == 1
    assert shop.job().state is JobState.ABANDONED
    failure = shop.job().failure
    assert failure is not None
    assert failure.code == "DEADLINE_PASSED"
    assert failure.advice
    assert shop.task().settled
    assert abandon_overdue(shop.engine) == 0
    assert retry(shop.engine, job.id).deadline is None


def test_what_a_dead_canceler_left_open_is_closed_by_canceling_again(
    shop: Workshop,
) -> None:
    job = shop.submit()
    shop.changed(state=JobState.CANCELED)

    cancel(shop.engine, job.id)

    assert shop.task().settled
