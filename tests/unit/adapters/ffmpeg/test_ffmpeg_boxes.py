"""Fragmented MP4 files, whole and broken, read box by box."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_nommer.adapters.ffmpeg.fragments import read_fragments
from media_nommer.core.errors import NotMedia
from media_nommer.core.fragments import FragmentedFile

_KEY, _OTHER = 0x02000000, 0x01010000


def box(kind: str, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", 8 + len(data), kind.encode()) + data


def full(kind: str, flags: int, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def header(*, edit: int | None = None, scale: int = 100, tracks: int = 1) -> bytes:
    edits = full("elst", 0, struct.pack(">IIiI", 1, 0, edit or 0, 1 << 16))
    entry = box("avc1", bytes(78), box("avcC", b"\x01\x64\x00\x1f"))
    track = box(
        "trak",
        *([box("edts", edits)] if edit is not None else []),
        box(
            "mdia",
            full("mdhd", 0, struct.pack(">IIII", 0, 0, scale, 0)),
            box("minf", box("stbl", full("stsd", 0, struct.pack(">I", 1), entry))),
        ),
    )
    extends = box("mvex", full("trex", 0, struct.pack(">IIIII", 1, 1, 4, 0, _OTHER)))
    return box("ftyp", b"iso6") + box("moov", *[track] * tracks, extends)


def fragment(begins: int, sizes: list[int], offsets: list[int] | None = None) -> bytes:
    """Return a fragment whose first frame is a key frame; frames last 4 ticks."""
    frames = b"".join(
        struct.pack(">Ii", size, offset)
        for size, offset in zip(sizes, offsets or [0] * len(sizes), strict=True)
    )
    run = full("trun", 0xA05, struct.pack(">IiI", len(sizes), 0, _KEY), frames, version=1)
    time = full("tfdt", 0, struct.pack(">Q", begins), version=1)
    track = box("traf", full("tfhd", 0x20000, struct.pack(">I", 1)), time, run)
    return box("moof", track) + box("mdat", bytes(sum(sizes)))


@contextmanager
def opened(path: Path, data: bytes) -> Iterator[int]:
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


def read(path: Path, data: bytes) -> FragmentedFile:
    with opened(path, data) as fd:
        return read_fragments(fd, "film.mp4")


def test_fragments_are_found_with_their_frames(tmp_path: Path) -> None:
    head, index = header(), box("sidx", bytes(32))
    first, second = fragment(0, [50, 10, 10]), fragment(12, [40, 5])

    found = read(tmp_path / "f", head + index + first + second)

    assert (found.header, found.index_offset, found.index_size) == (
        *(len(head), len(head), len(index)),
    )
    assert (found.timescale, found.entry, found.config) == (100, "avc1", "0164001f")
    one, two = found.fragments
    assert (one.offset, one.size) == (len(head + index), len(first))
    assert one.first_end == one.offset + len(first) - 70 + 50
    assert [(f.time, f.duration, f.frames, f.keys) for f in (one, two)] == [
        *((0, 12, 3, 1), (12, 8, 2, 1)),
    ]
    assert one.begins_with_key


def test_an_edit_list_and_frames_that_change_places_are_seen_as_shown(
    tmp_path: Path,
) -> None:
    data = header(edit=8) + fragment(0, [9, 9, 9], [8, 16, 0]) + fragment(12, [9], [8])

    one, two = read(tmp_path / "f", data).fragments

    assert (one.time, one.duration) == (0, 12)
    assert (two.time, two.duration) == (12, 4)


def test_what_a_codec_has_before_its_beginning_does_not_count(tmp_path: Path) -> None:
    data = header(edit=4) + fragment(0, [9, 9, 9]) + fragment(12, [9])

    one, two = read(tmp_path / "f", data).fragments

    assert (one.time, one.duration, two.time) == (0, 8, 8)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no boxes at all", id="no boxes"),
        pytest.param(header(), id="no fragment"),
        pytest.param(fragment(0, [9]), id="no header"),
        pytest.param(header(tracks=2) + fragment(0, [9]), id="two tracks"),
        pytest.param(header(scale=0) + fragment(0, [9]), id="no clock"),
        pytest.param(header() + fragment(0, []), id="no frames"),
        pytest.param(header() + fragment(0, [9])[:-1], id="cut short"),
        pytest.param(header() + box("mdat", b"x"), id="data alone"),
        pytest.param(header() + box("moof") + box("mdat", b"x"), id="an empty fragment"),
        pytest.param(
            header() + fragment(0, [9]).replace(b"\x00\x00\x00\x09", b"\x00\x00\x00\x08"),
            id="frames that are not as large as their data",
        ),
    ],
)
def test_what_is_not_such_a_file_is_told(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(NotMedia):
        read(tmp_path / "f", data)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_does_more_than_be_refused(data: st.DataObject, tmp_path: Path) -> None:
    whole = header(edit=4) + box("sidx", bytes(32)) + fragment(0, [9, 9]) + fragment(8, [9])
    at = data.draw(st.integers(0, len(whole) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=8))
    broken = whole[:at] + junk + whole[at + len(junk) :]

    try:
        found = read(tmp_path / "f", broken)
    except NotMedia:
        return
    assert found.fragments
