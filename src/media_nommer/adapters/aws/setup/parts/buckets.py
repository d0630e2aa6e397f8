"""The bucket of the work area: made where there is none, kept in order where there is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.setup.blueprint import CLOSED, lifecycle
from media_nommer.adapters.aws.setup.parts.part import (
    NOTHING,
    Look,
    Part,
    Standing,
    judged,
)
from media_nommer.adapters.aws.setup.site import OURS, Site, check_bucket, tag_list
from media_nommer.core.errors import AccessDenied, InvalidSetting

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_NOT_THERE = frozenset({"404", "NoSuchBucket", "NotFound"})
#: us-east-1 is where buckets are that say no place, and takes none to be said.
_NO_PLACE = "us-east-1"


class BucketPart(Part):
    """The bucket, its rules, and that nobody else sees into it.

    Of a bucket that was there before, the rules alone are ours.
    """

    kind = "bucket"
    holds_data = True

    def __init__(self, clients: AwsClients, site: Site, log_days: int) -> None:
        self._site = site
        self._rules = lifecycle(site, log_days)
        self._s3: S3Client = clients.client("s3")

    @property
    @override
    def name(self) -> str:
        return self._site.bucket

    @override
    def look(self) -> Look:
        check_bucket(self._site.bucket)
        if not self._exists():
            return NOTHING
        ours = self.ours()
        differences = [*self._of_rules(), *(self._of_access() if ours else [])]
        return judged(differences) if ours or differences else Look(Standing.NOT_OURS)

    @override
    def make(self) -> None:
        if not self._exists():
            self._create()
        with answering("s3"):
            if self.ours():
                closed: Any = CLOSED
                self._s3.put_public_access_block(
                    Bucket=self._site.bucket, PublicAccessBlockConfiguration=closed
                )
            if self._of_rules():
                self._put_rules([*self._rules_of_others(), *self._rules])

    @override
    def remove(self) -> None:
        """Remove the bucket with all that is in it."""
        if not self._exists() or not self.ours():
            return
        with answering("s3"):
            for batch in self._everything():
                self._s3.delete_objects(
                    Bucket=self._site.bucket,
                    Delete={"Objects": batch, "Quiet": True},  # type: ignore[typeddict-item]
                )
            self._s3.delete_bucket(Bucket=self._site.bucket)

    @override
    def empty(self) -> bool:
        """Return whether there is nothing in it but bundles."""
        with answering("s3"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._site.bucket, PaginationConfig={"PageSize": 100}
            )
            bundles = self._site.bundles.key
            return all(
                found["Key"].startswith(bundles)
                for page in pages
                for found in page.get("Contents", ())
            )

    @override
    def ours(self) -> bool:
        """Return whether it is a bucket that we made."""
        with answering("s3"):
            try:
                answer = self._s3.get_bucket_tagging(Bucket=self._site.bucket)
            except ClientError as error:
                if code_of(error) != "NoSuchTagSet":
                    raise
                return False
        return {"Key": OURS, "Value": self._site.installation} in answer["TagSet"]

    def _exists(self) -> bool:
        """Return whether there is a bucket of this name, and we may use it.

        Raises:
            InvalidSetting: it is another's, or in another region.
        """
        try:
            with answering("s3"):
                try:
                    found = self._s3.head_bucket(Bucket=self._site.bucket)
                except ClientError as error:
                    if code_of(error) not in _NOT_THERE:
                        raise
                    return False
        except AccessDenied as error:
            raise InvalidSetting(
                f"the bucket {self._site.bucket} is another account's, or closed to you",
                advice="Name another one in `work`, such as s3://my-bucket/work.",
            ) from error
        region = found.get("BucketRegion", self._site.region)
        if region != self._site.region:
            raise InvalidSetting(
                f"the bucket {self._site.bucket} is in {region}, and the machines would be "
                f"in {self._site.region}: every byte between them would be paid for",
                advice="Name a bucket of the same region in `work`.",
            )
        return True

    def _create(self) -> None:
        place: Any = {
            "CreateBucketConfiguration": {"LocationConstraint": self._site.region}
        }
        with answering("s3"):
            self._s3.create_bucket(
                Bucket=self._site.bucket,
                **({} if self._site.region == _NO_PLACE else place),
            )
            self._s3.put_bucket_tagging(
                Bucket=self._site.bucket, Tagging={"TagSet": tag_list(self._site.tags)}
            )

    def _of_access(self) -> list[str]:
        with answering("s3"):
            try:
                found = self._s3.get_public_access_block(Bucket=self._site.bucket)
            except ClientError as error:
                if code_of(error) != "NoSuchPublicAccessBlockConfiguration":
                    raise
                return ["who sees into it"]
        same = found["PublicAccessBlockConfiguration"] == CLOSED
        return [] if same else ["who sees into it"]

    def _of_rules(self) -> list[str]:
        found = {rule.get("ID"): rule for rule in self._found_rules()}
        return [
            f"the rule {rule['ID']}"
            for rule in self._rules
            if not _holds(found.get(rule["ID"]), rule)
        ]

    def _rules_of_others(self) -> list[Mapping[str, Any]]:
        ours = {rule["ID"] for rule in self._rules}
        return [rule for rule in self._found_rules() if rule.get("ID") not in ours]

    def _found_rules(self) -> Sequence[Mapping[str, Any]]:
        with answering("s3"):
            try:
                answer = self._s3.get_bucket_lifecycle_configuration(
                    Bucket=self._site.bucket
                )
            except ClientError as error:
                if code_of(error) != "NoSuchLifecycleConfiguration":
                    raise
                return []
        return answer.get("Rules", [])

    def _put_rules(self, rules: Sequence[Mapping[str, Any]]) -> None:
        said: Any = {"Rules": rules}
        self._s3.put_bucket_lifecycle_configuration(
            Bucket=self._site.bucket, LifecycleConfiguration=said
        )

    def _everything(self) -> Iterator[list[dict[str, str]]]:
        """Yield all versions of all objects, a thousand at a time."""
        pages = self._s3.get_paginator("list_object_versions").paginate(
            Bucket=self._site.bucket
        )
        for page in pages:
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if found:
                yield [
                    {"Key": each["Key"], "VersionId": each["VersionId"]} for each in found
                ]


def _holds(found: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    """Return whether a rule says what is wanted; S3 adds what it takes for granted."""
    return found is not None and all(found.get(key) == said for key, said in wanted.items())
