"""The bundle on S3: uploaded wheel by wheel, where it is not there yet."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.setup.bundle import Bundle, Wheel, sum_for_s3
from media_nommer.adapters.aws.setup.parts.part import FINE, NOTHING, Look, Part
from media_nommer.adapters.aws.setup.site import Site

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_NOT_THERE = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})


class BundlePart(Part):
    """What machines of one architecture install.

    A wheel lies below its own digest, so that a new bundle shares what it has in common
    with older ones. The list goes up last: where it is, all of it is.
    """

    kind = "bundle"

    def __init__(self, clients: AwsClients, site: Site, bundle: Bundle) -> None:
        self._place = site.bundles
        self._bundle = bundle
        self._s3: S3Client = clients.client("s3")

    @property
    @override
    def name(self) -> str:
        megabytes = self._bundle.size / 1e6
        return (
            f"{self._bundle.sha256[:12]} for {self._bundle.architecture}: "
            f"{len(self._bundle.wheels)} wheels, {megabytes:,.0f} MB"
        )

    @override
    def look(self) -> Look:
        return FINE if self._has(self._list_key) else NOTHING

    @override
    def make(self) -> None:
        for wheel in self._bundle.wheels:
            key = self._key_of(wheel)
            if not self._has(key):
                with wheel.path.open("rb") as file, answering("s3"):
                    self._s3.put_object(
                        Bucket=self._place.bucket,
                        Key=key,
                        Body=file,
                        ChecksumSHA256=sum_for_s3(wheel.sha256),
                    )
        with answering("s3"):
            self._s3.put_object(
                Bucket=self._place.bucket,
                Key=self._list_key,
                Body=self._bundle.document,
                ContentType="application/json",
            )

    @override
    def remove(self) -> None:
        """Do nothing: bundles go all together."""

    @property
    def _list_key(self) -> str:
        return f"{self._place.key}{self._bundle.sha256}/bundle.json"

    def _key_of(self, wheel: Wheel) -> str:
        return f"{self._place.key}wheels/{wheel.sha256}/{wheel.name}"

    def _has(self, key: str) -> bool:
        with answering("s3"):
            try:
                self._s3.head_object(Bucket=self._place.bucket, Key=key)
            except ClientError as error:
                if code_of(error) not in _NOT_THERE:
                    raise
                return False
        return True


class BundlesPart(Part):
    """Every bundle that was ever uploaded; they are only to be removed."""

    kind = "bundles"

    def __init__(self, clients: AwsClients, site: Site) -> None:
        self._place = site.bundles
        self._s3: S3Client = clients.client("s3")

    @property
    @override
    def name(self) -> str:
        return self._place.url

    @override
    def look(self) -> Look:
        return FINE if next(self._pages(), []) else NOTHING

    @override
    def make(self) -> None:
        """Do nothing: which one is wanted, another part knows."""

    @override
    def remove(self) -> None:
        for keys in self._pages():
            with answering("s3"):
                self._s3.delete_objects(
                    Bucket=self._place.bucket,
                    Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
                )

    def _pages(self) -> Iterator[list[str]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._place.bucket, Prefix=self._place.key
        )
        with answering("s3"):
            try:
                for page in pages:
                    if keys := [each["Key"] for each in page.get("Contents", ())]:
                        yield keys
            except ClientError as error:
                if code_of(error) not in _NOT_THERE:
                    raise
