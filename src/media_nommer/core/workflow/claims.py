"""Owning a task: how a delivery becomes a claim, and how a claim is held (rule 2)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from media_nommer.core.errors import (
    Fenced,
    JobNotFound,
    JobOver,
    LeaseLost,
    Overtaken,
    TaskNotFound,
    WorkStopped,
)
from media_nommer.core.jobs import Job
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.queue import Delivery
from media_nommer.core.shares import Share
from media_nommer.core.tasks import Outcome, Task
from media_nommer.core.workflow.changes import change_task
from media_nommer.core.workflow.engine import Engine
from media_nommer.core.workflow.metering import Stint
from media_nommer.core.workflow.outgoing import Outgoing
from media_nommer.core.workflow.watch import BeatWatch


class HeldTask:
    """A claim in our hands: every change of its task goes through the fence here.

    The slot that works, threads that move its files, and the keeper that beats may all
    call it.
    ``stopped`` says why the work must be dropped, None while it may go on. Each change puts
    on record what the attempt has had of its node, by ``stint``, until it has no claim.
    What is ``outgoing`` is the attempt's to finish or to drop.
    """

    def __init__(self, engine: Engine, delivery: Delivery, task: Task, job: Job) -> None:
        assert task.claim is not None, "a held task is claimed"
        self._engine = engine
        self._delivery = delivery
        self._lock = Lock()
        self.task = task
        self.job = job
        self.claim = task.claim
        self.number = task.claim.number
        self.progress = task.progress
        #: How far this attempt is, 0 to 1; ``progress`` may be that of one before it.
        self.reached = 0.0
        self.stopped: WorkStopped | None = None
        self.stint: Stint | None = None
        self.outgoing = Outgoing()

    def change(self, change: Callable[[Task], Task]) -> Task:
        """Swap in what ``change`` makes of the task, as long as the claim is ours.

        Raises:
            Fenced: there is a newer claim, or none.
        """
        while True:
            task = self._ours(self.task)
            share = self.stint.share if self.stint else None
            charged = task.charged(share) if share else task
            try:
                swapped = self._engine.store.swap_task(change(charged))
                self._saw(swapped)
            except Overtaken:
                self._saw(self._engine.store.get_task(task.id))
            except TaskNotFound as error:
                raise Fenced(f"task {self.task.id} is gone") from error
            else:
                self._put_on_record(share, over=swapped.claim is None)
                return swapped

    def _put_on_record(self, share: Share | None, *, over: bool) -> None:
        if self.stint is None or share is None:
            return
        self.stint.is_on_record(share)
        if over:
            self.stint.end()

    def _saw(self, task: Task) -> None:
        """Remember the newest version that either of the two threads has seen."""
        with self._lock:
            if task.revision > self.task.revision:
                self.task = task

    def _ours(self, task: Task) -> Task:
        if task.claim is None or task.claim.number != self.number:
            raise Fenced(f"task {task.id}: claim {self.number} is not the newest any more")
        return task

    def beat(self) -> None:
        """Show that the owner lives, and look whether the work is still wanted.

        What is found is put into ``stopped``; nothing is raised for it. The store comes
        first, and the queue's silence costs no beat: the beat is what others watch.
        """
        try:
            at = self._engine.clock.now()
            self.change(lambda task: task.beaten(progress=self.progress, at=at))
            self.look()
        except WorkStopped as stop:
            self.stopped = self.stopped or stop
        finally:
            self.hide_message(self.claim.lease)

    def look(self) -> Job:
        """Return the job as it is now, if work on it is still wanted (rule 8).

        Raises:
            WorkStopped: it is not; ``JobOver``, or what ``stopped`` says.
        """
        if self.stopped is not None:
            raise self.stopped
        job = self._engine.store.get_job(self.task.job_id)
        with self._lock:
            if job.revision >= self.job.revision:
                self.job = job
        self.check(job)
        return job

    def check(self, job: Job) -> None:
        """Check that a job, as just read, still wants the work.

        Raises:
            JobOver: it is final, or in another run.
        """
        if job.state.final or job.run != self.task.run:
            raise JobOver(f"job {job.id} is {job.state}")

    def stop(self, why: WorkStopped) -> None:
        """Ask whoever works on it to drop it."""
        self.stopped = self.stopped or why

    def hide_message(self, lease: timedelta) -> None:
        """Keep our delivery hidden; that it was lost is no matter, the store decides."""
        with suppress(LeaseLost):
            self._engine.queue.keep(self._delivery, lease)

    def drop_message(self) -> None:
        """Remove our delivery; if another holds it now, they will find the task settled."""
        with suppress(LeaseLost):
            self._engine.queue.done(self._delivery)


@dataclass(frozen=True, slots=True)
class Watched:
    """A delivery of a task that another owns: worth another look after ``wait``."""

    delivery: Delivery
    wait: timedelta


def receive(
    engine: Engine,
    watch: BeatWatch,
    delivery: Delivery,
    *,
    node: NodeId,
    lease: timedelta,
    share: Share | None = None,
) -> HeldTask | Watched | None:
    """Make of a delivery what the store allows: a claim, a watch, or nothing for us.

    Somebody else's claim is left alone unless its beat was watched to stand still, by our
    own monotonic clock, for as long as its lease says. ``share`` tells what our node is.
    """
    while True:
        try:
            task = engine.store.get_task(delivery.task_id)
            job = engine.store.get_job(task.job_id)
        except TaskNotFound:
            _drop(engine, delivery)
            return None
        except JobNotFound:  # it went to the archive, and the task was created late
            with suppress(TaskNotFound):
                _cancel_task(engine, task)
            _drop(engine, delivery)
            return None
        if task.settled:
            watch.forget(task.id)
            _drop(engine, delivery)
            return None
        over = job.state.final or job.run != task.run
        if over and task.claim is None:
            _cancel_task(engine, task)
            _drop(engine, delivery)
            return None
        if task.claim is not None:
            still = watch.still_for(task.id, (task.claim.number, task.claim.beat))
            if still < task.claim.lease:
                return Watched(delivery, task.claim.lease - still)
        elif (rest := task.ready_at - engine.clock.now()) > timedelta():
            _leave_hidden(engine, delivery, rest)
            return None
        try:
            at = engine.clock.now()
            claimed = engine.store.swap_task(
                task.claimed(node, lease=lease, at=at, share=share)
            )
        except Overtaken:
            continue
        watch.forget(task.id)
        return HeldTask(engine, delivery, claimed, job)


def _cancel_task(engine: Engine, task: Task) -> None:
    """Settle a task whose job is over, unless somebody holds it."""
    at = engine.clock.now()
    change_task(
        engine.store,
        task.id,
        lambda t: None if t.settled or t.claim else t.done(at=at, outcome=Outcome.CANCELED),
    )


def _drop(engine: Engine, delivery: Delivery) -> None:
    """Remove the message of a task that needs nobody any more."""
    with suppress(LeaseLost):
        engine.queue.done(delivery)


def _leave_hidden(engine: Engine, delivery: Delivery, rest: timedelta) -> None:
    """Hide the message of a task that rests until it may be tried again."""
    with suppress(LeaseLost):
        engine.queue.keep(delivery, rest)
