"""A node's record goes only once the ledger has what it was paid for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.core.errors import StorageError
from media_nommer.core.nodes import NodeId, NodeState
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.ledger import entries_of, read_entry
from media_nommer.feederd.janitor import Janitor, JanitorPolicy
from media_nommer.testing.clock import START, ManualClock
from media_nommer.testing.samples import MINUTE, SPOT, a_node

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    return Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


@pytest.fixture
def janitor(engine: Engine) -> Janitor:
    return Janitor(engine, WorkPolicy(), JanitorPolicy(keep_ledger_for=3 * DAY))


def add_gone(engine: Engine, name: str) -> None:
    now = engine.clock.now()
    node = replace(a_node(name), machine=SPOT, joined_at=now - MINUTE, slots=1)
    engine.store.add_node(node.moved_to(NodeState.GONE, at=now))


def test_what_a_node_was_paid_for_outlives_its_record(
    engine: Engine, clock: ManualClock, janitor: Janitor
) -> None:
    add_gone(engine, "node-1")
    clock.advance(timedelta(hours=1))

    janitor.tidy()

    assert engine.store.nodes(gone=True) == ()
    (url,) = entries_of(engine, START.date())
    entry = read_entry(engine, url)
    assert entry is not None
    assert (entry.id, entry.machine) == (NodeId("node-1"), SPOT)


def test_a_record_stays_until_the_ledger_has_it(
    engine: Engine,
    clock: ManualClock,
    janitor: Janitor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_gone(engine, "node-1")
    clock.advance(timedelta(hours=1))

    def refuse(*_args: object, **_more: object) -> None:
        raise StorageError("no answer")

    with monkeypatch.context() as broken:
        broken.setattr(engine.storage, "put", refuse)
        with pytest.raises(StorageError):
            janitor.tidy()
    assert len(engine.store.nodes(gone=True)) == 1
    janitor.tidy()
    assert engine.store.nodes(gone=True) == ()


def test_one_who_died_in_between_is_no_matter(
    engine: Engine, clock: ManualClock, janitor: Janitor
) -> None:
    add_gone(engine, "node-1")
    node = engine.store.get_node(NodeId("node-1"))
    clock.advance(timedelta(hours=1))
    janitor.tidy()
    engine.store.add_node(node)

    janitor.tidy()

    assert engine.store.nodes(gone=True) == ()
    assert len(entries_of(engine, START.date())) == 1


def test_the_ledger_is_kept_for_as_long_as_jobs_are(
    engine: Engine, clock: ManualClock, janitor: Janitor
) -> None:
    add_gone(engine, "node-1")
    clock.advance(timedelta(hours=1))
    janitor.tidy()
    clock.advance(3 * DAY)
    janitor.tidy()
    assert entries_of(engine, START.date())

    clock.advance(DAY)
    janitor.tidy()

    assert not entries_of(engine, START.date())


def test_without_a_limit_the_ledger_stays(engine: Engine, clock: ManualClock) -> None:
    janitor = Janitor(engine, WorkPolicy(), JanitorPolicy())
    add_gone(engine, "node-1")
    clock.advance(timedelta(hours=1))
    janitor.tidy()
    clock.advance(1000 * DAY)

    janitor.tidy()

    assert entries_of(engine, START.date())
