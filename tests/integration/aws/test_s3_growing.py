"""What goes ahead of a file that is still written to, and what becomes of it."""

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from s3_faults import Faults, answer
from s3_fixtures import *  # noqa: F403 - fixtures
from s3_fixtures import uploads

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.s3 import S3Storage, growing, sums
from media_nommer.core.errors import StorageError
from media_nommer.core.ports.storage import BegunPut

HEAD, AHEAD, WET = 10_000, 50_000, 1000
#: No two places in it look alike.
FILM = random.Random(7).randbytes(HEAD + 6 * AHEAD)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are small, here and at moto's."""
    for name, size in (("HEAD", HEAD), ("AHEAD", AHEAD), ("WET", WET)):
        monkeypatch.setattr(growing, name, size)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 0)


def send_all(begun: BegunPut) -> int:
    """Send what there is; return how many parts that were."""
    count = 0
    while begun.send_ahead():
        count += 1
    return count


def parts(faults: Faults) -> int:
    return Counter(faults.sent)["UploadPart"]


def test_only_what_is_new_is_sent_in_the_end(
    storage: S3Storage, s3: Any, bucket: str, faults: Faults, tmp_path: Path
) -> None:
    path, url = tmp_path / "film.ts", f"s3://{bucket}/film.ts"
    begun = storage.begin(path, url)
    path.write_bytes(FILM[: HEAD + 2 * AHEAD + WET])

    first = send_all(begun)
    path.write_bytes(FILM)
    more = send_all(begun)
    before = parts(faults)
    begun.finish()

    assert (first, more) == (2, 3)
    assert parts(faults) - before == 2  # the head and the last
    assert storage.read(url) == FILM
    assert uploads(s3, bucket) == []


@pytest.mark.parametrize("index", [1, 777, AHEAD, 3 * AHEAD])
def test_bytes_that_have_moved_are_not_sent_again(
    storage: S3Storage, bucket: str, faults: Faults, tmp_path: Path, index: int
) -> None:
    """An index before a film moves all of it, when the film is done."""
    path, url = tmp_path / "film.mp4", f"s3://{bucket}/film.mp4"
    begun = storage.begin(path, url)
    path.write_bytes(FILM)
    sent = send_all(begun)
    whole = b"moov" + random.Random(8).randbytes(index) + b"mdat" + FILM[4:]
    path.write_bytes(whole)

    begun.finish()

    assert parts(faults) - sent == 2
    assert (storage.read(url) == whole) is True


def test_what_was_sent_while_all_was_being_moved_is_not_in_the_way(
    storage: S3Storage, bucket: str, faults: Faults, tmp_path: Path
) -> None:
    """A file is longer than it will be for a moment, and then ends before a part does."""
    path, url = tmp_path / "film.mp4", f"s3://{bucket}/film.mp4"
    begun = storage.begin(path, url)
    path.write_bytes(FILM + b"x" * WET)
    sent = send_all(begun)
    whole = b"moov" + FILM[:-3000]
    path.write_bytes(whole)

    begun.finish()

    assert sent == 6
    assert parts(faults) - sent == 2
    assert (storage.read(url) == whole) is True


def test_a_part_that_was_written_anew_is_sent_anew(
    storage: S3Storage, bucket: str, faults: Faults, tmp_path: Path
) -> None:
    path, url = tmp_path / "film.mkv", f"s3://{bucket}/film.mkv"
    begun = storage.begin(path, url)
    path.write_bytes(FILM)
    sent = send_all(begun)
    whole = bytearray(FILM)
    whole[HEAD + 2 * AHEAD + 5] ^= 1
    path.write_bytes(whole)

    begun.finish()

    assert parts(faults) - sent == 3
    assert (storage.read(url) == whole) is True


