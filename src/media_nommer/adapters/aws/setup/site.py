"""Where an installation is on AWS, and what each of its parts is called there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from media_nommer.adapters.aws.s3.names import Place
from media_nommer.adapters.aws.sqs.queues import PARTS
from media_nommer.core.errors import InvalidSetting

#: The tag of everything that we make, and the one that machines can read of themselves.
OURS, OURS_ON_MACHINES = "nommer:installation", "nommer-installation"
#: The tags of the machines of nodes and of feederd's.
NODE_TAG, FEEDERD_TAG = "nommer-node", "nommer-feederd"

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Architecture(StrEnum):
    """A kind of processor, by EC2's word for it."""

    X86 = "x86_64"
    ARM = "arm64"

    @property
    def machine(self) -> str:
        """Linux's word for it, which is the one of wheels."""
        return "aarch64" if self is Architecture.ARM else "x86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One installation in one account and region.

    ``work`` is the work area. The records are in a DynamoDB table or a SimpleDB domain.
    ``sources`` and ``destinations`` are the places that jobs may name besides; ``roles``
    are those to act as for buckets of other accounts; ``parameter`` is the one of SSM that
    has the sealing key, if any.
    """

    installation: str
    partition: str = "aws"
    account: str
    region: str
    work: Place
    queue: str
    table: str | None = None
    domain: str | None = None
    sources: tuple[Place, ...] = ()
    destinations: tuple[Place, ...] = ()
    roles: tuple[str, ...] = ()
    parameter: str | None = None

    @property
    def node(self) -> str:
        """Return what a node's role, profile, security group and template are called."""
        return f"{self.installation}-node"

    @property
    def feederd(self) -> str:
        """Return what the same are called for feederd."""
        return f"{self.installation}-feederd"

    def template(self, architecture: Architecture) -> str:
        """Return the name of the launch template of nodes of an architecture."""
        return self.node if architecture is Architecture.X86 else f"{self.node}-arm64"

    @property
    def queues(self) -> tuple[str, ...]:
        """Return the names of the queues that serve as one."""
        return tuple(f"{self.queue}-{part}" for part in PARTS)

    @property
    def bucket(self) -> str:
        """Return the bucket of the work area."""
        return self.work.bucket

    @property
    def own_bucket(self) -> bool:
        """Return whether the bucket is the one that we make, and not one that was said."""
        return self.bucket == bucket_name(self.installation, self.account, self.region)

    @property
    def bundles(self) -> Place:
        """Return the folder of what machines install."""
        return Place(self.bucket, f"{self.work.key}bundle/")

    @property
    def tags(self) -> Mapping[str, str]:
        """Return the tags of everything that we make."""
        return {OURS: self.installation}

    @property
    def machine_tags(self) -> Mapping[str, str]:
        """Return the tags of every machine, and of its volumes, besides its own."""
        return {**self.tags, OURS_ON_MACHINES: self.installation}

    def arn(self, service: str, what: str, *, region: bool = True) -> str:
        """Return the name by which a policy knows a thing of this account."""
        where = self.region if region else ""
        return f"arn:{self.partition}:{service}:{where}:{self.account}:{what}"

    def parameter_arn(self, name: str) -> str:
        """Return the name by which a policy knows a parameter of SSM."""
        return self.arn("ssm", f"parameter/{name.removeprefix('/')}")

    def s3_arn(self, what: str) -> str:
        """Return the name by which a policy knows a bucket, or objects."""
        return f"arn:{self.partition}:s3:::{what}"


def tag_list(tags: Mapping[str, str]) -> list[Any]:
    """Return tags as AWS's calls take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def bucket_name(installation: str, account: str, region: str) -> str:
    """Return the name of the bucket that we make where none was said."""
    return f"{installation}-{account}-{region}"


def check_bucket(name: str) -> None:
    """Check that S3 takes a name.

    Raises:
        InvalidSetting: it does not.
    """
    if not _BUCKET.fullmatch(name):
        raise InvalidSetting(
            f"S3 has no buckets that are called {name!r}",
            advice="Use 3 to 63 small letters, digits, hyphens and dots.",
        )
