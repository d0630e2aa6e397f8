"""Putting a file at S3, by one call or by parts that are sent straight from the file."""

import os
from pathlib import Path

from media_nommer.adapters.aws.s3 import sums
from media_nommer.adapters.aws.s3.calls import ConditionFailed, S3Calls
from media_nommer.adapters.aws.s3.transfer import Transfer
from media_nommer.adapters.aws.s3.upload import PART, SHA256, Goal, Part, Upload, part_size
from media_nommer.core.errors import StorageError
from media_nommer.core.ports.storage import StoredObject

#: How often a put begins anew whose place was taken and free again meanwhile.
_TRIES = 3


def put_file(
    calls: S3Calls, path: Path, goal: Goal, transfer: Transfer, sha256: str | None
) -> StoredObject:
    """Put a file in its place, its SHA-256 in the metadata; read it for that if need be.

    Raises:
        OutputExists: something stands there, and nothing may.
        OutputChanged: what should stand there does not.
    """
    transfer.look()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        metadata = {SHA256: sha256 or sums.sha256_of(file, transfer.look)}
        for _ in range(_TRIES):
            try:
                return _put(calls, file.fileno(), size, goal, transfer, metadata)
            except ConditionFailed:
                continue
    raise StorageError(f"{goal.place.url} is written to by others all the time")


def send_part(
    calls: S3Calls, goal: Goal, upload_id: str, number: int, body: sums.Slice
) -> Part:
    """Send one part; S3 takes it only if it arrives as it was summed."""
    crc = sums.crc_of(body)
    body.seek(0)
    checks = {} if calls.plain else {"ChecksumCRC32": sums.encoded(crc)}
    sent = calls.call(
        "upload_part",
        goal.place,
        UploadId=upload_id,
        PartNumber=number,
        Body=body,
        **checks,
    )
    return Part(number=number, length=len(body), etag=str(sent["ETag"]), crc=crc)


def put_whole(
    calls: S3Calls, goal: Goal, body: sums.Slice, metadata: dict[str, str]
) -> str:
    """Put an object by one conditional call; return its ETag."""
    crc = sums.crc_of(body)
    body.seek(0)
    checks = (
        {}
        if calls.plain
        else {"ChecksumAlgorithm": "CRC32", "ChecksumCRC32": sums.encoded(crc)}
    )
    done = calls.call(
        "put_object",
        goal.place,
        Body=body,
        **goal.described(metadata),
        **goal.condition,
        **checks,
    )
    return str(done["ETag"])


def _put(
    calls: S3Calls,
    handle: int,
    size: int,
    goal: Goal,
    transfer: Transfer,
    metadata: dict[str, str],
) -> StoredObject:
    upload = Upload(calls, goal, transfer)
    if size <= PART:
        return upload.in_one(
            size, lambda: put_whole(calls, goal, sums.Slice(handle, 0, size), metadata)
        )

    def send(upload_id: str, number: int, start: int, length: int) -> Part:
        return send_part(calls, goal, upload_id, number, sums.Slice(handle, start, length))

    return upload.in_parts(size, metadata, send, length=part_size(size))
