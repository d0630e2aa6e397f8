"""The task record: what one worker does in one go, who does it, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from media_nommer.core.errors import Failure, IllegalTransition
from media_nommer.core.jobs import JobId, Priority
from media_nommer.core.nodes import NodeId
from media_nommer.core.shares import Share, merged

TaskId = NewType("TaskId", str)

#: How many past attempts a record keeps; the logs of older ones stay in the work area.
ATTEMPTS_KEPT = 12


class TaskKind(StrEnum):
    """What a task does; a nommer is registered for each."""

    #: Looks at the source and plans; carries a small job through on the same worker.
    INSPECT = "inspect"
    ENCODE = "encode"
    AUDIO = "audio"
    THUMBNAILS = "thumbnails"
    #: Gathers what the others made; publication follows.
    ASSEMBLE = "assemble"


class TaskState(StrEnum):
    """Where a task is."""

    #: Free to be claimed, from ``ready_at`` on.
    READY = "ready"
    #: Somebody works on it.
    CLAIMED = "claimed"
    #: Its outcome stands; what follows from it (next tasks, publication) may not yet.
    COMMITTED = "committed"
    #: All that follows from its outcome is done.
    SETTLED = "settled"


#: CLAIMED to CLAIMED, and COMMITTED to COMMITTED, is a newer claim or a beat.
NEXT_TASK_STATES: Mapping[TaskState, frozenset[TaskState]] = {
    TaskState.READY: frozenset({TaskState.CLAIMED, TaskState.SETTLED}),
    TaskState.CLAIMED: frozenset(
        {TaskState.READY, TaskState.CLAIMED, TaskState.COMMITTED, TaskState.SETTLED}
    ),
    TaskState.COMMITTED: frozenset({TaskState.COMMITTED, TaskState.SETTLED}),
    TaskState.SETTLED: frozenset(),
}


class Outcome(StrEnum):
    """How a task ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    #: Its workers kept dying.
    ABANDONED = "abandoned"
    #: Its job became final first.
    CANCELED = "canceled"


