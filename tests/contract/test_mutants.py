"""A suite is worth as much as the broken adapters that it finds."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mutants import failures, is_found
from typing_extensions import override

from media_nommer.adapters.memory import (
    MemoryFleet,
    MemoryQueue,
    MemoryStorage,
    MemoryStore,
)
from media_nommer.core.errors import AlreadyExists, JobNotFound, LeaseLost
from media_nommer.core.jobs import Job, JobId, Priority
from media_nommer.core.nodes import Duty, Machine, Node, NodeId
from media_nommer.core.ports.queue import Delivery
from media_nommer.core.ports.storage import (
    PLAIN,
    BegunPut,
    StopCheck,
    StoredObject,
    Traits,
    never_stop,
)
from media_nommer.core.ports.store import JobPage
from media_nommer.core.tasks import Task, TaskId
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.fleet_contract import FleetContract
from media_nommer.testing.queue_contract import QueueContract
from media_nommer.testing.storage_contract import ReadingContract, StorageContract
from media_nommer.testing.storage_ground import planting
from media_nommer.testing.store_contract import StoreContract


class StoreWithoutFenceOnJobs(MemoryStore):
    @override
    def swap_job(self, job: Job) -> Job:
        return super().swap_job(replace(job, revision=self.get_job(job.id).revision))


class StoreWithoutFenceOnTasks(MemoryStore):
    @override
    def swap_task(self, task: Task) -> Task:
        return super().swap_task(replace(task, revision=self.get_task(task.id).revision))


class StoreWithoutFenceOnNodes(MemoryStore):
    @override
    def swap_node(self, node: Node) -> Node:
        return super().swap_node(replace(node, revision=self.get_node(node.id).revision))


class StoreWithoutFenceOnDuties(MemoryStore):
    @override
    def swap_duty(self, duty: Duty) -> Duty:
        held = self.get_duty(duty.name)
        return super().swap_duty(replace(duty, revision=held.revision if held else 0))


class StoreThatAddsOver(MemoryStore):
    @override
    def add_job(self, job: Job) -> Job:
        try:
            return super().add_job(job)
        except AlreadyExists:
            return self.swap_job(replace(job, revision=self.get_job(job.id).revision))


class StoreThatForgetsOldReads(MemoryStore):
    """Pages by offset: what is added meanwhile shifts them."""

    @override
    def list_jobs(self, **given: object) -> JobPage:  # type: ignore[override]
        start, limit = int(str(given.get("cursor") or 0)), int(str(given.get("limit", 50)))
        jobs = super().list_jobs(limit=1000).jobs
        more = str(start + limit) if len(jobs) > start + limit else None
        return JobPage(jobs[start : start + limit], more)


class StoreThatForgetsNoTasks(MemoryStore):
    @override
    def forget_job(self, job_id: JobId, runs: int) -> None:
        super().forget_job(job_id, 0)


class StoreThatLosesJobs(MemoryStore):
    @override
    def get_job(self, job_id: object) -> Job:
        raise JobNotFound("lost")


class StoreThatShowsSettledTasks(MemoryStore):
    @override
    def _keep(self, task: Task) -> None:
        super()._keep(task)
        self._unsettled[task.id] = task


@pytest.mark.parametrize(
    "broken",
    [
        StoreWithoutFenceOnJobs,
        StoreWithoutFenceOnTasks,
        StoreWithoutFenceOnNodes,
        StoreWithoutFenceOnDuties,
        StoreThatAddsOver,
        StoreThatForgetsOldReads,
        StoreThatForgetsNoTasks,
        StoreThatLosesJobs,
        StoreThatShowsSettledTasks,
    ],
)
def test_a_broken_store_is_found(broken: type[MemoryStore]) -> None:
    assert is_found(StoreContract, lambda: {"store": broken()})


class QueueWithoutExpiry(MemoryQueue):
    @override
    def take(self, lease: timedelta, **how: Any) -> Delivery | None:
        return super().take(timedelta(days=365), **how)


class QueueWithoutTokens(MemoryQueue):
    @override
    def done(self, delivery: Delivery) -> None:
        for held in list(self._holders):
            if held.partition(":")[0] == delivery.token.partition(":")[0]:
                super().done(replace(delivery, token=held))


class QueueThatKeepsForAnybody(MemoryQueue):
    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        for held in list(self._holders):
            if held.partition(":")[0] == delivery.token.partition(":")[0]:
                super().keep(replace(delivery, token=held), lease)


class QueueThatHidesForHalfALease(MemoryQueue):
    @override
    def take(self, lease: timedelta, **how: Any) -> Delivery | None:
        return super().take(lease / 2, **how)


class QueueWithoutDelay(MemoryQueue):
    @override
    def put(self, task_id: TaskId, **how: Any) -> None:
        super().put(task_id, **{**how, "delay": timedelta()})


class QueueThatIgnoresASecondPut(MemoryQueue):
    @override
    def put(self, task_id: TaskId, **how: Any) -> None:
        if task_id not in self._by_task:
            super().put(task_id, **how)


class QueueWithoutPriorities(MemoryQueue):
    @override
    def put(self, task_id: TaskId, **how: Any) -> None:
        super().put(task_id, **{**how, "priority": Priority.NORMAL})


class QueueThatStarvesTheLow(MemoryQueue):
    @override
    def take(self, lease: timedelta, **how: Any) -> Delivery | None:
        self._takes = 0
        return super().take(lease, **how)


class QueueWithoutGroups(MemoryQueue):
    @override
    def put(self, task_id: TaskId, **how: Any) -> None:
        super().put(task_id, **{**how, "group": ""})


class QueueThatLetsNewGroupsCatchUp(MemoryQueue):
    """A new group's turns begin where all began, and the others wait until it is level."""

    @override
    def put(self, task_id: TaskId, **how: Any) -> None:
        for line in self._lines.values():
            line.turns._taken = 0
        super().put(task_id, **how)


