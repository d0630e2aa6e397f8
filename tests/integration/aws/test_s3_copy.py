"""Copies at S3: how they are made, what comes along, and which stay out of this machine."""

from typing import Any

import pytest
from s3_faults import Faults, lost_answer, meanwhile
from s3_fixtures import *  # noqa: F403 - fixtures
from s3_fixtures import LARGE, Make, uploads

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.s3 import S3Storage
from media_nommer.core.errors import HandedBack, OutputChanged, OutputExists, StorageError
from media_nommer.core.ports.storage import Traits

ROLE = "arn:aws:iam::123456789012:role/theirs"


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_nommer.adapters.aws.s3.copy.COPIED", 6 << 20)


def test_a_small_copy_is_one_request_that_moves_nothing_here(
    storage: S3Storage, bucket: str, make: Make, faults: Faults
) -> None:
    source = make(1000)
    storage.put(source, f"s3://{bucket}/a")
    faults.sent.clear()

    copied = storage.copy(f"s3://{bucket}/a", f"s3://{bucket}/b")

    assert faults.sent == ["HeadObject", "CopyObject"]
    assert storage.stat(f"s3://{bucket}/b") == copied
    assert storage.read(f"s3://{bucket}/b") == source.read_bytes()


@pytest.mark.usefixtures("in_parts")
def test_a_large_copy_is_made_in_parts_that_do_not_come_here(
    storage: S3Storage, s3: Any, bucket: str, make: Make, faults: Faults
) -> None:
    source = make(LARGE)
    storage.put(source, f"s3://{bucket}/a")
    faults.sent.clear()

    copied = storage.copy(f"s3://{bucket}/a", f"s3://{bucket}/b")

    assert faults.sent.count("UploadPartCopy") == 7
    assert not {"GetObject", "UploadPart", "PutObject"} & set(faults.sent)
    assert storage.stat(f"s3://{bucket}/b") == copied
    assert storage.read(f"s3://{bucket}/b") == source.read_bytes()
    assert uploads(s3, bucket) == []