class AttemptEnd(StrEnum):
    """How one attempt ended."""

    COMMITTED = "committed"
    FAILED = "failed"
    #: The worker fell silent, and a newer claim took over.
    LOST = "lost"
    #: The worker left in good order.
    HANDED_BACK = "handed_back"
    #: Its job became final first.
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to work on a task: the ``number``-th one given, held by ``node``.

    Its owner moves ``beat``. Who watches it stand still for ``lease`` on a clock of their
    own may take the next number. ``share`` is what it has had of the node as of the last
    change by its owner, None where an older version gave it.
    """

    number: int
    node: NodeId
    lease: timedelta
    since: datetime
    beat: int = 0
    share: Share | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One claim and what came of it. ``log_url`` is where its whole log is kept.

    ``share`` is what it had of its node, which may be a little after ``ended_at``: what
    follows from its outcome is part of it. None where an older version wrote it down.
    """

    number: int
    node: NodeId
    started_at: datetime
    ended_at: datetime
    end: AttemptEnd
    failure: Failure | None = None
    cpu_seconds: float | None = None
    log_url: str | None = None
    share: Share | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """A task that a plan foresees.

    ``needs`` are keys of the tasks that must have succeeded first, ``outputs`` the indices
    of the job's outputs that it makes, ``weight`` its share (0 to 1) of the job's work.
    """

    key: str
    kind: TaskKind
    needs: tuple[str, ...] = ()
    outputs: tuple[int, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFile:
    """A file that an attempt made, under the attempt's own name in the work area.

    ``key`` is its name below the job's destination, ``output`` the index of its output,
    ``size`` bytes. The name of one that is its attempt's ``own`` no other attempt gives.
    """

    output: int
    key: str
    work_url: str
    size: int
    sha256: str
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a task made: a plan to go on with, or files, or both failures and files.

    ``found`` is what an inspection found in the source, as its document has it.
    """

    plan: tuple[PlannedTask, ...] = ()
    files: tuple[ResultFile, ...] = ()
    facts: Mapping[int, Mapping[str, object]] = field(default_factory=dict)
    failures: Mapping[int, Failure] = field(default_factory=dict)
    found: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one worker does in one go; a value, changed by compare-and-swap only."""

    id: TaskId
    job_id: JobId
    run: int
    key: str
    kind: TaskKind
    created_at: datetime
    changed_at: datetime
    ready_at: datetime
    outputs: tuple[int, ...] = ()
    weight: float = 1.0
    #: As its job has them, so that its message can be put again from its record alone.
    priority: Priority = Priority.NORMAL
    group: str = ""
    state: TaskState = TaskState.READY
    claim: Claim | None = None
    claims: int = 0
    #: Failed attempts since the last commit; compared with ``max_attempts``.
    failures: int = 0
    #: Attempts whose worker fell silent; compared with ``max_lost``.
    losses: int = 0
    #: How often it was put on the queue again since somebody last came for it.
    puts: int = 0
    progress: float = 0.0
    attempts: tuple[Attempt, ...] = ()
    #: Of claims that are in ``attempts`` no more, or never were; like machines as one.
    past_shares: tuple[Share, ...] = ()
    outcome: Outcome | None = None
    result: Result | None = None
    failure: Failure | None = None
    revision: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.state is TaskState.SETTLED

    @property
    def succeeded(self) -> bool:
        """Whether its result stands, whoever draws the consequences."""
        return self.outcome is Outcome.SUCCEEDED

    @property
    def shares(self) -> tuple[Share | None, ...]:
        """What all its claims have had of nodes; None where an older version held one."""
        listed: list[Share | None] = [attempt.share for attempt in self.attempts]
        if self.claim is not None and not self._is_listed(self.claim):
            listed.append(self.claim.share)
        return (*self.past_shares, *listed)

    def claimed(
        self, node: NodeId, *, lease: timedelta, at: datetime, share: Share | None = None
    ) -> "Task":
        """Return this task under a newer claim; an attempt that it ends is lost.

        ``share`` tells what its node runs on, with no seconds yet.
        """
        number = self.claims + 1
        claim = Claim(number=number, node=node, lease=lease, since=at, share=share)
        lost = self._ended(AttemptEnd.LOST, at) if self.claim else self
        state = (
            TaskState.COMMITTED if self.state is TaskState.COMMITTED else TaskState.CLAIMED
        )
        return replace(
            lost._moved(state, at),
            claim=claim,
            claims=number,
            puts=0,
            losses=self.losses + (self.claim is not None),
        )

    def charged(self, share: Share) -> "Task":
        """Return this task with what its claim has had of its node so far."""
        assert self.claim is not None, "only a claim is paid for"
        number = self.claim.number
        attempts = tuple(
            replace(attempt, share=share) if attempt.number == number else attempt
            for attempt in self.attempts
        )
        return replace(self, claim=replace(self.claim, share=share), attempts=attempts)

    def beaten(self, *, progress: float, at: datetime) -> "Task":
        """Return this task with its claim's beat moved on; progress never goes back."""
        assert self.claim is not None, "only a claim beats"
        claim = replace(self.claim, beat=self.claim.beat + 1)
        return replace(
            self, claim=claim, progress=max(self.progress, progress), changed_at=at
        )

    def committed(
        self,
        outcome: Outcome,
        *,
        at: datetime,
        result: Result | None = None,
        failure: Failure | None = None,
        cpu_seconds: float | None = None,
        log_url: str | None = None,
    ) -> "Task":
        """Return this task with its outcome on record; the claim stays for what follows."""
        ended = self
        if outcome is not Outcome.ABANDONED:  # to give up is no attempt, and no failure
            good = outcome is Outcome.SUCCEEDED
            end = AttemptEnd.COMMITTED if good else AttemptEnd.FAILED
            ended = self._ended(
                end, at, failure=failure, cpu_seconds=cpu_seconds, log_url=log_url
            )
        return replace(
            ended._moved(TaskState.COMMITTED, at),
            claim=self.claim,
            outcome=outcome,
            result=result,
            failure=failure,
            failures=_failures_after(outcome, self.failures),
            progress=1.0 if outcome is Outcome.SUCCEEDED else self.progress,
        )

    def set_back(
        self,
        *,
        at: datetime,
        ready_at: datetime,
        failure: Failure | None = None,
        cpu_seconds: float | None = None,
        log_url: str | None = None,
    ) -> "Task":
        """Return this task free again: after a failure it counts, after a hand-back not."""
        end = AttemptEnd.FAILED if failure else AttemptEnd.HANDED_BACK
        ended = self._ended(
            end, at, failure=failure, cpu_seconds=cpu_seconds, log_url=log_url
        )
        state = (
            TaskState.COMMITTED if self.state is TaskState.COMMITTED else TaskState.READY
        )
        return replace(
            ended._moved(state, at),
            claim=None,
            ready_at=ready_at,
            failures=self.failures + (failure is not None),
        )

    def let_go(self, *, at: datetime) -> "Task":
        """Return this task free again because its worker is known to be dead."""
        return replace(
            self.set_back(at=at, ready_at=at),
            attempts=self._ended(AttemptEnd.LOST, at).attempts,
            losses=self.losses + 1,
        )

    def put_again(self, *, at: datetime) -> "Task":
        """Return this task with one more re-put on record."""
        return replace(self, puts=self.puts + 1, changed_at=at)

    def done(
        self,
        *,
        at: datetime,
        outcome: Outcome | None = None,
        cpu_seconds: float | None = None,
        log_url: str | None = None,
    ) -> "Task":
        """Return this task settled; ``outcome`` is for one that has none of its own."""
        ended = self
        if self.outcome is None:
            ended = self._ended(
                AttemptEnd.CANCELED, at, cpu_seconds=cpu_seconds, log_url=log_url
            )
        elif self.claim is not None and not self._is_listed(self.claim):
            # It drew the consequences of another's attempt: that is none of its own.
            ended = self._with_past(self.claim.share)
        return replace(
            ended._moved(TaskState.SETTLED, at),
            claim=None,
            outcome=self.outcome or outcome or Outcome.CANCELED,
        )

    def _moved(self, state: TaskState, at: datetime) -> "Task":
        if state not in NEXT_TASK_STATES[self.state]:
            raise IllegalTransition(
                f"task {self.id} is {self.state}, and that does not lead to {state}"
            )
        return replace(self, state=state, changed_at=at)

    def _ended(
        self,
        end: AttemptEnd,
        at: datetime,
        *,
        failure: Failure | None = None,
        cpu_seconds: float | None = None,
        log_url: str | None = None,
    ) -> "Task":
        """Return this task with the attempt of its claim, if there is one, written down.

        An attempt that committed stays written down as committed, with its log, whatever
        happens to its worker then; only a failure to publish is written over it.
        """
        if self.claim is None:
            return self
        listed = self._is_listed(self.claim)
        if listed and end not in {AttemptEnd.COMMITTED, AttemptEnd.FAILED}:
            return self
        attempt = Attempt(
            number=self.claim.number,
            node=self.claim.node,
            started_at=self.claim.since,
            ended_at=at,
            end=end,
            failure=failure,
            cpu_seconds=cpu_seconds,
            log_url=log_url,
            share=self.claim.share,
        )
        others = tuple(a for a in self.attempts if a.number != attempt.number)
        kept = (*others, attempt)
        dropped = (each.share for each in kept[:-ATTEMPTS_KEPT])
        return replace(self._with_past(*dropped), attempts=kept[-ATTEMPTS_KEPT:])

    def _is_listed(self, claim: Claim) -> bool:
        return any(attempt.number == claim.number for attempt in self.attempts)

    def _with_past(self, *shares: Share | None) -> "Task":
        known = tuple(share for share in shares if share is not None)
        return replace(self, past_shares=merged((*self.past_shares, *known)))


def _failures_after(outcome: Outcome, failures: int) -> int:
    return {Outcome.SUCCEEDED: 0, Outcome.ABANDONED: failures}.get(outcome, failures + 1)


def task_id(job_id: JobId, run: int, key: str) -> TaskId:
    """Return the id that a task has by its place in the plan, the same for everybody."""
    return TaskId(f"{job_id}.{run}.{key}")
