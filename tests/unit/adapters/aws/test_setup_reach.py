"""Where feederd's own machine is said to be, and how long EC2 is waited for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from media_nommer.adapters.aws.s3.names import Place
from media_nommer.adapters.aws.setup.reach import Reach, reach_of_feederd
from media_nommer.adapters.aws.setup.site import Site

SITE = Site(
    installation="nommer",
    account="123456789012",
    region="eu-central-1",
    work=Place("films", "work/"),
    queue="nommer",
)
MACHINE = {
    "InstanceId": "i-1",
    "State": {"Name": "pending"},
    "LaunchTime": datetime(2026, 1, 1, tzinfo=UTC),
    "PrivateIpAddress": "172.31.0.9",
    "Tags": [{"Key": "nommer-feederd", "Value": "x"}],
}
STARTED = MACHINE | {"State": {"Name": "running"}, "PublicIpAddress": "203.0.113.80"}


class SlowEc2:
    """Has one machine, which runs once it was waited for; or never does."""

    def __init__(self, *, starts: bool) -> None:
        self.waited = 0
        self._starts = starts

    def get_paginator(self, _name: str) -> "SlowEc2":
        return self

    def get_waiter(self, _name: str) -> "SlowEc2":
        return self

    def paginate(self, **_said: Any) -> Any:
        machine = STARTED if self._starts and self.waited else MACHINE
        return [{"Reservations": [{"Instances": [machine]}]}]

    def wait(self, **_said: Any) -> None:
        self.waited += 1
        if not self._starts:
            raise WaiterError("instance_running", "it takes too long", {})

    def describe_security_groups(self, **_said: Any) -> Any:
        way = {"IpProtocol": "tcp", "FromPort": 8001, "ToPort": 8001}
        permission = {**way, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
        return {"SecurityGroups": [{"IpPermissions": [permission]}]}


def reached(ec2: Any, *, wait: bool) -> Reach:
    reach = reach_of_feederd(ec2, SITE, wait=wait)
    assert reach is not None
    return reach


def a_reach(**changes: Any) -> Reach:
    said = {"machine": "i-1", "state": "running", "lets_in": ("198.51.100.0/24",)}
    return Reach(**(said | changes))


def test_a_machine_that_is_new_is_waited_for_until_it_has_its_address() -> None:
    ec2 = SlowEc2(starts=True)

    at_once, later = reached(ec2, wait=False), reached(ec2, wait=True)

    assert at_once.url is None
    assert "has not started yet" in at_once.sentence
    assert later.url == "http://203.0.113.80:8001"
    assert reached(ec2, wait=True) == later
    assert ec2.waited == 1


def test_one_that_takes_too_long_is_told_of_as_it_is() -> None:
    reach = reached(SlowEc2(starts=False), wait=True)

    assert (reach.state, reach.url) == ("pending", None)


@pytest.mark.parametrize(
    ("cidr", "url"),
    [
        ("198.51.100.0/24", "http://203.0.113.80:8001"),
        ("192.168.7.0/24", "http://172.31.0.9:8001"),
        ("100.64.0.0/10", "http://172.31.0.9:8001"),
        ("2001:db8:1::/48", "http://[2001:db8:2::9]:8001"),
    ],
)
def test_each_network_is_told_the_address_that_it_reaches(cidr: str, url: str) -> None:
    reach = a_reach(
        lets_in=(cidr,),
        public="203.0.113.80",
        private="172.31.0.9",
        ipv6="2001:db8:2::9",
    )

    assert reach.url == url


def test_a_machine_without_an_address_of_ipv6_has_none_for_who_has_no_other() -> None:
    reach = a_reach(lets_in=("2001:db8:1::/48",), public="203.0.113.80")

    assert reach.url is None
    assert "no public address for 2001:db8:1::/48" in reach.sentence
