"""The proxy does what is ordered and no more: else runs under faults prove nothing."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from tests import aws_services
from tests.faults.calls import Call, named
from tests.faults.proxy import Proxy
from tests.faults.seeded import Fault, Harm, Seeded

BUCKET = "proxied"
LARGE = bytes(range(256)) * 4 * 4096 * 3  # 12 MiB


@pytest.fixture
def proxy(moto: str) -> Iterator[Proxy]:
    with Proxy({"aws": moto}) as made:
        yield made


@pytest.fixture
def client(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Makes clients behind the proxy that try once."""
    for name, value in aws_services.settings(proxy.urls["aws"]).items():
        monkeypatch.setenv(name, value)
    once = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=60)

    def make(service: str) -> Any:
        return boto3.Session().client(service, config=once)  # type: ignore[call-overload]

    return make


@contextmanager
def bucket(s3: Any) -> Iterator[str]:
    s3.create_bucket(Bucket=BUCKET)
    try:
        yield BUCKET
    finally:
        for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
            s3.delete_object(Bucket=BUCKET, Key=found["Key"])
        s3.delete_bucket(Bucket=BUCKET)


def only(operation: str, harm: Harm) -> Callable[[Call], Harm | None]:
    """Return what harms the first call of an operation."""
    return lambda call: harm if (call.operation, call.number) == (operation, 1) else None


def test_bytes_and_headers_pass_as_they_are(
    proxy: Proxy, client: Callable[[str], Any]
) -> None:
    s3 = client("s3")

    with bucket(s3):
        s3.put_object(Bucket=BUCKET, Key="a b/ü", Body=LARGE, Metadata={"said": "so"})
        got = s3.get_object(Bucket=BUCKET, Key="a b/ü")
        body = got["Body"].read()

    assert (body == LARGE, got["Metadata"]) == (True, {"said": "so"})


def test_calls_are_counted_by_service_and_operation(
    proxy: Proxy, client: Callable[[str], Any]
) -> None:
    s3, sqs, dynamodb, sts = (client(s) for s in ("s3", "sqs", "dynamodb", "sts"))

    with bucket(s3):
        s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
        s3.copy_object(Bucket=BUCKET, Key="c", CopySource={"Bucket": BUCKET, "Key": "k"})
        s3.list_objects_v2(Bucket=BUCKET)
        sqs.list_queues()
        dynamodb.list_tables()
        sts.get_caller_identity()

        counted = dict(proxy.calls)

    assert counted == {
        "s3.CreateBucket": 1,
        "s3.PutObject": 1,
        "s3.CopyObject": 1,
        "s3.ListObjectsV2": 1,
        "sqs.ListQueues": 1,
        "dynamodb.ListTables": 1,
        "sts.GetCallerIdentity": 1,
    }


def test_a_form_without_a_scope_belongs_to_its_upstream() -> None:
    found = named("simpledb", "POST", "/", {}, b"Action=Select&Version=2009-04-15")

    assert found == ("simpledb", "Select")


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [
        (Fault.LOST, False),
        (Fault.UNANSWERED, True),
        (Fault.BROKEN, False),
        (Fault.BROKEN_AFTER, True),
        (Fault.AWAY, False),
        (Fault.THROTTLED, False),
        (Fault.GATEWAY, False),
        (Fault.TOO_SKEWED, False),
        (Fault.LATE, True),
    ],
)
def test_a_call_that_fails_was_done_or_not_as_its_fault_says(
    proxy: Proxy, client: Callable[[str], Any], fault: Fault, arrives: bool
) -> None:
    s3 = client("s3")

    with bucket(s3):
        proxy.begin(only("PutObject", Harm(fault)))
        with pytest.raises((ClientError, HTTPClientError)):
            s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
        proxy.begin(None)
        there = found_in_time(s3) if arrives else bool(keys(s3))

    assert there == arrives


def keys(s3: Any) -> list[str]:
    return [k["Key"] for k in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def found_in_time(s3: Any) -> bool:
    """Whether something shows up; what is applied late may take a moment."""
    pause = threading.Event()
    return any(keys(s3) or pause.wait(0.05) for _ in range(1200))


def test_a_request_that_arrives_twice_is_answered_once_and_second(
    proxy: Proxy, client: Callable[[str], Any]
) -> None:
    s3 = client("s3")

    with bucket(s3):
        proxy.begin(only("PutObject", Harm(Fault.TWICE)))
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.put_object(Bucket=BUCKET, Key="k", Body=LARGE, IfNoneMatch="*")
        there = keys(s3)

    assert there == ["k"]


def test_an_answer_that_is_cut_ends_before_its_end(
    proxy: Proxy, client: Callable[[str], Any]
) -> None:
    s3 = client("s3")

    with bucket(s3):
        s3.put_object(Bucket=BUCKET, Key="k", Body=LARGE)
        proxy.begin(only("GetObject", Harm(Fault.CUT)))
        body = s3.get_object(Bucket=BUCKET, Key="k")["Body"]
        with pytest.raises(Exception, match=r"Read|broken|closed"):
            body.read()


def test_a_wrong_clock_is_told_in_the_answer(
    proxy: Proxy, client: Callable[[str], Any]
) -> None:
    dynamodb = client("dynamodb")
    proxy.begin(only("ListTables", Harm(Fault.WRONG_CLOCK, 7200)))

    wrong, right = (
        dynamodb.list_tables()["ResponseMetadata"]["HTTPHeaders"]["date"] for _ in range(2)
    )

    assert wrong[:-4].rpartition(":")[0] != right[:-4].rpartition(":")[0]


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("dynamodb", "list_tables", "ThrottlingException"),
        ("sqs", "list_queues", "ThrottlingException"),
        ("s3", "list_buckets", "SlowDown"),
    ],
)
def test_each_service_throttles_in_its_own_words(
    proxy: Proxy, client: Callable[[str], Any], service: str, operation: str, code: str
) -> None:
    proxy.begin(lambda _call: Harm(Fault.THROTTLED))

    with pytest.raises(ClientError) as raised:
        getattr(client(service), operation)()

    assert raised.value.response["Error"]["Code"] == code


def test_the_same_seed_is_the_same_faults() -> None:
    calls = [Call("s3", name, n) for name in ("GetObject", "PutObject") for n in range(500)]

    first, again, other = ([Seeded(s)(call) for call in calls] for s in (1, 1, 2))

    assert first == again
    assert first != other
    assert {harm.fault for harm in first if harm is not None} >= {Fault.LOST, Fault.TWICE}
