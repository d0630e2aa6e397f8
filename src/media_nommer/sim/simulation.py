"""One seeded run: jobs submitted, all that can go wrong going wrong, then the count."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from media_nommer.core.jobs import Job, JobState, OutputState
from media_nommer.core.nodes import NodeId
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.reaper import Reaper
from media_nommer.feederd.scaler import Scaler
from media_nommer.planning.fleet.scaling import Limits, NodeKind
from media_nommer.sim.people import (
    POLICY,
    SECOND,
    SLOTS,
    Installation,
    SimClient,
    SimFleet,
    once,
    patiently,
)
from media_nommer.sim.ports import Violation
from media_nommer.sim.world import Faults, Process, World

#: Simulated time after which a job that is not final counts as stuck.
LIMIT = timedelta(hours=3)

FLEET = Limits(max_nodes=3)
KIND = NodeKind(name="local", slots=SLOTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a run; ``violations`` is empty if every rule held."""

    seed: int
    violations: tuple[str, ...]
    crashes: int
    calls: int
    simulated: timedelta


class Simulation:
    """A client, feederds that come back, and a fleet, in one world."""

    def __init__(self, seed: int, faults: Faults | None = None) -> None:
        self._seed = seed
        self._world = World(seed, faults or Faults())
        self._place = Installation.in_world(self._world)
        jobs = 1 + int(self._world.dice.random() * 3)
        self._client = SimClient(self._place, jobs)
        self._requests = list(self._client.requests())
        self._fleet = SimFleet(self._place)
        self._numbers = count(1)
        self._feederd = Process("feederd")

    def run(self) -> Report:
        """Let it all happen, and return what was found."""
        self._start_feederd()
        violations: list[str] = []
        try:
            over = self._world.run(self._over, LIMIT)
        except Violation as violation:
            violations.append(str(violation))
        else:
            violations += self._count() if over else [f"stuck: {self._open()}"]
        crashes = self._world.crashes
        self._world.end()
        return Report(
            seed=self._seed,
            violations=tuple(violations),
            crashes=crashes,
            calls=self._world.calls,
            simulated=timedelta(seconds=self._world.clock.monotonic()),
        )

    def _start_feederd(self) -> None:
        self._feederd = Process("feederd")
        engine, fleet, janitors = self._place.engine, self._fleet, JanitorPolicy()
        scaler = Scaler(engine, fleet, FLEET, lambda: [KIND], new_id=self._new_node)
        reaper = Reaper(engine, fleet, POLICY, janitors)
        janitor = Janitor(engine, POLICY, janitors)
        self._world.start(self._feederd, self._serve)
        self._world.start(self._feederd, lambda: self._loop(janitor.put_again, 10))
        self._world.start(self._feederd, lambda: self._loop(janitor.tidy, 600))
        self._world.start(self._feederd, lambda: self._loop(scaler.step, 5))
        self._world.start(self._feederd, lambda: self._loop(reaper.step, 5))

    def _new_node(self, _now: datetime) -> NodeId:
        return NodeId(f"node-{next(self._numbers):04}")

    def _serve(self) -> None:
        """Answer the client; a request that a death left unanswered is made again."""
        while self._requests:
            patiently(self._world, self._requests[0])
            del self._requests[0]
            self._world.sleep(SECOND * (self._world.dice.random() * 30))

    def _loop(self, step: Callable[[], object], seconds: int) -> None:
        while True:
            once(step)
            self._world.sleep(SECOND * seconds)

    def _over(self) -> bool:
        """Whether all is done; brings a feederd that died back, as its supervisor would."""
        if self._feederd.dead:
            self._start_feederd()
        return not self._requests and not self._open()

    def _open(self) -> list[str]:
        jobs = (self._place.store.stored(job_id) for job_id in self._place.answered)
        return [f"{job.id} is {job.state}" for job in jobs if not job.state.final]

    def _count(self) -> Iterator[str]:
        for url, times in self._place.storage.writes.items():
            if times > 1:
                yield f"{url} was published {times} times"
        for job_id in sorted(self._place.answered):
            job = self._place.store.stored(job_id)
            yield from self._faults_of(job)

    def _faults_of(self, job: Job) -> Iterator[str]:
        wanted = {JobState.FINISHED}
        if job.id in self._place.canceled:
            wanted.add(JobState.CANCELED)
        if job.state not in wanted:
            yield f"{job.id} ended {job.state}: {job.failure}"
        if job.state is JobState.FINISHED and job.progress != 1.0:
            yield f"{job.id} is finished at progress {job.progress}"
        for output in job.outputs:
            if output.state is not OutputState.FINISHED:
                continue
            for file in output.files:
                if not self._place.storage.stands(file.url, file.size, file.sha256):
                    yield f"{file.url} is not what {job.id} says it is"


def simulate(seed: int, faults: Faults | None = None) -> Report:
    """Run one seed."""
    return Simulation(seed, faults).run()
