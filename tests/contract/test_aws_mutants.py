"""S3 storages that are broken in ways that S3 invites, each found by the suite."""

import functools
import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from mutants import failures, is_found

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.s3 import S3Storage
from media_nommer.adapters.aws.s3 import keys as s3_keys
from media_nommer.adapters.aws.s3 import put as s3_put
from media_nommer.adapters.aws.s3.calls import S3Calls
from media_nommer.adapters.aws.s3.names import Place
from media_nommer.adapters.aws.s3.transfer import Transfer
from media_nommer.adapters.aws.s3.upload import Goal, Upload
from media_nommer.testing.storage_contract import StorageContract
from media_nommer.testing.storage_ground import planting

SOAK = os.environ.get("NOMMER_SOAK")

_numbers = itertools.count(1)


@functools.cache
def clients(_endpoint: str) -> AwsClients:
    return AwsClients()


@dataclass(frozen=True)
class Mutant:
    """One mistake: what takes the place of what."""

    owner: Any
    name: str
    instead: Any


def _without_condition(_goal: Goal) -> dict[str, str]:
    return {}


def _without_if_match(goal: Goal) -> dict[str, str]:
    return {"IfNoneMatch": "*"} if goal.before is None else {}


def _without_if_none_match(goal: Goal) -> dict[str, str]:
    return {"IfMatch": f'"{goal.before}"'} if goal.before else {}


def _pages_of_names_that_begin_so(calls: S3Calls, folder: Place) -> Any:
    listed = calls.call_bucket(
        "list_objects_v2", folder, Prefix=folder.key.removesuffix("/")
    )
    yield [found["Key"] for found in listed.get("Contents", ())]


def _first_page_of_few(calls: S3Calls, folder: Place) -> Any:
    listed = calls.call_bucket("list_objects_v2", folder, Prefix=folder.key, MaxKeys=10)
    yield [found["Key"] for found in listed.get("Contents", ())]


_NO_CONDITION = Mutant(Goal, "condition", property(_without_condition))
_NO_IF_MATCH = Mutant(Goal, "condition", property(_without_if_match))
_NO_IF_NONE_MATCH = Mutant(Goal, "condition", property(_without_if_none_match))
_NO_LOOK = Mutant(Transfer, "look", lambda _transfer: None)
_BY_BEGINNING = Mutant(s3_keys, "pages", _pages_of_names_that_begin_so)
_ONE_PAGE = Mutant(s3_keys, "pages", _first_page_of_few)
_ANY_SUM = Mutant(S3Storage, "holds", lambda self, url, size, sha256: bool(self.stat(url)))
_ALL_OURS = Mutant(
    Upload,
    "_settled",
    lambda self, error: (self._calls.head(self._goal.place) or {}).get("ETag"),
)


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(_NO_CONDITION, id="no condition"),
        pytest.param(_NO_IF_MATCH, id="no If-Match"),
        pytest.param(_NO_IF_NONE_MATCH, id="no If-None-Match"),
        pytest.param(_NO_LOOK, id="never stops"),
        pytest.param(_BY_BEGINNING, id="lists what begins so"),
        pytest.param(_ONE_PAGE, id="lists one page"),
        pytest.param(_ANY_SUM, id="holds anything"),
        pytest.param(_ALL_OURS, id="takes another's object for its own"),
    ],
)
@pytest.mark.parametrize("in_parts", [False, True] if SOAK else [True])
def test_a_broken_s3_storage_is_found(
    mutant: Mutant,
    in_parts: bool,
    aws: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if in_parts:
        _go_in_parts(monkeypatch)
    monkeypatch.setattr(mutant.owner, mutant.name, mutant.instead)

    assert is_found(StorageContract, fixtures(aws, tmp_path_factory))


@pytest.mark.parametrize("in_parts", [False, True])
def test_one_that_is_not_broken_is_not_found(
    in_parts: bool,
    aws: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if in_parts:
        _go_in_parts(monkeypatch)

    assert failures(StorageContract, fixtures(aws, tmp_path_factory)) == set()


def fixtures(
    endpoint: str, folders: pytest.TempPathFactory
) -> Callable[[], Mapping[str, object]]:
    """Return what makes a storage on an empty bucket, and what else the suite needs."""

    def made() -> Mapping[str, object]:
        bucket = f"mutant-{next(_numbers)}"
        shared = clients(endpoint)
        shared.client("s3").create_bucket(Bucket=bucket)
        storage, folder = S3Storage(shared), folders.mktemp("mutant")

        def url(name: str) -> str:
            return Place(bucket, name).url

        return {
            "storage": storage,
            "url": url,
            "plant": planting(storage, url, folder),
            "tmp_path": folder,
        }

    return made


def _go_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_put, "PART", 0)
    monkeypatch.setattr("media_nommer.adapters.aws.s3.copy.COPIED", 0)
