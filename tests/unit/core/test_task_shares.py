"""What a task's claims have had of nodes is never lost, whatever becomes of them."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.core.nodes import Machine, Market, NodeId
from media_nommer.core.shares import Share, merged, spent_on
from media_nommer.core.tasks import (
    ATTEMPTS_KEPT,
    AttemptEnd,
    Outcome,
    Result,
    Task,
    TaskState,
)
from media_nommer.core.wire import dump, load
from media_nommer.testing.clock import START
from media_nommer.testing.samples import FAILURE, SPOT, a_full_task, a_task

LEASE = timedelta(seconds=30)
ON_DEMAND = Machine(type="c7i.xlarge", market=Market.ON_DEMAND, price=0.18)


def had(seconds: float, machine: Machine = SPOT) -> Share:
    return Share(seconds=seconds, kind="ec2", machine=machine)


def claimed(task: Task, seconds: float, machine: Machine = SPOT) -> Task:
    """Return the task under a newer claim that has had so much."""
    share = Share(kind="ec2", machine=machine)
    newer = task.claimed(NodeId("n"), lease=LEASE, at=START, share=share)
    return newer.charged(had(seconds, machine))


def test_an_attempt_that_is_lost_keeps_what_it_had_at_its_last_beat() -> None:
    task = claimed(a_task(), 7).beaten(progress=0.1, at=START)

    lost = claimed(task, 1)
    freed = task.let_go(at=START)

    for after in (lost, freed):
        (attempt,) = after.attempts
        assert (attempt.end, attempt.share) == (AttemptEnd.LOST, had(7))
    assert spent_on(lost.shares).seconds == 8
    assert spent_on(freed.shares).seconds == 7


def test_an_attempt_that_died_before_its_first_beat_had_nothing() -> None:
    share = Share(kind="ec2", machine=SPOT)
    task = a_task().claimed(NodeId("n"), lease=LEASE, at=START, share=share)

    freed = task.let_go(at=START)

    assert spent_on(freed.shares).cost == 0.0
    assert freed.attempts[0].share == share


def test_what_follows_from_an_outcome_is_part_of_the_attempt() -> None:
    task = claimed(a_task(), 5).committed(Outcome.SUCCEEDED, at=START, result=Result())

    settled = task.charged(had(6.5)).done(at=START)

    (attempt,) = settled.attempts
    assert (attempt.end, attempt.share) == (AttemptEnd.COMMITTED, had(6.5))
    assert spent_on(settled.shares).seconds == 6.5


def test_who_draws_anothers_consequences_is_paid_too() -> None:
    task = claimed(a_task(), 5).committed(Outcome.SUCCEEDED, at=START, result=Result())
    task = claimed(task, 2, ON_DEMAND)
    assert task.state is TaskState.COMMITTED

    settled = task.done(at=START)

    assert [a.end for a in settled.attempts] == [AttemptEnd.COMMITTED]
    assert settled.past_shares == (had(2, ON_DEMAND),)
    assert spent_on(settled.shares).seconds == 7


def test_who_gives_a_task_up_is_paid_too() -> None:
    task = claimed(a_task(), 1).committed(Outcome.ABANDONED, at=START, failure=FAILURE)

    assert spent_on(task.done(at=START).shares).seconds == 1


def test_attempts_that_are_dropped_leave_what_they_cost() -> None:
    task = a_task()
    for number in range(ATTEMPTS_KEPT + 8):
        machine = replace(SPOT if number % 2 else ON_DEMAND, name=f"i-{number}")
        task = claimed(task, number, machine).set_back(at=START, ready_at=START)

    spent = spent_on(task.shares)

    assert len(task.attempts) == ATTEMPTS_KEPT
    assert spent.seconds == sum(range(ATTEMPTS_KEPT + 8))
    assert {share.machine.market for share in task.past_shares} == {
        Market.SPOT,
        Market.ON_DEMAND,
    }
    assert len(task.past_shares) == 2  # however many there were


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["lost", "back", "failed", "commit", "let_go"]),
            st.floats(0, 1e5),
        ),
        max_size=40,
    ),
    st.booleans(),
)
def test_no_second_is_lost_whatever_becomes_of_the_claims(
    ends: list[tuple[str, float]], settles: bool
) -> None:
    task, total = a_task(), 0.0
    for end, seconds in ends:
        task, total = claimed(task, seconds), total + seconds
        if end == "back":
            task = task.set_back(at=START, ready_at=START)
        elif end == "failed":
            task = task.set_back(at=START, ready_at=START, failure=FAILURE)
        elif end == "commit":
            task = task.committed(Outcome.SUCCEEDED, at=START, result=Result())
        elif end == "let_go":
            task = task.let_go(at=START)
    if settles:
        task = task.done(at=START)

    assert spent_on(task.shares).seconds == pytest.approx(total)


def test_a_sum_says_where_a_price_or_a_share_is_missing() -> None:
    unknown = Share(seconds=3, machine=Machine())
    nothing = Share(machine=Machine())

    assert spent_on([had(50), had(50)]).cost == pytest.approx(100 * 0.072 / 3600)
    assert spent_on([had(50), nothing]).cost == pytest.approx(50 * 0.072 / 3600)
    assert spent_on([had(50), unknown]).cost is None
    assert spent_on([had(50), None]).cost is None
    assert spent_on([had(50), unknown]).seconds == 53
    assert spent_on([]).cost == 0.0


def test_like_machines_are_one_and_others_are_not() -> None:
    again = replace(SPOT, name="i-other", started_at=None)
    dearer = replace(SPOT, price=0.09)

    one = merged([had(1), had(2, again)])
    two = merged([had(1), had(2, dearer), had(0, ON_DEMAND)])

    assert [share.seconds for share in one] == [3]
    assert [share.seconds for share in two] == [1, 2]


def test_a_record_of_before_still_loads_and_says_that_it_does_not_know() -> None:
    stored = json.loads(dump(a_full_task()))
    record = stored["r"]
    del record["past_shares"], record["claim"]["share"]
    for attempt in record["attempts"]:
        del attempt["share"]

    task = load(Task, json.dumps(stored))

    assert [attempt.share for attempt in task.attempts] == [None] * len(task.attempts)
    assert spent_on(task.shares).cost is None
    assert task.done(at=START).settled


OLD = (
    '{"v":1,"r":{"id":"job-1.1.inspect","job_id":"job-1","run":1,"key":"inspect",'
    '"kind":"inspect","created_at":"2026-01-01T00:00:00Z",'
    '"changed_at":"2026-01-01T00:00:09Z","ready_at":"2026-01-01T00:00:00Z",'
    '"outputs":[],"weight":1.0,"priority":"normal","group":"","state":"claimed",'
    '"claim":{"number":2,"node":"n2","lease":"PT30S","since":"2026-01-01T00:00:09Z",'
    '"beat":4},"claims":2,"failures":1,"losses":0,"puts":0,"progress":0.25,'
    '"attempts":[{"number":1,"node":"n1","started_at":"2026-01-01T00:00:00Z",'
    '"ended_at":"2026-01-01T00:00:04Z","end":"failed","failure":null,'
    '"cpu_seconds":3.5,"log_url":null}],"outcome":null,"result":null,"failure":null,'
    '"revision":7}}'
)


def test_a_document_that_an_older_version_stored_loads() -> None:
    task = load(Task, OLD)

    assert (task.claims, task.past_shares) == (2, ())
    assert task.claim is not None
    assert task.claim.share is None
    assert task.attempts[0].share is None
    assert spent_on(task.charged(had(2)).shares).seconds == 2
