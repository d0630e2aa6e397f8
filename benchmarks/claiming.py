"""Processes that claim tasks as workers do, and how many they claim a second."""

import multiprocessing
import time
from datetime import timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks.running import CommandFailed
from media_nommer.conf import load_settings
from media_nommer.core.nodes import NodeId
from media_nommer.core.workflow.claims import HeldTask, receive
from media_nommer.core.workflow.watch import BeatWatch
from media_nommer.wiring import open_engine

_LEASE = timedelta(minutes=5)
_PATIENCE = 300


def claims_a_second(data_dir: Path, store: str | None, tasks: int, processes: int) -> float:
    """Have processes claim all tasks that wait in a store, and return how fast they were.

    There is one task more for each of them, which it claims before the clock starts: so
    that what each has to do once does not count.

    Raises:
        CommandFailed: they did not claim each task once.
    """
    spawn = multiprocessing.get_context("spawn")
    barrier, told = spawn.Barrier(processes), spawn.Queue()
    claimers = [
        spawn.Process(target=_claim, args=(number, data_dir, store, barrier, told))
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
    data_dir: Path,
    store: str | None,
    barrier: Barrier,
    told: "Queue[tuple[int, float, float]]",
) -> None:
    """Claim until nothing is left; tell how many, and from when to when."""
    settings = {"data_dir": str(data_dir), "store": store}
    claimed = 0
    with open_engine(load_settings(settings, environ={"NOMMER_CONFIG": ""})) as engine:
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
