"""The machines that EC2 lists, as we know machines."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from media_nommer.adapters.aws.ec2.hiring import NODE_TAG
from media_nommer.core.nodes import Machine, Market, NodeId

#: The states in which a machine exists; one that shuts down is paid for no more.
EXISTING = ("pending", "running", "stopping", "stopped")

_TIME = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")


@dataclass(frozen=True, slots=True)
class Listed:
    """A machine as it was listed, and the node that it was started for.

    One that is over need not say since when: ``machine.ended_at`` is None then, too.
    """

    node: NodeId
    machine: Machine
    over: bool


def read_instance(found: Mapping[str, Any]) -> Listed:
    """Return what a listed instance is, without its price."""
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
    spot = found.get("InstanceLifecycle") == "spot"
    over = found["State"]["Name"] not in EXISTING
    machine = Machine(
        name=found["InstanceId"],
        type=found.get("InstanceType", ""),
        market=Market.SPOT if spot else Market.ON_DEMAND,
        zone=found.get("Placement", {}).get("AvailabilityZone", ""),
        started_at=found.get("LaunchTime"),
        ended_at=time_in(found.get("StateTransitionReason", "")) if over else None,
    )
    return Listed(NodeId(tags.get(NODE_TAG, "")), machine, over)


def time_in(reason: str) -> datetime | None:
    """Return the time in a reason such as ``User initiated (2026-11-22 10:00:00 GMT)``."""
    found = _TIME.search(reason)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:  # such as the 31st of February
        return None
