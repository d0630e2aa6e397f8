"""A suite is worth as much as the broken adapters that it finds."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from mutants import failures
from typing_extensions import override

from media_nommer.adapters.memory import (
    MemoryFleet,
    MemoryQueue,
    MemoryStorage,
    MemoryStore,
)
from media_nommer.core.errors import AlreadyExists, JobNotFound, LeaseLost
from media_nommer.core.jobs import Job
from media_nommer.core.nodes import Duty, Node, NodeId
from media_nommer.core.ports.queue import Delivery
from media_nommer.core.ports.storage import (
    PLAIN,
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
from media_nommer.testing.storage_contract import StorageContract
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
        StoreThatLosesJobs,
        StoreThatShowsSettledTasks,
    ],
)
def test_a_broken_store_is_found(broken: type[MemoryStore]) -> None:
    assert failures(StoreContract, lambda: {"store": broken()})


class QueueWithoutExpiry(MemoryQueue):
    @override
    def take(self, lease: timedelta) -> Delivery | None:
        return super().take(timedelta(days=365))


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
    def take(self, lease: timedelta) -> Delivery | None:
        return super().take(lease / 2)


class QueueWithoutDelay(MemoryQueue):
    @override
    def put(self, task_id: TaskId, *, delay: timedelta = timedelta()) -> None:
        super().put(task_id)


class QueueThatIgnoresASecondPut(MemoryQueue):
    @override
    def put(self, task_id: TaskId, *, delay: timedelta = timedelta()) -> None:
        if task_id not in self._by_task:
            super().put(task_id, delay=delay)


class QueueThatAddsToALease(MemoryQueue):
    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        super().keep(delivery, lease + timedelta(minutes=10))


class QueueThatForgetsOnTake(MemoryQueue):
    @override
    def take(self, lease: timedelta) -> Delivery | None:
        delivery = super().take(lease)
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
        QueueThatAddsToALease,
        QueueThatForgetsOnTake,
        QueueThatIsSilentAboutLoss,
    ],
)
def test_a_broken_queue_is_found(broken: type[MemoryQueue]) -> None:
    def fixtures() -> Mapping[str, object]:
        clock = ManualClock()
        return {"clock": clock, "queue": broken(clock)}

    assert failures(QueueContract, fixtures)


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


@pytest.mark.parametrize(
    "broken",
    [
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
        return {
            "storage": broken(),
            "url": lambda name: f"memory://bucket/{name}",
            "tmp_path": tmp_path_factory.mktemp("mutant"),
        }

    assert failures(StorageContract, fixtures)


class FleetThatStartsAgain(MemoryFleet):
    launched = 0

    @override
    def start(self, node: Node) -> None:
        super().start(node)
        self.launched += 1


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

    assert failures(_MemoryFleetContract, lambda: {"fleet": broken()})


def test_what_is_not_broken_is_not_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    def queue() -> Mapping[str, object]:
        clock = ManualClock()
        return {"clock": clock, "queue": MemoryQueue(clock)}

    def storage() -> Mapping[str, object]:
        folder = tmp_path_factory.mktemp("sound")
        made = MemoryStorage()
        return {"storage": made, "url": lambda n: f"memory://b/{n}", "tmp_path": folder}

    assert failures(StoreContract, lambda: {"store": MemoryStore()}) == set()
    assert failures(QueueContract, queue) == set()
    assert failures(StorageContract, storage) == set()
    assert failures(_MemoryFleetContract, lambda: {"fleet": MemoryFleet()}) == set()
