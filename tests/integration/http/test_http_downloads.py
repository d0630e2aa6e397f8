"""Servers that break off, change their mind, or send something else than was asked for."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from tests.http_server import Exchange, Site
from tests.integration.http.conftest import SILENCE, MakeStorage

from media_nommer.adapters.http import HttpStorage
from media_nommer.core.errors import (
    AccessDenied,
    HandedBack,
    NoSpace,
    SourceNotFound,
    SourceRefused,
    StorageError,
)
from media_nommer.testing.storage_ground import A_FILM, stop_after

ANOTHER = A_FILM[::-1]
CLIP = A_FILM[:300_000]
CUT = 2_000_001

Answer = Callable[[Exchange], None]


def ranges_asked(site: Site) -> list[str | None]:
    return [asked.headers.get("range") for asked in site.asked if asked.method == "GET"]


def of(data: bytes, **how: object) -> Answer:
    return lambda exchange: exchange.serve(data, **how)  # type: ignore[arg-type]


def test_a_broken_download_goes_on_where_it_was(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    url = site.answer("/film", of(A_FILM, cut=CUT), of(A_FILM, cut=1000), of(A_FILM))

    storage.fetch(url, path)

    assert path.read_bytes() == A_FILM
    assert ranges_asked(site) == [None, f"bytes={CUT}-", f"bytes={CUT + 1000}-"]


def test_a_download_that_keeps_breaking_but_gets_on_is_not_given_up(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    film = A_FILM * 4
    url = site.answer("/film", of(film, cut=CUT))

    storage.fetch(url, path)

    assert path.read_bytes() == film
    assert len(site.asked) > 3


def test_a_download_that_brings_too_little_each_time_is_given_up(
    site: Site, storage: HttpStorage, path: Path, waits: list[float]
) -> None:
    url = site.answer("/film", of(A_FILM, cut=10))

    with pytest.raises(StorageError) as failed:
        storage.fetch(url, path)

    assert failed.value.retryable
    assert len(site.asked) == 3
    assert sum(waits) == 1 + 2
    assert list(path.parent.iterdir()) == []


def test_a_file_that_changed_between_two_tries_is_fetched_from_its_start(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    url = site.answer("/film", of(A_FILM, cut=CUT), of(ANOTHER))

    storage.fetch(url, path)

    assert path.read_bytes() == ANOTHER


def test_a_part_of_another_file_is_not_mixed_in_though_the_server_ignores_if_range(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    def careless(exchange: Exchange) -> None:
        del exchange.headers["if-range"]
        exchange.serve(ANOTHER)

    url = site.answer("/film", of(A_FILM, cut=CUT), careless)

    storage.fetch(url, path)

    assert path.read_bytes() == ANOTHER


def test_a_file_that_became_shorter_than_what_came_is_fetched_from_its_start(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    def careless(exchange: Exchange) -> None:
        del exchange.headers["if-range"]
        exchange.serve(b"short")

    url = site.answer("/film", of(A_FILM, cut=CUT), careless)

    storage.fetch(url, path)

    assert path.read_bytes() == b"short"


def test_a_part_that_begins_elsewhere_is_not_taken(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    def shifted(exchange: Exchange) -> None:
        part = A_FILM[100:]
        exchange.say(206, part, content_range=f"bytes 100-{len(A_FILM) - 1}/{len(A_FILM)}")

    url = site.answer("/film", of(A_FILM, cut=CUT), shifted, of(A_FILM))

    storage.fetch(url, path)

    assert path.read_bytes() == A_FILM


def test_a_part_that_nobody_asked_for_is_never_taken_for_the_whole(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    url = site.answer(
        "/film", lambda e: e.say(206, A_FILM[:100], content_range="bytes 0-99/3600000")
    )

    with pytest.raises(StorageError, match="not asked for"):
        storage.fetch(url, path)

    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("tag", ['W/"weak"', "", "unquoted"])
def test_without_a_strong_tag_a_broken_download_begins_anew(
    site: Site, storage: HttpStorage, path: Path, tag: str
) -> None:
    url = site.answer("/film", of(A_FILM, cut=CUT, tag=tag), of(A_FILM, tag=tag))

    storage.fetch(url, path)

    assert path.read_bytes() == A_FILM
    assert ranges_asked(site) == [None, None]


def test_an_old_date_serves_where_there_is_no_tag(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    date = "Tue, 01 Mar 2022 10:00:00 GMT"

    def dated(exchange: Exchange) -> None:
        exchange.start(200, content_length=str(len(A_FILM)), last_modified=date)
        exchange.send(A_FILM[:CUT])
        exchange.hang_up()

    url = site.answer("/film", dated, of(A_FILM, tag=""))

    storage.fetch(url, path)

    assert path.read_bytes() == A_FILM
    assert site.asked[-1].headers["if-range"] == date


def test_a_server_without_ranges_is_asked_for_everything_again(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    whole = of(A_FILM, ranges=False)
    url = site.answer("/film", of(A_FILM, cut=CUT), whole)

    storage.fetch(url, path)

    assert path.read_bytes() == A_FILM


def test_a_body_that_is_shorter_than_announced_is_an_error(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    def lie(exchange: Exchange) -> None:
        exchange.start(200, content_length="1000")
        exchange.send(b"x" * 999)
        exchange.hang_up()

    url = site.answer("/film", lie)

    with pytest.raises(StorageError) as failed:
        storage.fetch(url, path)

    assert failed.value.retryable
    assert list(path.parent.iterdir()) == []
    with pytest.raises(StorageError):
        storage.read(url)


def chunked(*chunks: bytes, end: bool = True) -> Answer:
    def answer(exchange: Exchange) -> None:
        exchange.start(200, transfer_encoding="chunked")
        for chunk in chunks:
            exchange.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        if end:
            exchange.send(b"0\r\n\r\n")
        exchange.hang_up()

    return answer


def test_a_file_of_unknown_length_is_fetched_whole(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    url = site.answer("/film", chunked(A_FILM[:CUT], A_FILM[CUT:]))

    seen = storage.stat(url)
    storage.fetch(url, path)

    assert seen is not None
    assert seen.size == 0
    assert path.read_bytes() == A_FILM
    assert storage.holds(url, size=len(A_FILM), sha256=hashlib.sha256(A_FILM).hexdigest())


def test_a_file_of_unknown_length_that_breaks_off_is_not_taken_for_whole(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    url = site.answer("/film", chunked(A_FILM[:CUT], end=False))

    with pytest.raises(StorageError):
        storage.fetch(url, path)

    assert list(path.parent.iterdir()) == []


def raw_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return machine.compress(data) + machine.flush()


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("gzip", lambda data: gzip.compress(data[:99]) + gzip.compress(data[99:])),
        ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
        ("aws-chunked", bytes),
    ],
)
def test_bytes_that_were_packed_for_the_way_are_unpacked(
    site: Site,
    storage: HttpStorage,
    path: Path,
    encoding: str,
    encode: Callable[[bytes], bytes],
) -> None:
    packed = encode(CLIP)
    url = site.answer("/film", lambda e: e.say(200, packed, content_encoding=encoding))

    storage.fetch(url, path)

    assert path.read_bytes() == CLIP
    assert site.asked[-1].headers["accept-encoding"] == "identity"


def test_packed_bytes_that_break_off_are_fetched_from_their_start(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    packed = gzip.compress(CLIP)

    def broken(exchange: Exchange) -> None:
        exchange.start(200, content_encoding="gzip", etag='"a"')
        exchange.send(packed[:-1000])
        exchange.hang_up()

    whole = lambda e: e.say(200, packed, content_encoding="gzip", etag='"a"')  # noqa: E731
    url = site.answer("/film", broken, whole)

    storage.fetch(url, path)

    assert path.read_bytes() == CLIP
    assert ranges_asked(site) == [None, None]


def test_an_encoding_that_is_not_known_here_is_refused(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    url = site.answer("/film", lambda e: e.say(200, b"???", content_encoding="br"))

    with pytest.raises(SourceRefused, match="br"):
        storage.fetch(url, path)

    assert list(path.parent.iterdir()) == []


def test_a_file_over_the_limit_is_refused_before_its_first_byte(
    site: Site, make_storage: MakeStorage, path: Path
) -> None:
    def huge(exchange: Exchange) -> None:
        exchange.start(200, content_length=str(1 << 50))
        exchange.site.over.wait()

    url = site.answer("/film", huge)

    with pytest.raises(SourceRefused, match="larger than 1000 bytes"):
        make_storage(max_bytes=1000).fetch(url, path)

    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_grows_over_the_limit_is_refused_on_its_way(
    site: Site, make_storage: MakeStorage, path: Path, packed: bool
) -> None:
    bomb = gzip.compress(bytes(1 << 24))
    answer = (
        (lambda e: e.say(200, bomb, content_encoding="gzip")) if packed else chunked(A_FILM)
    )
    url = site.answer("/film", answer)

    with pytest.raises(SourceRefused):
        make_storage(max_bytes=len(A_FILM) - 1).fetch(url, path)

    assert list(path.parent.iterdir()) == []


def test_a_file_of_just_the_limit_is_fetched(
    site: Site, make_storage: MakeStorage, path: Path
) -> None:
    url = site.plant("film", A_FILM)

    make_storage(max_bytes=len(A_FILM)).fetch(url, path)

    assert path.read_bytes() == A_FILM


@pytest.mark.parametrize("begun", [False, True])
def test_a_server_that_falls_silent_is_given_up(
    site: Site, make_storage: MakeStorage, path: Path, begun: bool
) -> None:
    def silent(exchange: Exchange) -> None:
        if begun:
            exchange.start(200, content_length="1000")
            exchange.send(b"x")
        exchange.site.over.wait()

    url = site.answer("/film", silent)

    with pytest.raises(StorageError, match="did not answer in time") as failed:
        make_storage(silence=SILENCE).fetch(url, path)

    assert failed.value.retryable
    assert list(path.parent.iterdir()) == []


def test_a_download_that_is_told_to_stop_in_the_middle_leaves_nothing(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    url = site.plant("film", A_FILM)

    with pytest.raises(HandedBack):
        storage.fetch(url, path, stop=stop_after(10))

    assert list(path.parent.iterdir()) == []


def test_a_wait_between_tries_ends_when_told_to_stop(
    site: Site, storage: HttpStorage, path: Path, waits: list[float]
) -> None:
    url = site.answer("/film", lambda e: e.say(503, retry_after="50"))

    with pytest.raises(HandedBack):
        storage.fetch(
            url, path, stop=lambda: HandedBack("leaving") if len(waits) > 4 else None
        )

    assert waits == [1.0] * 5


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_server_that_cannot_now_is_asked_again_when_it_says(
    site: Site, storage: HttpStorage, path: Path, waits: list[float], status: int
) -> None:
    url = site.answer("/film", lambda e: e.say(status, retry_after="7"), of(A_FILM))

    storage.fetch(url, path)

    assert path.read_bytes() == A_FILM
    assert sum(waits) == 7


def test_a_server_that_wants_a_date_waited_for_is_waited_for_within_bounds(
    site: Site, storage: HttpStorage, path: Path, waits: list[float]
) -> None:
    soon, late = "Thu, 01 Jan 2026 00:00:09 GMT", "Fri, 01 Jan 2027 00:00:00 GMT"
    url = site.answer(
        "/film",
        lambda e: e.say(503, retry_after=soon),
        lambda e: e.say(503, retry_after=late),
        of(A_FILM),
    )

    storage.fetch(url, path)

    assert sum(waits) == 9 + 60


@pytest.mark.parametrize(
    ("status", "error", "retryable"),
    [
        (404, SourceNotFound, False),
        (410, SourceNotFound, False),
        (401, AccessDenied, False),
        (403, AccessDenied, False),
        (400, SourceRefused, False),
        (418, SourceRefused, False),
        (416, SourceRefused, False),
        (204, SourceRefused, False),
        (304, SourceRefused, False),
        (302, SourceRefused, False),
        (429, StorageError, True),
        (500, StorageError, True),
    ],
)
def test_a_status_becomes_an_error_that_says_whether_to_try_again(
    site: Site,
    storage: HttpStorage,
    path: Path,
    status: int,
    error: type[StorageError],
    retryable: bool,
) -> None:
    url = site.answer("/film", lambda e: e.say(status))

    with pytest.raises(error) as failed:
        storage.fetch(url, path)

    assert failed.value.retryable is retryable
    assert str(status) in failed.value.message
    assert list(path.parent.iterdir()) == []


def test_a_server_that_cannot_be_reached_is_an_error_worth_another_try(
    site: Site, storage: HttpStorage, path: Path
) -> None:
    with pytest.raises(StorageError, match="connected to") as failed:
        storage.fetch("http://127.0.0.1:1/film", path)

    assert failed.value.retryable


@pytest.mark.parametrize(
    "line", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nA\r\n\r\n", b""]
)
def test_what_is_no_answer_is_an_error_worth_another_try(
    site: Site, storage: HttpStorage, path: Path, line: bytes
) -> None:
    def babble(exchange: Exchange) -> None:
        exchange.wfile.write(line)
        exchange.hang_up()

    with pytest.raises(StorageError, match="broke") as failed:
        storage.fetch(site.answer("/film", babble), path)

    assert failed.value.retryable


def test_a_full_disk_is_told_as_one_and_the_server_is_not_asked_again(
    site: Site, storage: HttpStorage, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.plant("film", A_FILM)
    monkeypatch.setattr(Path, "open", lambda *_: io.FileIO("/dev/full", "w"))

    with pytest.raises(NoSpace):
        storage.fetch(url, path)

    assert len(site.asked) == 1


def test_a_folder_that_is_missing_is_an_error_of_ours(
    site: Site, storage: HttpStorage, tmp_path: Path
) -> None:
    with pytest.raises(StorageError):
        storage.fetch(site.plant("film", b"x"), tmp_path / "no" / "film")


@pytest.mark.parametrize("status", [400, 403, 405, 500, 501])
def test_the_size_is_had_without_head(
    site: Site, storage: HttpStorage, status: int
) -> None:
    def answer(exchange: Exchange) -> None:
        if exchange.is_head:
            exchange.say(status)
        else:
            exchange.serve(A_FILM, tag='W/"1"')

    seen = storage.stat(site.answer("/film", answer))

    assert seen is not None
    assert (seen.size, seen.version) == (len(A_FILM), 'W/"1"')
    assert ranges_asked(site) == ["bytes=0-0"]


def test_a_version_without_a_tag_is_made_of_date_and_size(
    site: Site, storage: HttpStorage
) -> None:
    days = count(1)

    def answer(exchange: Exchange) -> None:
        date = f"Tue, 0{next(days)} Mar 2022 10:00:00 GMT"
        exchange.say(200, b"film", last_modified=date)

    url = site.answer("/film", answer)
    first, second = storage.stat(url), storage.stat(url)

    assert first is not None
    assert second is not None
    assert first.version != second.version


def test_what_is_too_large_for_memory_is_not_read_into_it(
    site: Site, storage: HttpStorage
) -> None:
    url = site.answer("/film", lambda e: e.start(200, content_length=str(1 << 40)))

    with pytest.raises(SourceRefused):
        storage.read(url)
