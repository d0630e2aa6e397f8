"""RunInstances and CreateFleet: which pool is taken, and what EC2 answers."""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.pocket.instances import Instance
from tests.pocket.listing import reservation
from tests.pocket.market import Lack, Pool, Supply
from tests.pocket.query import Refused

_LONGEST_TOKEN = 64
#: What a tag's key may have in it where an instance can look up its own tags.
_SHOWN_KEY = re.compile(r"[A-Za-z0-9+\-=.,_:@]+")


@dataclass(frozen=True)
class Wish:
    """One machine that would do, by the launch template and what is said over it."""

    pool: Pool
    subnet: str
    template: Mapping[str, Any]
    #: The part of a fleet's request that it comes from, as EC2 repeats it.
    said: Mapping[str, Any]


#: Makes an instance of a wish, with these tags.
Make = Callable[[Wish, Mapping[str, str], str], Instance]


class Launching:
    """Launches what requests want, each token once."""

    def __init__(
        self,
        supply: Supply,
        template: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        zone_of: Callable[[str | None], tuple[str, str]],
        make: Make,
    ) -> None:
        self._supply = supply
        self._template = template
        self._zone_of = zone_of
        self._make = make
        self._tokens: dict[str, tuple[Mapping[str, Any], dict[str, Any]]] = {}

    def create_fleet(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateFleet, of the type ``instant``."""
        if request.get("Type", "maintain") != "instant":
            raise Refused("InvalidParameterValue", "only instant fleets are had here")
        return self._once(request, lambda: self._new_fleet(request))

    def run_instances(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer RunInstances, of one instance."""
        if (request["MinCount"], request["MaxCount"]) != (1, 1):
            raise Refused("InvalidParameterValue", "one instance at a time is had here")
        return self._once(request, lambda: self._new_instance(request))

    def _once(
        self, request: Mapping[str, Any], launch: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """Do what is asked, unless it was asked before."""
        if request.get("DryRun"):
            raise Refused("DryRunOperation", "It would have succeeded.", 412)
        token = request.get("ClientToken") or secrets.token_hex(16)
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            raise Refused("InvalidParameterValue", f"ClientToken is not valid: {token}")
        before = self._tokens.get(token)
        if before is None:
            before = self._tokens[token] = (request, launch())
        elif before[0] != request:
            raise Refused(
                "IdempotentParameterMismatch",
                "The request uses the same client token as a previous, but non-identical "
                "request. Do not reuse a client token with different requests.",
            )
        return before[1]

    def _new_fleet(self, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request["TargetCapacitySpecification"]
        if wanted["TotalTargetCapacity"] != 1:
            raise Refused("InvalidParameterValue", "one instance at a time is had here")
        market = wanted.get("DefaultTargetCapacityType", "on-demand")
        wishes = self._by_price(list(self._wishes(request, market)))
        tags = _tags(request.get("TagSpecifications", ()))
        errors: list[dict[str, Any]] = []
        made: list[dict[str, Any]] = []
        for wish in wishes:
            lack = self._supply.lacking(wish.pool)
            if lack is not None:
                errors.append(_fleet_error(wish, lack))
                continue
            instance = self._make(wish, tags, request.get("ClientToken", ""))
            made.append(_fleet_instance(wish, instance))
            break
        return {
            "FleetId": f"fleet-{secrets.token_hex(8)}",
            "Errors": errors,
            "Instances": made,
        }

    def _wishes(self, request: Mapping[str, Any], market: str) -> Iterable[Wish]:
        for config in request["LaunchTemplateConfigs"]:
            spec = config["LaunchTemplateSpecification"]
            template = self._template(spec)
            for override in config.get("Overrides") or [{}]:
                subnet, zone = self._zone_of(override.get("SubnetId"))
                kind = override.get("InstanceType") or template.get("InstanceType")
                if kind is None:
                    raise Refused("MissingParameter", "No instance type is said.")
                said = {"LaunchTemplateSpecification": spec, "Overrides": override}
                yield Wish(Pool(kind, zone, market), subnet, template, said)

    def _by_price(self, wishes: Sequence[Wish]) -> list[Wish]:
        return sorted(wishes, key=lambda wish: self._supply.price(wish.pool))

    def _new_instance(self, request: Mapping[str, Any]) -> dict[str, Any]:
        spec = request.get("LaunchTemplate")
        template = {**(self._template(spec) if spec else {}), **request}
        spot = (template.get("InstanceMarketOptions") or {}).get("MarketType") == "spot"
        subnet, zone = self._zone_of(request.get("SubnetId"))
        pool = Pool(
            template.get("InstanceType", "m1.small"), zone, "spot" if spot else "on-demand"
        )
        lack = self._supply.lacking(pool)
        if lack is not None:
            raise Refused(lack.code, lack.said, 500 if "Capacity" in lack.code else 400)
        tags = _tags(template.get("TagSpecifications", ()))
        wish = Wish(pool, subnet, template, {})
        made = self._make(wish, tags, request.get("ClientToken", ""))
        return reservation([made])


def checked_tags(template: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a new instance: those of its template, and those asked for.

    Raises:
        Refused: it could not show them to itself, and is meant to.
    """
    whole = {**_tags(template.get("TagSpecifications") or ()), **tags}
    if (template.get("MetadataOptions") or {}).get("InstanceMetadataTags") == "enabled":
        for key in whole:
            if not _SHOWN_KEY.fullmatch(key) or key in {".", "..", "_index"}:
                raise Refused(
                    "InvalidParameterValue",
                    f"'{key}' is not a valid tag key. Tag keys must match pattern "
                    "([0-9a-zA-Z\\-_+=,.@:]{1,255}), and must not be a reserved name.",
                )
    return whole


def _tags(specifications: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {
        tag["Key"]: tag.get("Value", "")
        for said in specifications
        if said.get("ResourceType") == "instance"
        for tag in said.get("Tags", ())
    }


def _fleet_error(wish: Wish, lack: Lack) -> dict[str, Any]:
    return {
        "LaunchTemplateAndOverrides": wish.said,
        "Lifecycle": wish.pool.market,
        "ErrorCode": lack.code,
        "ErrorMessage": lack.said,
    }


def _fleet_instance(wish: Wish, instance: Instance) -> dict[str, Any]:
    return {
        "LaunchTemplateAndOverrides": wish.said,
        "Lifecycle": wish.pool.market,
        "InstanceIds": [instance.id],
        "InstanceType": instance.type,
    }
