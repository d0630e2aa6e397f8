"""Baking an image: a machine installs everything, stops, and an image is made of its disk.

What machines of that image are told is the same as ever; they find that it is done.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.setup.blueprint import Image
from media_nommer.adapters.aws.setup.parts.machines import terminate
from media_nommer.adapters.aws.setup.retrying import until_known
from media_nommer.adapters.aws.setup.site import OURS, Site, tag_list
from media_nommer.adapters.aws.setup.user_data import FAILED
from media_nommer.core.errors import ServiceUnavailable, SetupFailed

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

#: The tags of an image: what is installed in it, and what it was made of.
BUNDLE_TAG, BASE_TAG = "nommer:bundle", "nommer:base"

_PATIENCE = timedelta(minutes=20)
_LOOK_EVERY = 5.0
_LAST_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Baking:
    """What goes into an image, and on what machine that is done."""

    base: Image
    bundle: str
    machine_type: str
    group_id: str
    subnet: str | None
    user_data: str
    disk_gib: int


def bake(
    clients: AwsClients,
    site: Site,
    wanted: Baking,
    tell: Callable[[str], None],
    *,
    pause: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> str:
    """Return the id of the image, which is made unless there is one; that takes minutes.

    Raises:
        SetupFailed: the machine could not install everything, and its console says why.
        ServiceUnavailable: EC2 takes too long.
    """
    ec2: EC2Client = clients.client("ec2")
    known = _known(ec2, site, wanted)
    if known is not None:
        tell(f"{known} has the bundle {wanted.bundle[:12]} already")
        return known
    with _machine(ec2, site, wanted) as name:
        tell(f"{name} installs the bundle {wanted.bundle[:12]}")
        until = now() + _PATIENCE.total_seconds()
        while not _stopped(ec2, name):
            if now() > until:
                raise _trouble(ec2, name, "is not done after twenty minutes")
            pause(_LOOK_EVERY)
        image = _image_of(ec2, site, wanted, name)
        tell(f"{image} is made of its disk")
        _wait(ec2, image)
        _tag_disks(ec2, site, image)
    return image


def _known(ec2: "EC2Client", site: Site, wanted: Baking) -> str | None:
    filters: Any = [
        {"Name": f"tag:{OURS}", "Values": [site.installation]},
        {"Name": f"tag:{BUNDLE_TAG}", "Values": [wanted.bundle]},
        {"Name": f"tag:{BASE_TAG}", "Values": [wanted.base.id]},
        {"Name": "state", "Values": ["available"]},
    ]
    with answering("ec2"):
        found = ec2.describe_images(Owners=["self"], Filters=filters)["Images"]
    return found[0]["ImageId"] if found else None


@contextmanager
def _machine(ec2: "EC2Client", site: Site, wanted: Baking) -> Iterator[str]:
    """Have a machine for the time of a block."""
    tags = tag_list({**site.machine_tags, "Name": f"{site.installation}-image"})
    place: Any = {"SubnetId": wanted.subnet} if wanted.subnet else {}
    disk = {"VolumeType": "gp3", "VolumeSize": wanted.disk_gib, "DeleteOnTermination": True}
    with answering("ec2"):
        answer = until_known(
            lambda: ec2.run_instances(
                ImageId=wanted.base.id,
                InstanceType=wanted.machine_type,  # type: ignore[arg-type]
                MinCount=1,
                MaxCount=1,
                SecurityGroupIds=[wanted.group_id],
                IamInstanceProfile={"Name": site.node},
                UserData=wanted.user_data,
                InstanceInitiatedShutdownBehavior="stop",
                MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
                BlockDeviceMappings=[{"DeviceName": wanted.base.device, "Ebs": disk}],  # type: ignore[typeddict-item]
                TagSpecifications=[
                    {"ResourceType": "instance", "Tags": tags},
                    {"ResourceType": "volume", "Tags": tags},
                ],
                **place,
            )
        )
    name = answer["Instances"][0]["InstanceId"]
    try:
        yield name
    finally:
        terminate(ec2, [name], wait=False)


def _stopped(ec2: "EC2Client", name: str) -> bool:
    """Return whether a machine is done.

    Raises:
        SetupFailed: it has failed, or is gone.
    """
    with answering("ec2"):
        found = ec2.describe_instances(InstanceIds=[name])["Reservations"]
        state = found[0]["Instances"][0]["State"]["Name"]
    if state in {"shutting-down", "terminated"}:
        raise SetupFailed(f"{name} was ended by somebody while it installed the bundle")
    if state == "stopped":
        return True
    if FAILED in _console(ec2, name):
        raise _trouble(ec2, name, "could not install the bundle")
    return False


def _trouble(ec2: "EC2Client", name: str, what: str) -> SetupFailed:
    lines = [line for line in _console(ec2, name).splitlines() if line.strip()]
    return SetupFailed(
        "\n".join([f"{name} {what}", *lines[-_LAST_LINES:]]),
        advice="Is there a way from its subnet to S3? An image needs Python 3.11 and "
        "cloud-init.",
    )


def _console(ec2: "EC2Client", name: str) -> str:
    """Return what a machine's console shows, nothing where it cannot be had yet."""
    try:
        return str(ec2.get_console_output(InstanceId=name, Latest=True).get("Output", ""))
    except ClientError:  # some types of machine show it late, or never
        return ""


def _image_of(ec2: "EC2Client", site: Site, wanted: Baking, name: str) -> str:
    tags = tag_list({**site.tags, BUNDLE_TAG: wanted.bundle, BASE_TAG: wanted.base.id})
    kind = wanted.base.architecture
    with answering("ec2"):
        made = ec2.create_image(
            InstanceId=name,
            Name=f"{site.installation}-{kind}-{wanted.bundle[:12]}-{wanted.base.id}",
            Description=f"media-nommer on {wanted.base.name or wanted.base.id}",
            TagSpecifications=[{"ResourceType": "image", "Tags": tags}],
        )
    return made["ImageId"]


def _tag_disks(ec2: "EC2Client", site: Site, image: str) -> None:
    """Tag the snapshots that an image is of."""
    with answering("ec2"):
        found = ec2.describe_images(ImageIds=[image])["Images"][0]
        disks = [each.get("Ebs", {}) for each in found.get("BlockDeviceMappings", ())]
        ec2.create_tags(
            Resources=[disk["SnapshotId"] for disk in disks if "SnapshotId" in disk],
            Tags=tag_list(site.tags),
        )


def _wait(ec2: "EC2Client", image: str) -> None:
    try:
        ec2.get_waiter("image_available").wait(
            ImageIds=[image], WaiterConfig={"Delay": 10, "MaxAttempts": 180}
        )
    except WaiterError as error:
        raise ServiceUnavailable(
            f"the image {image} is not ready after half an hour",
            advice="Look at it in the console; it may still become so.",
        ) from error
