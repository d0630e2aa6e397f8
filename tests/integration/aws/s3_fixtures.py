"""A bucket of one's own, and a storage on it whose faults can be chosen."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from s3_faults import Faults

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.s3 import S3Storage

_numbers = itertools.count(1)
#: Larger than what goes in one piece, by a part that is not whole.
LARGE = (40 << 20) + 12345

Make = Callable[[int], Path]


@pytest.fixture
def s3(aws: str) -> Any:
    """A client that no fault meets."""
    return boto3.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"integration-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def faults(aws: str, monkeypatch: pytest.MonkeyPatch) -> Faults:
    """The faults that ``storage`` meets; no try waits for the next."""
    unhurried = SimpleNamespace(sleep=lambda _seconds: None, time=time.time)
    monkeypatch.setattr("botocore.endpoint.time", unhurried)
    monkeypatch.setattr("media_nommer.adapters.aws.s3.transfer.FIRST_REST", 0.001)
    monkeypatch.setattr("media_nommer.adapters.aws.s3.upload._REST", 0.001)
    return Faults(boto3.Session())


@pytest.fixture
def storage(faults: Faults) -> S3Storage:
    return S3Storage(AwsClients(session=faults.session))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a file of so many bytes, no two alike."""

    def made(size: int) -> Path:
        number = next(_numbers)
        path = tmp_path / f"made-{number}"
        block = bytes((number + at) % 251 for at in range(65521))
        with path.open("wb") as file:
            for _ in range(size // len(block)):
                file.write(block)
            file.write(block[: size % len(block)])
        return path

    return made


def uploads(s3: Any, bucket: str) -> list[str]:
    """Return the keys of all uploads that were begun and not ended."""
    listed = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    return [upload["Key"] for upload in listed]