@pytest.mark.parametrize("size", [0, 1000, LARGE])
def test_a_copy_tells_the_sum_and_headers_of_its_source(
    storage: S3Storage,
    s3: Any,
    bucket: str,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    monkeypatch.setattr("media_nommer.adapters.aws.s3.copy.COPIED", 6 << 20)
    kept = Traits(content_type="video/x-odd", cache_control="max-age=1")
    storage.put(make(size), f"s3://{bucket}/a", sha256="2" * 64, traits=kept)

    storage.copy(f"s3://{bucket}/a", f"s3://{bucket}/same")
    storage.copy(
        f"s3://{bucket}/a",
        f"s3://{bucket}/other.mp4",
        traits=Traits(cache_control="no-store", storage_class="STANDARD_IA"),
    )
    same = s3.head_object(Bucket=bucket, Key="same")
    other = s3.head_object(Bucket=bucket, Key="other.mp4")

    assert storage.holds(f"s3://{bucket}/same", size=size, sha256="2" * 64)
    assert (same["ContentType"], same["CacheControl"]) == ("video/x-odd", "max-age=1")
    assert (other["ContentType"], other["CacheControl"]) == ("video/mp4", "no-store")
    assert other["StorageClass"] == "STANDARD_IA"


@pytest.mark.parametrize("operation", ["CopyObject", "CompleteMultipartUpload"])
def test_a_copy_whose_answer_is_lost_knows_its_own_object(
    storage: S3Storage,
    s3: Any,
    bucket: str,
    make: Make,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
) -> None:
    if operation != "CopyObject":
        monkeypatch.setattr("media_nommer.adapters.aws.s3.copy.COPIED", 6 << 20)
    source = make(LARGE)
    storage.put(source, f"s3://{bucket}/a")
    faults.plan(operation, lost_answer)

    copied = storage.copy(f"s3://{bucket}/a", f"s3://{bucket}/b")

    assert storage.stat(f"s3://{bucket}/b") == copied
    assert uploads(s3, bucket) == []


@pytest.mark.parametrize("least", [6 << 20, 64 << 20])
def test_a_copy_of_what_changes_meanwhile_is_of_one_version(
    storage: S3Storage,
    s3: Any,
    bucket: str,
    make: Make,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
    least: int,
) -> None:
    monkeypatch.setattr("media_nommer.adapters.aws.s3.copy.COPIED", least)
    new = make(LARGE + 7).read_bytes()
    storage.put(make(LARGE), f"s3://{bucket}/a")
    change = meanwhile(lambda: s3.put_object(Bucket=bucket, Key="a", Body=new))
    faults.plan("CopyObject", change)
    faults.plan("UploadPartCopy", lambda _request: None)
    faults.plan("UploadPartCopy", change)

    storage.copy(f"s3://{bucket}/a", f"s3://{bucket}/b")

    assert storage.read(f"s3://{bucket}/b") == new
    assert uploads(s3, bucket) == []


@pytest.mark.parametrize("size", [0, 1000, LARGE])
def test_a_copy_that_is_refused_leaves_nothing(
    storage: S3Storage,
    s3: Any,
    bucket: str,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    monkeypatch.setattr("media_nommer.adapters.aws.s3.copy.COPIED", 6 << 20)
    storage.put(make(size), f"s3://{bucket}/a")
    theirs = storage.put(make(10), f"s3://{bucket}/b")

    with pytest.raises(OutputExists):
        storage.copy(f"s3://{bucket}/a", f"s3://{bucket}/b")
    with pytest.raises(OutputChanged):
        storage.copy(f"s3://{bucket}/a", f"s3://{bucket}/b", before="0" * 32)
    with pytest.raises(OutputChanged):
        storage.copy(f"s3://{bucket}/a", f"s3://{bucket}/c", before="0" * 32)

    assert storage.stat(f"s3://{bucket}/b") == theirs
    assert storage.stat(f"s3://{bucket}/c") is None
    assert uploads(s3, bucket) == []


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("asked", [0, 2, 8])
def test_a_large_copy_that_is_told_to_stop_leaves_nothing(
    storage: S3Storage, s3: Any, bucket: str, make: Make, asked: int
) -> None:
    storage.put(make(LARGE), f"s3://{bucket}/a")
    left = iter([None] * asked)

    def stop() -> HandedBack | None:
        return next(left, HandedBack("leaving"))

    with pytest.raises(HandedBack):
        storage.copy(f"s3://{bucket}/a", f"s3://{bucket}/b", stop=stop)

    assert storage.stat(f"s3://{bucket}/b") is None
    assert uploads(s3, bucket) == []


@pytest.mark.parametrize("size", [0, 1000, LARGE])
def test_a_copy_between_accounts_goes_through_this_machine(
    faults: Faults, s3: Any, bucket: str, make: Make, size: int
) -> None:
    """Neither role need be allowed what the other is."""
    s3.create_bucket(Bucket=f"{bucket}-theirs")
    storage = S3Storage(
        AwsClients(session=faults.session), roles={f"{bucket}-theirs": ROLE}
    )
    theirs = Faults(storage._calls._clients(f"{bucket}-theirs")._session)
    source, url = make(size), f"s3://{bucket}-theirs/b"
    storage.put(source, f"s3://{bucket}/a")
    faults.sent.clear()

    copied = storage.copy(f"s3://{bucket}/a", url)

    assert set(faults.sent) <= {"HeadObject", "GetObject"}
    assert {"PutObject", "CompleteMultipartUpload"} & set(theirs.sent)
    signed = [bytes(request.headers["Authorization"]) for request in theirs.requests]
    assert not any(b"Credential=testing/" in by for by in signed)
    assert storage.stat(url) == copied
    assert storage.read(url) == source.read_bytes()


def test_a_source_that_always_changes_is_not_copied(
    storage: S3Storage, s3: Any, bucket: str, faults: Faults
) -> None:
    bodies = iter(range(100))

    def change() -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=str(next(bodies)).encode())

    change()
    faults.plan("CopyObject", meanwhile(change), times=50)

    with pytest.raises(StorageError, match="changed each time"):
        storage.copy(f"s3://{bucket}/a", f"s3://{bucket}/b")
    assert storage.stat(f"s3://{bucket}/b") is None
