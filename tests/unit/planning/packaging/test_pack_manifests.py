"""Manifests of DASH, and the index that they lead to."""

import struct
from xml.etree import ElementTree

import pytest
from packing_samples import ENGLISH, FRENCH, LARGE, SMALL, fragmented, picture, sound

from media_nommer.core.errors import OutputDamaged
from media_nommer.planning.packaging.dash import manifest
from media_nommer.planning.packaging.index import index_bytes, index_place
from media_nommer.planning.packaging.segments import segments_of

_NS = {"d": "urn:mpeg:dash:schema:mpd:2011"}


def read(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # our own text


def test_a_manifest_tells_of_each_rendition() -> None:
    root = read(manifest([LARGE, SMALL, ENGLISH, FRENCH], 6, segments="ranges"))

    assert root.get("mediaPresentationDuration") == "PT9.009S"
    assert root.get("profiles") == "urn:mpeg:dash:profile:isoff-on-demand:2011"
    sets = root.findall("d:Period/d:AdaptationSet", _NS)
    assert [(s.get("contentType"), s.get("lang")) for s in sets] == [
        ("video", None),
        ("audio", "en"),
        ("audio", "fr"),
    ]
    assert all(s.get("subsegmentAlignment") == "true" for s in sets)
    assert all(s.get("subsegmentStartsWithSAP") == "1" for s in sets)
    first = sets[0].find("d:Representation", _NS)
    assert first is not None
    assert first.attrib == {
        "id": "v1",
        "codecs": "avc1.64001f",
        "bandwidth": "3196804",
        "width": "1280",
        "height": "720",
        "sar": "1:1",
        "frameRate": "24000/1001",
    }
    channels = [
        c.get("value") for c in root.iterfind(".//d:AudioChannelConfiguration", _NS)
    ]
    assert channels == ["2", "6"]


def test_the_index_of_a_manifest_ends_where_the_first_segment_begins() -> None:
    root = read(manifest([LARGE], 6, segments="ranges"))

    base = root.find(".//d:SegmentBase", _NS)
    start = root.find(".//d:Initialization", _NS)
    assert base is not None
    assert start is not None
    assert base.get("indexRange") == "736-799"
    assert start.get("range") == "0-699"


def test_segment_files_are_counted_with_their_durations() -> None:
    root = read(manifest([LARGE], 6, segments="files"))

    template = root.find(".//d:SegmentTemplate", _NS)
    assert template is not None
    assert template.get("media") == "v1-720p-id/$Number%05d$.m4s"
    assert template.get("initialization") == "v1-720p-id/init.mp4"
    assert [dict(s.attrib) for s in template.iterfind(".//d:S", _NS)] == [
        {"t": "0", "d": "144144"},
        {"d": "72072"},
    ]


def test_even_segments_are_told_at_once() -> None:
    even = picture(1, 640, 360, fragmented([1000] * 9))

    root = read(manifest([even], 6, segments="files"))

    assert [dict(s.attrib) for s in root.iterfind(".//d:S", _NS)] == [
        {"t": "0", "d": "144144", "r": "2"}
    ]


def test_high_dynamic_range_is_told() -> None:
    bright = picture(1, 640, 360, fragmented([1000]), transfer="smpte2084")

    root = read(manifest([bright], 2, segments="ranges"))

    told = root.find(".//d:EssentialProperty", _NS)
    assert told is not None
    assert told.get("value") == "16"


def test_seven_channels_and_one_have_the_number_that_mpeg_gave_them() -> None:
    text = manifest([sound(1, ENGLISH.file, channels=8)], 6, segments="ranges")

    assert 'value="12"' in text


def test_the_index_lists_segments_in_the_room_of_fragments() -> None:
    data = index_bytes(LARGE.file, LARGE.segments)

    assert len(data) == LARGE.file.index_size
    assert struct.unpack_from(">I4s", data) == (36, b"free")
    head = struct.unpack_from(">I4sIIIQQHH", data, 36)
    assert head == (64, b"sidx", 0x01000000, 1, 24_000, 0, 0, 0, 2)
    assert struct.unpack_from(">6I", data, 76) == (
        *(1_500_000, 144_144, 0x90000000),
        *(1_200_000, 72_072, 0x90000000),
    )
    assert index_place(LARGE.file, LARGE.segments) == (736, 799)


def test_an_index_that_fits_exactly_has_nothing_before_it() -> None:
    file = fragmented([1000, 1000])
    parts = segments_of(file, 2.002)

    data = index_bytes(file, parts)

    assert len(parts) == 2
    assert data[4:8] == b"sidx"
    assert len(data) == file.index_size


def test_an_index_without_room_is_refused() -> None:
    with pytest.raises(OutputDamaged):
        index_bytes(fragmented([1000]), LARGE.segments)
