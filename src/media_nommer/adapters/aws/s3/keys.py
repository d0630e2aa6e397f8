"""What lies below a folder of S3: listed, removed, and swept up after the dead."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from os.path import commonprefix
from typing import Any

import structlog

from media_nommer.adapters.aws.s3.calls import NoUpload, S3Calls, StorageAway
from media_nommer.adapters.aws.s3.names import Place
from media_nommer.core.errors import AccessDenied, StorageRefused

log = structlog.get_logger(__name__)

#: How many lists of a thousand uploads are read for those to some keys.
_MOST_PAGES = 10


def pages(calls: S3Calls, folder: Place) -> Iterator[list[str]]:
    """Yield the keys of all objects below ``folder``, a thousand at a time."""
    for page in _paginated(calls, "list_objects_v2", folder):
        yield [str(found["Key"]) for found in page.get("Contents", ())]


def delete_all(calls: S3Calls, folder: Place, keys: list[str]) -> None:
    """Remove up to a thousand objects.

    Raises:
        AccessDenied: one of them may not be removed.
    """
    telling = [key for key in keys if _in_xml(key)]
    for key in keys:
        if not _in_xml(key):
            calls.call("delete_object", Place(folder.bucket, key))
    if not telling:
        return
    listed = {"Objects": [{"Key": key} for key in telling], "Quiet": True}
    answer = calls.call_bucket("delete_objects", folder, Delete=listed)
    for error in answer.get("Errors", ()):
        _raise(Place(folder.bucket, str(error.get("Key", ""))), error)


def abort_unfinished(calls: S3Calls, folder: Place, limit: datetime) -> int:
    """Abort the uploads below ``folder`` that began before ``limit``; return how many."""
    return _abort(
        calls,
        folder.bucket,
        [
            upload
            for page in _paginated(calls, "list_multipart_uploads", folder)
            for upload in page.get("Uploads", ())
            if upload["Initiated"] < limit
        ],
    )


def abort_begun(
    calls: S3Calls, bucket: str, wanted: set[str], time: tuple[datetime, datetime]
) -> int:
    """Abort the uploads to just these keys that began in a time; return how many."""
    since, until = time
    common = Place(bucket, commonprefix([*wanted]))  # noqa: RUF071 - keys, no paths
    listed = _paginated(calls, "list_multipart_uploads", common)
    return _abort(
        calls,
        bucket,
        [
            upload
            for page in islice(listed, _MOST_PAGES)
            for upload in page.get("Uploads", ())
            if upload["Key"] in wanted and since <= upload["Initiated"] <= until
        ],
    )


def _abort(calls: S3Calls, bucket: str, uploads: list[Any]) -> int:
    for upload in uploads:
        place = Place(bucket, str(upload["Key"]))
        try:
            calls.call("abort_multipart_upload", place, UploadId=upload["UploadId"])
        except NoUpload:
            continue
        log.info("upload_aborted", url=place.url, begun=upload["Initiated"].isoformat())
    return len(uploads)


def _paginated(calls: S3Calls, operation: str, folder: Place) -> Iterator[Any]:
    paginator = calls.client(folder.bucket).get_paginator(operation)
    found = iter(paginator.paginate(Bucket=folder.bucket, Prefix=folder.key))
    while True:
        with calls.asking(operation, folder):
            page = next(found, None)
        if page is None:
            return
        yield page


def _in_xml(key: str) -> bool:
    """Return whether a list of keys can tell this one: XML has no control characters."""
    return all(character >= " " for character in key)


def _raise(place: Place, error: Any) -> None:
    """Raise what a list of removals says of one object, in an answer that says 200."""
    code, said = str(error.get("Code", "")), str(error.get("Message", ""))
    message = f"{place.url} could not be removed: {said or code}"
    if code == "AccessDenied":
        advice = "Allow s3:DeleteObject to the role or user that this runs as."
        raise AccessDenied(message, advice=advice)
    if code in {"InternalError", "SlowDown", "ServiceUnavailable"}:
        raise StorageAway(message)
    raise StorageRefused(message)
