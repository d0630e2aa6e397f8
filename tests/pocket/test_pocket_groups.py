"""Security groups of the pocket: whom they let in."""

from typing import Any

import pytest

from tests.pocket.groups import lets_in

OPERATOR = {
    "IpProtocol": "tcp",
    "FromPort": 8001,
    "ToPort": 8001,
    "IpRanges": [{"CidrIp": "203.0.113.0/29"}],
    "Ipv6Ranges": [{"CidrIpv6": "2001:db8:1::/48"}],
}
EVERYTHING = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
NAMES = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": []}


@pytest.mark.parametrize(
    ("rules", "who", "port", "expected"),
    [
        pytest.param([OPERATOR], "203.0.113.7", 8001, True, id="the operator"),
        pytest.param([OPERATOR], "2001:db8:1::7", 8001, True, id="by IPv6"),
        pytest.param([OPERATOR], "203.0.113.7", 22, False, id="another port"),
        pytest.param([OPERATOR], "203.0.113.9", 8001, False, id="a neighbour"),
        pytest.param([OPERATOR, EVERYTHING], "10.1.2.3", 22, True, id="all ports"),
        pytest.param([NAMES], "203.0.113.7", 53, False, id="another protocol"),
        pytest.param([], "203.0.113.7", 8001, False, id="no rule"),
    ],
)
def test_a_group_lets_in_whom_a_rule_names_at_its_ports(
    rules: list[Any], who: str, port: int, expected: bool
) -> None:
    assert lets_in([{"IpPermissions": rules}], who, port) is expected
