"""Copying an object: within S3 where one account may do both, else through this machine."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_nommer.adapters.aws.s3 import sums
from media_nommer.adapters.aws.s3.calls import (
    ConditionFailed,
    NoUpload,
    S3Calls,
    StorageAway,
)
from media_nommer.adapters.aws.s3.download import RESTARTS, full_crc
from media_nommer.adapters.aws.s3.names import Place
from media_nommer.adapters.aws.s3.put import put_whole, send_part
from media_nommer.adapters.aws.s3.transfer import Transfer
from media_nommer.adapters.aws.s3.upload import (
    PART,
    PUT_ID,
    SHA256,
    Goal,
    Part,
    Upload,
    kept_as,
    part_size,
)
from media_nommer.core.content_types import content_type_of
from media_nommer.core.errors import SourceNotFound, StorageError
from media_nommer.core.ports.storage import StoredObject, Traits

#: What S3 copies by one call, and the least that a copied part has: 64 MiB.
COPIED = 64 << 20

#: What comes along from the source besides its metadata.
_CARRIED = (
    "ContentType",
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """One object to be put where another stands, in place of ``before``.

    Parts that go through this machine lie in ``scratch`` meanwhile.
    """

    calls: S3Calls
    source: Place
    target: Place
    before: str | None
    sha256: str | None
    traits: Traits
    transfer: Transfer
    scratch: Path | None

    def run(self) -> StoredObject:
        """Copy the object; one that changes meanwhile is begun anew, a few times.

        Raises:
            SourceNotFound: there is nothing to copy.
            OutputExists: something stands at the target, and nothing may.
            OutputChanged: what should stand at the target does not.
        """
        self.transfer.look()
        wanted = {} if self.calls.plain else {"ChecksumMode": "ENABLED"}
        for _ in range(RESTARTS):
            seen = self.transfer.patiently(lambda: self.calls.head(self.source, **wanted))
            if seen is None:
                raise SourceNotFound(f"there is nothing at {self.source.url}")
            try:
                return _OneCopy(self, seen).run()
            except (ConditionFailed, NoUpload):
                continue
        raise StorageError(f"{self.source.url} changed each time that it was being copied")


class _OneCopy:
    """A copy of one version of the source."""

    def __init__(self, copying: Copying, seen: Any) -> None:
        self._calls, self._source = copying.calls, copying.source
        self._transfer, self._scratch = copying.transfer, copying.scratch
        self._size, self._etag = int(seen["ContentLength"]), str(seen["ETag"])
        self._crc = full_crc(seen)
        told = {**seen.get("Metadata", {})}
        self._metadata = {name: told[name] for name in told if name != PUT_ID}
        if copying.sha256 is not None:
            self._metadata[SHA256] = copying.sha256
        self._goal = Goal(
            place=copying.target,
            before=copying.before,
            headers=_headers(copying.target, copying.traits, seen),
        )
        self._upload = Upload(self._calls, self._goal, self._transfer)

    def run(self) -> StoredObject:
        """Take the way that costs least and that both ends are known to take.

        One conditional CopyObject is one request, and as quick as any up to some size; from
        there on, parts are copied side by side. Other servers may not know the condition of
        CopyObject, and would replace what stands there: they get the bytes again, or parts.
        """
        calls, size = self._calls, self._size
        apart = calls.role_of(self._source.bucket) != calls.role_of(self._goal.place.bucket)
        if size == 0 or apart or (calls.plain and size <= PART):
            return self._through_here()
        if size <= COPIED and not calls.plain:
            return self._upload.in_one(size, self._copy_whole)
        length = part_size(size, COPIED)
        return self._upload.in_parts(
            size, self._metadata, self._copy_part, length=length, crc=self._crc
        )

    def _copy_whole(self) -> str:
        done = self._calls.call(
            "copy_object",
            self._goal.place,
            **self._of_source(),
            MetadataDirective="REPLACE",
            **self._goal.described(self._metadata),
            **self._goal.condition,
        )
        return str(done["CopyObjectResult"]["ETag"])

    def _copy_part(self, upload_id: str, number: int, start: int, length: int) -> Part:
        done = self._calls.call(
            "upload_part_copy",
            self._goal.place,
            UploadId=upload_id,
            PartNumber=number,
            CopySourceRange=f"bytes={start}-{start + length - 1}",
            **self._of_source(),
        )
        etag = str(done["CopyPartResult"]["ETag"])
        return Part(number=number, length=length, etag=etag, crc=None)

    def _of_source(self) -> dict[str, Any]:
        source = {"Bucket": self._source.bucket, "Key": self._source.key}
        return {"CopySource": source, "CopySourceIfMatch": self._etag}

    def _through_here(self) -> StoredObject:
        if self._size <= PART:
            return self._upload.in_one(self._size, self._carry_whole)
        return self._upload.in_parts(
            self._size,
            self._metadata,
            self._carry_part,
            length=part_size(self._size),
            crc=self._crc,
        )

    def _carry_whole(self) -> str:
        with self._brought(0, self._size) as body:
            return put_whole(self._calls, self._goal, body, self._metadata)

    def _carry_part(self, upload_id: str, number: int, start: int, length: int) -> Part:
        with self._brought(start, length) as body:
            return send_part(self._calls, self._goal, upload_id, number, body)

    @contextmanager
    def _brought(self, start: int, length: int) -> Iterator[sums.Slice]:
        """Bring a range here for a moment."""
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            if length:
                answer = self._calls.call(
                    "get_object",
                    self._source,
                    Range=f"bytes={start}-{start + length - 1}",
                    IfMatch=self._etag,
                )
                with self._calls.asking("get_object", self._source):
                    while piece := answer["Body"].read(sums.PIECE):
                        file.write(piece)
            file.flush()
            if file.tell() != length:
                raise StorageAway(f"{self._source.url} stopped before its end")
            yield sums.Slice(file.fileno(), 0, length)


def _headers(target: Place, traits: Traits, seen: Any) -> dict[str, Any]:
    """Return how a copy is kept: as asked, else as its name says, else as its source."""
    headers = {name: seen[name] for name in _CARRIED if seen.get(name)}
    by_name = content_type_of(target.key)
    if by_name is not None:
        headers["ContentType"] = by_name
    return {**headers, **kept_as(traits)}