class QueueThatOnlyTakesTurns(MemoryQueue):
    @override
    def take(self, lease: timedelta, **how: Any) -> Delivery | None:
        self._takes += (self._takes + 1) % 5 == 0
        return super().take(lease, **how)


class QueueThatAddsToALease(MemoryQueue):
    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        super().keep(delivery, lease + timedelta(minutes=10))


class QueueThatForgetsOnTake(MemoryQueue):
    @override
    def take(self, lease: timedelta, **how: Any) -> Delivery | None:
        delivery = super().take(lease, **how)
        if delivery is not None:
            super().done(delivery)
        return delivery


class QueueThatIsSilentAboutLoss(MemoryQueue):
    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        try:
            super().keep(delivery, lease)
        except LeaseLost:
            return


@pytest.mark.parametrize(
    "broken",
    [
        QueueWithoutExpiry,
        QueueWithoutTokens,
        QueueThatKeepsForAnybody,
        QueueThatHidesForHalfALease,
        QueueWithoutDelay,
        QueueThatIgnoresASecondPut,
        QueueWithoutPriorities,
        QueueThatStarvesTheLow,
        QueueWithoutGroups,
        QueueThatLetsNewGroupsCatchUp,
        QueueThatOnlyTakesTurns,
        QueueThatAddsToALease,
        QueueThatForgetsOnTake,
        QueueThatIsSilentAboutLoss,
    ],
)
def test_a_broken_queue_is_found(broken: type[MemoryQueue]) -> None:
    def fixtures() -> Mapping[str, object]:
        clock = ManualClock()
        return {"clock": clock, "queue": broken(clock)}

    assert is_found(QueueContract, fixtures)


class StorageWithoutCondition(MemoryStorage):
    @override
    def _place(self, data: bytes, url: str, before: str | None) -> StoredObject:
        standing = self.stat(url)
        return super()._place(data, url, standing.version if standing else None)


class StorageThatIgnoresTheVersion(MemoryStorage):
    @override
    def _place(self, data: bytes, url: str, before: str | None) -> StoredObject:
        standing = self.stat(url)
        asked = before if before is None or standing is None else standing.version
        return super()._place(data, url, asked)


