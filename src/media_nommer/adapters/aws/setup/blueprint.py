"""Everything that an installation on AWS is made of, as a description: nothing is called.

What is made by calls, what is looked for and what the CloudFormation template says are all
read from here.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from media_nommer.adapters.aws.setup.policies import (
    Policy,
    feederd_policy,
    node_policy,
    session_policy,
)
from media_nommer.adapters.aws.setup.site import Architecture, Site, tag_list

#: What a machine may always ask for: HTTP and HTTPS (Amazon's services, and sources on the
#: web), names, and the time.
_HTTP, _HTTPS, _DNS, _NTP = 80, 443, 53, 123
_EVERYWHERE = ("0.0.0.0/0", "::/0")

#: Uploads that nobody has ended for so many days are given up.
_UNFINISHED_DAYS = 2
LOGS_RULE, UPLOADS_RULE = "nommer-node-logs", "nommer-unfinished-uploads"

#: Nobody sees into a bucket of ours but by a role.
CLOSED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}

#: Where feederd's own security group lets in, where it lets in at all.
FEEDERD_PORT = 8001


class Rule(NamedTuple):
    """A way that is open through a security group."""

    protocol: str
    port: int
    cidr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role that machines have, by an instance profile of the same name."""

    name: str
    policies: Mapping[str, Policy]

    @property
    def description(self) -> str:
        """Return what stands beside its name in the console."""
        return f"Machines of media-nommer ({self.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A security group; nobody gets in but by ``inbound``, which nodes have none of.

    Where ``vpc`` is empty, it is looked for in all of them, to be removed.
    """

    name: str
    description: str
    vpc: str
    outbound: frozenset[Rule]
    inbound: frozenset[Rule] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a machine boots from: ``device`` is the name of its disk there."""

    id: str
    name: str
    device: str
    architecture: Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A launch template: how a machine of some kind is made.

    ``group`` and ``role`` are names. ``lasting`` machines stop where others are gone when
    they shut down. ``machine_type`` is said where it is not chosen at each launch.
    """

    name: str
    image: Image
    group: str
    role: str
    user_data: str
    volume_gib: int
    tags: Mapping[str, str]
    machine_type: str | None = None
    lasting: bool = False

    @property
    def digest(self) -> str:
        """Return what tells this description from any other."""
        said = json.dumps(self.data(self.group), sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    @property
    def mark(self) -> str:
        """Return how a version of the template says that it is this one."""
        return f"media-nommer {self.digest}"

    def data(self, group_id: object, encoded: object | None = None) -> dict[str, Any]:
        """Return the description as EC2 takes it; ``encoded`` is the user data if given."""
        user_data = base64.b64encode(self.user_data.encode()).decode()
        tags = tag_list(self.tags)
        said: dict[str, Any] = {
            "ImageId": self.image.id,
            "IamInstanceProfile": {"Name": self.role},
            "SecurityGroupIds": [group_id],
            "UserData": user_data if encoded is None else encoded,
            "InstanceInitiatedShutdownBehavior": "stop" if self.lasting else "terminate",
            "MetadataOptions": {
                "HttpEndpoint": "enabled",
                "HttpTokens": "required",
                "HttpPutResponseHopLimit": 1,
                "InstanceMetadataTags": "enabled",
            },
            "BlockDeviceMappings": [
                {
                    "DeviceName": self.image.device,
                    "Ebs": {
                        "VolumeType": "gp3",
                        "VolumeSize": self.volume_gib,
                        "Encrypted": True,
                        "DeleteOnTermination": True,
                    },
                }
            ],
            "TagSpecifications": [
                {"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")
            ],
        }
        return said | ({"InstanceType": self.machine_type} if self.machine_type else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """An installation: what it is made of."""

    site: Site
    roles: tuple[Role, ...]
    groups: tuple[Group, ...]
    templates: tuple[Template, ...]
    log_days: int
    spot: bool


def lifecycle(site: Site, log_days: int) -> tuple[Mapping[str, Any], ...]:
    """Return the rules of the bucket: how long logs of nodes and leftovers stay."""
    return (
        {
            "ID": LOGS_RULE,
            "Status": "Enabled",
            "Filter": {"Prefix": f"{site.work.key}nodes/"},
            "Expiration": {"Days": log_days},
        },
        {
            "ID": UPLOADS_RULE,
            "Status": "Enabled",
            "Filter": {"Prefix": "" if site.own_bucket else site.work.key},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _UNFINISHED_DAYS},
        },
    )


def node_role(site: Site) -> Role:
    """Return the role of nodes."""
    return Role(name=site.node, policies={"node": node_policy(site)})


def feederd_role(site: Site) -> Role:
    """Return the role of feederd's machine."""
    policies = {"feederd": feederd_policy(site), "sessions": session_policy()}
    return Role(name=site.feederd, policies=policies)


def node_group(site: Site, vpc: str, ways: Iterable[Rule]) -> Group:
    """Return the security group of nodes: nobody gets in."""
    return Group(
        name=site.node,
        description="Nodes of media-nommer: out by the web, in by nothing",
        vpc=vpc,
        outbound=frozenset(ways),
    )


def feederd_group(site: Site, vpc: str, ways: Iterable[Rule], cidr: str | None) -> Group:
    """Return the security group of feederd's machine: in from ``cidr`` alone, if any."""
    let_in = {Rule("tcp", FEEDERD_PORT, cidr)} if cidr else set()
    return Group(
        name=site.feederd,
        description="feederd of media-nommer: out by the web, in as was asked for",
        vpc=vpc,
        outbound=frozenset(ways),
        inbound=frozenset(let_in),
    )


def ways_out(endpoints: Iterable[str]) -> frozenset[Rule]:
    """Return what machines may reach; ``endpoints`` are servers instead of Amazon's."""
    ports = {_HTTP, _HTTPS, _DNS}
    for endpoint in endpoints:
        parts = urlsplit(endpoint)
        ports.add(parts.port or (_HTTP if parts.scheme == "http" else _HTTPS))
    tcp = {Rule("tcp", port, cidr) for port in ports for cidr in _EVERYWHERE}
    return frozenset(
        tcp | {Rule("udp", port, cidr) for port in (_DNS, _NTP) for cidr in _EVERYWHERE}
    )
