"""Processes that claim tasks as workers do, and how many they claim a second."""

import multiprocessing
import time
from collections.abc import Mapping
from datetime import timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from benchmarks.running import CommandFailed
from media_nommer.conf import load_settings
from media_nommer.conf.settings import Settings
from media_nommer.core.jobs import Job, JobId, Output
from media_nommer.core.nodes import NodeId
from media_nommer.core.workflow.claims import HeldTask, receive
from media_nommer.core.workflow.submitting import submit
from media_nommer.core.workflow.watch import BeatWatch
from media_nommer.wiring import open_engine

_LEASE = timedelta(minutes=5)
_PATIENCE = 300


def fill(settings: Mapping[str, str], tasks: int) -> None:
    """Submit as many jobs; each has a task that waits to be claimed."""
    with open_engine(_settings(settings)) as engine:
        for number in range(tasks):
            at = engine.clock.now()
            submit(
                engine,
                Job(
                    id=JobId(f"job-{number:07}"),
                    recipe={"outputs": [{"preset": "web"}]},
                    source="file:///films/in.mov",
                    outputs=(Output(name="web"),),
                    created_at=at,
                    changed_at=at,
                ),
            )


def claims_a_second(settings: Mapping[str, str], tasks: int, processes: int) -> float:
    """Have processes claim all tasks that wait, and return how fast they were.

    There is one task more for each of them, which it claims before the clock starts: so
    that what each has to do once does not count.

    Raises:
        CommandFailed: they did not claim each task once.
    """
    spawn = multiprocessing.get_context("spawn")
    barrier, told = spawn.Barrier(processes), spawn.Queue()
    claimers = [
        spawn.Process(target=_claim, args=(number, settings, barrier, told))
        for number in range(processes)
    ]
    try:
        for claimer in claimers:
            claimer.start()
        found = [told.get(timeout=_PATIENCE) for _ in claimers]
    finally:
        for claimer in claimers:
            claimer.join(5)
            if claimer.is_alive():
                claimer.kill()
    claimed: int = sum(count for count, _, _ in found)
    if claimed != tasks:
        raise CommandFailed(f"{claimed} of {tasks} tasks were claimed")
    begun: float = min(begun for _, begun, _ in found)
    ended: float = max(ended for _, _, ended in found)
    return claimed / (ended - begun)


def _claim(
    number: int,
    settings: Mapping[str, str],
    barrier: Barrier,
    told: "Queue[tuple[int, float, float]]",
) -> None:
    """Claim until nothing is left; tell how many, and from when to when."""
    claimed = 0
    with open_engine(_settings(settings)) as engine:
        watch, node = BeatWatch(engine.clock), NodeId(f"claimer{number}")

        def claim() -> bool:
            delivery = engine.queue.take(_LEASE)
            if delivery is None:
                return False
            held = receive(engine, watch, delivery, node=node, lease=_LEASE)
            return isinstance(held, HeldTask)

        claim()
        barrier.wait(60)
        begun = ended = time.monotonic()
        while claim():
            claimed += 1
            ended = time.monotonic()
    told.put((claimed, begun, ended))


def _settings(settings: Mapping[str, str]) -> Settings:
    return load_settings(settings, environ={"NOMMER_CONFIG": ""})
