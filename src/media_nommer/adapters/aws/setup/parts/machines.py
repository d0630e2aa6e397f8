"""Machines: feederd's own, of which there is one, and those of nodes, which come and go."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import WaiterError
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.setup.blueprint import Template
from media_nommer.adapters.aws.setup.parts.part import FINE, NOTHING, Look, Part, judged
from media_nommer.adapters.aws.setup.retrying import until_known
from media_nommer.adapters.aws.setup.site import FEEDERD_TAG, OURS, Site, tag_list
from media_nommer.core.errors import ServiceUnavailable

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

_LIVING = ["pending", "running", "stopping", "stopped"]
_APART, _LOOKS = 5, 60


class MachinesPart(Part):
    """All machines of an installation: they are only ever removed, by who takes it down."""

    kind = "machines"

    def __init__(self, clients: AwsClients, site: Site) -> None:
        self._site = site
        self._ec2: EC2Client = clients.client("ec2")

    @property
    @override
    def name(self) -> str:
        return "of nodes, and of feederd"

    @override
    def look(self) -> Look:
        found = living(self._ec2, self._site)
        return judged([f"{len(found)} exist"]) if found else NOTHING

    @override
    def make(self) -> None:
        """Do nothing: feederd starts machines as they are needed."""

    @override
    def remove(self) -> None:
        """End them, and wait until they are gone: what they use can go then."""
        terminate(self._ec2, list(living(self._ec2, self._site)), wait=True)


class FeederdPart(Part):
    """The one machine that feederd runs on; a changed one takes its place."""

    kind = "feederd"

    def __init__(
        self,
        clients: AwsClients,
        site: Site,
        template: Template,
        subnet: str | None,
    ) -> None:
        self._site = site
        self._template = template
        self._subnet = subnet
        self._ec2: EC2Client = clients.client("ec2")

    @property
    @override
    def name(self) -> str:
        return f"a {self._template.machine_type}"

    @override
    def look(self) -> Look:
        found = self._found()
        if not found:
            return NOTHING
        current = self._current(found)
        if not current:
            return judged(["what it is told, its image, or its disk"])
        return judged(["there are several"]) if len(found) > 1 else FINE

    @override
    def make(self) -> None:
        """Start it if the right one is not there, and then end any other."""
        found = self._found()
        keep = self._current(found)[:1] or [self._start()]
        terminate(self._ec2, [name for name in found if name not in keep], wait=False)

    @override
    def remove(self) -> None:
        terminate(self._ec2, list(self._found()), wait=True)

    def machine(self) -> str | None:
        """Return the id of the machine, None while there is none."""
        current = self._current(self._found())
        return current[0] if current else None

    def _start(self) -> str:
        place: Any = {"SubnetId": self._subnet} if self._subnet else {}
        tags = tag_list({**self._template.tags, FEEDERD_TAG: self._template.digest})
        with answering("ec2"):
            answer = until_known(
                lambda: self._ec2.run_instances(
                    LaunchTemplate={
                        "LaunchTemplateName": self._template.name,
                        "Version": "$Default",
                    },
                    MinCount=1,
                    MaxCount=1,
                    TagSpecifications=[
                        {"ResourceType": "instance", "Tags": tags},
                        {"ResourceType": "volume", "Tags": tags},
                    ],
                    **place,
                )
            )
        return str(answer["Instances"][0]["InstanceId"])

    def _current(self, found: Mapping[str, Any]) -> list[str]:
        return [
            name
            for name, machine in found.items()
            if machine["State"]["Name"] in {"pending", "running"}
            and _tags(machine).get(FEEDERD_TAG) == self._template.digest
        ]

    def _found(self) -> dict[str, Any]:
        found = living(self._ec2, self._site)
        return {name: each for name, each in found.items() if FEEDERD_TAG in _tags(each)}


def living(ec2: "EC2Client", site: Site) -> dict[str, Any]:
    """Return the machines of an installation that exist, by their ids."""
    filters: Any = [
        {"Name": f"tag:{OURS}", "Values": [site.installation]},
        {"Name": "instance-state-name", "Values": _LIVING},
    ]
    with answering("ec2"):
        pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
        return {
            machine["InstanceId"]: machine
            for page in pages
            for reservation in page["Reservations"]
            for machine in reservation["Instances"]
        }


def terminate(ec2: "EC2Client", names: list[str], *, wait: bool) -> None:
    """End machines; with ``wait`` until they are gone.

    Raises:
        ServiceUnavailable: they take too long.
    """
    if not names:
        return
    with answering("ec2"):
        ec2.terminate_instances(InstanceIds=names)
        if wait:
            wait_for(ec2, "instance_terminated", names)


def wait_for(ec2: "EC2Client", what: Any, names: list[str], *, looks: int = _LOOKS) -> None:
    """Wait until something is true of machines.

    Raises:
        ServiceUnavailable: that takes too long, or will never be.
    """
    try:
        ec2.get_waiter(what).wait(
            InstanceIds=names, WaiterConfig={"Delay": _APART, "MaxAttempts": looks}
        )
    except WaiterError as error:
        raise ServiceUnavailable(
            f"{', '.join(names)}: EC2 takes too long ({what.replace('_', ' ')})",
            advice="Look at them in the console, then do the same again.",
        ) from error


def _tags(machine: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in machine.get("Tags", ())}
