"""A bad machine is told from a bad film by what fails on it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from media_nommer.core.errors import Failure
from media_nommer.core.jobs import JobId
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import Outcome, Result, ResultFile, Task
from media_nommer.planning.fleet.trials import Trial, spoils_work, trial_of
from media_nommer.testing.clock import START
from media_nommer.testing.samples import a_task

HERE, THERE = NodeId("node-1"), NodeId("node-2")
CRASH = Failure(code="ENCODER_CRASHED", message="it died", retryable=True)
A, B = JobId("a"), JobId("b")
GOOD_A, BAD_A, BAD_B = Trial(A), Trial(A, "ENCODER_CRASHED"), Trial(B, "NO_SPACE")


def claimed(task: Task, node: NodeId = HERE) -> Task:
    return task.claimed(node, lease=timedelta(seconds=30), at=START)


def failed(failure: Failure, *, node: NodeId = HERE, task: Task | None = None) -> Task:
    started = claimed(task or a_task(), node)
    return started.set_back(at=START, ready_at=START, failure=failure)


@pytest.mark.parametrize(
    ("trials", "spoils"),
    [
        ([], False),
        ([BAD_A, BAD_B], False),
        ([BAD_A, BAD_A, BAD_B], True),
        ([BAD_A, BAD_B, BAD_A], True),
        ([BAD_A, BAD_A, BAD_A], False),  # one bad film
        ([BAD_A, BAD_A, BAD_A, BAD_A, BAD_B], True),
        ([BAD_B, BAD_A, BAD_A, BAD_A], False),
        ([BAD_A, GOOD_A, BAD_B, BAD_A], False),
        ([GOOD_A, BAD_A, BAD_B, BAD_A], True),
        ([BAD_A, BAD_B, BAD_A, GOOD_A], False),
    ],
)
def test_three_failures_in_a_row_of_two_jobs_speak_against_a_machine(
    trials: list[Trial], spoils: bool
) -> None:
    assert spoils_work(trials) is spoils


@pytest.mark.parametrize(
    "code", ["ENCODER_CRASHED", "ENCODER_STALLED", "NO_SPACE", "OUTPUT_DAMAGED", "INTERNAL"]
)
def test_failures_that_may_be_the_machines_fault_count(code: str) -> None:
    task = failed(replace(CRASH, code=code))

    assert trial_of(task, 1) == Trial(task.job_id, code)


@pytest.mark.parametrize(
    "failure",
    [
        Failure(code="NOT_MEDIA", message="it is a letter"),
        Failure(code="STORAGE", message="the bucket does not answer", retryable=True),
        replace(CRASH, retryable=False),
    ],
)
def test_failures_that_are_not_the_machines_fault_say_nothing_of_it(
    failure: Failure,
) -> None:
    assert trial_of(failed(failure), 1) is None


def test_a_failure_that_the_task_had_elsewhere_too_is_its_own() -> None:
    task = failed(CRASH, task=failed(CRASH, node=THERE))

    assert trial_of(task, 2) is None


def test_another_failure_elsewhere_is_no_excuse() -> None:
    stalled = replace(CRASH, code="ENCODER_STALLED")
    task = failed(CRASH, task=failed(stalled, node=THERE))

    assert trial_of(task, 2) == Trial(task.job_id, "ENCODER_CRASHED")


def test_a_failure_again_on_the_same_node_counts_again() -> None:
    task = failed(CRASH, task=failed(CRASH))

    assert trial_of(task, 2) == Trial(task.job_id, "ENCODER_CRASHED")


def test_a_success_is_one() -> None:
    file = ResultFile(output=0, key="a.mp4", work_url="w", size=1, sha256="c" * 64)
    made = Result(files=(file,), failures={1: CRASH})

    task = claimed(a_task()).committed(Outcome.SUCCEEDED, at=START, result=made)

    assert trial_of(task, 1) == Trial(task.job_id)


def test_a_last_try_whose_result_is_a_failure_is_none() -> None:
    nothing = Result(failures={0: CRASH})

    task = claimed(a_task()).committed(Outcome.SUCCEEDED, at=START, result=nothing)

    assert trial_of(task, 1) == Trial(task.job_id, "ENCODER_CRASHED")


def test_what_was_handed_back_or_lost_says_nothing_of_the_machine() -> None:
    handed_back = claimed(a_task()).set_back(at=START, ready_at=START)
    taken_over = claimed(claimed(a_task()), THERE)

    assert trial_of(handed_back, 1) is None
    assert trial_of(taken_over, 1) is None
    assert trial_of(taken_over, 2) is None
