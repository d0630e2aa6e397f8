"""The part of the store's contract that is about nodes and duties."""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

from dataclasses import replace

import pytest

from media_nommer.core.errors import AlreadyExists, NodeNotFound, Overtaken
from media_nommer.core.nodes import Duty, Node, NodeId, NodeState
from media_nommer.core.ports.store import JobStore
from media_nommer.testing.clock import START
from media_nommer.testing.concurrency import THREADS, at_once
from media_nommer.testing.samples import MINUTE, a_duty, a_node


class NodesContract:
    """What must hold of nodes and duties in every store."""

    @pytest.fixture
    def store(self) -> JobStore:
        """Return an empty store."""
        raise NotImplementedError("give the suite a store")

    def test_a_node_comes_back_as_it_was_added(self, store: JobStore) -> None:
        node = replace(
            a_node(),
            state=NodeState.RUNNING,
            host="höst",
            pid=7,
            slots=2,
            busy=1,
            kept=True,
            detail="spot, us-east-1a",
        )

        added = store.add_node(node)

        assert store.get_node(node.id) == added
        assert replace(added, revision=0) == node

    def test_a_node_is_added_once(self, store: JobStore) -> None:
        first = store.add_node(a_node())

        with pytest.raises(AlreadyExists):
            store.add_node(replace(a_node(), host="another"))

        assert store.get_node(a_node().id) == first

    def test_a_node_that_nobody_added_is_not_found(self, store: JobStore) -> None:
        with pytest.raises(NodeNotFound):
            store.get_node(NodeId("nobody"))

        with pytest.raises(NodeNotFound):
            store.swap_node(a_node())

    def test_of_many_swaps_of_one_node_exactly_one_is_believed(
        self, store: JobStore
    ) -> None:
        read = store.add_node(a_node())

        answers = at_once(lambda number: store.swap_node(replace(read, host=f"h{number}")))

        won = [answer for answer in answers if isinstance(answer, Node)]
        lost = [answer for answer in answers if isinstance(answer, Overtaken)]
        assert (len(won), len(lost)) == (1, THREADS - 1)
        assert store.get_node(read.id) == won[0]

    def test_nodes_are_listed_by_id_without_those_that_are_gone(
        self, store: JobStore
    ) -> None:
        for name in ("node-B", "node-c", "node-a"):
            store.add_node(a_node(name))
        leaving = store.get_node(NodeId("node-c"))
        store.swap_node(leaving.moved_to(NodeState.GONE, at=START))

        assert [node.id for node in store.nodes()] == ["node-B", "node-a"]
        everyone = [node.id for node in store.nodes(gone=True)]
        assert everyone == ["node-B", "node-a", "node-c"]

    def test_a_forgotten_node_is_not_there(self, store: JobStore) -> None:
        store.add_node(a_node())

        store.forget_node(a_node().id)
        store.forget_node(a_node().id)

        assert store.nodes(gone=True) == ()
        with pytest.raises(NodeNotFound):
            store.get_node(a_node().id)

    def test_nobody_has_a_duty_at_first(self, store: JobStore) -> None:
        assert store.get_duty("scaler") is None

    def test_a_duty_comes_back_as_it_was_taken(self, store: JobStore) -> None:
        taken = store.swap_duty(a_duty())

        assert store.get_duty("scaler") == taken
        assert replace(taken, revision=0) == a_duty()
        assert taken.revision > 0
        assert store.get_duty("janitor") is None

    def test_of_many_taking_a_new_duty_exactly_one_has_it(self, store: JobStore) -> None:
        answers = at_once(lambda number: store.swap_duty(a_duty(holder=f"f{number}")))

        won = [answer for answer in answers if isinstance(answer, Duty)]
        lost = [answer for answer in answers if isinstance(answer, Overtaken)]
        assert (len(won), len(lost)) == (1, THREADS - 1)
        assert store.get_duty("scaler") == won[0]

    def test_of_many_taking_a_duty_over_exactly_one_has_it(self, store: JobStore) -> None:
        read = store.swap_duty(a_duty())

        answers = at_once(
            lambda number: store.swap_duty(replace(read, holder=f"f{number}"))
        )

        won = [answer for answer in answers if isinstance(answer, Duty)]
        assert len(won) == 1
        assert store.get_duty("scaler") == won[0]

    def test_a_duty_that_was_taken_over_does_not_beat(self, store: JobStore) -> None:
        mine = store.swap_duty(a_duty())
        theirs = store.swap_duty(replace(mine, holder="feederd-2"))

        with pytest.raises(Overtaken):
            store.swap_duty(replace(mine, beat=1, changed_at=START + MINUTE))
        with pytest.raises(Overtaken):
            store.swap_duty(a_duty())

        assert store.get_duty("scaler") == theirs

    def test_a_duty_that_nobody_had_cannot_be_taken_over(self, store: JobStore) -> None:
        with pytest.raises(Overtaken):
            store.swap_duty(replace(a_duty(), revision=3))
