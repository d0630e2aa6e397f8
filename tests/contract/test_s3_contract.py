import functools
import itertools
from collections.abc import Callable

import pytest

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.s3 import S3Storage
from media_nommer.adapters.aws.s3.names import Place
from media_nommer.core.ports.storage import Storage
from media_nommer.testing.storage_contract import StorageContract

_numbers = itertools.count(1)


@functools.cache
def clients(_endpoint: str) -> AwsClients:
    return AwsClients()


@pytest.fixture
def bucket(aws: str) -> str:
    name = f"contract-{next(_numbers)}"
    clients(aws).client("s3").create_bucket(Bucket=name)
    return name


class TestS3Storage(StorageContract):
    @pytest.fixture
    def storage(self, bucket: str, aws: str) -> Storage:
        return S3Storage(clients(aws))

    @pytest.fixture
    def url(self, bucket: str) -> Callable[[str], str]:
        return lambda name: Place(bucket, name).url


class TestAnotherServerThatSpeaksS3(StorageContract):
    @pytest.fixture
    def storage(self, bucket: str, aws: str) -> Storage:
        return S3Storage(clients(aws), endpoint=aws.replace("127.0.0.1", "localhost"))

    @pytest.fixture
    def url(self, bucket: str) -> Callable[[str], str]:
        return lambda name: Place(bucket, name).url


class TestS3StorageByParts(TestS3Storage):
    """Everything that is not empty goes up in parts, and is copied in parts."""

    @pytest.fixture
    def storage(self, bucket: str, aws: str, monkeypatch: pytest.MonkeyPatch) -> Storage:
        monkeypatch.setattr("media_nommer.adapters.aws.s3.put.PART", 0)
        monkeypatch.setattr("media_nommer.adapters.aws.s3.copy.COPIED", 0)
        monkeypatch.setattr("media_nommer.adapters.aws.s3.growing.HEAD", 100_000)
        monkeypatch.setattr("media_nommer.adapters.aws.s3.growing.AHEAD", 500_000)
        monkeypatch.setattr("media_nommer.adapters.aws.s3.growing.WET", 1000)
        monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 0)
        return S3Storage(clients(aws))
