"""Machines as EC2 lists them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from media_nommer.adapters.aws.ec2.instances import read_instance, time_in
from media_nommer.core.nodes import Machine, Market

STARTED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ENDED = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def an_instance(state: str = "running", **more: Any) -> dict[str, Any]:
    return {
        "InstanceId": "i-1",
        "InstanceType": "c7i.xlarge",
        "LaunchTime": STARTED,
        "Placement": {"AvailabilityZone": "eu-central-1b"},
        "State": {"Name": state},
        "StateTransitionReason": "",
        "Tags": [{"Key": "nommer-node", "Value": "n1"}, {"Key": "Name", "Value": "x"}],
    } | more


def test_a_listed_machine_is_read_as_it_is() -> None:
    found = read_instance(an_instance(InstanceLifecycle="spot"))

    assert found.node == "n1"
    assert not found.over
    assert found.machine == Machine(
        name="i-1",
        type="c7i.xlarge",
        market=Market.SPOT,
        zone="eu-central-1b",
        started_at=STARTED,
    )


def test_one_that_says_nothing_of_its_market_is_on_demand() -> None:
    assert read_instance(an_instance()).machine.market is Market.ON_DEMAND


@pytest.mark.parametrize(
    ("state", "over"),
    [
        ("pending", False),
        ("running", False),
        ("stopping", False),
        ("stopped", False),
        ("shutting-down", True),
        ("terminated", True),
    ],
)
def test_a_machine_is_over_from_when_it_shuts_down_for_good(state: str, over: bool) -> None:
    reason = "User initiated (2026-11-22 10:00:00 GMT)"

    found = read_instance(an_instance(state, StateTransitionReason=reason))

    assert found.over is over
    assert found.machine.ended_at == (ENDED if over else None)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("User initiated (2026-11-22 10:00:00 GMT)", ENDED),
        ("User initiated (2026-11-22 10:00:00 UTC)", ENDED),
        ("Server.SpotInstanceTermination", None),
        ("User initiated (2026-02-31 10:00:00 GMT)", None),
        ("", None),
    ],
)
def test_the_time_of_an_end_is_in_its_reason_or_not(
    reason: str, expected: datetime | None
) -> None:
    assert time_in(reason) == expected
