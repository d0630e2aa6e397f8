"""The network that machines are in: that of the subnets named, or the default one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.core.errors import InvalidSetting, NommerError

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client


def network_of(clients: AwsClients, subnets: Sequence[str]) -> str:
    """Return the id of the VPC that machines are in.

    Raises:
        InvalidSetting: there is none, or the subnets are in several.
    """
    ec2: EC2Client = clients.client("ec2")
    if not subnets:
        return _default(ec2, clients.region)
    with answering("ec2", _meaning):
        found = ec2.describe_subnets(SubnetIds=list(subnets))["Subnets"]
    networks = {subnet["VpcId"] for subnet in found}
    if len(networks) != 1:
        raise InvalidSetting(
            f"`subnets` are in {len(networks)} networks, and machines can be in one",
            advice="Name subnets of one VPC.",
        )
    return networks.pop()


def _default(ec2: "EC2Client", region: str | None) -> str:
    default = [{"Name": "is-default", "Values": ["true"]}]
    with answering("ec2"):
        vpcs = ec2.describe_vpcs(Filters=default)["Vpcs"]  # type: ignore[arg-type]
    if not vpcs:
        raise InvalidSetting(
            f"there is no default VPC in {region}",
            advice="Name subnets in `subnets`, or make one: `aws ec2 create-default-vpc`.",
        )
    return vpcs[0]["VpcId"]


def _meaning(code: str, said: str) -> NommerError | None:
    if code.startswith("InvalidSubnetID"):
        return InvalidSetting(
            f"subnets: {said}", advice="Correct `subnets`, `aws_region` or the account."
        )
    return None
