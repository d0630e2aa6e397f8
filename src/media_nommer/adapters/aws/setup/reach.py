"""Where feederd is reached on a machine of its own, and by whom."""

import contextlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from media_nommer.adapters.aws.clients import answering
from media_nommer.adapters.aws.setup.blueprint import FEEDERD_PORT
from media_nommer.adapters.aws.setup.parts.groups import rules_of
from media_nommer.adapters.aws.setup.parts.machines import living, wait_for
from media_nommer.adapters.aws.setup.site import FEEDERD_TAG, OURS, Site
from media_nommer.core.errors import ServiceUnavailable

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

_AWAKE = frozenset({"pending", "running"})
_LOOKS = 24  # five seconds apart: a machine runs within one minute, as a rule

#: Networks that no way leads to from the web: who is in one comes to a private address.
_INWARD = tuple(
    ipaddress.IPv4Network(cidr)
    for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where feederd's machine is, and the networks that may come to its port directly.

    ``state`` is EC2's word for how the machine is. An address that it has not is None.
    """

    machine: str
    state: str
    lets_in: tuple[str, ...]
    public: str | None = None
    ipv6: str | None = None
    private: str | None = None

    @property
    def awake(self) -> bool:
        """Whether the machine runs, or is about to."""
        return self.state in _AWAKE

    @property
    def url(self) -> str | None:
        """The API's URL for those who are let in; None where no address is for them."""
        addresses = (self._for(cidr) for cidr in self.lets_in)
        return next((_url(address) for address in addresses if address), None)

    @property
    def inner_url(self) -> str | None:
        """The API's URL within the machine's own network."""
        return _url(self.private) if self.private else None

    @property
    def sentence(self) -> str:
        """All of it for a person."""
        who = ", ".join(self.lets_in)
        if not self.awake:
            return f"{self.machine} is {self.state}"
        if not who:
            return f"{self.machine}, which a session of SSM leads to, and nothing else"
        if self.url is not None:
            return f"{self.machine}, at {self.url} for {who}"
        if self.state == "pending":
            return f"{self.machine}, which EC2 has not started yet, for {who}"
        inner = f"; in its own network it is at {self.inner_url}"
        return f"{self.machine}, which has no public address for {who}" + (
            inner if self.inner_url else ""
        )

    def _for(self, cidr: str) -> str | None:
        if ":" in cidr:
            return self.ipv6
        return self.private if _is_inward(cidr) else self.public


def reach_of_feederd(ec2: "EC2Client", site: Site, *, wait: bool = False) -> Reach | None:
    """Return where feederd is reached, None where it is on no machine of its own.

    With ``wait``, EC2 has some time to start a machine that is new: before that it has no
    public address.
    """
    machine = _machine(ec2, site)
    if machine is not None and wait and machine["State"]["Name"] == "pending":
        with contextlib.suppress(ServiceUnavailable):  # its state tells of it
            wait_for(ec2, "instance_running", [machine["InstanceId"]], looks=_LOOKS)
        machine = _machine(ec2, site)
    if machine is None:
        return None
    return Reach(
        machine=str(machine["InstanceId"]),
        state=str(machine["State"]["Name"]),
        lets_in=_let_in(ec2, site),
        public=machine.get("PublicIpAddress"),
        ipv6=_ipv6_of(machine),
        private=machine.get("PrivateIpAddress"),
    )


def _machine(ec2: "EC2Client", site: Site) -> Mapping[str, Any] | None:
    """Return the machine of feederd, the newest of those that run before all others."""
    found = [
        machine
        for machine in living(ec2, site).values()
        if any(tag["Key"] == FEEDERD_TAG for tag in machine.get("Tags", ()))
    ]
    return max(
        found,
        key=lambda one: (one["State"]["Name"] in _AWAKE, one["LaunchTime"]),
        default=None,
    )


def _let_in(ec2: "EC2Client", site: Site) -> tuple[str, ...]:
    filters: Any = [
        {"Name": "group-name", "Values": [site.feederd]},
        {"Name": f"tag:{OURS}", "Values": [site.installation]},
    ]
    with answering("ec2"):
        groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    ways = [rules_of(group["IpPermissions"]) for group in groups]
    return tuple(
        sorted(way.cidr for each in ways for way in each if way.port == FEEDERD_PORT)
    )


def _ipv6_of(machine: Mapping[str, Any]) -> str | None:
    addresses = (
        str(each["Ipv6Address"])
        for card in machine.get("NetworkInterfaces", ())
        for each in card.get("Ipv6Addresses", ())
    )
    return next(addresses, None)


def _is_inward(cidr: str) -> bool:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError:  # a group of ours, or a list of prefixes: not by `nommer aws up`
        return False
    return any(network.subnet_of(each) for each in _INWARD)


def _url(address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{FEEDERD_PORT}"
