"""What a request to one of Amazon's services is called: its service and its operation."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlsplit

#: How S3 tells requests apart that have the same method: by a word in the query.
_S3: Mapping[tuple[str, str], str] = {
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("GET", "list-type"): "ListObjectsV2",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "uploadId"): "ListParts",
    ("GET", "uploads"): "ListMultipartUploads",
    ("GET", "versioning"): "GetBucketVersioning",
    ("GET", "versions"): "ListObjectVersions",
    ("POST", "delete"): "DeleteObjects",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("PUT", "uploadId"): "UploadPart",
    ("PUT", "versioning"): "PutBucketVersioning",
}
_S3_PLAIN: Mapping[tuple[str, bool], str] = {
    ("DELETE", True): "DeleteObject",
    ("DELETE", False): "DeleteBucket",
    ("GET", True): "GetObject",
    ("GET", False): "ListObjects",
    ("HEAD", True): "HeadObject",
    ("HEAD", False): "HeadBucket",
    ("PUT", True): "PutObject",
    ("PUT", False): "CreateBucket",
}
_S3_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}

#: Services whose name on the wire is not that by which people know them.
_KNOWN_AS = {"DynamoDB": "dynamodb", "AmazonSQS": "sqs", "sdb": "simpledb"}


@dataclass(frozen=True, slots=True)
class Call:
    """The ``number``-th request of a kind, counted from 1.

    It is the ``nth`` of all that come in by the door of the name ``door``.
    """

    service: str
    operation: str
    number: int = 1
    door: str = ""
    nth: int = 0

    @property
    def kind(self) -> str:
        return f"{self.service}.{self.operation}"


def named(
    upstream: str, method: str, path: str, headers: Mapping[str, str], form: bytes
) -> tuple[str, str]:
    """Return the service and the operation that a request asks for.

    ``headers`` have lower-case names; ``form`` is the body where that is a form, else
    empty. A request that says nothing of its service is one to ``upstream``.
    """
    service = _in_scope(headers.get("authorization", ""))
    target = headers.get("x-amz-target", "")
    if target:
        prefix, _, operation = target.rpartition(".")
        name = prefix.partition("_")[0]
        return service or _KNOWN_AS.get(name, name), operation
    query = parse_qs(urlsplit(path).query, keep_blank_values=True)
    action = dict(parse_qsl(form.decode("latin-1"))).get("Action")
    action = action or query.get("Action", [""])[0]
    if action:
        return service or upstream, action
    if service and service != "s3":
        return service, method
    return "s3", _in_s3(method, path, query, copies="x-amz-copy-source" in headers)


def _in_scope(authorization: str) -> str:
    """Return the service that a signature of version 4 is for."""
    _, mark, rest = authorization.partition("Credential=")
    parts = rest.partition(",")[0].split("/")
    name = parts[3] if mark and len(parts) > 3 else ""
    return _KNOWN_AS.get(name, name)


def _in_s3(method: str, path: str, query: Mapping[str, object], *, copies: bool) -> str:
    bucket, _, key = urlsplit(path).path.strip("/").partition("/")
    operation = _S3_PLAIN.get((method, bool(key)), method) if bucket else "ListBuckets"
    for (known, word), special in _S3.items():
        if method == known and word in query:
            operation = special
    return _S3_COPIES.get(operation, operation) if copies else operation
