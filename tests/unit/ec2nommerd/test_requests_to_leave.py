"""Requests to leave reach the node, whenever they come, and end nothing badly."""

import os
import signal
from typing import Any, cast

from media_nommer.ec2nommerd.running import Requests, RunningNode, leaving_on_signals


class CountingNode:
    def __init__(self) -> None:
        self.asked = 0

    def ask_to_leave(self) -> None:
        self.asked += 1


def ask(requests: Requests, times: int) -> None:
    for _ in range(times):
        requests.take(signal.SIGTERM, None)


def test_requests_that_came_before_the_node_go_to_it_as_well() -> None:
    requests, node = Requests(), CountingNode()
    ask(requests, 2)

    requests.go_to(cast("RunningNode", node))
    ask(requests, 1)

    assert node.asked == 3


def test_a_request_needs_no_signal() -> None:
    requests, node = Requests(), CountingNode()
    requests.go_to(cast("RunningNode", node))

    requests.ask()

    assert (requests.asked, node.asked) == (1, 1)


def test_signals_are_taken_until_all_is_put_away_and_no_longer() -> None:
    before: Any = signal.getsignal(signal.SIGTERM)

    with leaving_on_signals() as requests:
        os.kill(os.getpid(), signal.SIGTERM)
        node = CountingNode()
        requests.go_to(cast("RunningNode", node))

    assert node.asked == 1
    assert signal.getsignal(signal.SIGTERM) is before
