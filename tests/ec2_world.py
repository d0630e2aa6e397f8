"""A fleet on moto's EC2 for each test, and what one needs to look at it from outside."""

import itertools
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.ec2 import Ec2Fleet, Hiring, InstanceTypes, Prices
from media_nommer.core.nodes import Market, Node
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import a_node
from tests import moto_ec2

#: One type for each kind of processor.
X86, ARM = "c7i.xlarge", "c7g.xlarge"
IMAGE = "ami-12c6146b"  # one of those that moto has

SPOT_FIRST = (Market.SPOT, Market.ON_DEMAND)
SAID = {X86: 0.2, f"{X86}/spot": 0.08, ARM: 0.15}

#: Longer than a list of machines is kept.
LATER = timedelta(seconds=11)

_numbers = itertools.count(1)


class OnEc2:
    """Gives a test class a ``fleet`` and its ``world``, on a manual clock."""

    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> moto_ec2.Ec2World:
        return moto_ec2.correct(monkeypatch)

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def clients(self, aws: str) -> AwsClients:
        return AwsClients()

    @pytest.fixture
    def hiring(self, clients: AwsClients) -> Hiring:
        return set_up(clients)

    @pytest.fixture
    def fleet(
        self,
        clients: AwsClients,
        hiring: Hiring,
        clock: ManualClock,
        world: moto_ec2.Ec2World,
    ) -> Ec2Fleet:
        return a_fleet(clients, hiring, clock)


def set_up(clients: AwsClients) -> Hiring:
    """Make the launch templates of an installation that no other test has."""
    name = f"test-{os.getpid()}-{next(_numbers)}"
    for template in (f"{name}-node", f"{name}-node-arm64"):
        clients.client("ec2").create_launch_template(
            LaunchTemplateName=template, LaunchTemplateData={"ImageId": IMAGE}
        )
    return Hiring(installation=name, store="one", types=(X86, ARM), markets=SPOT_FIRST)


def a_fleet(
    clients: AwsClients,
    hiring: Hiring,
    clock: ManualClock,
    said: Mapping[str, float] = SAID,
) -> Ec2Fleet:
    prices = Prices(clients, hiring.types, said, clock=clock)
    return Ec2Fleet(clients, hiring, InstanceTypes(clients), prices, clock=clock)


def an_intent(name: str = "node-1") -> Node:
    return replace(a_node(name), kind="ec2")


def instances(clients: AwsClients, hiring: Hiring) -> list[dict[str, Any]]:
    """Return what EC2 itself says of all machines of an installation."""
    found = clients.client("ec2").describe_instances(
        Filters=[{"Name": "tag:nommer-installation", "Values": [hiring.installation]}]
    )
    return [each for group in found["Reservations"] for each in group["Instances"]]


def terminate(clients: AwsClients, name: str) -> None:
    """End a machine as somebody else may."""
    clients.client("ec2").terminate_instances(InstanceIds=[name])
