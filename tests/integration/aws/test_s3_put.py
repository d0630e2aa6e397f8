"""What a put leaves at S3, however it ends."""

import hashlib
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from s3_faults import Faults, answer, lost_answer
from s3_fixtures import *  # noqa: F403 - fixtures
from s3_fixtures import LARGE, Make, uploads

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.s3 import S3Storage
from media_nommer.adapters.aws.s3.upload import part_size
from media_nommer.core.errors import (
    AccessDenied,
    HandedBack,
    OutputChanged,
    OutputExists,
    ServiceUnavailable,
    StorageError,
)
from media_nommer.core.ports.storage import Traits


def test_a_large_file_goes_up_in_parts_and_comes_back_whole(
    storage: S3Storage, s3: Any, bucket: str, make: Make, faults: Faults, tmp_path: Path
) -> None:
    source = make(LARGE)

    put = storage.put(source, f"s3://{bucket}/film.mp4")
    storage.fetch(f"s3://{bucket}/film.mp4", tmp_path / "fetched")

    assert put.version.endswith("-3")
    assert Counter(faults.sent)["UploadPart"] == 3
    assert put == storage.stat(f"s3://{bucket}/film.mp4")
    assert (tmp_path / "fetched").read_bytes() == source.read_bytes()
    assert uploads(s3, bucket) == []


def test_what_is_put_tells_its_sum(
    storage: S3Storage, bucket: str, make: Make, faults: Faults
) -> None:
    for size in (0, 1000, LARGE):
        url, source = f"s3://{bucket}/{size}", make(size)
        storage.put(source, url)
        faults.sent.clear()
        digest = hashlib.sha256(source.read_bytes()).hexdigest()

        assert storage.holds(url, size=size, sha256=digest)
        assert not storage.holds(url, size=size, sha256="0" * 64)
        assert faults.sent == ["HeadObject"] * 2


def test_a_sum_that_is_given_is_not_made_again(
    storage: S3Storage, bucket: str, make: Make
) -> None:
    storage.put(make(10), f"s3://{bucket}/a", sha256="1" * 64)

    assert storage.holds(f"s3://{bucket}/a", size=10, sha256="1" * 64)


def test_what_somebody_else_put_is_read_to_be_compared(
    storage: S3Storage, s3: Any, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"film")
    right = hashlib.sha256(b"film").hexdigest()

    assert storage.holds(f"s3://{bucket}/a", size=4, sha256=right)
    assert not storage.holds(f"s3://{bucket}/a", size=4, sha256="0" * 64)


@pytest.mark.parametrize("asked", range(5))
def test_a_large_put_that_is_told_to_stop_leaves_nothing(
    storage: S3Storage, s3: Any, bucket: str, make: Make, asked: int
) -> None:
    left = iter([None] * asked)

    def stop() -> HandedBack | None:
        return next(left, HandedBack("leaving"))

    with pytest.raises(HandedBack):
        storage.put(make(LARGE), f"s3://{bucket}/a", sha256="0" * 64, stop=stop)

    assert storage.stat(f"s3://{bucket}/a") is None
    assert uploads(s3, bucket) == []


def test_an_interrupted_put_leaves_nothing(
    storage: S3Storage, s3: Any, bucket: str, make: Make
) -> None:
    asked: list[None] = []

    def interrupted() -> None:
        asked.append(None)
        if len(asked) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        storage.put(make(LARGE), f"s3://{bucket}/a", sha256="0" * 64, stop=interrupted)

    assert storage.stat(f"s3://{bucket}/a") is None
    assert uploads(s3, bucket) == []


@pytest.mark.parametrize("size", [1000, LARGE])
def test_a_put_that_is_refused_leaves_nothing(
    storage: S3Storage, s3: Any, bucket: str, make: Make, size: int
) -> None:
    theirs = storage.put(make(10), f"s3://{bucket}/a")

    with pytest.raises(OutputExists):
        storage.put(make(size), f"s3://{bucket}/a")
    with pytest.raises(OutputChanged):
        storage.put(make(size), f"s3://{bucket}/a", before="0" * 32)
    with pytest.raises(OutputChanged):
        storage.put(make(size), f"s3://{bucket}/b", before="0" * 32)

    assert storage.stat(f"s3://{bucket}/a") == theirs
    assert storage.stat(f"s3://{bucket}/b") is None
    assert uploads(s3, bucket) == []


