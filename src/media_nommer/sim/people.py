"""Who lives in the simulated world: a client, feederds, and workers with their nommer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from socket import gethostname

from typing_extensions import override

from media_nommer.core.errors import EncoderCrashed, ServiceUnavailable
from media_nommer.core.jobs import Job, JobId, Output, Phase
from media_nommer.core.nodes import UNKNOWN_MACHINE, Machine, Node, NodeId, NodeState
from media_nommer.core.ports.fleet import Fleet
from media_nommer.core.tasks import PlannedTask, Result, ResultFile, TaskKind
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.submitting import cancel, submit
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.node import NodeLife
from media_nommer.ec2nommerd.nommers.base import AssembleNommer, Nommer
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.ec2nommerd.worker import Worker
from media_nommer.sim.ports import SimQueue, SimStorage, SimStore
from media_nommer.sim.world import Process, World

SECOND = timedelta(seconds=1)

#: Nobody is abandoned for bad luck: a simulated job has only good ends.
POLICY = WorkPolicy(max_attempts=10_000, max_lost=10_000)

#: How many tasks a simulated worker works on at once.
SLOTS = 2

IDLE_TIMEOUT = timedelta(seconds=40)

FAN_OUT = (
    PlannedTask(key="encode-0", kind=TaskKind.ENCODE, outputs=(0,), weight=0.7),
    PlannedTask(key="audio-0", kind=TaskKind.AUDIO, outputs=(1,), weight=0.2),
    PlannedTask(
        key="assemble", kind=TaskKind.ASSEMBLE, needs=("encode-0", "audio-0"), weight=0.1
    ),
)


@dataclass(slots=True)
class Installation:
    """One world's ports, and what its people have been promised."""

    world: World
    store: SimStore
    queue: SimQueue
    storage: SimStorage
    engine: Engine
    answered: set[JobId] = field(default_factory=set)
    canceled: set[JobId] = field(default_factory=set)

    @classmethod
    def in_world(cls, world: World) -> "Installation":
        """Set up the ports of a new installation."""
        store, queue, storage = SimStore(world), SimQueue(world), SimStorage(world)
        engine = Engine(store, queue, storage, "memory://work", world.clock)
        return cls(world, store, queue, storage, engine)


class SimNommer(Nommer):
    """Encodes by letting time pass; its bytes name the attempt that made them."""

    def __init__(self, world: World, storage: SimStorage) -> None:
        self._world = world
        self._storage = storage

    @override
    def nom(self, work: Work) -> Result:
        """Plan the job if it is a large one, else make its files."""
        if work.task.kind is TaskKind.INSPECT and work.job.recipe.get("large"):
            self._world.sleep(SECOND)
            return Result(plan=FAN_OUT)
        work.enter(Phase.ENCODING)
        for done in range(1, 4):
            self._world.sleep(SECOND * (1 + self._world.dice.random() * 8))
            work.check()
            work.report(done / 4)
        if self._world.chance(self._world.faults.encoder_crash):
            raise EncoderCrashed("the simulated encoder crashed")
        wanted = work.task.outputs or range(len(work.job.outputs))
        return Result(files=tuple(self._file(work, index) for index in wanted))

    def _file(self, work: Work, index: int) -> ResultFile:
        data = f"{work.task.id}.c{work.held.number}.{index}".encode()
        url = f"{work.engine.attempt_url(work.task, work.held.number)}/{index}"
        self._storage.place(url, data)
        return ResultFile(
            output=index,
            key=f"{work.job.id}-{index}.mp4",
            work_url=url,
            size=len(data),
            sha256=sha256(data).hexdigest(),
        )


