"""What a fetch leaves on the disk, however it ends."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from s3_faults import Faults, answer, meanwhile
from s3_fixtures import *  # noqa: F403 - fixtures
from s3_fixtures import LARGE, Make

from media_nommer.adapters.aws.s3 import S3Storage
from media_nommer.core.errors import (
    AccessDenied,
    HandedBack,
    NoBucket,
    NoSpace,
    StorageError,
)

_UP_AND_DOWN = """
import sys
from pathlib import Path
from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.s3 import S3Storage

def peak():
    # getrusage would tell of the process that started this one, too
    told = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    return int(told.split()[0]) >> 10

url, source, fetched = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
storage = S3Storage(AwsClients())
assert storage.stat(url) is None
before = peak()
storage.put(source, url)
storage.fetch(url, fetched)
print(peak() - before)
"""


def test_the_memory_does_not_grow_with_the_object(
    aws: str, bucket: str, make: Make, tmp_path: Path
) -> None:
    source = make(300 << 20)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    run = subprocess.run(
        [sys.executable, "-c", _UP_AND_DOWN, f"s3://{bucket}/a", source, tmp_path / "b"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert int(run.stdout) < 200
    assert (tmp_path / "b").read_bytes() == source.read_bytes()


def test_an_object_that_changes_meanwhile_is_fetched_in_its_new_form(
    storage: S3Storage, s3: Any, bucket: str, make: Make, faults: Faults, tmp_path: Path
) -> None:
    old, new = make(LARGE), make(LARGE + 99).read_bytes()
    storage.put(old, f"s3://{bucket}/a")
    change = meanwhile(lambda: s3.put_object(Bucket=bucket, Key="a", Body=new))
    faults.plan("GetObject", lambda _request: None)
    faults.plan("GetObject", change)

    storage.fetch(f"s3://{bucket}/a", tmp_path / "fetched")

    assert (tmp_path / "fetched").read_bytes() == new


def test_an_object_that_always_changes_is_not_fetched(
    storage: S3Storage, s3: Any, bucket: str, faults: Faults, tmp_path: Path
) -> None:
    bodies = iter(range(100))

    def change() -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=str(next(bodies)).encode())

    change()
    faults.plan("GetObject", meanwhile(change), times=50)

    with pytest.raises(StorageError, match="changed each time") as caught:
        storage.fetch(f"s3://{bucket}/a", tmp_path / "fetched")

    assert caught.value.retryable
    assert not (tmp_path / "fetched").exists()


def test_a_damaged_object_is_not_fetched(
    storage: S3Storage,
    bucket: str,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    storage.put(make(LARGE), f"s3://{bucket}/a")
    monkeypatch.setattr("media_nommer.adapters.aws.s3.download.joined", lambda _pieces: 0)

    with pytest.raises(StorageError, match="damaged"):
        storage.fetch(f"s3://{bucket}/a", tmp_path / "fetched")

    assert not (tmp_path / "fetched").exists()


@pytest.mark.parametrize("asked", range(4))
def test_a_fetch_that_is_told_to_stop_leaves_nothing(
    storage: S3Storage, bucket: str, make: Make, tmp_path: Path, asked: int
) -> None:
    storage.put(make(LARGE), f"s3://{bucket}/a")
    left = iter([None] * asked)

    def stop() -> HandedBack | None:
        return next(left, HandedBack("leaving"))

    with pytest.raises(HandedBack):
        storage.fetch(f"s3://{bucket}/a", tmp_path / "fetched", stop=stop)

    assert not (tmp_path / "fetched").exists()


def test_a_fetch_goes_on_where_it_was_when_s3_is_back(
    storage: S3Storage, bucket: str, make: Make, faults: Faults, tmp_path: Path
) -> None:
    source = make(LARGE)
    storage.put(source, f"s3://{bucket}/a")
    faults.plan("GetObject", answer(503, "SlowDown"), times=12)

    storage.fetch(f"s3://{bucket}/a", tmp_path / "fetched")

    assert (tmp_path / "fetched").read_bytes() == source.read_bytes()
    assert faults.sent.count("GetObject") == 12 + 3


def test_a_full_disk_is_told_of(
    storage: S3Storage,
    bucket: str,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    storage.put(make(1000), f"s3://{bucket}/a")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)

    with pytest.raises(NoSpace):
        storage.fetch(f"s3://{bucket}/a", tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


def test_a_file_that_is_there_is_not_written_over(
    storage: S3Storage, bucket: str, make: Make, tmp_path: Path
) -> None:
    storage.put(make(1000), f"s3://{bucket}/a")
    (tmp_path / "mine").write_text("mine")

    with pytest.raises(StorageError):
        storage.fetch(f"s3://{bucket}/a", tmp_path / "mine")

    assert (tmp_path / "mine").read_text() == "mine"


def test_a_missing_bucket_is_named(
    storage: S3Storage, aws: str, make: Make, tmp_path: Path
) -> None:
    url = "s3://no-such-bucket/a"

    for call in (
        lambda: storage.stat(url),
        lambda: storage.fetch(url, tmp_path / "fetched"),
        lambda: storage.read(url),
        lambda: storage.put(make(10), url),
        lambda: storage.put(make(LARGE), url),
        lambda: storage.copy(url, url),
        lambda: storage.list(url),
        lambda: storage.link(url, timedelta(hours=1)),
    ):
        with pytest.raises(NoBucket, match="no-such-bucket") as caught:
            call()
        assert not caught.value.retryable


def test_an_archived_object_is_told_of(storage: S3Storage, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"film", StorageClass="GLACIER")

    with pytest.raises(AccessDenied, match="archived"):
        storage.read(f"s3://{bucket}/a")
