"""A node that set itself aside is replaced, and not for ever at full speed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from media_nommer.core.nodes import SET_ASIDE, Node, NodeState
from media_nommer.feederd.scaler import failed_launches
from media_nommer.testing.clock import START
from media_nommer.testing.samples import a_node

SECOND = timedelta(seconds=1)
BAD = f"{SET_ASIDE}: task after task failed on it"


def ended(number: int, detail: str, *, state: NodeState = NodeState.GONE) -> Node:
    node = replace(a_node(f"node-{number}"), slots=1, detail=detail, state=state)
    return replace(node, changed_at=START + number * SECOND)


@pytest.mark.parametrize(
    ("nodes", "count"),
    [
        ([ended(1, BAD)], 1),
        ([ended(1, BAD), ended(2, BAD)], 2),
        ([ended(1, BAD), ended(2, "there was nothing to do")], 0),
        ([ended(1, "there was nothing to do"), ended(2, BAD)], 1),
        ([ended(1, BAD), ended(2, "", state=NodeState.RUNNING)], 0),
        ([ended(1, BAD), ended(2, BAD, state=NodeState.DRAINING)], 1),
    ],
)
def test_nodes_that_are_no_good_count_like_launches_that_failed(
    nodes: list[Node], count: int
) -> None:
    found = failed_launches(nodes, "local", START + 10 * SECOND)

    assert found.count == count
    assert found.cause == (BAD if count else "")
