"""What machines were paid for, as EC2 knows it and as feederd says."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from media_nommer.client import NommerClient
from tests.acceptance.site import wait_until
from tests.pocket.films import Films


@dataclass(frozen=True, kw_only=True)
class Bill:
    """One machine's seconds.

    ``shares`` are what its attempts have on record, ``worked`` what its node has. feederd
    takes it for paid from ``started_at`` to ``ended_at``, EC2 knows of the others.
    """

    shares: float
    worked: float
    started_at: datetime
    ended_at: datetime
    launched_at: datetime
    billed_to: datetime

    @property
    def paid(self) -> float:
        """Seconds that feederd takes it for paid."""
        return (self.ended_at - self.started_at).total_seconds()


def bills(place: Films, jobs: Sequence[str]) -> tuple[list[Bill], Any]:
    """Return the bill of each machine, and the sums of them all that feederd tells.

    feederd has seen all machines end before that.
    """
    with place.client as client:
        nodes = wait_until(
            "feederd has seen all ends", lambda: _ended(client), timeout=60, every=0.3
        )
        shares: dict[str, float] = defaultdict(float)
        for attempt in chain.from_iterable(client.logs(job)["attempts"] for job in jobs):
            assert attempt["machine"] is not None, attempt
            assert attempt["machine_seconds"] is not None, attempt
            shares[attempt["node"]] += attempt["machine_seconds"]
        sums = client.costs(by="machine")["total"]["nodes"]
    by_node = {each.tags["nommer-node"]: each for each in place.instances()}
    assert by_node.keys() == nodes.keys()
    found = []
    for name, node in nodes.items():
        billed_to = by_node[name].ended_at
        assert billed_to is not None, "it has ended"
        found.append(
            Bill(
                shares=shares[name],
                worked=node["worked"],
                started_at=datetime.fromisoformat(node["machine"]["started_at"]),
                ended_at=datetime.fromisoformat(node["machine"]["ended_at"]),
                launched_at=by_node[name].launched_at,
                billed_to=billed_to,
            )
        )
    return found, sums


def _ended(client: NommerClient) -> dict[str, Any]:
    """Return the nodes by their ids once all machines have ended; nothing before that."""
    nodes: list[Any] = list(client.nodes(gone=True))
    over = all(node["machine"]["ended_at"] for node in nodes)
    return {node["id"]: node for node in nodes} if over else {}
