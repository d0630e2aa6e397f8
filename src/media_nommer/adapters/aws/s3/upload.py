"""Putting an object in its place: one conditional step, which many parts may go before."""

import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from media_nommer.adapters.aws.s3.calls import (
    Collision,
    ConditionFailed,
    NoUpload,
    S3Calls,
)
from media_nommer.adapters.aws.s3.names import Place
from media_nommer.adapters.aws.s3.sums import encoded, joined
from media_nommer.adapters.aws.s3.transfer import Transfer
from media_nommer.core.errors import (
    NommerError,
    OutputChanged,
    OutputExists,
    SourceNotFound,
    StorageError,
)
from media_nommer.core.ports.storage import StoredObject, Traits

log = structlog.get_logger(__name__)

#: Where an object's metadata tell the SHA-256 of its bytes, and which put it came from.
SHA256 = "sha256"
PUT_ID = "nommer-put"

#: What goes up in one piece, and the least that a part has: 16 MiB.
PART = 16 << 20
_MOST_PARTS = 10_000
_MIB = 1 << 20

#: How often a step is taken again that collided with somebody else's.
_COLLISIONS = 8
_REST = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it arrived: its number, length, ETag and CRC-32, None if not known."""

    number: int
    length: int
    etag: str
    crc: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One object that is to be put: where, in place of what, and how it is served.

    ``put_id`` is in its metadata, and no two puts have the same: so one whose answer was
    lost knows its own object again.
    """

    place: Place
    before: str | None
    headers: Mapping[str, Any]
    put_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def condition(self) -> dict[str, str]:
        """The header that makes the last step conditional."""
        if self.before is None:
            return {"IfNoneMatch": "*"}
        return {"IfMatch": f'"{self.before}"'}

    def described(self, metadata: Mapping[str, str]) -> dict[str, Any]:
        """Return the headers of the object, its metadata among them."""
        return {**self.headers, "Metadata": {**metadata, PUT_ID: self.put_id}}


def version_of(etag: str) -> str:
    """Return an ETag without its quotation marks."""
    return etag.strip('"')


def kept_as(traits: Traits) -> dict[str, Any]:
    """Return the headers that say how an object is kept and served."""
    headers: dict[str, Any] = {}
    if traits.content_type:
        headers["ContentType"] = traits.content_type
    if traits.cache_control:
        headers["CacheControl"] = traits.cache_control
    if traits.storage_class:
        headers["StorageClass"] = traits.storage_class
    if traits.kms_key:
        headers["ServerSideEncryption"] = "aws:kms"
        headers["SSEKMSKeyId"] = traits.kms_key
        headers["BucketKeyEnabled"] = True  # one call of KMS for many objects
    return headers


def part_size(size: int, least: int = PART) -> int:
    """Return how large parts must be for 10,000 of them to be enough."""
    wanted = math.ceil(size / _MOST_PARTS / _MIB) * _MIB
    return max(least, wanted)


class Upload:
    """Puts one object in its place, or leaves nothing of it.

    The last step is the publication: it names what must stand there, so that of many who
    put at once exactly one does.
    """

    def __init__(self, calls: S3Calls, goal: Goal, transfer: Transfer) -> None:
        self._calls = calls
        self._goal = goal
        self._transfer = transfer

    def in_one(self, size: int, put: Callable[[], str]) -> StoredObject:
        """Put an object by one conditional call, which answers its ETag."""

        def step() -> str:
            self._transfer.look()
            return self._transfer.patiently(put)

        return StoredObject(size=size, version=version_of(self.surely(step)))

    def in_parts(
        self,
        size: int,
        metadata: Mapping[str, str],
        send: Callable[[str, int, int, int], Part],
        *,
        length: int,
        crc: int | None = None,
    ) -> StoredObject:
        """Put an object by parts of ``length`` each, several at once.

        ``send`` is given the id of the upload, a part's number, its start and its length.
        S3 compares ``crc`` with what it has; where it is None, that of the parts joined.
        """

        def step() -> str:
            upload_id = self.begin(metadata)
            try:
                parts = self._transfer.all_of(
                    partial(send, upload_id, number, start, min(length, size - start))
                    for number, start in enumerate(range(0, size, length), 1)
                )
                self._transfer.look()
                return self.complete(upload_id, size, parts, crc)
            except BaseException:
                self.abort(upload_id)
                raise

        return StoredObject(size=size, version=version_of(self.surely(step)))

    def begin(self, metadata: Mapping[str, str]) -> str:
        """Begin an upload of parts; return its id."""
        goal = self._goal
        sums = (
            {}
            if self._calls.plain
            else {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
        )
        described = goal.described(metadata)
        begun = self._transfer.patiently(
            lambda: self._calls.call(
                "create_multipart_upload", goal.place, **described, **sums
            )
        )
        return str(begun["UploadId"])

    def complete(
        self, upload_id: str, size: int, parts: list[Part], crc: int | None
    ) -> str:
        """Make one object of all parts, in its place; return its ETag."""
        sums: dict[str, Any] = {}
        if not self._calls.plain:
            sums = {"ChecksumType": "FULL_OBJECT", "MpuObjectSize": size}
            whole = _sum_of(parts) if crc is None else crc
            if whole is not None:
                sums["ChecksumCRC32"] = encoded(whole)
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        done = self._transfer.patiently(
            lambda: self._calls.call(
                "complete_multipart_upload",
                self._goal.place,
                UploadId=upload_id,
                MultipartUpload={"Parts": listed},
                **self._goal.condition,
                **sums,
            )
        )
        return str(done["ETag"])

    def abort(self, upload_id: str) -> None:
        """Let go of the parts, which are paid for; what fails here is swept up later."""
        try:
            self._calls.call("abort_multipart_upload", self._goal.place, UploadId=upload_id)
        except NoUpload:
            return
        except NommerError as error:
            log.warning(
                "upload_not_aborted", url=self._goal.place.url, message=error.message
            )

    def surely(self, step: Callable[[], str]) -> str:
        """Take a conditional step until it is clear whether it was done."""
        for _ in range(_COLLISIONS):
            try:
                return step()
            except (ConditionFailed, NoUpload, SourceNotFound) as error:
                ours = self._settled(error)
                if ours is not None:
                    return ours
                raise  # our place is as it should be: it is what we read from that is not
            except Collision as error:
                ours = self._settled(error)
                if ours is not None:
                    return ours
                self._transfer.rest(_REST)
        raise StorageError(
            f"{self._goal.place.url} is written to by others all the time",
            advice="See who else writes there.",
        )

    def _settled(self, error: StorageError) -> str | None:
        """Return the ETag of our object if it is in place, None if it may still be put.

        Raises:
            OutputExists: something stands there, and nothing may.
            OutputChanged: what should stand there does not.
        """
        goal = self._goal
        seen = self._transfer.patiently(lambda: self._calls.head(goal.place))
        if seen is not None and seen.get("Metadata", {}).get(PUT_ID) == goal.put_id:
            return str(seen["ETag"])
        if goal.before is None:
            if seen is not None:
                raise OutputExists(
                    f"something stands at {goal.place.url} already"
                ) from error
        elif seen is None or version_of(str(seen["ETag"])) != goal.before:
            raise OutputChanged(
                f"{goal.place.url} was changed by somebody else meanwhile"
            ) from error
        return None


def _sum_of(parts: list[Part]) -> int | None:
    """Return the CRC-32 of all parts together, None where one is not known."""
    known = [(part.crc, part.length) for part in parts if part.crc is not None]
    return joined(known) if len(known) == len(parts) else None
