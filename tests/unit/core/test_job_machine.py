"""Any sequence of what may happen to a job keeps what a job promises."""

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from media_nommer.core.errors import Failure, IllegalTransition, JobArchived
from media_nommer.core.jobs import (
    NEXT_JOB_STATES,
    Job,
    JobState,
    Output,
    OutputState,
    Phase,
)
from media_nommer.testing.clock import START
from media_nommer.testing.samples import FAILURE, MINUTE, a_job

FINAL = [state for state in JobState if state.final]


class JobMachine(RuleBasedStateMachine):
    """Calls the methods of a job in any order, as the rules of the workflow may."""

    def __init__(self) -> None:
        super().__init__()
        self.job = a_job(outputs=(Output(name="a"), Output(name="b"), Output(name="c")))
        self.before = self.job
        self.at = START

    def become(self, job: Job) -> None:
        self.before, self.job = self.job, job
        self.check_step()

    def check_step(self) -> None:
        old, new = self.before, self.job
        assert new.events[: len(old.events)] == old.events
        if new.state is not old.state:
            assert new.state in NEXT_JOB_STATES[old.state]
            assert new.events[-1].kind == f"job.{new.state}"
            assert new.events[-1].run == new.run
        if new.run == old.run:
            assert new.progress >= old.progress
            for was, is_now in zip(old.outputs, new.outputs, strict=True):
                if was.state is OutputState.FINISHED:
                    assert is_now == was
        else:
            assert (new.run, new.state, new.progress) == (old.run + 1, JobState.PENDING, 0)
            assert old.state.final

    @rule(state=st.sampled_from(JobState))
    def move(self, state: JobState) -> None:
        if state is JobState.PENDING:
            return  # that is a retry
        if state is JobState.FINISHED and any(
            o.state is not OutputState.FINISHED for o in self.job.outputs
        ):
            return
        self.at += MINUTE
        failure = FAILURE if state in {JobState.FAILED, JobState.ABANDONED} else None
        if state in NEXT_JOB_STATES[self.job.state]:
            self.become(self.job.moved_to(state, at=self.at, failure=failure))
        else:
            with pytest.raises(IllegalTransition):
                self.job.moved_to(state, at=self.at)

    @rule(phase=st.sampled_from(Phase))
    def enter(self, phase: Phase) -> None:
        if not self.job.state.final:
            self.become(self.job.in_phase(phase, at=self.at))
        else:
            with pytest.raises(IllegalTransition):
                self.job.in_phase(phase, at=self.at)

    @rule()
    def tell(self) -> None:
        told = self.job.with_event("task.handed_back", at=self.at, detail="why")
        assert replace(told, events=self.job.events, changed_at=self.job.changed_at) == (
            self.job
        )
        self.become(told)

    @rule(index=st.integers(0, 2), good=st.booleans())
    def end_output(self, index: int, good: bool) -> None:
        output = self.job.outputs[index]
        if output.state is not OutputState.PENDING or self.job.state.final:
            return
        state = OutputState.FINISHED if good else OutputState.FAILED
        ended = replace(output, state=state, failure=None if good else FAILURE)
        self.become(self.job.with_output(index, ended, at=self.at))

    @rule(whole=st.booleans())
    def retry(self, whole: bool) -> None:
        done = all(o.state is OutputState.FINISHED for o in self.job.outputs)
        if self.job.state.final and (whole or not done):
            kept = [o for o in self.job.outputs if o.state is OutputState.FINISHED]
            self.become(self.job.retried(at=self.at, whole=whole))
            if not whole:
                assert [
                    o for o in self.job.outputs if o.state is OutputState.FINISHED
                ] == kept
        else:
            with pytest.raises(IllegalTransition):
                self.job.retried(at=self.at, whole=whole)

    @invariant()
    def progress_is_one_only_at_the_end(self) -> None:
        assert (self.job.progress == 1.0) == (self.job.state is JobState.FINISHED)

    @invariant()
    def events_are_numbered_without_gaps(self) -> None:
        numbers = [event.number for event in self.job.events]
        assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def a_final_job_has_no_output_that_waits_and_no_phase(self) -> None:
        if self.job.state.final:
            assert self.job.phase is None
            assert self.job.finished_at is not None
            assert all(o.state is not OutputState.PENDING for o in self.job.outputs)
        else:
            assert self.job.finished_at is None


TestJobMachine = JobMachine.TestCase


def test_the_table_says_of_every_state_what_follows() -> None:
    assert set(NEXT_JOB_STATES) == set(JobState)
    assert all(NEXT_JOB_STATES[state] == {JobState.PENDING} for state in FINAL)
    assert JobState.FINISHED not in NEXT_JOB_STATES[JobState.PENDING]


@pytest.mark.parametrize("state", [s for s in FINAL if s is not JobState.FINISHED])
def test_finished_outputs_stand_when_their_job_ends_otherwise(state: JobState) -> None:
    outputs = (Output(name="a", state=OutputState.FINISHED), Output(name="b"))
    job = a_job(outputs=outputs).in_phase(Phase.PUBLISHING, at=START)

    ended = job.moved_to(state, at=START, failure=FAILURE)

    assert ended.outputs[0] == outputs[0]
    closed = OutputState.CANCELED if state is JobState.CANCELED else OutputState.FAILED
    assert ended.outputs[1].state is closed


@pytest.mark.parametrize("state", FINAL)
def test_rule_8_a_job_that_goes_to_the_archive_never_changes_again(state: JobState) -> None:
    ended = a_job().in_phase(Phase.ENCODING, at=START).moved_to(state, at=START)

    archived = ended.archived(at=START + MINUTE)

    assert archived == replace(ended, archived_at=START + MINUTE)
    for change in (
        lambda: archived.retried(at=START, whole=True),
        lambda: archived.with_output(0, Output(name="a"), at=START),
        lambda: archived.archived(at=START),
    ):
        with pytest.raises(JobArchived) as refused:
            change()
        assert refused.value.advice


def test_a_job_that_is_not_over_is_not_archived() -> None:
    with pytest.raises(IllegalTransition):
        a_job().archived(at=START)


def test_rule_9_a_retry_is_told_in_the_run_that_it_begins() -> None:
    job = a_job().moved_to(JobState.FAILED, at=START, failure=Failure(code="X", message=""))

    assert [(e.kind, e.run) for e in job.retried(at=START).events] == [
        ("job.failed", 1),
        ("job.pending", 2),
    ]
