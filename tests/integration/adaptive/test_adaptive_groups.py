"""Sounds in stereo for every player, and in surround for those that know it."""

from pathlib import Path

import av
import m3u8
import pytest
from mpegdash.parser import MPEGDASHParser
from seeing import first_click
from tests.adaptive_films import Streamed, ffmpeg, stream

from media_nommer.core.ports.probe import Probe

GROUPS = {"audio": {"channels": 2}, "audio_groups": [{"codec": "eac3", "channels": 6}]}


@pytest.fixture(scope="module")
def grouped(
    probe: Probe, source: Path, tmp_path_factory: pytest.TempPathFactory
) -> Streamed:
    """A film that is heard in surround in English and in mono in French."""
    folder = tmp_path_factory.mktemp("groups")
    wide = folder / "wide.mkv"
    ffmpeg(
        *("-i", str(source), "-filter_complex", "[0:a]pan=5.1|c0=c0|c2=c0|c4=c0[wide]"),
        *("-map", "0:v", "-map", "[wide]", "-map", "0:a", "-c:v", "copy", "-c:a", "flac"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"),
        *("-disposition:a:0", "default", "-disposition:a:1", "0", str(wide)),
    )
    return stream(probe, wide, folder / "made", **GROUPS)


def test_each_picture_is_offered_with_stereo_and_with_surround(grouped: Streamed) -> None:
    master = m3u8.load(str(grouped.master))

    offered = [
        (p.stream_info.resolution, p.stream_info.codecs, p.stream_info.audio)
        for p in master.playlists
    ]
    assert offered == [
        ((320, 180), "avc1.64000d,mp4a.40.2", "audio"),
        ((160, 90), "avc1.64000b,mp4a.40.2", "audio"),
        ((320, 180), "avc1.64000d,ec-3", "audio-2"),
        ((160, 90), "avc1.64000b,ec-3", "audio-2"),
    ]
    assert [
        (m.group_id, m.name, m.language, m.default, m.channels) for m in master.media
    ] == [
        ("audio", "eng", "en", "YES", "2"),
        ("audio", "fra", "fr", "NO", "1"),
        ("audio-2", "eng", "en", "YES", "6"),
        ("audio-2", "fra", "fr", "NO", "1"),
    ]


def test_each_sound_is_what_its_group_says_and_where_the_source_has_it(
    grouped: Streamed, source: Path
) -> None:
    master = m3u8.load(str(grouped.master))
    first = first_click(source, 2.5)

    for told in master.media:
        place = grouped.master.parent / told.uri
        with av.open(str(place)) as playing:
            (heard,) = playing.streams.audio
            assert (heard.codec.canonical_name, heard.channels) == (
                "aac" if told.group_id == "audio" else "eac3",
                int(told.channels),
            )
        assert first_click(place, 2.5) == pytest.approx(first, abs=0.005)


def test_a_manifest_has_each_sound_of_each_group(grouped: Streamed) -> None:
    (period,) = MPEGDASHParser.parse(str(grouped.manifest)).periods

    sounds = period.adaptation_sets[1:]
    assert [(s.lang, s.representations[0].codecs) for s in sounds] == [
        *(("en", "mp4a.40.2"), ("fr", "mp4a.40.2")),
        *(("en", "ec-3"), ("fr", "ec-3")),
    ]
    assert len({s.representations[0].id for s in sounds}) == 4