class StorageThatChecksThenPuts(MemoryStorage):
    """Looks, and then writes whatever stands there by then."""

    @override
    def put(
        self,
        path: Path,
        url: str,
        *,
        before: str | None = None,
        sha256: str | None = None,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> StoredObject:
        standing = self.stat(url)
        if (standing.version if standing else None) != before:
            return super().put(path, url, before=before, stop=stop)
        data = path.read_bytes()
        time.sleep(0.02)
        now = self.stat(url)
        return self._place(data, url, now.version if now else None)


class StorageThatWritesInPieces(MemoryStorage):
    @override
    def _place(self, data: bytes, url: str, before: str | None) -> StoredObject:
        stored = super()._place(data, url, before)
        whole, half = self._objects[url], replace(self._objects[url], data=data[:-1])
        self._objects[url] = half
        time.sleep(0.02)
        self._objects[url] = whole
        return stored


class StorageThatTrustsSizes(MemoryStorage):
    @override
    def holds(self, url: str, *, size: int, sha256: str) -> bool:
        seen = self.stat(url)
        return seen is not None and seen.size == size


class StorageThatListsByPrefix(MemoryStorage):
    @override
    def list(self, prefix: str) -> tuple[str, ...]:
        return tuple(url for url in self._objects if url.startswith(prefix))


class StorageThatNeverStops(MemoryStorage):
    @override
    def put(
        self,
        path: Path,
        url: str,
        *,
        before: str | None = None,
        sha256: str | None = None,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> StoredObject:
        return super().put(path, url, before=before)


class Hasty(BegunPut):
    """Sends what there is; a file that changes after that is none of its business."""

    def __init__(
        self, storage: MemoryStorage, path: Path, url: str, stop: StopCheck
    ) -> None:
        self.storage, self.path, self.url, self.stop = storage, path, url, stop
        self.sent = b""

    @override
    def send_ahead(self) -> bool:
        if self.path.exists() and not self.sent:
            self.sent = self.path.read_bytes()
            return True
        return False

    @override
    def finish(
        self,
        *,
        before: str | None = None,
        sha256: str | None = None,
        stop: StopCheck | None = None,
    ) -> StoredObject:
        rest = self.path.read_bytes()[len(self.sent) :]
        return self.storage._place(self.sent + rest, self.url, None)

    @override
    def drop(self) -> None:
        pass


class HastyAndSeen(Hasty):
    @override
    def send_ahead(self) -> bool:
        going = super().send_ahead()
        if going:
            self.storage._place(self.sent, self.url, None)
        return going

    @override
    def finish(
        self,
        *,
        before: str | None = None,
        sha256: str | None = None,
        stop: StopCheck | None = None,
    ) -> StoredObject:
        self.storage.delete(self.url)
        return self.storage.put(self.path, self.url)

    @override
    def drop(self) -> None:
        self.storage.delete(self.url)


class PutAnyway(Hasty):
    @override
    def finish(
        self,
        *,
        before: str | None = None,
        sha256: str | None = None,
        stop: StopCheck | None = None,
    ) -> StoredObject:
        return self.storage.put(self.path, self.url)

    @override
    def drop(self) -> None:
        if self.storage.stat(self.url) is None:
            self.finish()


class Deaf(PutAnyway):
    """Is stopped by nothing that comes up after its beginning."""

    @override
    def finish(
        self,
        *,
        before: str | None = None,
        sha256: str | None = None,
        stop: StopCheck | None = None,
    ) -> StoredObject:
        return self.storage.put(self.path, self.url, before=before, stop=self.stop)

    @override
    def drop(self) -> None:
        pass


class StorageThatTrustsWhatWentAhead(MemoryStorage):
    begun: type[Hasty] = Hasty

    @override
    def begin(
        self,
        path: Path,
        url: str,
        *,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> BegunPut:
        return self.begun(self, path, url, stop)


class StorageThatShowsWhatGoesAhead(StorageThatTrustsWhatWentAhead):
    begun = HastyAndSeen


class StorageThatPutsWhatIsDropped(StorageThatTrustsWhatWentAhead):
    begun = PutAnyway


class StorageThatHearsNothingInTheEnd(StorageThatTrustsWhatWentAhead):
    begun = Deaf


@pytest.mark.parametrize(
    "broken",
    [
        StorageThatTrustsWhatWentAhead,
        StorageThatShowsWhatGoesAhead,
        StorageThatPutsWhatIsDropped,
        StorageThatHearsNothingInTheEnd,
        StorageWithoutCondition,
        StorageThatIgnoresTheVersion,
        StorageThatChecksThenPuts,
        StorageThatWritesInPieces,
        StorageThatTrustsSizes,
        StorageThatListsByPrefix,
        StorageThatNeverStops,
    ],
)
def test_a_broken_storage_is_found(
    broken: type[MemoryStorage], tmp_path_factory: pytest.TempPathFactory
) -> None:
    def fixtures() -> Mapping[str, object]:
        made, folder = broken(), tmp_path_factory.mktemp("mutant")
        return {
            "storage": made,
            "url": lambda name: f"memory://bucket/{name}",
            "plant": planting(made, lambda name: f"memory://bucket/{name}", folder),
            "tmp_path": folder,
        }

    assert is_found(StorageContract, fixtures)


class StorageThatFetchesTooLittle(MemoryStorage):
    """A connection broke, and nobody compared what came with what was to come."""

    @override
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        super().fetch(url, path, stop=stop)
        path.write_bytes(path.read_bytes()[:1_000_000])


class StorageThatLeavesHalfAFile(MemoryStorage):
    @override
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        data = self.read(url)
        with path.open("xb") as file:
            for start in range(0, len(data), 1 << 20):
                if (reason := stop()) is not None:
                    raise reason
                file.write(data[start : start + (1 << 20)])


class StorageThatFetchesOverFiles(MemoryStorage):
    @override
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        path.unlink(missing_ok=True)
        super().fetch(url, path, stop=stop)


class StorageThatMakesEmptyFiles(MemoryStorage):
    """What is not there is taken for something of no bytes."""

    @override
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        path.touch(exist_ok=False)
        path.write_bytes(self.read(url))


class StorageWhoseVersionIsTheSize(MemoryStorage):
    @override
    def stat(self, url: str) -> StoredObject | None:
        seen = super().stat(url)
        return seen and replace(seen, version=str(seen.size))


class StorageWhoseVersionIsTheHour(MemoryStorage):
    """It changes while nothing else does."""

    asked = 0

    @override
    def stat(self, url: str) -> StoredObject | None:
        seen = super().stat(url)
        self.asked += 1
        return seen and replace(seen, version=f"{seen.version}-{self.asked}")


class StorageThatReadsTooLittle(MemoryStorage):
    """Its ranges begin at the second byte."""

    @override
    def read(self, url: str) -> bytes:
        return super().read(url)[1:]


@pytest.mark.parametrize(
    "broken",
    [
        StorageThatFetchesTooLittle,
        StorageThatLeavesHalfAFile,
        StorageThatFetchesOverFiles,
        StorageThatMakesEmptyFiles,
        StorageThatReadsTooLittle,
        StorageWhoseVersionIsTheHour,
        StorageWhoseVersionIsTheSize,
    ],
)
def test_a_storage_that_reads_badly_is_found(
    broken: type[MemoryStorage], tmp_path_factory: pytest.TempPathFactory
) -> None:
    def url(name: str) -> str:
        return f"memory://bucket/{name}"

    def fixtures() -> Mapping[str, object]:
        made, below = broken(), MemoryStorage()
        below._objects = made._objects
        return {
            "storage": made,
            "url": url,
            "plant": planting(below, url, tmp_path_factory.mktemp("planted")),
            "tmp_path": tmp_path_factory.mktemp("mutant"),
        }

    assert is_found(ReadingContract, fixtures)


class FleetThatStartsAgain(MemoryFleet):
    launched = 0

    @override
    def start(self, node: Node) -> Machine:
        self.launched += 1
        return super().start(node)


class FleetThatDoesNotKill(MemoryFleet):
    launched = 1

    @override
    def kill(self, node_id: NodeId) -> None:
        return


class _MemoryFleetContract(FleetContract):
    def drain(self, fleet: object, node_id: NodeId) -> None:
        assert isinstance(fleet, MemoryFleet)
        fleet.end(node_id)

    def launches(self, fleet: object) -> int:
        return int(getattr(fleet, "launched", 1))


@pytest.mark.parametrize("broken", [FleetThatStartsAgain, FleetThatDoesNotKill])
def test_a_broken_fleet_is_found(
    broken: type[MemoryFleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_nommer.testing.fleet_contract.PATIENCE", 0.05)

    assert is_found(_MemoryFleetContract, lambda: {"fleet": broken()})


def test_what_is_not_broken_is_not_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    def queue() -> Mapping[str, object]:
        clock = ManualClock()
        return {"clock": clock, "queue": MemoryQueue(clock)}

    def storage() -> Mapping[str, object]:
        folder = tmp_path_factory.mktemp("sound")
        made = MemoryStorage()
        return {
            "storage": made,
            "url": lambda n: f"memory://b/{n}",
            "plant": planting(made, lambda n: f"memory://b/{n}", folder),
            "tmp_path": folder,
        }

    assert failures(StoreContract, lambda: {"store": MemoryStore()}) == set()
    assert failures(QueueContract, queue) == set()
    assert failures(StorageContract, storage) == set()
    assert failures(_MemoryFleetContract, lambda: {"fleet": MemoryFleet()}) == set()