@pytest.mark.parametrize(
    ("size", "operation"), [(1000, "PutObject"), (LARGE, "CompleteMultipartUpload")]
)
@pytest.mark.parametrize("replacing", [False, True])
def test_a_put_whose_answer_is_lost_knows_its_own_object(
    storage: S3Storage,
    s3: Any,
    bucket: str,
    make: Make,
    faults: Faults,
    size: int,
    operation: str,
    replacing: bool,
) -> None:
    url, source = f"s3://{bucket}/a", make(size)
    before = storage.put(make(10), url).version if replacing else None
    faults.plan(operation, lost_answer)

    put = storage.put(source, url, before=before)

    assert storage.stat(url) == put
    assert storage.read(url) == source.read_bytes()
    assert uploads(s3, bucket) == []


def test_the_same_bytes_of_somebody_else_are_not_ours(
    storage: S3Storage, bucket: str, make: Make
) -> None:
    source = make(1000)
    storage.put(source, f"s3://{bucket}/a")

    with pytest.raises(OutputExists):
        storage.put(source, f"s3://{bucket}/a")


@pytest.mark.parametrize(
    ("size", "operation"), [(1000, "PutObject"), (LARGE, "CompleteMultipartUpload")]
)
def test_a_put_that_collides_is_begun_anew(
    storage: S3Storage,
    s3: Any,
    bucket: str,
    make: Make,
    faults: Faults,
    size: int,
    operation: str,
) -> None:
    url, source = f"s3://{bucket}/a", make(size)
    faults.plan(operation, answer(409, "ConditionalRequestConflict"), times=2)

    storage.put(source, url)

    assert storage.read(url) == source.read_bytes()
    assert uploads(s3, bucket) == []


def test_who_collides_and_comes_second_is_told_that_something_stands_there(
    storage: S3Storage, s3: Any, bucket: str, make: Make, faults: Faults
) -> None:
    def collide(request: Any) -> Any:
        s3.put_object(Bucket=bucket, Key="a", Body=b"theirs")
        return answer(409, "ConditionalRequestConflict")(request)

    faults.plan("PutObject", collide)

    with pytest.raises(OutputExists):
        storage.put(make(1000), f"s3://{bucket}/a")
    assert storage.read(f"s3://{bucket}/a") == b"theirs"


def test_a_place_that_was_taken_for_a_moment_only_is_taken_by_us(
    storage: S3Storage, bucket: str, make: Make, faults: Faults
) -> None:
    faults.plan("PutObject", answer(412, "PreconditionFailed"))

    storage.put(make(1000), f"s3://{bucket}/a")

    assert storage.stat(f"s3://{bucket}/a") is not None


