"""Finding the images that machines boot from."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.setup.blueprint import Image
from media_nommer.adapters.aws.setup.site import Architecture
from media_nommer.core.errors import InvalidSetting, NommerError

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

#: The newest public image of Debian 12, which has the Python that bundles are made for.
DEBIAN = "debian-12"
_DEBIANS_ACCOUNT = "136693071363"
_DEBIANS_WORDS = {Architecture.X86: "amd64", Architecture.ARM: "arm64"}


def find_images(
    clients: AwsClients, wanted: str, architectures: Iterable[Architecture]
) -> Mapping[Architecture, Image]:
    """Return an image for each architecture.

    ``wanted`` is ``debian-12``, or the ids of images, one for each of the architectures.

    Raises:
        InvalidSetting: there is none for one of them.
    """
    ec2: EC2Client = clients.client("ec2")
    ids = wanted.replace(",", " ").split()
    if wanted == DEBIAN:
        found = {each: _debian(ec2, each, clients.region) for each in architectures}
    elif ids and all(each.startswith("ami-") for each in ids):
        found = _by_id(ec2, ids)
    else:
        raise InvalidSetting(
            f"image is {wanted!r}; allowed: {DEBIAN}, or the ids of images such as "
            "ami-0123456789abcdef0, one for each architecture"
        )
    for each in architectures:
        if each not in found:
            raise InvalidSetting(
                f"`instance_types` has {each} machines, and `image` has none for them",
                advice=f"Add an image for {each}, or remove these instance types.",
            )
    return found


def _debian(ec2: "EC2Client", architecture: Architecture, region: str | None) -> Image:
    filters: Any = [
        {"Name": "name", "Values": [f"debian-12-{_DEBIANS_WORDS[architecture]}-*"]},
        {"Name": "architecture", "Values": [architecture]},
        {"Name": "state", "Values": ["available"]},
    ]
    with answering("ec2"):
        found = ec2.describe_images(Owners=[_DEBIANS_ACCOUNT], Filters=filters)["Images"]
    if not found:
        raise InvalidSetting(
            f"there is no public image of Debian 12 for {architecture} in {region}",
            advice="Set `image` to the id of an image that has Python 3.11 and cloud-init.",
        )
    return _image(max(found, key=lambda image: image["CreationDate"]))


def _by_id(ec2: "EC2Client", ids: list[str]) -> dict[Architecture, Image]:
    with answering("ec2", _meaning):
        found = ec2.describe_images(ImageIds=ids)["Images"]
    images = [_image(each) for each in found]
    return {image.architecture: image for image in images}


def _image(found: Mapping[str, Any]) -> Image:
    return Image(
        id=found["ImageId"],
        name=found.get("Name", ""),
        device=found.get("RootDeviceName") or "/dev/xvda",
        architecture=Architecture(found["Architecture"]),
    )


def _meaning(code: str, said: str) -> NommerError | None:
    if code.startswith("InvalidAMIID"):
        return InvalidSetting(
            f"image: {said}", advice="Correct `image`, or `aws_region`, or share the image."
        )
    return None
