"""Fetching an object into a file, several ranges at once, all of one version."""

import base64
import os
import zlib
from functools import partial
from pathlib import Path
from typing import Any

from media_nommer.adapters.aws.s3.calls import ConditionFailed, S3Calls, StorageAway
from media_nommer.adapters.aws.s3.names import Place
from media_nommer.adapters.aws.s3.sums import PIECE, joined
from media_nommer.adapters.aws.s3.transfer import Transfer
from media_nommer.core.errors import SourceNotFound, StorageError

#: How much is fetched by one request: 16 MiB.
RANGE = 16 << 20

#: How often an object that changes while it is read is begun anew.
RESTARTS = 3


def fetch(calls: S3Calls, place: Place, path: Path, transfer: Transfer) -> None:
    """Write an object to ``path``, which must not exist yet; nothing is left of a failure.

    Raises:
        SourceNotFound: there is no such object.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        _fetch_one_version(calls, place, handle, transfer)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def full_crc(seen: Any) -> int | None:
    """Return the CRC-32 of a whole object, where S3 knows it."""
    told = seen.get("ChecksumCRC32")
    if not told or seen.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT" or "-" in told:
        return None
    return int.from_bytes(base64.b64decode(told), "big")


def _fetch_one_version(
    calls: S3Calls, place: Place, handle: int, transfer: Transfer
) -> None:
    for _ in range(RESTARTS):
        try:
            return _fetch_once(calls, place, handle, transfer)
        except ConditionFailed:
            continue
    raise StorageError(f"{place.url} changed each time that it was being read")


def _fetch_once(calls: S3Calls, place: Place, handle: int, transfer: Transfer) -> None:
    wanted = {} if calls.plain else {"ChecksumMode": "ENABLED"}
    seen = transfer.patiently(lambda: calls.head(place, **wanted))
    if seen is None:
        raise SourceNotFound(f"there is nothing at {place.url}")
    size, etag = int(seen["ContentLength"]), str(seen["ETag"])
    os.ftruncate(handle, size)
    transfer.look()
    pieces = transfer.all_of(
        partial(_range, calls, place, handle, etag, at, min(RANGE, size - at))
        for at in range(0, size, RANGE)
    )
    told = full_crc(seen)
    if told is not None and joined(pieces) != told:
        raise StorageError(f"{place.url} arrived damaged")


def _range(
    calls: S3Calls, place: Place, handle: int, etag: str, start: int, length: int
) -> tuple[int, int]:
    """Write a range to its place in the file; return its CRC-32 and length."""
    answer = calls.call(
        "get_object", place, Range=f"bytes={start}-{start + length - 1}", IfMatch=etag
    )
    body, at, crc = answer["Body"], start, 0
    try:
        while True:
            with calls.asking("get_object", place):
                piece = body.read(PIECE)
            if not piece:
                break
            crc = zlib.crc32(piece, crc)
            _write(handle, piece, at)
            at += len(piece)
    finally:
        body.close()
    if at != start + length:
        raise StorageAway(f"{place.url} stopped before its end")
    return crc, length


def _write(handle: int, piece: bytes, at: int) -> None:
    view = memoryview(piece)
    while view:
        count = os.pwrite(handle, view, at)
        view, at = view[count:], at + count
