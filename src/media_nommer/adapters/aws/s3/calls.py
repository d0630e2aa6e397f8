"""Calls of S3: which client serves a bucket, and what S3's answers mean to us."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from media_nommer.adapters.aws.clients import REFUSED, AwsClients, answering
from media_nommer.adapters.aws.s3.names import Place
from media_nommer.core.errors import (
    AccessDenied,
    BadRequest,
    NoBucket,
    NommerError,
    NoSpace,
    ServiceUnavailable,
    SourceNotFound,
    StorageError,
    StorageRefused,
    UnsupportedUrl,
)


class StorageAway(StorageError, ServiceUnavailable):
    """The storage does not answer; it is waited for."""


class ConditionFailed(StorageError):
    """What a call expected to stand somewhere does not."""


class Collision(StorageError):
    """Somebody else wrote to the same object at the same moment."""


class NoUpload(StorageError):
    """An upload of many parts is not there: completed before, or aborted."""


_UPLOAD_RIGHTS = "s3:PutObject (and s3:GetObject, to replace)"
#: What must be allowed for each call.
_RIGHTS = {
    "abort_multipart_upload": "s3:AbortMultipartUpload",
    "complete_multipart_upload": _UPLOAD_RIGHTS,
    "copy_object": "s3:PutObject there, and s3:GetObject on what is copied",
    "create_multipart_upload": _UPLOAD_RIGHTS,
    "delete_object": "s3:DeleteObject",
    "delete_objects": "s3:DeleteObject",
    "get_object": "s3:GetObject",
    "head_bucket": "s3:ListBucket",
    "head_object": "s3:GetObject and s3:ListBucket (without it, S3 refuses to say that "
    "nothing is there)",
    "list_multipart_uploads": "s3:ListBucketMultipartUploads",
    "list_objects_v2": "s3:ListBucket",
    "put_object": _UPLOAD_RIGHTS,
    "upload_part": _UPLOAD_RIGHTS,
    "upload_part_copy": "s3:PutObject there, and s3:GetObject on what is copied",
}

_NO_KEY = frozenset({"NoSuchKey", "404", "NotFound"})
_FAILED = frozenset({"PreconditionFailed", "412"})
_COLLIDED = frozenset({"ConditionalRequestConflict", "OperationAborted", "409"})
#: The bytes that arrived are not those that were summed: a file changed, or the way is bad.
_DAMAGED = frozenset(
    {"BadDigest", "IncompleteBody", "InvalidDigest", "XAmzContentSHA256Mismatch"}
)
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage"})
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)


class S3Calls:
    """Calls S3 with the client that each bucket needs; threads may share it.

    ``roles`` names the role to act as for buckets of other accounts. ``endpoint`` is the
    URL of another server that speaks S3; buckets are then named in the path.
    """

    def __init__(
        self, clients: AwsClients, *, endpoint: str | None, roles: Mapping[str, str]
    ) -> None:
        self._own = clients
        self._roles = dict(roles)
        self._lock = threading.Lock()
        self._of_role: dict[str, AwsClients] = {}
        self._seen: set[str] = set()
        self.endpoint = endpoint
        #: Whether it has refused parts of unlike lengths, which not every server takes.
        self.wants_alike = False

    @property
    def plain(self) -> bool:
        """Whether only what every such server knows should be asked for."""
        return self.endpoint is not None

    def role_of(self, bucket: str) -> str | None:
        """Return the role that is taken for a bucket, None for our own credentials."""
        return self._roles.get(bucket)

    def client(self, bucket: str) -> Any:
        """Return the client for a bucket."""
        settings: dict[str, Any] = {"signature_version": "s3v4"}
        if self.plain:  # such servers need not know Amazon's newer checksums
            settings["s3"] = {"addressing_style": "path"}
            settings["request_checksum_calculation"] = "when_required"
            settings["response_checksum_validation"] = "when_required"
        clients = self._clients(bucket)
        return clients.client("s3", endpoint=self.endpoint, **settings)

    def call(self, operation: str, place: Place, **given: Any) -> Any:
        """Call an operation on an object; return what S3 answers.

        Raises:
            SourceNotFound: there is no such object.
            NoBucket: there is no such bucket.
            ConditionFailed, Collision, NoUpload: as S3 says.
            StorageAway: it cannot answer now.
            StorageError: anything else.
        """
        client = self.client(place.bucket)
        with self.asking(operation, place):
            return getattr(client, operation)(Bucket=place.bucket, Key=place.key, **given)

    def call_bucket(self, operation: str, place: Place, **given: Any) -> Any:
        """Call an operation on the bucket that ``place`` is in, as ``call`` does."""
        client = self.client(place.bucket)
        with self.asking(operation, place):
            return getattr(client, operation)(Bucket=place.bucket, **given)

    def head(self, place: Place, **given: Any) -> Any | None:
        """Return what S3 says of an object, None where there is nothing.

        Raises:
            NoBucket: there is no such bucket.
        """
        try:
            return self.call("head_object", place, **given)
        except SourceNotFound:
            self._check_bucket(place)
            return None

    @contextmanager
    def asking(self, operation: str, place: Place) -> Iterator[None]:
        """Raise our errors for those of boto3 inside, about an operation on ``place``."""

        def reading(code: str, said: str) -> NommerError | None:
            return _meaning(operation, place, code, said)

        try:
            with answering("s3", reading):
                yield
        except ServiceUnavailable as error:
            raise StorageAway(error.message, advice=error.advice) from error
        except BadRequest as error:
            if type(error) is not BadRequest:
                raise
            raise StorageRefused(f"{place.url}: {error.message}") from error

    def _check_bucket(self, place: Place) -> None:
        """Tell a missing bucket from a missing object, which a 404 to a HEAD does not."""
        if place.bucket in self._seen:
            return
        try:
            self.call_bucket("head_bucket", place)
        except SourceNotFound as error:
            raise _no_bucket(place) from error
        except AccessDenied:
            pass  # it is there, and that is all we may know
        self._seen.add(place.bucket)

    def _clients(self, bucket: str) -> AwsClients:
        role = self.role_of(bucket)
        if role is None:
            return self._own
        with self._lock:
            if role not in self._of_role:
                with answering("sts"):
                    self._of_role[role] = self._own.of_role(role)
            return self._of_role[role]


def _meaning(operation: str, place: Place, code: str, said: str) -> NommerError | None:
    """Return what an error of S3 means to us, None where the usual rules do."""
    if code == "NoSuchBucket":
        return _no_bucket(place)
    if code in _NO_KEY:
        return SourceNotFound(f"there is nothing at {place.url}")
    if code == "NoSuchUpload":
        return NoUpload(f"the upload to {place.url} was ended by somebody else")
    if code in _FAILED:
        return ConditionFailed(f"{place.url} is not what it was expected to be")
    if code in _COLLIDED:
        return Collision(f"somebody else writes to {place.url} at the same moment")
    if code in _DAMAGED:
        return StorageError(f"bytes for {place.url} changed on their way: {said or code}")
    if code in _FULL:
        return NoSpace(
            f"no room for {place.url}: {said or code}", advice="Make room there."
        )
    if code == "KeyTooLongError":
        return UnsupportedUrl(f"{place.url} is longer than S3 takes")
    return _refusal(operation, place, code, said)


def _refusal(operation: str, place: Place, code: str, said: str) -> NommerError | None:
    if code == "InvalidObjectState":
        return AccessDenied(
            f"{place.url} is archived", advice="Restore the object first, then try again."
        )
    if code.startswith("KMS.") and "Throttling" not in code:
        return AccessDenied(
            f"the key of {place.url} cannot be used: {said or code}",
            advice="See that the KMS key is there, is enabled, and allows this role "
            "kms:GenerateDataKey and kms:Decrypt.",
        )
    if code in _CREDENTIALS:
        return AccessDenied(
            f"S3 does not accept our credentials for {place.url}: {said or code}",
            advice="Renew them, or give the machine a role.",
        )
    if code not in REFUSED:
        return None
    right = _RIGHTS.get(operation, f"s3:{operation}")
    if "kms:" in said:
        right = "kms:GenerateDataKey and kms:Decrypt on the object's key"
    return AccessDenied(
        f"S3 does not let us use {place.url}: {said or code}",
        advice=f"Allow {right} to the role or user that this runs as.",
    )


def _no_bucket(place: Place) -> NoBucket:
    return NoBucket(f"there is no bucket {place.bucket!r} (of {place.url})")
