"""Where machines can be: one subnet in each availability zone."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.ec2.kept import Kept
from media_nommer.core.clock import Clock
from media_nommer.core.errors import InvalidSetting, NommerError

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

_LASTS = timedelta(minutes=30)


class Places:
    """The subnets that machines are started in.

    They are those of ``wanted``, or the default one of each zone where that is empty. EC2
    takes no request that names two subnets of one zone for the same instance type, so of
    several in a zone the first counts.
    """

    def __init__(self, clients: AwsClients, wanted: Sequence[str], clock: Clock) -> None:
        self._clients = clients
        self._wanted = tuple(wanted)
        self._kept = Kept(self._find, lambda _found: _LASTS, clock)

    def zones(self) -> Mapping[str, str]:
        """Return the zone of each subnet, by the subnet's id and in a settled order.

        Raises:
            InvalidSetting: there is no such subnet, or no default one.
        """
        return self._kept.get()

    def forget(self) -> None:
        """Look anew next time: a subnet that was there may be gone."""
        self._kept.forget()

    def _find(self) -> Mapping[str, str]:
        client: EC2Client = self._clients.client("ec2")
        default = [{"Name": "default-for-az", "Values": ["true"]}]
        said = {"SubnetIds": list(self._wanted)} if self._wanted else {"Filters": default}
        with answering("ec2", _meaning):
            pages = client.get_paginator("describe_subnets").paginate(**said)
            found = [subnet for page in pages for subnet in page.get("Subnets", ())]
        zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in found}
        if not zones:
            raise InvalidSetting(
                f"there is no default subnet for machines in {self._clients.region}",
                advice="Name some in `subnets`, or make a default VPC.",
            )
        return _one_a_zone(
            [(subnet, zones[subnet]) for subnet in self._wanted or sorted(zones)]
        )


def _one_a_zone(subnets: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    chosen: dict[str, str] = {}
    for subnet, zone in subnets:
        if zone not in chosen.values():
            chosen[subnet] = zone
    return chosen


def _meaning(code: str, said: str) -> NommerError | None:
    if code.startswith("InvalidSubnetID"):
        return InvalidSetting(
            f"subnets: {said}", advice="Correct `subnets`, `aws_region` or the account."
        )
    return None
