"""Security groups: whom they let in, and where."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any


def lets_in(groups: Iterable[Mapping[str, Any]], who: str, port: int) -> bool:
    """Return whether any rule of security groups lets an address in at a TCP port."""
    return any(
        _covers(rule, port) and _names(rule, who)
        for group in groups
        for rule in group["IpPermissions"]
    )


def _covers(rule: Mapping[str, Any], port: int) -> bool:
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] == "tcp" and rule["FromPort"] <= port <= rule["ToPort"]


def _names(rule: Mapping[str, Any], who: str) -> bool:
    four = [each["CidrIp"] for each in rule.get("IpRanges", ())]
    six = [each["CidrIpv6"] for each in rule.get("Ipv6Ranges", ())]
    return any(ip_address(who) in ip_network(cidr) for cidr in four + six)
