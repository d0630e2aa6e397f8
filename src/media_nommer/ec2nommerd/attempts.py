"""One attempt at a task: from a claim in hand to an outcome on record."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import structlog

from media_nommer.core.errors import (
    Failure,
    Fenced,
    HandedBack,
    JobOver,
    NommerError,
    OutputExists,
    ServiceUnavailable,
    StorageError,
    WorkStopped,
)
from media_nommer.core.tasks import Outcome, TaskState
from media_nommer.core.workflow.claims import HeldTask
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.following import drop_work, follow_up, tidy_run
from media_nommer.ec2nommerd.nommers.base import Nommers, Step, Work

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRunner:
    """Works on held tasks; every way that an attempt can end is decided here.

    ``scratch`` gives a folder for the attempt named, and removes it afterwards. ``on_step``
    is told how far each attempt is.
    """

    engine: Engine
    policy: WorkPolicy
    nommers: Nommers
    scratch: Callable[[str], AbstractContextManager[Path]]
    on_step: Callable[[Step], None] = lambda _step: None

    def run(self, held: HeldTask) -> None:
        """Bring one attempt to its end, and write down how it ended.

        It raises nothing: a store or queue that fails us here is the same as our death, and
        the next owner goes on from what is on record.
        """
        bound = log.bind(job=held.task.job_id, task=held.task.key, claim=held.number)
        bound.info("attempt_started", state=held.task.state, losses=held.task.losses)
        try:
            with self.scratch(f"{held.task.id}.c{held.number}") as folder:
                self._run_in(held, folder)
        except Fenced:
            bound.info("attempt_fenced")
        except (WorkStopped, ServiceUnavailable) as error:
            bound.warning("attempt_left", code=error.code, message=error.message)
        except Exception:
            bound.exception("attempt_broken")
        else:
            bound.info("attempt_ended", state=held.task.state, outcome=held.task.outcome)
            self._tidy(held)

    def _run_in(self, held: HeldTask, folder: Path) -> None:
        work = Work(self.engine, held, folder, self.on_step)
        try:
            if held.task.losses >= self.policy.max_lost:
                self._abandon(held)
            elif held.task.state is TaskState.CLAIMED:
                self._commit(work)
            follow_up(self.engine, held)
        except JobOver:
            drop_work(self.engine, held)
        except HandedBack:
            self._hand_back(held)
        except (WorkStopped, ServiceUnavailable):
            raise
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
        held.change(
            lambda task: task.committed(
                Outcome.SUCCEEDED,
                at=self.engine.clock.now(),
                result=result,
                cpu_seconds=work.cpu_seconds,
                log_url=log_url,
            )
        )

    def _abandon(self, held: HeldTask) -> None:
        """Put on record that this task's workers keep dying."""
        times = held.task.losses
        failure = Failure(
            code="WORKERS_DIED",
            message=f"the worker died {times} times at work on task {held.task.key}",
            advice="See whether the machine runs out of memory, then retry the job.",
        )
        held.change(
            lambda task: task.committed(
                Outcome.ABANDONED, at=self.engine.clock.now(), failure=failure
            )
        )

    def _hand_back(self, held: HeldTask) -> None:
        """Give the task to another worker, now: record first, then the message."""
        at = self.engine.clock.now()
        held.change(lambda task: task.set_back(at=at, ready_at=at))
        self.engine.queue.put(held.task.id)

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
            held.change(
                lambda task: task.set_back(
                    at=now,
                    ready_at=now + rest,
                    failure=failure,
                    cpu_seconds=work.cpu_seconds,
                    log_url=log_url,
                )
            )
            held.hide_message(rest)
            return
        held.change(
            lambda task: task.committed(
                Outcome.FAILED,
                at=now,
                failure=failure,
                cpu_seconds=work.cpu_seconds,
                log_url=log_url,
            )
        )
        follow_up(self.engine, held)

    def _keep_log(self, work: Work) -> str | None:
        """Put the attempt's log where it outlives the node (rule 10); None without one."""
        if not work.log.exists():
            return None
        url = self.engine.log_url(work.task)
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
