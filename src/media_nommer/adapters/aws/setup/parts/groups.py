"""Security groups: which ways lead out of machines, and that none leads in."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.setup.blueprint import Group, Rule
from media_nommer.adapters.aws.setup.parts.part import NOTHING, Look, Part, judged
from media_nommer.adapters.aws.setup.site import OURS, Site, tag_list
from media_nommer.core.errors import InvalidSetting

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

_ALL = "-1"


class GroupPart(Part):
    """A security group whose every rule is as described."""

    kind = "security group"

    def __init__(self, clients: AwsClients, site: Site, group: Group) -> None:
        self._site = site
        self._group = group
        self._ec2: EC2Client = clients.client("ec2")

    @property
    @override
    def name(self) -> str:
        return self._group.name

    @override
    def look(self) -> Look:
        found = self._find()
        if found is None:
            return NOTHING
        outward = rules_of(found["IpPermissionsEgress"])
        inward = rules_of(found["IpPermissions"])
        return judged(
            [
                *(["the ways out"] if outward != self._group.outbound else []),
                *(["the ways in"] if inward != self._group.inbound else []),
            ]
        )

    @override
    def make(self) -> None:
        if self._find() is None:
            tags = tag_list(self._site.tags)
            with answering("ec2"):
                self._ec2.create_security_group(
                    GroupName=self._group.name,
                    Description=self._group.description,
                    VpcId=self._group.vpc,
                    TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
                )
        found = self._find()
        assert found is not None, "EC2 lists the group that it has just made"
        with answering("ec2"):
            self._settle_outbound(found)
            self._settle_inbound(found)

    @override
    def remove(self) -> None:
        found = self._find()
        if found is not None:
            with answering("ec2"):
                self._ec2.delete_security_group(GroupId=found["GroupId"])

    def id(self) -> str | None:
        """Return the group's id, None while there is none."""
        found = self._find()
        return None if found is None else str(found["GroupId"])

    def _find(self) -> Any | None:
        of_us = {"Name": f"tag:{OURS}", "Values": [self._site.installation]}
        of_vpc = {"Name": "vpc-id", "Values": [self._group.vpc]}
        filters: Any = [
            {"Name": "group-name", "Values": [self._group.name]},
            of_vpc if self._group.vpc else of_us,
        ]
        with answering("ec2"):
            answer = self._ec2.describe_security_groups(Filters=filters)
        for found in answer["SecurityGroups"]:
            if {"Key": OURS, "Value": self._site.installation} in found.get("Tags", ()):
                return found
            raise InvalidSetting(
                f"there is a security group {self._group.name} that `nommer aws up` has "
                "not made",
                advice="Choose another `installation`, or remove that group.",
            )
        return None

    def _settle_outbound(self, found: Mapping[str, Any]) -> None:
        standing = rules_of(found["IpPermissionsEgress"])
        group = found["GroupId"]
        if more := _permissions(standing - self._group.outbound):
            self._ec2.revoke_security_group_egress(GroupId=group, IpPermissions=more)
        if lacking := _permissions(self._group.outbound - standing):
            self._ec2.authorize_security_group_egress(GroupId=group, IpPermissions=lacking)

    def _settle_inbound(self, found: Mapping[str, Any]) -> None:
        standing = rules_of(found["IpPermissions"])
        group = found["GroupId"]
        if more := _permissions(standing - self._group.inbound):
            self._ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=more)
        if lacking := _permissions(self._group.inbound - standing):
            self._ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=lacking)


def rules_of(permissions: Iterable[Mapping[str, Any]]) -> frozenset[Rule]:
    """Return the ways that are open, as EC2 tells of them."""
    return frozenset(
        Rule(each["IpProtocol"], int(each.get("FromPort", 0)), cidr)
        for each in permissions
        for cidr in _cidrs(each)
    )


def _cidrs(permission: Mapping[str, Any]) -> list[str]:
    others = [
        *(
            pair.get("GroupId", "a group")
            for pair in permission.get("UserIdGroupPairs", ())
        ),
        *(each["PrefixListId"] for each in permission.get("PrefixListIds", ())),
    ]
    return [
        *(each["CidrIp"] for each in permission.get("IpRanges", ())),
        *(each["CidrIpv6"] for each in permission.get("Ipv6Ranges", ())),
        *others,
    ]


def _permissions(rules: Iterable[Rule]) -> Any:
    made = []
    for rule in sorted(rules):
        said: dict[str, Any] = {"IpProtocol": rule.protocol}
        if rule.protocol != _ALL:
            said |= {"FromPort": rule.port, "ToPort": rule.port}
        made.append({**said, **_whom(rule.cidr)})
    return made


def _whom(cidr: str) -> dict[str, Any]:
    if cidr.startswith("sg-"):
        return {"UserIdGroupPairs": [{"GroupId": cidr}]}
    if cidr.startswith("pl-"):
        return {"PrefixListIds": [{"PrefixListId": cidr}]}
    if ":" in cidr:
        return {"Ipv6Ranges": [{"CidrIpv6": cidr}]}
    return {"IpRanges": [{"CidrIp": cidr}]}
