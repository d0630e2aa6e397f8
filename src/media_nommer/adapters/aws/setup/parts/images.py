"""Images of ours: those that `nommer aws image` has baked."""

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.setup.parts.part import FINE, NOTHING, Look, Part
from media_nommer.adapters.aws.setup.site import OURS, Site

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client


class ImagesPart(Part):
    """All images of an installation, and the snapshots that they are of."""

    kind = "images"

    def __init__(self, clients: AwsClients, site: Site) -> None:
        self._site = site
        self._ec2: EC2Client = clients.client("ec2")

    @property
    @override
    def name(self) -> str:
        return "that were baked"

    @override
    def look(self) -> Look:
        return FINE if self._found() else NOTHING

    @override
    def make(self) -> None:
        """Do nothing: images are baked when somebody asks for one."""

    @override
    def remove(self) -> None:
        for image in self._found():
            with answering("ec2"):
                self._ec2.deregister_image(ImageId=image["ImageId"])
                for disk in image.get("BlockDeviceMappings", ()):
                    if snapshot := disk.get("Ebs", {}).get("SnapshotId"):
                        self._ec2.delete_snapshot(SnapshotId=snapshot)

    def _found(self) -> list[Any]:
        with answering("ec2"):
            answer = self._ec2.describe_images(
                Owners=["self"],
                Filters=[{"Name": f"tag:{OURS}", "Values": [self._site.installation]}],
            )
        return list(answer["Images"])
