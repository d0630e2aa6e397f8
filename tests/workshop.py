"""An installation in memory whose every port call is on tape, and can be interrupted."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Any

from typing_extensions import override

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.core.errors import Failure
from media_nommer.core.jobs import Job, JobId, Output, Phase
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.queue import Delivery
from media_nommer.core.tasks import (
    PlannedTask,
    Result,
    ResultFile,
    Task,
    TaskId,
    TaskKind,
    task_id,
)
from media_nommer.core.workflow.claims import HeldTask, receive
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.submitting import FIRST_KEY, submit
from media_nommer.core.workflow.watch import BeatWatch
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.nommers.base import AssembleNommer, Nommer
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.ec2nommerd.worker import Worker
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import a_job

LEASE = timedelta(seconds=30)
POLICY = WorkPolicy(lease=LEASE)
SECOND = timedelta(seconds=1)
OUT = "memory://out/films"

#: An encode beside an audio task, then what puts them together.
FAN_OUT = (
    PlannedTask(key="encode-0", kind=TaskKind.ENCODE, outputs=(0,), weight=0.5),
    PlannedTask(key="audio-0", kind=TaskKind.AUDIO, outputs=(1,), weight=0.4),
    PlannedTask(
        key="assemble-0", kind=TaskKind.ASSEMBLE, needs=("encode-0", "audio-0"), weight=0.1
    ),
)

_CALLS: Mapping[str, tuple[str, ...]] = {
    "store": (
        *("add_job", "get_job", "swap_job", "list_jobs", "add_task", "get_task"),
        *("swap_task", "tasks_of", "unsettled_tasks", "add_node", "swap_node", "nodes"),
        "forget_job",
    ),
    "queue": ("put", "take", "keep", "done"),
    "storage": ("stat", "fetch", "put", "copy", "holds", "delete", "delete_below"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a port: what was asked, and of what."""

    port: str
    method: str
    args: tuple[Any, ...]

    @property
    def name(self) -> str:
        return f"{self.port}.{self.method}"


@dataclass(slots=True)
class Tape:
    """Every call in order. ``before`` runs ahead of each, ``after`` once it had effect.

    What they themselves call is not on the tape.
    """

    calls: list[Call] = field(default_factory=list)
    before: Callable[[Call], None] | None = None
    after: Callable[[Call], None] | None = None
    deaf: bool = False

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]

    def first(self, name: str) -> int:
        """Return the place of the first call of a name."""
        return self.names.index(name)

    def last(self, name: str) -> int:
        """Return the place of the last call of a name."""
        return len(self.names) - 1 - self.names[::-1].index(name)

    def record(self, port: object, kind: str) -> None:
        """Put every call to ``port`` on tape from now on."""
        for method in _CALLS[kind]:
            setattr(port, method, self._recorded(kind, method, getattr(port, method)))

    def _recorded(
        self, kind: str, method: str, real: Callable[..., Any]
    ) -> Callable[..., Any]:
        @wraps(real)
        def recorded(*args: Any, **words: Any) -> Any:
            if self.deaf:
                return real(*args, **words)
            call = Call(kind, method, args)
            self._tell(self.before, call)
            answer = real(*args, **words)
            self.calls.append(call)
            self._tell(self.after, call)
            return answer

        return recorded

    def _tell(self, who: Callable[[Call], None] | None, call: Call) -> None:
        if who is None:
            return
        self.deaf = True
        try:
            who(call)
        finally:
            self.deaf = False


class Maker(Nommer):
    """Makes files whose bytes name the attempt that made them, in no time.

    ``trouble`` is asked before each attempt and may raise; ``failures`` are outputs that
    cannot be made; with ``plan`` the inspection makes nothing itself.
    """

    def __init__(
        self,
        *,
        plan: tuple[PlannedTask, ...] = (),
        failures: Mapping[int, Failure] | None = None,
        trouble: Callable[[Work], None] = lambda _work: None,
        keys: Callable[[int], tuple[str, ...]] = lambda index: (f"{index}.mp4",),
    ) -> None:
        self.plan = plan
        self.failures = dict(failures or {})
        self.trouble = trouble
        self.keys = keys
        self.made = 0

    @override
    def nom(self, work: Work) -> Result:
        """Plan, or make what the task is for."""
        work.log.write_text(f"$ maker {work.task.id}.c{work.held.number}\n")
        self.trouble(work)
        if self.plan and work.task.kind is TaskKind.INSPECT:
            return Result(plan=self.plan)
        work.enter(Phase.ENCODING)
        self.made += 1
        wanted = work.task.outputs or tuple(range(len(work.job.outputs)))
        files = [
            self._file(work, index, key)
            for index in wanted
            if index not in self.failures
            for key in self.keys(index)
        ]
        failures = {i: f for i, f in self.failures.items() if i in wanted}
        return Result(files=tuple(files), failures=failures)

    def _file(self, work: Work, index: int, key: str) -> ResultFile:
        data = bytes_of(work.task, work.held.number, key)
        path = work.scratch / key
        path.write_bytes(data)
        return ResultFile(
            output=index,
            key=key,
            work_url=work.keep(path, key),
            size=len(data),
            sha256=sha256(data).hexdigest(),
        )


