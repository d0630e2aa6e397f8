"""Any sequence of what may happen to a task keeps its counts and its history true."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from media_nommer.core.errors import IllegalTransition
from media_nommer.core.nodes import NEXT_NODE_STATES, NodeId, NodeState
from media_nommer.core.tasks import (
    ATTEMPTS_KEPT,
    NEXT_TASK_STATES,
    AttemptEnd,
    Outcome,
    Result,
    Task,
    TaskState,
    task_id,
)
from media_nommer.testing.clock import START
from media_nommer.testing.samples import FAILURE, MINUTE, a_node, a_task

LEASE = timedelta(seconds=30)


class TaskMachine(RuleBasedStateMachine):
    """Does to a task what workers and feederd may do, and counts along."""

    def __init__(self) -> None:
        super().__init__()
        self.task = a_task()
        self.counts: Counter[str] = Counter()
        self.failures = 0
        self.committed: set[int] = set()

    @property
    def held(self) -> bool:
        return self.task.claim is not None

    def become(self, task: Task) -> None:
        assert task.claims >= self.task.claims
        assert task.progress >= self.task.progress
        if task.state is not self.task.state:
            assert task.state in NEXT_TASK_STATES[self.task.state]
        self.task = task

    @rule()
    def wait(self) -> None:
        """Let nothing happen."""

    @precondition(lambda self: not self.task.settled)
    @rule()
    def claim(self) -> None:
        self.counts["lost"] += self.held
        before = self.task.claims
        self.become(self.task.claimed(NodeId("n"), lease=LEASE, at=START))
        assert self.task.claims == before + 1
        assert self.task.claim is not None
        assert self.task.claim.number == self.task.claims
        assert self.task.puts == 0

    @precondition(lambda self: self.held)
    @rule(progress=st.floats(0, 1))
    def beat(self, progress: float) -> None:
        self.become(self.task.beaten(progress=progress, at=START))

    @precondition(lambda self: self.held)
    @rule(outcome=st.sampled_from([Outcome.SUCCEEDED, Outcome.FAILED, Outcome.ABANDONED]))
    def commit(self, outcome: Outcome) -> None:
        assert self.task.claim is not None
        if outcome is Outcome.SUCCEEDED:
            self.failures = 0
            self.committed.add(self.task.claim.number)
        elif outcome is Outcome.FAILED:
            self.failures += 1
            self.committed.discard(self.task.claim.number)
        self.become(self.task.committed(outcome, at=START, result=Result(), log_url="l"))

    @precondition(lambda self: self.held)
    @rule(failed=st.booleans())
    def set_back(self, failed: bool) -> None:
        assert self.task.claim is not None
        self.failures += failed
        if failed:
            self.committed.discard(self.task.claim.number)
        failure = FAILURE if failed else None
        self.become(self.task.set_back(at=START, ready_at=START + MINUTE, failure=failure))
        assert self.task.claim is None

    @precondition(lambda self: self.held)
    @rule()
    def let_go(self) -> None:
        self.counts["lost"] += 1
        self.become(self.task.let_go(at=START))
        assert self.task.claim is None

    @precondition(lambda self: not self.task.settled)
    @rule()
    def put_again(self) -> None:
        before = self.task.puts
        self.become(self.task.put_again(at=START))
        assert self.task.puts == before + 1

    @precondition(lambda self: not self.task.settled and self.task.claims > 3)
    @rule()
    def settle(self) -> None:
        self.become(self.task.done(at=START))
        assert self.task.outcome is not None
        with pytest.raises(IllegalTransition):
            self.task.claimed(NodeId("n"), lease=LEASE, at=START)

    @invariant()
    def failures_and_losses_are_what_was_counted(self) -> None:
        assert (self.task.failures, self.task.losses) == (
            self.failures,
            self.counts["lost"],
        )

    @invariant()
    def attempts_are_one_a_claim_in_order_and_capped(self) -> None:
        numbers = [attempt.number for attempt in self.task.attempts]
        assert len(numbers) == len(set(numbers)) <= ATTEMPTS_KEPT
        assert numbers == sorted(numbers)
        assert all(number <= self.task.claims for number in numbers)

    @invariant()
    def what_committed_stays_written_down_as_committed(self) -> None:
        for attempt in self.task.attempts:
            if attempt.number in self.committed:
                assert attempt.end is AttemptEnd.COMMITTED
                assert attempt.log_url == "l"


TestTaskMachine = TaskMachine.TestCase


def test_the_tables_say_of_every_state_what_follows() -> None:
    assert set(NEXT_TASK_STATES) == set(TaskState)
    assert set(NEXT_NODE_STATES) == set(NodeState)
    assert not NEXT_TASK_STATES[TaskState.SETTLED]
    assert not NEXT_NODE_STATES[NodeState.GONE]


@pytest.mark.parametrize("before", NodeState)
@pytest.mark.parametrize("after", NodeState)
def test_a_node_moves_as_its_table_says(before: NodeState, after: NodeState) -> None:
    node = a_node()
    object.__setattr__(node, "state", before)

    if after in NEXT_NODE_STATES[before]:
        assert node.moved_to(after, at=START).state is after
    else:
        with pytest.raises(IllegalTransition):
            node.moved_to(after, at=START)


def test_rule_3_a_tasks_id_follows_from_its_place_in_the_plan() -> None:
    assert a_task("x").id == task_id(a_task().job_id, 1, "x")
    assert len({a_task("x").id, a_task("y").id, a_task("x", run=2).id}) == 3
