"""What there is to know of instance types: their cores, and which code they run."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.core.errors import InvalidSetting

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """What one instance type is: ``arm`` ones need an image of their own."""

    vcpus: int
    arm: bool


class InstanceTypes:
    """Asks EC2 about instance types, once for each: they never change."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self._known: dict[str, TypeFacts] = {}

    def facts(self, names: Sequence[str]) -> Mapping[str, TypeFacts]:
        """Return what is known of each of these types, in their order.

        Raises:
            InvalidSetting: there is no such type in this region.
        """
        with self._lock:
            unknown = [name for name in names if name not in self._known]
            if unknown:
                self._known |= self._ask(unknown)
            return {name: self._known[name] for name in names}

    def _ask(self, names: Sequence[str]) -> Mapping[str, TypeFacts]:
        client: EC2Client = self._clients.client("ec2")
        with answering("ec2"):
            pages = client.get_paginator("describe_instance_types").paginate(
                Filters=[{"Name": "instance-type", "Values": list(names)}]
            )
            found = [each for page in pages for each in page.get("InstanceTypes", ())]
        facts = {str(each["InstanceType"]): _read(each) for each in found}
        missing = [name for name in names if name not in facts]
        if missing:
            raise InvalidSetting(
                f"EC2 has no {' and no '.join(missing)} in {self._clients.region}",
                advice="Correct `instance_types` or `aws_region`.",
            )
        return {name: facts[name] for name in names}


def _read(found: Mapping[str, Any]) -> TypeFacts:
    return TypeFacts(
        vcpus=found["VCpuInfo"]["DefaultVCpus"],
        arm="arm64" in found["ProcessorInfo"]["SupportedArchitectures"],
    )
