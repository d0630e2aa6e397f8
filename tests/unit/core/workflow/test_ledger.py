"""What a node was paid for outlives its record, and adds up."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.core.errors import StorageError
from media_nommer.core.nodes import Machine, Node, NodeState
from media_nommer.core.workflow.engine import Engine
from media_nommer.core.workflow.ledger import (
    LedgerEntry,
    entries_of,
    entry_of,
    forget_before,
    keep_entry,
    read_entry,
)
from media_nommer.testing.clock import START, ManualClock
from media_nommer.testing.samples import MINUTE, SPOT, a_node

SPANS = st.timedeltas(timedelta(hours=-1), timedelta(days=30))


@pytest.fixture
def engine() -> Engine:
    clock = ManualClock()
    return Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


def gone(name: str = "node-1", *, after: timedelta = 10 * MINUTE) -> Node:
    """Return a node that booted for two minutes, one of them before its record was made."""
    node = replace(a_node(name), machine=SPOT, joined_at=START + MINUTE, slots=2)
    node = replace(node, worked=300.0).moved_to(NodeState.RUNNING, at=START + MINUTE)
    return node.moved_to(NodeState.GONE, at=START + after)


def test_boot_work_and_idleness_are_told_apart() -> None:
    entry = entry_of(gone(), START)

    assert entry is not None
    assert (entry.boot, entry.worked, entry.idle, entry.total) == (120, 300, 240, 660)
    assert (entry.kind, entry.machine, entry.day) == ("local", SPOT, START.date())


def test_a_machine_is_paid_until_it_ended_itself() -> None:
    node = replace(gone(), machine=replace(SPOT, ended_at=START + 11 * MINUTE))

    entry = entry_of(node, START)

    assert entry is not None
    assert entry.total == 720


def test_a_node_that_never_took_a_task_booted_all_the_time() -> None:
    launched = replace(a_node(), machine=SPOT)

    dead = entry_of(launched.moved_to(NodeState.GONE, at=START + MINUTE), START)
    alive = entry_of(launched, START + 4 * MINUTE)

    assert dead is not None
    assert alive is not None
    assert (dead.boot, dead.total) == (120, 120)
    assert (alive.boot, alive.total) == (300, 300)


def test_an_intent_for_which_no_machine_was_had_was_not_paid_for() -> None:
    withdrawn = a_node().moved_to(NodeState.GONE, at=START + MINUTE)

    assert entry_of(a_node(), START) is None
    assert entry_of(withdrawn, START) is None


def test_a_node_that_lives_counts_as_of_its_last_beat() -> None:
    node = replace(a_node(), machine=SPOT, joined_at=START, slots=1)
    node = node.moved_to(NodeState.RUNNING, at=START).beaten(busy=1, at=START + MINUTE)

    entry = entry_of(node, START + 99 * MINUTE)

    assert entry is not None
    assert (entry.boot, entry.idle) == (60, 60)


@given(SPANS, SPANS, SPANS, st.floats(0, 1e7), st.booleans())
def test_the_parts_come_to_the_whole_whatever_the_clocks_said(
    joined: timedelta, left: timedelta, ended: timedelta, worked: float, told: bool
) -> None:
    node = replace(
        gone(),
        joined_at=START + joined,
        changed_at=START + left,
        worked=worked,
        machine=Machine(started_at=START, ended_at=START + ended if told else None),
    )

    entry = entry_of(node, START)

    assert entry is not None
    assert min(entry.boot, entry.worked, entry.idle) >= 0
    paid = max(ended if told else left, timedelta()).total_seconds()
    assert entry.total == pytest.approx(paid, abs=1e-6)


def test_a_document_is_put_once_and_read_again(engine: Engine) -> None:
    keep_entry(engine, gone())
    keep_entry(engine, gone())
    keep_entry(engine, gone("node-2", after=timedelta(days=1)))

    (url,) = entries_of(engine, START.date())
    assert read_entry(engine, url) == entry_of(gone(), START)
    assert url.endswith(f"/ledger/{START.date()}/node-1.json")
    engine.storage.delete(url)
    assert read_entry(engine, url) is None


@pytest.mark.parametrize("name", ["../../x", "a/b", "é", ".", ""])
def test_no_id_leads_out_of_its_folder(engine: Engine, name: str) -> None:
    keep_entry(engine, gone(name))

    (url,) = entries_of(engine, START.date())
    entry = read_entry(engine, url)
    assert isinstance(entry, LedgerEntry)
    assert entry.id == name


def test_a_damaged_document_says_where_it_is(engine: Engine) -> None:
    keep_entry(engine, gone())
    (url,) = entries_of(engine, START.date())
    assert isinstance(engine.storage, MemoryStorage)
    standing = engine.storage.stat(url)
    assert standing is not None
    engine.storage._place(b"{}", url, standing.version)

    with pytest.raises(StorageError, match="ledger") as caught:
        read_entry(engine, url)
    assert caught.value.advice


def test_days_that_are_too_old_are_removed_and_nothing_else(engine: Engine) -> None:
    for days in range(4):
        keep_entry(engine, gone(f"node-{days}", after=timedelta(days=days, minutes=9)))
    today = START.date() + timedelta(days=3)

    removed = forget_before(engine, today - timedelta(days=1))

    assert removed == 2
    left = [day for day in days_from(START.date(), 4) if entries_of(engine, day)]
    assert left == [today - timedelta(days=1), today]


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]