def test_a_part_that_changes_while_it_is_sent_is_found_out(
    aws: str, bucket: str, tmp_path: Path
) -> None:
    """Where a server checks no sums, ours are of what it was really sent."""
    other = S3Storage(AwsClients(), endpoint=aws.replace("127.0.0.1", "localhost"))
    path, url = tmp_path / "film.mp4", f"s3://{bucket}/film.mp4"
    begun = other.begin(path, url)
    path.write_bytes(b"\0" * len(FILM))
    whole_sum = sums.crc_of

    def summed_before_it_changes(body: sums.Slice) -> int:
        crc = whole_sum(body)
        path.write_bytes(FILM)
        return crc

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "crc_of", summed_before_it_changes)
        begun.send_ahead()
    path.write_bytes(b"\0" * len(FILM))
    begun.finish()

    assert (other.read(url) == b"\0" * len(FILM)) is True


def test_what_somebody_aborted_is_put_all_the_same(
    storage: S3Storage, s3: Any, bucket: str, tmp_path: Path
) -> None:
    path, url = tmp_path / "film.ts", f"s3://{bucket}/work/film.ts"
    path.write_bytes(FILM)
    begun = storage.begin(path, url)
    send_all(begun)

    swept = storage.sweep(f"s3://{bucket}/work", -timedelta(minutes=15))
    begun.finish()

    assert swept == 1
    assert storage.read(url) == FILM
    assert uploads(s3, bucket) == []


def test_what_is_dropped_is_paid_for_no_longer(
    storage: S3Storage, s3: Any, bucket: str, tmp_path: Path
) -> None:
    path = tmp_path / "film.ts"
    path.write_bytes(FILM)
    begun = storage.begin(path, f"s3://{bucket}/film.ts")
    send_all(begun)
    open_before = uploads(s3, bucket)

    begun.drop()

    assert open_before == ["film.ts"]
    assert uploads(s3, bucket) == []


def test_a_small_file_is_one_call_in_the_end(
    storage: S3Storage, bucket: str, faults: Faults, tmp_path: Path
) -> None:
    path = tmp_path / "film.ts"
    path.write_bytes(FILM[: HEAD + AHEAD])
    begun = storage.begin(path, f"s3://{bucket}/film.ts")

    assert send_all(begun) == 0
    begun.finish()

    assert Counter(faults.sent) == {"PutObject": 1}


def test_a_part_that_could_not_be_sent_goes_with_the_rest(
    storage: S3Storage, bucket: str, faults: Faults, tmp_path: Path
) -> None:
    path, url = tmp_path / "film.ts", f"s3://{bucket}/film.ts"
    path.write_bytes(FILM)
    begun = storage.begin(path, url)
    begun.send_ahead()
    faults.plan("UploadPart", answer(400, "BadDigest"))

    with pytest.raises(StorageError):
        begun.send_ahead()
    begun.finish()

    assert storage.read(url) == FILM


def test_a_server_that_refuses_unlike_parts_is_sent_none_ahead_from_then_on(
    storage: S3Storage, bucket: str, faults: Faults, tmp_path: Path
) -> None:
    path, url = tmp_path / "film.ts", f"s3://{bucket}/film.ts"
    path.write_bytes(FILM)
    first, second = storage.begin(path, url), storage.begin(path, f"{url}.2")
    sent = send_all(first)
    faults.plan("CompleteMultipartUpload", answer(400, "InvalidPart"))

    first.finish()
    more = send_all(second)
    second.finish()

    assert (sent, more) == (5, 0)
    assert storage.read(url) == storage.read(f"{url}.2") == FILM


def test_a_copy_tells_the_sum_that_it_was_given(
    storage: S3Storage, bucket: str, faults: Faults, tmp_path: Path
) -> None:
    """What went ahead had none yet; a later look is to spare the reading."""
    path, work = tmp_path / "film.ts", f"s3://{bucket}/work/film.ts"
    path.write_bytes(FILM)
    begun = storage.begin(path, work)
    send_all(begun)
    begun.finish()

    storage.copy(work, f"s3://{bucket}/film.ts", sha256="5" * 64)
    faults.sent.clear()

    assert storage.holds(f"s3://{bucket}/film.ts", size=len(FILM), sha256="5" * 64)
    assert faults.sent == ["HeadObject"]
