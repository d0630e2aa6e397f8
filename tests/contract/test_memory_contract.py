from collections.abc import Callable

import pytest

from media_nommer.adapters.memory import (
    MemoryFleet,
    MemoryQueue,
    MemoryStorage,
    MemoryStore,
)
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.fleet import Fleet
from media_nommer.core.ports.queue import TaskQueue
from media_nommer.core.ports.storage import Storage
from media_nommer.core.ports.store import JobStore
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.fleet_contract import FleetContract
from media_nommer.testing.queue_contract import QueueContract
from media_nommer.testing.storage_contract import StorageContract
from media_nommer.testing.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> JobStore:
        return MemoryStore()


class TestMemoryQueue(QueueContract):
    @pytest.fixture
    def queue(self, clock: ManualClock) -> TaskQueue:
        return MemoryQueue(clock)


class TestMemoryQueueWithDuplicates(QueueContract):
    @pytest.fixture
    def queue(self, clock: ManualClock) -> TaskQueue:
        return MemoryQueue(clock, duplicates=True)


class TestMemoryStorage(StorageContract):
    @pytest.fixture
    def storage(self) -> Storage:
        return MemoryStorage()

    @pytest.fixture
    def url(self) -> Callable[[str], str]:
        return lambda name: f"memory://bucket/{name}"


class TestMemoryFleet(FleetContract):
    @pytest.fixture
    def fleet(self) -> Fleet:
        return MemoryFleet()

    def drain(self, fleet: Fleet, node_id: NodeId) -> None:
        assert isinstance(fleet, MemoryFleet)
        assert node_id in fleet.stopping()
        fleet.end(node_id)

    def launches(self, fleet: Fleet) -> int:
        assert isinstance(fleet, MemoryFleet)
        return len(fleet.started())
