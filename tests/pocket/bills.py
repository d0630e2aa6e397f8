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
from tests.pocket.looks import unseen


@dataclass(frozen=True, kw_only=True)
class Bill:
    """One machine's seconds.

    ``shares`` are what its attempts have on record, ``worked`` what its node has. ``paid``
    are those that feederd takes it to be paid for, ``billed`` those that EC2 knows of: they
    may differ by as much as feederd left ``unseen`` when the machine ended.
    """

    shares: float
    worked: float
    paid: float
    billed: float
    unseen: float


def bills(place: Films, jobs: Sequence[str]) -> tuple[list[Bill], Any]:
    """Return the bill of each machine, and the sums of them all that feederd tells.

    feederd has seen all machines end before that.
    """
    with place.client as client:
        nodes = wait_until("feederd has seen all ends", lambda: _ended(client), every=0.3)
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
        assert by_node[name].ended_at is not None, "it has ended"
        began = datetime.fromisoformat(node["machine"]["started_at"])
        ended = datetime.fromisoformat(node["machine"]["ended_at"])
        found.append(
            Bill(
                shares=shares[name],
                worked=node["worked"],
                paid=(ended - began).total_seconds(),
                billed=by_node[name].billed_seconds,
                unseen=unseen(
                    by_node[name],
                    place.cloud.ec2.looks,
                    datetime.fromisoformat(node["changed_at"]),
                ),
            )
        )
    return found, sums


def _ended(client: NommerClient) -> dict[str, Any]:
    """Return the nodes by their ids once all machines have ended; nothing before that.

    A node for which no machine could be had is none that costs something.
    """
    nodes = [node for node in client.nodes(gone=True) if node["machine"]["name"]]
    over = all(node["machine"]["ended_at"] for node in nodes)
    return {node["id"]: node for node in nodes} if over else {}
