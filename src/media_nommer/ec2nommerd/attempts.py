"""One attempt at a task: from a claim in hand to an outcome on record."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import structlog

from media_nommer.core.errors import (
    Failure,
    Fenced,
    HandedBack,
    JobOver,
    NommerError,
    OutputExists,
    Reclaimed,
    ServiceUnavailable,
    StorageError,
    WorkStopped,
)
from media_nommer.core.tasks import Outcome, Task, TaskState
from media_nommer.core.workflow.claims import HeldTask
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.following import (
    drop_work,
    follow_up,
    tell_of_reclaim,
    tidy_run,
)
from media_nommer.core.workflow.stranded import drop_begun
from media_nommer.ec2nommerd.nommers.base import Nommers
from media_nommer.ec2nommerd.nommers.work import Step, Work

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

#: How often a store that does not answer is told of a hand-back, a second apart: who has to
#: leave cannot wait for long.
_HAND_BACK_TRIES = 10
_HAND_BACK_REST = timedelta(seconds=1)


def _sleep(period: timedelta) -> None:
    time.sleep(period.total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRunner:
    """Works on held tasks; every way that an attempt can end is decided here.

    ``scratch`` gives a folder for the attempt named, and removes it afterwards. ``on_step``
    is told how far each attempt is, ``on_end`` that it has ended. ``pause`` waits between
    two looks at a store or queue that does not answer.
    """

    engine: Engine
    policy: WorkPolicy
    nommers: Nommers
    scratch: Callable[[str], AbstractContextManager[Path]]
    on_step: Callable[[Step], None] = lambda _step: None
    on_end: Callable[[HeldTask], None] = lambda _held: None
    pause: Callable[[timedelta], None] = _sleep

    def run(self, held: HeldTask) -> None:
        """Bring one attempt to its end, and write down how it ended.

        It raises nothing: a store or queue that fails us here is the same as our death, and
        the next owner goes on from what is on record.
        """
        bound = log.bind(job=held.task.job_id, task=held.task.key, claim=held.number)
        bound.info("attempt_started", state=held.task.state, losses=held.task.losses)
        try:
            self._run_in_scratch(held)
        except Fenced:
            bound.info("attempt_fenced")
        except (WorkStopped, ServiceUnavailable) as error:
            bound.warning("attempt_left", code=error.code, message=error.message)
        except Exception:
            bound.exception("attempt_broken")
        else:
            bound.info("attempt_ended", state=held.task.state, outcome=held.task.outcome)
            self._tidy(held)
        finally:
            self.on_end(held)

    def _run_in_scratch(self, held: HeldTask) -> None:
        name = f"{held.task.id}.c{held.number}"
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(self.scratch(name))
            except StorageError as error:
                nowhere = Work(self.engine, held, Path("nowhere"), self.on_step)
                self._fail(nowhere, Failure.of(error))
            else:
                stack.callback(held.outgoing.drop)
                last = held.task.failures + 1 >= self.policy.max_attempts
                self._run_in(Work(self.engine, held, folder, self.on_step, last))

    def _run_in(self, work: Work) -> None:
        held = work.held
        if held.number > 1:  # whoever was before us may have died at a put
            drop_begun(self.engine, held)
        try:
            if held.task.losses >= self.policy.max_lost:
                self._abandon(held)
            elif held.task.state is TaskState.CLAIMED:
                self._commit(work)
            self._follow_up(held)
        except JobOver:
            self._drop(work)
        except HandedBack as why:
            self._hand_back(work, why)
        except WorkStopped:
            raise
        except ServiceUnavailable as error:
            self._set_aside(work, error)
        except NommerError as error:
            self._fail(work, Failure.of(error))
        except Exception as error:
            log.exception("attempt_failed_unexpectedly", task=held.task.id)
            self._fail(work, _unexpected(error))

    def _commit(self, work: Work) -> None:
        """Do the work and put its result on record, if the claim still stands."""
        held = work.held
        held.look()
        result = self.nommers[held.task.kind].nom(work)
        work.check()
        log_url = self._keep_log(work)
        at = self.engine.clock.now()
        self._change(
            held,
            lambda task: task.committed(
                Outcome.SUCCEEDED,
                at=at,
                result=result,
                cpu_seconds=work.cpu_seconds,
                log_url=log_url,
            ),
        )

    def _follow_up(self, held: HeldTask) -> None:
        """Draw the consequences; to draw them twice does no more than once."""
        self._patiently(held, lambda: follow_up(self.engine, held))

    def _change(self, held: HeldTask, change: Callable[[Task], Task]) -> None:
        self._patiently(held, lambda: held.change(change))

    def _patiently(self, held: HeldTask, step: Callable[[], Answer]) -> Answer:
        """Take a step again for as long as a store or queue does not answer.

        What was encoded is not thrown away for an outage. Only a newer claim ends ours, and
        a worker that must leave waits no longer.
        """
        while True:
            try:
                return step()
            except ServiceUnavailable as error:
                if held.stopped is not None:
                    raise
                log.warning("service_awaited", task=held.task.id, message=error.message)
                self.pause(self.policy.beat_every)

    def _a_while(self, held: HeldTask, step: Callable[[], Answer]) -> Answer:
        """Take a step again for a short while; what never succeeds counts as our death."""
        for _ in range(_HAND_BACK_TRIES - 1):
            try:
                return step()
            except ServiceUnavailable as error:
                log.warning("service_awaited", task=held.task.id, message=error.message)
                self.pause(min(_HAND_BACK_REST, self.policy.beat_every))
        return step()

    def _abandon(self, held: HeldTask) -> None:
        """Put on record that this task's workers keep dying."""
        times = held.task.losses
        failure = Failure(
            code="WORKERS_DIED",
            message=f"the worker died {times} times at work on task {held.task.key}",
            advice="See whether the machine runs out of memory, then retry the job.",
        )
        at = self.engine.clock.now()
        self._change(
            held, lambda task: task.committed(Outcome.ABANDONED, at=at, failure=failure)
        )

    def _drop(self, work: Work) -> None:
        """Let go of a task whose job is over; what its encoder said is kept."""
        log_url = self._keep_log(work)
        drop_work(self.engine, work.held, cpu_seconds=work.cpu_seconds, log_url=log_url)

    def _hand_back(self, work: Work, why: HandedBack) -> None:
        """Give the task to another worker, now: record first, then the message."""
        held, log_url = work.held, self._keep_log(work)
        at = self.engine.clock.now()
        self._a_while(
            held,
            lambda: held.change(
                lambda task: task.set_back(
                    at=at, ready_at=at, cpu_seconds=work.cpu_seconds, log_url=log_url
                )
            ),
        )
        self.engine.put(held.task)
        if isinstance(why, Reclaimed):
            self._tell_of_reclaim(held, why)

    def _tell_of_reclaim(self, held: HeldTask, why: Reclaimed) -> None:
        try:
            tell_of_reclaim(self.engine, held.task, why.message)
        except NommerError as error:
            log.warning("reclaim_not_told", task=held.task.id, message=error.message)

    def _set_aside(self, work: Work, error: ServiceUnavailable) -> None:
        """Free a task for later because a service is away: that is nobody's failure."""
        held, at, rest = work.held, self.engine.clock.now(), self.policy.lease
        log.warning("task_set_aside", task=held.task.id, message=error.message)
        wait = self._a_while if held.stopped is not None else self._patiently
        wait(
            held,
            lambda: held.change(
                lambda task: task.set_back(
                    at=at, ready_at=at + rest, cpu_seconds=work.cpu_seconds
                )
            ),
        )
        held.hide_message(rest)

    def _fail(self, work: Work, failure: Failure) -> None:
        """Write a failure down: the task rests and is tried again, or its job ends."""
        held, now = work.held, self.engine.clock.now()
        log_url = self._keep_log(work)
        failures = held.task.failures + 1
        log.warning(
            "attempt_failed", task=held.task.id, code=failure.code, message=failure.message
        )
        if failure.retryable and failures < self.policy.max_attempts:
            rest = self.policy.wait_after(failures)
            self._change(
                held,
                lambda task: task.set_back(
                    at=now,
                    ready_at=now + rest,
                    failure=failure,
                    cpu_seconds=work.cpu_seconds,
                    log_url=log_url,
                ),
            )
            held.hide_message(rest)
            return
        self._change(
            held,
            lambda task: task.committed(
                Outcome.FAILED,
                at=now,
                failure=failure,
                cpu_seconds=work.cpu_seconds,
                log_url=log_url,
            ),
        )
        self._follow_up(held)

    def _keep_log(self, work: Work) -> str | None:
        """Put the attempt's log where it outlives the node (rule 10); None without one."""
        if not work.log.exists():
            return None
        url = self.engine.log_url(work.task, work.held.number)
        try:
            self.engine.storage.put(work.log, url)
        except OutputExists:
            return url  # this claim's work was logged when it was committed
        except StorageError as error:
            log.warning("log_not_kept", task=work.task.id, message=error.message)
            return None
        return url

    def _tidy(self, held: HeldTask) -> None:
        try:
            tidy_run(self.engine, held.task)
        except NommerError as error:
            log.warning("run_not_tidied", task=held.task.id, message=error.message)


def _unexpected(error: Exception) -> Failure:
    return Failure(
        code="INTERNAL",
        message=f"media-nommer failed in a way that it did not expect: {error!r}",
        advice="The log of the worker has the details; please report it.",
        retryable=True,
    )
