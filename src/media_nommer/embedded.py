"""Jobs run to their end in this process, by the daemons' own rules; nothing is left."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from media_nommer.adapters.memory.queue import MemoryQueue
from media_nommer.adapters.memory.store import MemoryStore
from media_nommer.adapters.objects.paths import file_url
from media_nommer.conf.settings import Settings
from media_nommer.core.clock import system_clock
from media_nommer.core.errors import AccessDenied, StorageError
from media_nommer.core.jobs import Job
from media_nommer.core.nodes import NodeId
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.nommers.work import Step
from media_nommer.ec2nommerd.worker import Worker
from media_nommer.feederd.report_views import JobReport
from media_nommer.feederd.service import JobService
from media_nommer.wiring import (
    FILES_AT_ONCE,
    WorkerParts,
    open_storage,
    passing_sealer,
    worker_parts,
)

#: How often to look for a task whose rest after a failure is over.
_LOOK_EVERY = 0.2

#: Nobody waits long at a terminal for a second try.
_POLICY = WorkPolicy(max_attempts=2, backoff=timedelta(seconds=1))

_NODE = NodeId("here")


class Embedded:
    """One worker, its store and its queue, in the memory of this process."""

    def __init__(
        self,
        engine: Engine,
        free: threading.Event,
        parts: WorkerParts,
        *,
        royalty_free: bool = False,
    ) -> None:
        self._free = free
        self._service = JobService(
            engine=engine, outside=engine.storage, royalty_free=royalty_free
        )
        self._jobs: list[Job] = []
        self._on_step: Callable[[Step], None] = lambda _step: None
        runner = AttemptRunner(
            engine=engine,
            policy=_POLICY,
            nommers=parts.nommers,
            scratch=parts.scratch.attempt,
            on_step=lambda step: self._on_step(step),
        )
        self._worker = Worker(
            engine,
            _POLICY,
            runner,
            node=_NODE,
            slots=1,
            spawn=lambda work: threading.Thread(target=work, name="slot").start(),
            on_free=free.set,
        )

    def submit(self, document: object) -> Job:
        """Take a job on; ``run`` does it.

        Raises:
            BadRequest: the document does not say what can be done.
            SourceNotFound: its source is a file that is not there.
        """
        job = self._service.submit(document)
        self._jobs.append(job)
        return job

    def report(self, job: Job) -> JobReport:
        """Return all that is known of a job that was done here."""
        return self._service.report(job.id)

    def run(
        self,
        on_step: Callable[[Step], None] = lambda _step: None,
        on_end: Callable[[Job], None] = lambda _job: None,
    ) -> list[Job]:
        """Do every job and return them in the order in which they were submitted.

        ``on_step`` is called from the thread that works, ``on_end`` from this one. A
        KeyboardInterrupt stops the encoder first, and then passes through.
        """
        self._on_step = on_step
        over = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(over,), name="keeper")
        keeper.start()
        try:
            self._work(on_end)
        except BaseException:
            self._worker.drain()
            self._worker.hand_back()
            while self._worker.busy:
                self._free.wait(_LOOK_EVERY)
            raise
        finally:
            over.set()
            keeper.join()
        return [self._service.get(job.id) for job in self._jobs]

    def _work(self, on_end: Callable[[Job], None]) -> None:
        open_jobs = [job.id for job in self._jobs]
        while open_jobs:
            self._free.clear()
            self._worker.tick()
            for job in [self._service.get(job_id) for job_id in open_jobs]:
                if job.state.final:
                    on_end(job)
                    open_jobs.remove(job.id)
            if open_jobs:
                self._free.wait(_LOOK_EVERY)
        while self._worker.busy:
            self._free.wait(_LOOK_EVERY)

    def _keep(self, over: threading.Event) -> None:
        while not over.wait(_POLICY.beat_every.total_seconds()):
            self._worker.beat()


@contextmanager
def embedded(settings: Settings, out_folder: Path | None) -> Iterator[Embedded]:
    """Set up a place to run jobs in; all that it needs is gone when it is left.

    Work lies in a hidden folder below ``out_folder``, so that publishing is a matter of
    naming, unless that is None or the settings name a scratch folder.

    Raises:
        EncoderMissing: there is no FFmpeg that can be run.
        StorageError: the folder cannot be written to.
    """
    clock, free, owner = system_clock, threading.Event(), uuid4().hex
    with ExitStack() as stack:
        root = settings.scratch_dir
        if out_folder is not None and "scratch_dir" not in settings.sources:
            root = out_folder.absolute() / ".nommer-scratch"
        stack.enter_context(_folder(root))
        ours = settings.model_copy(update={"scratch_dir": root, "slots": 1, "max_nodes": 1})
        parts = stack.enter_context(worker_parts(ours, owner))
        work = parts.scratch.folder / "work"
        storage = open_storage(ours, roots=None, own=[work], scratch=parts.scratch.folder)
        engine = Engine(
            store=MemoryStore(),
            queue=MemoryQueue(clock),
            storage=storage,
            work_url=file_url(work),
            clock=clock,
            sealer=passing_sealer(),
            at_once=FILES_AT_ONCE,
        )
        here = Embedded(engine, free, parts, royalty_free=settings.royalty_free)
        yield here


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Make a folder and its parents, and remove those of them that are empty at the end."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise AccessDenied(f"the folder {path.parent} cannot be written to") from error
    except OSError as error:
        raise StorageError(
            f"the folder {path.parent} cannot be used: {error.strerror}"
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            for each in missing:
                each.rmdir()
