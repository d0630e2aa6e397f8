"""What calls cost: Amazon's list prices for us-east-1, without the free tiers.

From aws.amazon.com/{sqs,dynamodb,simpledb,s3}/pricing. DynamoDB's are those of tables on
demand since November 2024, S3's those of the Standard class. Storage and traffic are left
out, and so is what KMS asks where keys of one's own are used.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.request_units import request_units

_MILLION = 1e6
SQS_REQUEST = 0.40 / _MILLION
DYNAMODB_WRITE_UNIT, DYNAMODB_READ_UNIT = 0.625 / _MILLION, 0.125 / _MILLION
SIMPLEDB_MACHINE_HOUR = 0.14
S3_PUT_COPY_POST_LIST, S3_GET_AND_ALL_OTHER = 5.00 / _MILLION, 0.40 / _MILLION

_FREE_IN_S3 = frozenset({"DeleteObject", "AbortMultipartUpload"})
_LIKE_PUT = ("Put", "Copy", "List", "Create", "Complete", "Upload", "DeleteObjects")
_BOX_USAGE = re.compile(r"<BoxUsage>([0-9.]+)</BoxUsage>")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call costs in dollars, and what of it is counted."""

    dollars: float
    units: Mapping[str, float]


def cost_of(service: str, operation: str, request: str, answer: str) -> Cost:
    """Return what a call costs."""
    if service == "dynamodb":
        units = request_units(operation, request, answer)
        dollars = units.writes * DYNAMODB_WRITE_UNIT + units.reads * DYNAMODB_READ_UNIT
        return Cost(dollars, {"WRU": units.writes, "RRU": units.reads})
    if service == "simpledb":
        boxes = sum(map(float, _BOX_USAGE.findall(answer)))
        return Cost(boxes * SIMPLEDB_MACHINE_HOUR, {"box ms": boxes * 3_600_000})
    if service == "sqs":
        return Cost(SQS_REQUEST, {})
    if operation in _FREE_IN_S3:
        return Cost(0.0, {})
    dear = operation.startswith(_LIKE_PUT)
    return Cost(S3_PUT_COPY_POST_LIST if dear else S3_GET_AND_ALL_OTHER, {})
