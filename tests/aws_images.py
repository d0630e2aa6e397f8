"""Public images in moto's EC2, which has none of Debian's."""

from datetime import UTC, datetime

from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami

from tests.aws_services import REGION

ACCOUNT = "123456789012"
_DEBIANS_ACCOUNT = "136693071363"
_WORDS = {"x86_64": "amd64", "arm64": "arm64"}


def plant_debian(
    architecture: str = "x86_64", *, day: int = 1, region: str = REGION, month: int = 6
) -> str:
    """Put an image of Debian 12 in moto of this process; return its id.

    One that is there already, of the same day, is that one.
    """
    backend = ec2_backends[ACCOUNT][region]
    made = datetime(2026, month, day, tzinfo=UTC)
    name = f"debian-12-{_WORDS[architecture]}-{made:%Y%m%d}-1"
    known = [image.id for image in backend.amis.values() if image.name == name]
    if known:
        return str(known[0])
    image_id = f"ami-deb{month:02}{day:02}{'a' if architecture == 'arm64' else 'f'}"
    backend.amis[image_id] = Ami(
        backend,
        image_id,
        name=name,
        owner_id=_DEBIANS_ACCOUNT,
        public=True,
        architecture=architecture,
        creation_date=made,
        root_device_name="/dev/xvda",
        root_device_type="ebs",
        virtualization_type="hvm",
    )
    return image_id
