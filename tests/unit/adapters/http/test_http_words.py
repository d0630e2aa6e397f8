"""What headers, URLs and waits mean: no server is asked here."""

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpcore2
import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import override

from media_nommer.adapters.http import Patience
from media_nommer.adapters.http.answers import (
    Span,
    length,
    retry_after,
    span,
    stored,
    validator,
)
from media_nommer.adapters.http.decoding import decoded
from media_nommer.adapters.http.links import next_hop, parse, shown
from media_nommer.adapters.http.watched import WatchedStream
from media_nommer.core.errors import HandedBack, SourceRefused, UnsupportedUrl
from media_nommer.core.ports.storage import StopCheck, never_stop
from media_nommer.testing.clock import START, ManualClock


def headers(**words: str) -> httpx2.Headers:
    return httpx2.Headers({name.replace("_", "-"): word for name, word in words.items()})


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("bytes 0-0/1", Span(0, 1, 1)),
        ("bytes 5-9/10", Span(5, 10, 10)),
        ("bytes 5-9/*", Span(5, 10, None)),
        ("bytes */10", Span(0, 0, 10)),
        ("bytes 5-10/10", None),
        ("bytes 9-5/10", None),
        ("bytes -5/10", None),
        ("items 0-0/1", None),
        ("bytes 0-0/" + "9" * 40, None),
        ("bytes \u0660-\u0660/\u0661", None),
        ("", None),
    ],
)
def test_a_part_is_what_content_range_says(said: str, meant: Span | None) -> None:
    raw = httpx2.Headers([(b"content-range", said.encode())])

    assert span(raw) == meant


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60),
        ("soon", None),
        ("-7", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str, seconds: int | None) -> None:
    meant = None if seconds is None else timedelta(seconds=seconds)

    assert retry_after(headers(retry_after=said), START) == meant


@given(st.text(), st.datetimes(timezones=st.just(UTC)))
def test_no_header_breaks_us(said: str, now: datetime) -> None:
    every = ("retry-after", "content-range", "content-length", "etag", "last-modified")
    raw = httpx2.Headers([(name.encode(), said.encode("utf-8")) for name in every])

    retry_after(raw, now)
    span(raw)
    validator(raw)
    assert stored(raw, length(raw)).size >= 0


def test_a_length_is_that_of_the_file_and_not_of_what_it_was_packed_into() -> None:
    assert length(headers(content_length="7")) == 7
    assert length(headers(content_length="7", content_encoding="identity")) == 7
    assert length(headers(content_length="7", content_encoding="gzip")) is None
    assert length(headers(content_length="-7")) is None
    assert length(headers()) is None


def test_a_date_names_one_version_only_once_its_minute_is_over() -> None:
    changed, soon = "Tue, 01 Mar 2022 10:00:00 GMT", "Tue, 01 Mar 2022 10:00:59 GMT"
    later = "Tue, 01 Mar 2022 10:01:00 GMT"

    assert validator(headers(last_modified=changed, date=soon)) is None
    assert validator(headers(last_modified=changed, date=later)) == changed
    assert validator(headers(last_modified=changed)) is None
    assert validator(headers(last_modified=changed, date=later, etag='W/"a"')) is None
    assert validator(headers(etag='"a"')) == '"a"'


@pytest.mark.parametrize(
    "url",
    [
        "",
        "film.mp4",
        "//host/film",
        "file:///film",
        "ftp://host/film",
        "http://",
        "http:///film",
        "http://host:0/film",
        "http://host:65536/film",
        "http://host:-1/film",
        "http://[::1/film",
        "http://1.2.3.999/film",
        "http://host/\x00film",
        "http://host/film\r\nX: y",
        "http://user:pass@host/film",
    ],
)
def test_what_is_no_url_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(UnsupportedUrl) as failed:
        parse(url)

    assert failed.value.advice


@given(st.text(st.characters(exclude_categories=())))
@example("\ud800")
def test_any_text_is_a_url_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://host/{text}"):
        try:
            link = parse(url)
        except UnsupportedUrl:
            continue
        assert "?" not in shown(link)
        assert "#" not in shown(link)


def test_what_is_shown_of_a_url_is_enough_to_know_it_by() -> None:
    link = parse("https://Films.example:8443/a%20b.mp4?sig=secret#here")

    assert shown(link) == "https://films.example:8443/a%20b.mp4"


def test_a_redirect_leads_from_where_we_are() -> None:
    here = parse("http://films.example/a/b?c")

    assert str(next_hop(here, "d")) == "http://films.example/a/d"
    assert str(next_hop(here, "/d?e#f")) == "http://films.example/d?e"
    assert str(next_hop(here, "//x.example/d")) == "http://x.example/d"
    assert str(next_hop(here, "https://x.example/d")) == "https://x.example/d"
    with pytest.raises(SourceRefused):
        next_hop(parse("https://films.example/"), "http://films.example/")


@given(st.integers(1, 10_000), st.floats(0, 1), st.integers(0, 10_000))
def test_a_wait_is_at_least_what_is_asked_for_and_never_beyond_the_limit(
    failures: int, dice: float, asked: int
) -> None:
    patience = Patience()

    span = patience.wait(failures, timedelta(seconds=asked), dice)

    assert span <= patience.longest_wait
    assert span >= min(timedelta(seconds=asked), patience.longest_wait)
    assert span >= patience.first_wait / 2


@given(st.binary(max_size=5000), st.lists(st.integers(1, 400)), st.sampled_from([15, 31]))
def test_packed_bytes_come_out_as_they_went_in_however_they_are_cut(
    data: bytes, cuts: list[int], wbits: int
) -> None:
    machine = zlib.compressobj(wbits=wbits)
    packed = machine.compress(data) + machine.flush()

    def pieces() -> Iterator[bytes]:
        rest = packed
        for cut in cuts:
            yield rest[:cut]
            rest = rest[cut:]
        yield rest

    encoding = "deflate" if wbits == 15 else "gzip"

    assert b"".join(decoded(pieces(), [encoding])) == data


class Trickle(httpcore2.NetworkStream):
    """Sends so many bytes at each look, each look taking so long."""

    def __init__(self, clock: ManualClock, size: int, seconds: float) -> None:
        self._clock = clock
        self._size = size
        self._seconds = seconds

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._clock.advance(timedelta(seconds=self._seconds))
        return b"x" * self._size


def watched(size: int, seconds: float, stop: StopCheck = never_stop) -> WatchedStream:
    clock = ManualClock()
    return WatchedStream(
        Trickle(clock, size, seconds),
        silence=timedelta(seconds=30),
        clock=clock,
        stop=stop,
    )


def test_a_server_that_sends_a_byte_now_and_then_is_given_up() -> None:
    stream = watched(1, 20)
    for _ in range(3):
        stream.read(65536)

    with pytest.raises(httpcore2.ReadTimeout):
        stream.read(65536)


@pytest.mark.parametrize(("size", "seconds"), [(500, 10), (2000, 59), (0, 100), (1, 0)])
def test_a_server_that_is_merely_slow_is_waited_for(size: int, seconds: float) -> None:
    stream = watched(size, seconds)

    came = sum(len(stream.read(65536)) for _ in range(100))

    assert came == 100 * size


def test_no_bytes_are_looked_at_once_told_to_stop() -> None:
    with pytest.raises(HandedBack):
        watched(1, 0, lambda: HandedBack("leaving")).read(65536)
