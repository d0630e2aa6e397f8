"""A node's record goes only once the ledger has what it was paid for."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.core.errors import StorageError
from media_nommer.core.nodes import NodeId, NodeState
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.ledger import day_url, entries_of, read_entry
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
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


@pytest.mark.parametrize("away", [timedelta(hours=2), 2 * DAY], ids=["same day", "later"])
def test_a_node_that_came_back_after_it_was_forgotten_is_in_the_ledger_whole(
    engine: Engine, clock: ManualClock, janitor: Janitor, away: timedelta
) -> None:
    add_gone(engine, "node-1")
    record = engine.store.get_node(NodeId("node-1"))
    clock.advance(timedelta(hours=1))
    janitor.tidy()
    first = clock.now()

    for _ in range(2):  # it is cut off for long twice
        clock.advance(away)
        back = replace(record, state=NodeState.GONE, changed_at=clock.now(), revision=0)
        engine.store.add_node(back)
        clock.advance(timedelta(hours=1))
        janitor.tidy()

    days = {(first + hours * timedelta(hours=1)).date() for hours in range(-2, 110)}
    urls = [url for day in sorted(days) for url in entries_of(engine, day)]
    assert len(urls) == 1
    entry = read_entry(engine, urls[0])
    assert entry is not None
    assert entry.ended_at == back.changed_at
    assert entry.total == (back.changed_at - entry.started_at).total_seconds()


def test_a_death_between_the_new_document_and_the_end_of_the_old_one_is_made_good(
    engine: Engine,
    clock: ManualClock,
    janitor: Janitor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_gone(engine, "node-1")
    record = engine.store.get_node(NodeId("node-1"))
    clock.advance(timedelta(hours=1))
    janitor.tidy()
    engine.store.add_node(replace(record, changed_at=clock.now(), revision=0))
    clock.advance(timedelta(hours=1))

    def refuse(*_args: object) -> None:
        raise StorageError("no answer")

    with monkeypatch.context() as broken:
        broken.setattr(engine.storage, "delete", refuse)
        with pytest.raises(StorageError):
            janitor.tidy()
    assert len(entries_of(engine, START.date())) == 2

    janitor.tidy()

    (url,) = entries_of(engine, START.date())
    entry = read_entry(engine, url)
    assert entry is not None
    assert entry.ended_at == START + timedelta(hours=1)


def test_a_damaged_document_of_a_node_holds_up_nothing_and_stays(
    engine: Engine, clock: ManualClock, janitor: Janitor, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_text("{")
    engine.storage.put(damaged, f"{day_url(engine, START.date())}/node-1.json")
    add_gone(engine, "node-1")
    clock.advance(timedelta(hours=1))

    janitor.tidy()

    assert engine.store.nodes(gone=True) == ()
    assert len(entries_of(engine, START.date())) == 2


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
