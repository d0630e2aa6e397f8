"""Where moto's S3 and DynamoDB differ from what AWS documents, in what we rely on.

Each correction says what AWS documents. They are put into moto of this process, for S3 and
DynamoDB alone; ``moto_sqs`` has those of SQS.
"""

import base64
import threading
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partialmethod
from typing import Any
from urllib.parse import unquote

from moto.dynamodb.responses import DynamoHandler
from moto.s3.exceptions import MissingKey, NoSuchUpload, PreconditionFailed, S3ClientError
from moto.s3.models import FakeMultipart, S3Backend
from moto.s3.responses import S3Response

_lock = threading.RLock()
_records_lock = threading.RLock()
_done = False


def apply() -> None:
    """Put all corrections into moto, once."""
    global _done
    if _done:
        return
    _done = True
    _around(S3Response, "_key_response", _one_at_a_time)
    _around(S3Response, "_bucket_response", _one_at_a_time)
    _around(S3Response, "_key_response_put", _check_digest)
    _around(S3Response, "copy_object", _check_copy)
    _around(S3Response, "upload_part_copy", _check_source)
    _around(S3Response, "_key_response_post", _check_completion)
    _around(S3Response, "head_object", _tell_kind_of_sum)
    _around(S3Response, "list_multipart_uploads", _tell_begin)
    _around(S3Backend, "upload_part", _check_upload)
    _around(S3Backend, "upload_part_copy", _check_upload)
    _around(FakeMultipart, "__init__", _note_begin)
    _around(DynamoHandler, "call_action", _one_record_at_a_time)


def _around(owner: type, name: str, correction: Callable[..., Any]) -> None:
    setattr(owner, name, partialmethod(correction, getattr(owner, name)))


def _one_at_a_time(self: Any, wrapped: Any, *given: Any, **named: Any) -> Any:
    """A conditional write is atomic: of many at once exactly one is done."""
    with _lock:
        return wrapped(self, *given, **named)


def _one_record_at_a_time(self: Any, wrapped: Any, *given: Any, **named: Any) -> Any:
    """A write and its condition are one step, and reads see it whole or not at all."""
    with _records_lock:
        return wrapped(self, *given, **named)


def _check_digest(self: Any, wrapped: Any, *given: Any, **named: Any) -> Any:
    """Bytes that do not match their x-amz-checksum-crc32 are refused: 400 BadDigest."""
    told = self.headers.get("x-amz-checksum-crc32")
    if told and told != _crc32(self.body or b""):
        raise _error("BadDigest", "The CRC32 you specified did not match.")
    return wrapped(self, *given, **named)


def _check_copy(self: Any, wrapped: Any, *given: Any, **named: Any) -> Any:
    """CopyObject takes the conditions of PutObject, and one on its source."""
    _source_as_told(self)
    _target_as_told(self)
    return wrapped(self, *given, **named)


def _check_source(self: Any, wrapped: Any, *given: Any, **named: Any) -> Any:
    """UploadPartCopy copies from an object whose ETag matches, else 412."""
    _source_as_told(self)
    return wrapped(self, *given, **named)


def _check_completion(self: Any, wrapped: Any, *given: Any, **named: Any) -> Any:
    """CompleteMultipartUpload is conditional, and compares size and checksum.

    An upload that was completed or aborted is not there: 404 NoSuchUpload. If-Match on a
    key that has no object is 404 NoSuchKey.
    """
    bucket_name, query = given[2], given[3]
    if "uploadId" not in query:
        return wrapped(self, *given, **named)
    upload_id = query["uploadId"][0]
    upload = self.backend.get_bucket(bucket_name).multiparts.get(upload_id)
    if upload is None:
        raise NoSuchUpload(upload_id=upload_id)
    _target_as_told(self)
    whole = b"".join(upload.parts[number].value for number in sorted(upload.parts))
    size = self.headers.get("x-amz-mp-object-size")
    if size is not None and int(size) != len(whole):
        raise _error("InvalidRequest", "The object is not of the size that was told.")
    told = self.headers.get("x-amz-checksum-crc32")
    if told and told != _crc32(whole):
        raise _error("BadDigest", "The CRC32 you specified did not match.")
    return wrapped(self, *given, **named)


def _tell_kind_of_sum(self: Any, wrapped: Any, *given: Any, **named: Any) -> Any:
    """HeadObject says whether a checksum is of the whole object or of its parts' sums."""
    status, headers, body = wrapped(self, *given, **named)
    if status == 200 and any(name.startswith("x-amz-checksum-crc") for name in headers):
        key = self.backend.head_object(given[0], given[2])
        headers["x-amz-checksum-type"] = key.checksum_type or "FULL_OBJECT"
    return status, headers, body


def _tell_begin(self: Any, wrapped: Any, *given: Any, **named: Any) -> Any:
    """ListMultipartUploads says when each upload began."""
    status, headers, body = wrapped(self, *given, **named)
    text = body.decode() if isinstance(body, bytes) else str(body)
    for upload in self.backend.list_multipart_uploads(self.bucket_name).values():
        before, mark, after = text.partition(f"<UploadId>{upload.id}</UploadId>")
        if mark:
            began = upload.began.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            text = before + mark + after.replace("2010-11-10T20:48:33.000Z", began, 1)
    return status, headers, text


def _check_upload(self: Any, wrapped: Any, *given: Any, **named: Any) -> Any:
    """Parts of an upload that was completed or aborted are refused: 404 NoSuchUpload."""
    bucket_name = given[0] if given else named["dest_bucket_name"]
    upload_id = given[1] if len(given) > 1 else named["multipart_id"]
    if upload_id not in self.get_bucket(bucket_name).multiparts:
        raise NoSuchUpload(upload_id=upload_id)
    return wrapped(self, *given, **named)


def _note_begin(self: Any, wrapped: Any, *given: Any, **named: Any) -> None:
    """Needed for ``_tell_begin``."""
    self.began = datetime.now(UTC)
    wrapped(self, *given, **named)


def _target_as_told(self: Any) -> None:
    found = self.backend.get_object(self.bucket_name, self.parse_key_name())
    if self.headers.get("If-None-Match") == "*" and found is not None:
        raise PreconditionFailed("If-None-Match")
    wanted = self.headers.get("If-Match")
    if wanted:
        if found is None:
            raise MissingKey
        if wanted.strip('"') != found.etag.strip('"'):
            raise PreconditionFailed("If-Match")


def _source_as_told(self: Any) -> None:
    wanted = self.headers.get("x-amz-copy-source-if-match")
    if not wanted:
        return
    bucket_name, _, key_name = _copy_source(self).partition("/")
    found = self.backend.get_object(bucket_name, key_name)
    if found is not None and wanted.strip('"') != found.etag.strip('"'):
        raise PreconditionFailed("x-amz-copy-source-If-Match")


def _copy_source(self: Any) -> str:
    return unquote(str(self.headers["x-amz-copy-source"])).lstrip("/")


def _crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def _error(code: str, message: str) -> S3ClientError:
    return S3ClientError(code, message)
