"""What is asked of EC2 to have a machine for a node, and what it answers."""

import hashlib
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from media_nommer.adapters.aws.clients import PASSING, REFUSED
from media_nommer.adapters.aws.ec2.types import TypeFacts
from media_nommer.core.errors import (
    AccessDenied,
    LaunchFailed,
    NoCapacity,
    NommerError,
    QuotaReached,
    ServiceUnavailable,
)
from media_nommer.core.nodes import Market, NodeId

#: The tags by which machines are found. Their keys hold no colon, as a machine can look up
#: its own tags only under plain keys.
NODE_TAG, INSTALLATION_TAG, STORE_TAG = "nommer-node", "nommer-installation", "nommer-store"

#: There is nothing to be had of this, here and now; something else may be there.
_CAPACITY = frozenset(
    {
        "InsufficientCapacity",
        "InsufficientFreeAddressesInSubnet",
        "InsufficientHostCapacity",
        "InsufficientInstanceCapacity",
        "InsufficientReservedInstanceCapacity",
        "InvalidFleetConfiguration",  # this type is not in that zone
        "ReservationCapacityExceeded",
        "SpotMaxPriceTooLow",
        "UnfulfillableCapacity",
        "Unsupported",
    }
)

#: The account has as much as it may have.
_QUOTA = frozenset(
    {
        "FleetQuotaExceeded",
        "InstanceLimitExceeded",
        "MaxFleetCountExceeded",
        "MaxSpotInstanceCountExceeded",
        "TargetCapacityLimitExceededException",
        "VcpuLimitExceeded",
        "VolumeLimitExceeded",
    }
)

_LONGEST_TOKEN = 64
_IN_TOKENS = frozenset(string.ascii_letters + string.digits + "-_.")

#: Where EC2 explains itself at length, people need the beginning.
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiring:
    """What machines are wanted, and for whom.

    ``installation`` and ``store`` mark the machines as ours: no other machine is ever
    looked at or ended. ``markets`` are tried in their order. ``subnets`` are those of the
    default VPC where there are none.
    """

    installation: str
    store: str
    types: tuple[str, ...]
    markets: tuple[Market, ...]
    subnets: tuple[str, ...] = ()

    @property
    def template(self) -> str:
        """The name of the launch template; that for arm64 has a name of its own."""
        return f"{self.installation}-node"


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a market has nothing for us, by EC2's own code and words."""

    market: Market
    code: str
    said: str


class NothingLaunched(NommerError):
    """EC2 said for certain that a request launched nothing, and why."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(refusal.code for refusal in refusals))
        self.refusals = tuple(refusals)


def token_of(node: NodeId, market: Market) -> str:
    """Return the client token of a node's launch: up to 64 characters of ASCII."""
    token = f"{node}-{market}"
    if len(token) <= _LONGEST_TOKEN and set(token) <= _IN_TOKENS:
        return token
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def request_for(
    node: NodeId,
    market: Market,
    hiring: Hiring,
    facts: Mapping[str, TypeFacts],
    subnets: Sequence[str],
) -> dict[str, Any]:
    """Return the request for one machine, of any of the types and in any of the subnets."""
    tags = [
        {"Key": "nommer:installation", "Value": hiring.installation},
        {"Key": INSTALLATION_TAG, "Value": hiring.installation},
        {"Key": STORE_TAG, "Value": hiring.store},
        {"Key": NODE_TAG, "Value": node},
        {"Key": "Name", "Value": hiring.template},
    ]
    spot = market is Market.SPOT
    options: dict[str, Any] = (
        {"SpotOptions": {"AllocationStrategy": "price-capacity-optimized"}}
        if spot
        else {"OnDemandOptions": {"AllocationStrategy": "lowest-price"}}
    )
    return options | {
        "Type": "instant",
        "ClientToken": token_of(node, market),
        "LaunchTemplateConfigs": list(_configs(hiring, facts, subnets)),
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": "spot" if spot else "on-demand",
        },
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")
        ],
    }


def _configs(
    hiring: Hiring, facts: Mapping[str, TypeFacts], subnets: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield what goes with each launch template that one of the types needs."""
    for arm in (False, True):
        types = [name for name in hiring.types if facts[name].arm is arm]
        if types:
            yield {
                "LaunchTemplateSpecification": {
                    "LaunchTemplateName": hiring.template + ("-arm64" if arm else ""),
                    "Version": "$Latest",
                },
                "Overrides": [
                    {"InstanceType": name, "SubnetId": subnet}
                    for name in types
                    for subnet in subnets
                ],
            }


def launched_in(answer: Mapping[str, Any], market: Market) -> Mapping[str, Any]:
    """Return the one machine that an answer tells of, whatever else it tells.

    Raises:
        NothingLaunched: there is none, for want of capacity or by a quota.
        ServiceUnavailable: there is none, for a reason that passes.
        AccessDenied: there is none, for want of a right.
        LaunchFailed: there is none, for another reason.
    """
    for launched in answer.get("Instances", ()):
        if launched.get("InstanceIds"):
            found: Mapping[str, Any] = launched
            return found
    refusals = [
        Refusal(market, error.get("ErrorCode", ""), error.get("ErrorMessage", ""))
        for error in answer.get("Errors", ())
    ]
    if not refusals:
        raise ServiceUnavailable("ec2 told of no machine, and not why there is none")
    for refusal in refusals:
        if error := meaning(market, refusal.code, refusal.said):
            raise NothingLaunched(refusals) if isinstance(error, NothingLaunched) else error
    raise LaunchFailed(_sentence(refusals))


def meaning(market: Market, code: str, said: str) -> NommerError | None:
    """Return what an error about a launch means, None if nothing of its own."""
    if code in _CAPACITY | _QUOTA:
        return NothingLaunched([Refusal(market, code, said)])
    if code.startswith("InvalidLaunchTemplate"):
        return LaunchFailed(
            f"the launch template for machines cannot be used: {_short(said)}",
            advice="Run `nommer aws up`.",
        )
    if code == "IdempotentParameterMismatch":
        return ServiceUnavailable(
            "ec2 had another request for this node before, and its machine is waited for"
        )
    if code == "IdempotentInstanceTerminated":
        return LaunchFailed("the machine of this node was launched before, and has ended")
    if code.startswith("AuthFailure.ServiceLinkedRole"):
        return AccessDenied(
            f"ec2 has not been used in this way in this account yet: {_short(said)}",
            advice="Once, as somebody who may: "
            "`aws iam create-service-linked-role --aws-service-name spot.amazonaws.com`.",
        )
    if code in PASSING:
        return ServiceUnavailable(f"ec2 cannot launch now: {code}")
    if code in REFUSED:
        return AccessDenied(
            f"ec2 refuses to launch: {_short(said)}",
            advice="Allow ec2:CreateFleet, ec2:RunInstances, ec2:CreateTags and "
            "iam:PassRole to the role or user that feederd runs as.",
        )
    return None


def failure_of(refusals: Sequence[Refusal]) -> LaunchFailed:
    """Return the error for a node that no market had a machine for."""
    quota = any(refusal.code in _QUOTA for refusal in refusals)
    kind = QuotaReached if quota else NoCapacity
    return kind(f"EC2 launched no machine: {_sentence(refusals)}")


def _sentence(refusals: Sequence[Refusal]) -> str:
    """Return each reason that a market gave, once and with an example."""
    told: dict[tuple[Market, str], str] = {}
    for refusal in refusals:
        told.setdefault((refusal.market, refusal.code), _short(refusal.said))
    return "; ".join(f"{market}: {code} ({said})" for (market, code), said in told.items())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