def bytes_of(task: Task, number: int, key: str) -> bytes:
    """Return what the ``number``-th claim of a task makes of a file."""
    return f"{task.id}.c{number}/{key}".encode()


class Workshop:
    """Ports in memory, on one tape and one manual clock, and workers as they are needed."""

    def __init__(self, folder: Path, *, policy: WorkPolicy = POLICY) -> None:
        self.folder = folder
        self.policy = policy
        self.clock = ManualClock()
        self.tape = Tape()
        self.store = MemoryStore()
        self.queue = MemoryQueue(self.clock)
        self.storage = MemoryStorage()
        self.tape.record(self.store, "store")
        self.tape.record(self.queue, "queue")
        self.tape.record(self.storage, "storage")
        self.engine = Engine(
            self.store, self.queue, self.storage, "memory://work/w", self.clock
        )

    def submit(self, number: int = 1, *, outputs: int = 1, **recipe: object) -> Job:
        """Submit a job that makes ``outputs`` files."""
        return submit(self.engine, self.job_to_submit(number, outputs=outputs, **recipe))

    def job_to_submit(self, number: int = 1, *, outputs: int = 1, **recipe: object) -> Job:
        return a_job(
            number,
            recipe={"destination": OUT, **recipe},
            outputs=tuple(Output(name=f"{i}.mp4") for i in range(outputs)),
            created_at=self.clock.now(),
            changed_at=self.clock.now(),
        )

    def job(self, number: int = 1) -> Job:
        """Return a job as it is now, off the tape."""
        return self.store._jobs[JobId(f"job-{number:04}")]

    def task(self, key: str = FIRST_KEY, *, number: int = 1, run: int = 1) -> Task:
        """Return a task as it is now, off the tape."""
        return self.store._tasks[self.task_id(key, number=number, run=run)]

    @staticmethod
    def task_id(key: str = FIRST_KEY, *, number: int = 1, run: int = 1) -> TaskId:
        return task_id(JobId(f"job-{number:04}"), run, key)

    def claim(self, name: str = "node-1", *, watch: BeatWatch | None = None) -> HeldTask:
        """Take the next message and claim its task, which must be free."""
        held = self.receive(self.take(), name, watch=watch)
        assert isinstance(held, HeldTask)
        return held

    def take(self) -> Delivery:
        """Take the next message, which must be there."""
        delivery = self.queue.take(LEASE)
        assert delivery is not None
        return delivery

    def receive(
        self, delivery: Delivery, name: str = "node-2", *, watch: BeatWatch | None = None
    ) -> object:
        """Make of a delivery what the rules allow."""
        return receive(
            self.engine,
            watch or BeatWatch(self.clock),
            delivery,
            node=NodeId(name),
            lease=LEASE,
        )

    def runner(
        self,
        nommer: Nommer | None = None,
        *,
        pause: Callable[[timedelta], None] | None = None,
    ) -> AttemptRunner:
        """Return what works on held tasks, all kinds by the same nommer."""
        nommers: dict[TaskKind, Nommer] = dict.fromkeys(TaskKind, nommer or Maker())
        nommers[TaskKind.ASSEMBLE] = AssembleNommer()
        return AttemptRunner(
            engine=self.engine,
            policy=self.policy,
            nommers=nommers,
            scratch=self.scratch,
            pause=pause or self.clock.advance,
        )

    def worker(
        self,
        name: str = "node-1",
        nommer: Nommer | None = None,
        *,
        slots: int = 1,
        spawn: Callable[[Callable[[], None]], None] = lambda work: work(),
    ) -> Worker:
        """Return a worker that does its work at once, in the caller's own thread."""
        return Worker(
            self.engine,
            self.policy,
            self.runner(nommer),
            node=NodeId(name),
            slots=slots,
            spawn=spawn,
        )

    def work(self, name: str = "node-1", nommer: Nommer | None = None) -> None:
        """Let a worker do all that can be done now."""
        worker = self.worker(name, nommer)
        while worker.tick():
            pass

    def drain(self, nommer: Nommer | None = None, *, for_leases: int = 40) -> None:
        """Let new workers work until all has come back and been done."""
        worker = self.worker("node-9", nommer, slots=8)
        for _ in range(for_leases * 3):
            while worker.tick():
                pass
            self.clock.advance(LEASE / 3)

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        folder = self.folder / name
        folder.mkdir()
        yield folder

    def place(self, url: str, data: bytes) -> None:
        """Put bytes somewhere as a stranger does, whatever stands there."""
        standing = self.storage._objects.get(url)
        self.storage._place(data, url, standing.version if standing else None)

    def standing(self, url: str) -> bytes | None:
        """Return what stands at a URL, off the tape."""
        stored = self.storage._objects.get(url)
        return stored.data if stored else None

    def published(self) -> dict[str, bytes]:
        """Return all that stands at the destination, by its name there."""
        start = len(OUT) + 1
        return {
            url[start:]: stored.data
            for url, stored in self.storage._objects.items()
            if url.startswith(OUT)
        }

    def changed(self, number: int = 1, **changes: object) -> Job:
        """Change a job behind everybody's back."""
        job = replace(self.job(number), **changes)  # type: ignore[arg-type]
        return self.store.swap_job(job)