class SimWorker:
    """One ec2nommerd: the real worker and node rules, its threads being greenlets."""

    def __init__(self, place: Installation, node: NodeId) -> None:
        self.process = Process(node)
        self.gone = False
        self._world = place.world
        self._life = NodeLife(place.engine, POLICY, node, idle_timeout=IDLE_TIMEOUT)
        nommer = SimNommer(place.world, place.storage)
        nommers: dict[TaskKind, Nommer] = dict.fromkeys(TaskKind, nommer)
        nommers[TaskKind.ASSEMBLE] = AssembleNommer()
        self._worker = Worker(
            place.engine,
            POLICY,
            AttemptRunner(
                engine=place.engine,
                policy=POLICY,
                nommers=nommers,
                scratch=_no_scratch,
                pause=place.world.sleep,
            ),
            node=node,
            slots=SLOTS,
            spawn=lambda work: place.world.start(self.process, work),
        )
        place.world.start(self.process, self._main)

    def _main(self) -> None:
        # Of half of them the fleet cannot tell whether they live: only their beat does.
        host = gethostname() if self._world.dice.random() < 0.5 else "elsewhere"
        patiently(
            self._world,
            lambda: self._life.join(kind="local", host=host, pid=None, slots=SLOTS),
        )
        self._world.start(self.process, self._keeper)
        while not self.gone:
            if not once(self._worker.tick):
                self._world.sleep(SECOND)
            if once(lambda: self._life.may_leave(self._worker.idle_for)):
                once(lambda: self._life.leave(NodeState.GONE, "idle"))
                self.gone = True

    def _keeper(self) -> None:
        while not self.gone:
            self._world.sleep(POLICY.beat_every)
            once(self._worker.beat)
            once(lambda: self._life.beat(self._worker.busy))


class SimFleet(Fleet):
    """Machines of the world: they outlive the feederd that started them."""

    def __init__(self, place: Installation) -> None:
        self._place = place
        self._workers: dict[NodeId, SimWorker] = {}

    @override
    def start(self, node: Node) -> Machine:
        """Start a worker, once for each intent."""
        self._place.world.turn()
        if node.id not in self._workers:
            self._workers[node.id] = SimWorker(self._place, node.id)
        return UNKNOWN_MACHINE

    @override
    def machines(self) -> Mapping[NodeId, Machine]:
        """Return the workers that have neither left nor died."""
        self._place.world.turn()
        return {
            node: UNKNOWN_MACHINE
            for node, worker in self._workers.items()
            if not (worker.gone or worker.process.dead)
        }

    @override
    def answers_for(self, node: Node) -> bool:
        """Return whether a node did not join from elsewhere."""
        return node.host == gethostname()

    @override
    def stop(self, node_id: NodeId) -> None:
        """End a worker: a simulated one has no better manners."""
        self.kill(node_id)

    @override
    def kill(self, node_id: NodeId) -> None:
        """End a worker at once."""
        self._place.world.turn()
        if worker := self._workers.get(node_id):
            self._place.world.kill(worker.process)


class SimClient:
    """Somebody who submits jobs, tries again until answered, and changes their mind."""

    def __init__(self, place: Installation, jobs: int) -> None:
        self._place = place
        self._world = place.world
        self._jobs = jobs

    def requests(self) -> Iterator[Callable[[], None]]:
        """Yield what to ask of a feederd, one request after the other."""
        for number in range(self._jobs):
            job = self._job(number)
            yield lambda job=job: self._submit(job)  # type: ignore[misc]
            if self._world.dice.random() < 0.15:
                yield lambda job=job: self._cancel(job)  # type: ignore[misc]

    def _submit(self, job: Job) -> None:
        submit(self._place.engine, job)
        self._place.answered.add(job.id)

    def _cancel(self, job: Job) -> None:
        self._place.canceled.add(job.id)
        cancel(self._place.engine, job.id)

    def _job(self, number: int) -> Job:
        dice, now = self._world.dice, self._world.clock.now()
        job = Job(
            id=JobId(f"job-{number}"),
            recipe={
                "destination": "memory://out",
                "large": dice.random() < 0.5,
                "if_exists": "replace" if dice.random() < 0.5 else "fail",
            },
            source="memory://in/film",
            outputs=(Output(name="film"), Output(name="sound")),
            created_at=now,
            changed_at=now,
        )
        if job.recipe["if_exists"] == "replace":
            self._place.storage.write(f"memory://out/{job.id}-0.mp4", b"an older one")
        return job


@contextmanager
def _no_scratch(name: str) -> Iterator[Path]:
    yield Path("/nonexistent") / name


def once(call: Callable[[], bool | object]) -> bool:
    """Make a call of a loop: an outage means that it is made again next time."""
    try:
        return bool(call())
    except ServiceUnavailable:
        return False


def patiently(world: World, call: Callable[[], None]) -> None:
    """Make a call until there is an answer."""
    while True:
        try:
            call()
        except ServiceUnavailable:
            world.sleep(SECOND)
        else:
            return