@pytest.mark.parametrize("size", [1000, LARGE])
def test_bytes_that_change_on_their_way_are_not_stored(
    storage: S3Storage,
    s3: Any,
    bucket: str,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    monkeypatch.setattr("media_nommer.adapters.aws.s3.sums.crc_of", lambda _file: 0)

    with pytest.raises(StorageError, match="changed on their way") as caught:
        storage.put(make(size), f"s3://{bucket}/a")

    assert caught.value.retryable
    assert storage.stat(f"s3://{bucket}/a") is None
    assert uploads(s3, bucket) == []


def test_parts_in_the_wrong_order_are_not_stored(
    storage: S3Storage,
    s3: Any,
    bucket: str,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("media_nommer.adapters.aws.s3.upload.joined", lambda _pieces: 0)

    with pytest.raises(StorageError, match="changed on their way"):
        storage.put(make(LARGE), f"s3://{bucket}/a")

    assert storage.stat(f"s3://{bucket}/a") is None
    assert uploads(s3, bucket) == []


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart"])
def test_a_large_put_goes_on_where_it_was_when_s3_is_back(
    storage: S3Storage, bucket: str, make: Make, faults: Faults, operation: str
) -> None:
    source = make(LARGE)
    faults.plan(operation, answer(503, "SlowDown"), times=12)

    storage.put(source, f"s3://{bucket}/a")

    assert storage.read(f"s3://{bucket}/a") == source.read_bytes()
    assert Counter(faults.sent)["UploadPart"] - 12 * (operation == "UploadPart") == 3


def test_a_put_that_waits_for_s3_can_be_stopped(
    storage: S3Storage,
    bucket: str,
    make: Make,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("media_nommer.adapters.aws.s3.transfer.FIRST_REST", 60.0)
    monkeypatch.setattr("media_nommer.adapters.aws.s3.transfer._LOOK_EVERY", 0.001)
    faults.plan("PutObject", answer(503, "SlowDown"), times=5)

    def stop() -> HandedBack | None:
        return HandedBack("leaving") if len(faults.sent) >= 5 else None

    with pytest.raises(HandedBack):
        storage.put(make(10), f"s3://{bucket}/a", stop=stop)


def test_an_s3_that_stays_away_is_told_of_in_both_ways(
    faults: Faults, bucket: str, make: Make
) -> None:
    """Callers that wait catch ServiceUnavailable, those that do not StorageError."""
    impatient = S3Storage(AwsClients(session=faults.session), patience=timedelta())
    faults.plan("PutObject", answer(503, "SlowDown"), times=5)
    faults.plan("HeadObject", answer(503, "503"), times=5)

    with pytest.raises(ServiceUnavailable) as caught:
        impatient.put(make(10), f"s3://{bucket}/a")
    with pytest.raises(StorageError):
        impatient.stat(f"s3://{bucket}/a")

    assert isinstance(caught.value, StorageError)
    assert caught.value.retryable


def test_a_missing_right_is_named(
    storage: S3Storage, bucket: str, make: Make, faults: Faults
) -> None:
    faults.plan("PutObject", answer(403, "AccessDenied", "no"))

    with pytest.raises(AccessDenied) as caught:
        storage.put(make(10), f"s3://{bucket}/a")

    assert f"s3://{bucket}/a" in caught.value.message
    assert "s3:PutObject" in caught.value.advice


@pytest.mark.parametrize(
    "fault",
    [
        answer(403, "AccessDenied", "not authorized to perform: kms:GenerateDataKey on"),
        answer(400, "KMS.NotFoundException", "Invalid keyId"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_of(
    storage: S3Storage, bucket: str, make: Make, faults: Faults, fault: Any
) -> None:
    faults.plan("PutObject", fault)

    with pytest.raises(AccessDenied) as caught:
        storage.put(make(10), f"s3://{bucket}/a", traits=Traits(kms_key="gone"))

    assert "kms:GenerateDataKey" in caught.value.advice
    assert not caught.value.retryable


@pytest.mark.parametrize("size", [1000, LARGE])
def test_traits_arrive(
    storage: S3Storage, s3: Any, bucket: str, make: Make, size: int
) -> None:
    traits = Traits(
        cache_control="max-age=60", storage_class="STANDARD_IA", kms_key="a-key"
    )

    storage.put(make(size), f"s3://{bucket}/a/film.mp4", traits=traits)
    seen = s3.head_object(Bucket=bucket, Key="a/film.mp4")

    assert seen["ContentType"] == "video/mp4"
    assert seen["CacheControl"] == "max-age=60"
    assert seen["StorageClass"] == "STANDARD_IA"
    assert seen["ServerSideEncryption"] == "aws:kms"
    assert seen["SSEKMSKeyId"] == "a-key"


def test_a_content_type_that_is_given_wins(
    storage: S3Storage, s3: Any, bucket: str, make: Make
) -> None:
    url = f"s3://{bucket}/a.mp4"

    storage.put(make(10), url, traits=Traits(content_type="video/quicktime"))

    assert s3.head_object(Bucket=bucket, Key="a.mp4")["ContentType"] == "video/quicktime"


@pytest.mark.parametrize("size", [1, 100 << 20, 156 << 30, 5 << 40, 48 << 40])
def test_ten_thousand_parts_are_enough_for_any_object(size: int) -> None:
    length = part_size(size)

    assert 5 << 20 <= length <= 5 << 30
    assert -(-size // length) <= 10_000
