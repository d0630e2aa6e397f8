"""A node that goes is moved, in steps that others may come between."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.dynamodb_tables import Wire, connected, new_table

from media_nommer.adapters.aws.dynamodb import DynamoStore
from media_nommer.core.errors import AlreadyExists, NodeNotFound, Overtaken
from media_nommer.core.nodes import Node, NodeId, NodeState
from media_nommer.testing.clock import START
from media_nommer.testing.samples import a_node


class Died(Exception):
    """What ends a process in the middle."""


@pytest.fixture
def wire(aws: str) -> Iterator[Wire]:
    _, wire = connected(aws)
    wire.clear()
    yield wire
    wire.clear()


@pytest.fixture
def store(aws: str, wire: Wire) -> DynamoStore:
    clients, _ = connected(aws)
    return DynamoStore(clients, new_table(clients))


def _gone(store: DynamoStore) -> Node:
    return store.swap_node(store.add_node(a_node()).moved_to(NodeState.GONE, at=START))


def test_a_node_that_is_gone_is_found_and_can_be_changed(store: DynamoStore) -> None:
    gone = _gone(store)

    told = store.swap_node(replace(gone, detail="it fell silent"))

    assert store.get_node(gone.id) == told
    assert store.nodes(gone=True) == (told,)
    with pytest.raises(Overtaken):
        store.swap_node(replace(gone, detail="late"))


def test_the_id_of_a_node_that_is_gone_is_not_given_again(store: DynamoStore) -> None:
    """One that reports after it was given up must not find itself alive."""
    gone = _gone(store)

    with pytest.raises(AlreadyExists):
        store.add_node(a_node())

    assert store.get_node(gone.id) == gone
    assert (store.nodes(), store.nodes(gone=True)) == ((), (gone,))


@pytest.mark.parametrize("step", ["PutItem", "DeleteItem"])
def test_a_death_between_the_steps_leaves_the_node_gone(
    store: DynamoStore, wire: Wire, step: str
) -> None:
    living = store.add_node(a_node())

    def die(operation: str) -> None:
        if operation == step:
            raise Died

    wire.on_call = die
    with pytest.raises(Died):
        store.swap_node(living.moved_to(NodeState.GONE, at=START))
    wire.clear()

    gone = store.get_node(living.id)
    assert gone.gone
    assert (store.nodes(), store.nodes(gone=True)) == ((), (gone,))
    told = store.swap_node(replace(gone, detail="it fell silent"))
    assert store.nodes(gone=True) == (told,)
    store.forget_node(living.id)
    with pytest.raises(NodeNotFound):
        store.get_node(NodeId(living.id))


def test_a_change_between_the_steps_is_not_undone_by_the_copy(
    store: DynamoStore, wire: Wire
) -> None:
    living = store.add_node(a_node())
    changed = []

    def change(operation: str) -> None:
        if operation == "PutItem":
            wire.on_call = lambda operation: None
            latest = store.get_node(living.id)
            changed.append(store.swap_node(replace(latest, detail="it fell silent")))

    wire.on_call = change

    store.swap_node(living.moved_to(NodeState.GONE, at=START))

    assert store.get_node(living.id) == changed[0]
    assert store.nodes(gone=True) == (changed[0],)
