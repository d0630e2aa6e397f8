"""feederd's work and the workers, in threads of this process, as their daemons do it."""

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from media_nommer import wiring
from media_nommer.conf.settings import Settings
from media_nommer.core.errors import NommerError, ServiceUnavailable, StorageError
from media_nommer.core.jobs import JobId
from media_nommer.core.nodes import NodeId
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.running import NodePolicy, RunningNode
from media_nommer.feederd.duties import Chore, Duties
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.reaper import Reaper
from media_nommer.feederd.running import Loop
from media_nommer.feederd.service import JobService
from tests.faults.machines import CLIPS, FEEDERD, WORKERS

SECOND = timedelta(seconds=1)
_PATIENCE = 180
Answer = TypeVar("Answer")
_numbers = itertools.count(1)


@dataclass
class Crew:
    """Workers, each of which is followed by another when it ends, and a feederd."""

    #: The settings of each role.
    settings: Mapping[str, Settings]
    #: What should not have happened, whatever came of the jobs.
    odd: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _nodes: list[RunningNode] = field(default_factory=list)

    def start(self) -> None:
        """Let workers and feederd's loops begin."""
        self._start(self._feed, FEEDERD)
        for role in WORKERS:
            self._start(partial(self._work, self.settings[role]), role)

    def submit(self, documents: Sequence[Mapping[str, Any]]) -> list[JobId]:
        """Submit jobs as a client of feederd does: again, until it is told that it is."""
        submitted: list[JobId] = []

        def submit_all() -> None:
            settings = self.settings[FEEDERD]
            with wiring.open_engine(settings) as engine:
                outside = wiring.open_outside(settings, engine)
                service = JobService(engine=engine, outside=outside)
                for number, document in enumerate(documents):
                    submitted.append(self._submit(service, document, f"key-{number}"))

        self._patiently(submit_all)
        return list(dict.fromkeys(submitted))

    def stop(self) -> None:
        """Ask all to end, and wait until they have."""
        self._over.set()
        for node in list(self._nodes):
            node.ask_to_leave()
        for thread in self._threads:
            thread.join(_PATIENCE)
            if thread.is_alive():
                self.odd.append(f"{thread.name} did not end in {_PATIENCE} s")

    def _start(self, life: Callable[[], None], name: str) -> None:
        def live() -> None:
            while not self._over.is_set():
                try:
                    life()
                except NommerError:
                    self._over.wait(0.2)  # as the service's supervisor starts it again
                except Exception as error:
                    self.odd.append(f"{name} fell over: {error!r}")
                    raise

        thread = threading.Thread(target=live, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _submit(self, service: JobService, document: Mapping[str, Any], key: str) -> JobId:
        def once() -> JobId:
            return service.submit(document, idempotency_key=key).id

        return self._patiently(once)

    def _patiently(self, step: Callable[[], Answer]) -> Answer:
        while True:
            try:
                return step()
            except (ServiceUnavailable, StorageError):
                self._over.wait(0.1)

    def _work(self, settings: Settings) -> None:
        owner = NodeId(f"n{next(_numbers):06}")
        work = wiring.work_policy(settings)
        policy = NodePolicy(
            slots=1,
            idle_timeout=settings.idle_timeout,
            drain_timeout=settings.drain_timeout,
            wait_at_queue=SECOND,
            ask_every=SECOND / 5,
        )
        folder = wiring.scratch_folder(settings, owner)
        with (
            wiring.open_engine(settings, scratch=folder) as engine,
            wiring.worker_parts(settings, owner) as parts,
        ):
            engine.storage.check(f"s3://{CLIPS}/x")  # opened now, by a thread of our name
            runner = AttemptRunner(
                engine=engine,
                policy=work,
                nommers=parts.nommers,
                scratch=parts.scratch.attempt,
            )
            node = RunningNode(engine, work, policy, runner, node=owner, kind="hand")
            self._nodes.append(node)
            if self._over.is_set():
                return
            if not node.run():
                self.odd.append(f"worker {owner} did not leave in good order")

    def _feed(self) -> None:
        settings = self.settings[FEEDERD]
        with wiring.open_engine(settings) as engine:
            work, policy = wiring.work_policy(settings), JanitorPolicy()
            janitor = Janitor(engine, work, policy)
            reaper = Reaper(engine, None, work, policy)
            duties = Duties(engine, "feederd-of-this-run")
            loops = [
                Loop(Chore("putting-again", "janitor", SECOND, janitor.put_again), duties),
                Loop(Chore("deadlines", "janitor", SECOND, janitor.end_overdue), duties),
                Loop(Chore("reaping", "reaper", SECOND, reaper.step), duties),
            ]
            for loop in loops:
                loop.start()
            self._over.wait()
            for loop in loops:
                loop.stop()
            for loop in loops:
                loop.join(60)
