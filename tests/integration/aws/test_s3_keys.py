"""Links, lists, removals and what the dead left behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from s3_faults import Faults, answer
from s3_fixtures import *  # noqa: F403 - fixtures
from s3_fixtures import Make, uploads

from media_nommer.adapters.aws.s3 import S3Storage
from media_nommer.adapters.aws.s3.names import Place, place_of
from media_nommer.core.errors import AccessDenied, BadRequest, StorageError, UnsupportedUrl


@pytest.mark.parametrize("key", ["film.mp4", "a b/ü?x=1&y#z%20+.mp4"])
def test_a_link_lets_anybody_read(
    storage: S3Storage, bucket: str, make: Make, key: str
) -> None:
    source, url = make(1000), Place(bucket, key).url
    storage.put(source, url)

    link = storage.link(url, timedelta(hours=1))

    assert link is not None
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
    assert "X-Amz-Expires=3600" in link
    assert httpx2.get(link).content == source.read_bytes()


def test_there_is_no_link_to_nothing(storage: S3Storage, bucket: str) -> None:
    assert storage.link(f"s3://{bucket}/a", timedelta(hours=1)) is None


def test_a_link_that_would_last_too_long_is_refused(
    storage: S3Storage, bucket: str, make: Make
) -> None:
    storage.put(make(10), f"s3://{bucket}/a")

    assert storage.link(f"s3://{bucket}/a", timedelta(days=7)) is not None
    with pytest.raises(BadRequest, match="8 days"):
        storage.link(f"s3://{bucket}/a", timedelta(days=8))


def test_a_list_of_many_pages_is_whole_and_is_removed_whole(
    storage: S3Storage, bucket: str
) -> None:
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for key in ("fa", *(f"f/{number:05}" for number in range(1203))):
        backend.put_object(bucket, key, b"")

    assert len(storage.list(f"s3://{bucket}/f")) == 1203
    assert len(storage.list(f"s3://{bucket}")) == 1204
    storage.delete_below(f"s3://{bucket}/f")
    assert storage.list(f"s3://{bucket}") == (f"s3://{bucket}/fa",)


def test_a_mark_of_a_folder_is_no_object_and_goes_with_it(
    storage: S3Storage, s3: Any, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="f/", Body=b"")
    s3.put_object(Bucket=bucket, Key="f/a", Body=b"")

    assert storage.list(f"s3://{bucket}/f") == (f"s3://{bucket}/f/a",)
    storage.delete_below(f"s3://{bucket}/f")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_names_with_control_characters_are_removed_too(
    storage: S3Storage, bucket: str, make: Make
) -> None:
    url = Place(bucket, "f/a\x01b").url
    storage.put(make(10), url)
    storage.put(make(10), f"s3://{bucket}/f/plain")

    assert storage.stat(url) is not None
    storage.delete_below(f"s3://{bucket}/f")
    assert storage.stat(url) is None
    assert storage.stat(f"s3://{bucket}/f/plain") is None


@pytest.mark.parametrize(
    ("code", "expected"), [("AccessDenied", AccessDenied), ("InternalError", StorageError)]
)
def test_an_object_that_stays_when_a_folder_is_removed_is_told_of(
    storage: S3Storage,
    bucket: str,
    make: Make,
    faults: Faults,
    code: str,
    expected: type[StorageError],
) -> None:
    storage.put(make(10), f"s3://{bucket}/f/a")
    refusal = answer(200, "unused")
    body = (
        f"<DeleteResult><Error><Key>f/a</Key><Code>{code}</Code>"
        "<Message>no</Message></Error></DeleteResult>"
    )

    def refused(request: Any) -> Any:
        response = refusal(request)
        assert response is not None
        response._content = body.encode()
        return response

    faults.plan("DeleteObjects", refused)

    with pytest.raises(expected, match="f/a"):
        storage.delete_below(f"s3://{bucket}/f")


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///key",
        "s3://bucket",
        "s3://bucket/",
        "s3://bucket/folder/",
        "s3://bucket/a/../b",
        "s3://bucket/./a",
        "s3://bucket/%ff",
        "s3://bucket/" + "x" * 1025,
        "s4://bucket/key",
        "/bucket/key",
    ],
)
def test_what_names_no_object_is_refused(url: str) -> None:
    with pytest.raises(UnsupportedUrl):
        place_of(url)


def test_only_our_own_unfinished_uploads_of_a_time_are_dropped(
    storage: S3Storage, s3: Any, bucket: str
) -> None:
    others = ("out/film.mp4.bak", "out/film", "else/film.mp4")
    for key in ("out/film.mp4", "out/film.mp4", "out/b ü.mp4", *others):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    urls = [Place(bucket, key).url for key in ("out/film.mp4", "out/b ü.mp4", "out/none")]
    now, minute = datetime.now(UTC), timedelta(minutes=1)

    before = storage.drop_unfinished(urls, since=now - 9 * minute, until=now - minute)
    after = storage.drop_unfinished(urls, since=now + minute, until=now + 9 * minute)
    assert (before, after) == (0, 0)
    assert len(uploads(s3, bucket)) == 6

    assert storage.drop_unfinished(urls, since=now - minute, until=now + minute) == 3
    assert sorted(uploads(s3, bucket)) == sorted(others)


def test_who_may_not_see_uploads_is_told_so(
    storage: S3Storage, faults: Faults, bucket: str
) -> None:
    faults.plan("ListMultipartUploads", answer(403, "AccessDenied"))
    now = datetime.now(UTC)

    with pytest.raises(AccessDenied):
        storage.drop_unfinished([f"s3://{bucket}/a"], since=now, until=now)


def test_uploads_that_the_dead_left_are_swept_up_and_no_others(
    storage: S3Storage, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("work/a", "work/b ü", "other/c"):
        s3.create_multipart_upload(Bucket=bucket, Key=key)

    assert storage.sweep(f"s3://{bucket}/work", timedelta(days=1)) == 0
    assert len(uploads(s3, bucket)) == 3

    later = datetime.now(UTC) + timedelta(days=2)
    monkeypatch.setattr(storage, "_clock", _At(later))
    assert storage.sweep(f"s3://{bucket}/work", timedelta(days=1)) == 2
    assert uploads(s3, bucket) == ["other/c"]


def test_a_bucket_of_another_region_is_asked_there(
    storage: S3Storage, bucket: str, make: Make, faults: Faults
) -> None:
    storage.put(make(10), f"s3://{bucket}/a")
    faults.requests.clear()
    faults.plan(
        "HeadObject", answer(301, "PermanentRedirect", x_amz_bucket_region="eu-west-1")
    )

    assert storage.stat(f"s3://{bucket}/a") is not None
    assert b"eu-west-1" in bytes(faults.requests[-1].headers["Authorization"])


class _At:
    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now
