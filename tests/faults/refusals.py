"""How each of Amazon's services says that it cannot now: status, headers and body."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.faults.calls import Call

_JSON = "application/x-amz-json-1.0"
_REQUEST_ID = "proxied"

#: S3 may begin to answer these with 200 before it knows, and then say that they failed.
_SAID_LATE = frozenset({"CopyObject", "CompleteMultipartUpload", "UploadPartCopy"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that no service was asked for."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def broken(call: Call) -> Refusal:
    """Return what a service answers in which something broke: 500 for most."""
    if call.service == "s3":
        status = 200 if call.operation in _SAID_LATE else 500
        return _of_s3(status, "InternalError")
    if call.service == "dynamodb":
        return _of_json(call, 500, "InternalServerError")
    if call.service == "sqs":
        return _of_json(call, 500, "InternalError", fault="Receiver")
    return _of_query(500, "InternalError")


def away(call: Call) -> Refusal:
    """Return what a service answers that is overloaded or being replaced: 503."""
    if call.service == "s3":
        return _of_s3(503, "ServiceUnavailable")
    if call.service in {"dynamodb", "sqs"}:
        return _of_json(call, 503, "ServiceUnavailable", fault="Receiver")
    return _of_query(503, "ServiceUnavailable")


def throttled(call: Call) -> Refusal:
    """Return what a service answers to whom it finds too busy."""
    if call.service == "s3":
        return _of_s3(503, "SlowDown")
    if call.service == "dynamodb":
        codes = ("ProvisionedThroughputExceededException", "ThrottlingException")
        return _of_json(call, 400, codes[call.number % 2])
    if call.service == "sqs":
        codes = ("RequestThrottled", "ThrottlingException")
        return _of_json(call, 400, codes[call.number % 2])
    return _of_query(503, "ServiceUnavailable")


def gateway(call: Call) -> Refusal:
    """Return what a machine in front of a service answers, in no service's words."""
    status = 502 + 2 * (call.number % 2)
    page = f"<html><head><title>{status}</title></head><body>{status}</body></html>"
    return Refusal(status, page.encode(), {"Content-Type": "text/html"})


def too_skewed() -> Refusal:
    """Return what S3 answers to a request that is signed in another quarter of an hour."""
    there = datetime.now(UTC) + timedelta(hours=3)
    more = f"<ServerTime>{there:%Y-%m-%dT%H:%M:%SZ}</ServerTime>"
    more += "<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>"
    return _of_s3(403, "RequestTimeTooSkewed", more)


def _of_s3(status: int, code: str, more: str = "") -> Refusal:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
        f"<Message>Please try again.</Message>{more}"
        f"<RequestId>{_REQUEST_ID}</RequestId><HostId>{_REQUEST_ID}</HostId></Error>"
    )
    headers = {"Content-Type": "application/xml", "x-amz-request-id": _REQUEST_ID}
    return Refusal(status, body.encode(), headers)


def _of_json(call: Call, status: int, code: str, fault: str = "Sender") -> Refusal:
    shapes = {
        "dynamodb": "com.amazonaws.dynamodb.v20120810",
        "sqs": "com.amazonaws.sqs",
    }
    said = {"__type": f"{shapes[call.service]}#{code}", "message": "Please try again."}
    headers = {"Content-Type": _JSON, "x-amzn-RequestId": _REQUEST_ID}
    if call.service == "sqs":
        headers["x-amzn-query-error"] = f"{code};{fault}"
    return Refusal(status, json.dumps(said).encode(), headers)


def _of_query(status: int, code: str) -> Refusal:
    body = (
        f'<?xml version="1.0"?>\n<Response><Errors><Error><Code>{code}</Code>'
        "<Message>Please try again.</Message><BoxUsage>0.0000093382</BoxUsage></Error>"
        f"</Errors><RequestID>{_REQUEST_ID}</RequestID></Response>"
    )
    return Refusal(status, body.encode(), {"Content-Type": "text/xml;charset=utf-8"})
