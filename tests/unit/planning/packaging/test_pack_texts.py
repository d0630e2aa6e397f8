"""Subtitles beside renditions, word for word."""

from dataclasses import replace
from xml.etree import ElementTree

from packing_samples import ENGLISH, LARGE, SMALL, adaptive, text

from media_nommer.planning.packaging.dash import manifest
from media_nommer.planning.packaging.hls import master_playlist
from media_nommer.planning.packaging.hls_texts import text_playlist
from media_nommer.planning.packaging.package import package, text_facts
from media_nommer.planning.packaging.texts import packed_text

PLAIN = text(1, default=True)
FORCED = text(2, language="fra", title="fra (forced)", forced=True)
FOR_THE_DEAF = text(3, title="English SDH", hearing_impaired=True)
UNTOLD = text(4, language=None)


def test_a_master_lists_subtitles_and_each_choice_has_them() -> None:
    made = [PLAIN, FORCED, FOR_THE_DEAF, UNTOLD]

    lines = master_playlist([LARGE, SMALL], 6, key_frames=True, texts=made).splitlines()

    assert [line for line in lines if "SUBTITLES," in line] == [
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="eng",LANGUAGE="en",'
        'DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,URI="s1-eng-id.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="fra (forced)",'
        'LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI="s2-fra-id.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="English SDH",'
        'LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,CHARACTERISTICS='
        '"public.accessibility.transcribes-spoken-dialog,'
        'public.accessibility.describes-music-and-sound",URI="s3-eng-id.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="subtitles",DEFAULT=NO,'
        'AUTOSELECT=NO,FORCED=NO,URI="s4-None-id.m3u8"',
    ]
    choices = [line for line in lines if line.startswith("#EXT-X-STREAM-INF")]
    assert all(line.endswith(',SUBTITLES="subtitles"') for line in choices)
    keys = [line for line in lines if line.startswith("#EXT-X-I-FRAME")]
    assert not any("SUBTITLES" in line for line in keys)


def test_a_track_is_one_segment_as_long_as_the_film() -> None:
    assert text_playlist(PLAIN).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:10",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXTINF:9.009000,",
        "s1-eng-id.vtt",
        "#EXT-X-ENDLIST",
    ]


def test_text_has_the_times_of_the_segments_beside_it() -> None:
    in_ts = packed_text(PLAIN.rendition, "s1-id", [], PLAIN.length, ts=True)

    assert in_ts.text == "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:1026000,LOCAL:00:00:00.000\n\n"
    assert PLAIN.text == (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n"
        "00:00:00.500 --> 00:00:02.000\nHello <i>there</i>\n\n"
        "00:00:03.000 --> 00:00:05.500\nR&amp;B\n\n"
    )


def test_a_manifest_tells_what_each_track_is_for() -> None:
    texts = [PLAIN, FORCED, FOR_THE_DEAF]

    root = ElementTree.fromstring(
        manifest([LARGE, ENGLISH], 6, segments="ranges", texts=texts)
    )

    space = "{urn:mpeg:dash:schema:mpd:2011}"
    sets = root.findall(f".//{space}AdaptationSet[@contentType='text']")
    assert [(s.get("id"), s.get("mimeType"), s.get("lang")) for s in sets] == [
        ("2", "text/vtt", "en"),
        ("3", "text/vtt", "fr"),
        ("4", "text/vtt", "en"),
    ]
    roles = [[role.get("value") for role in s.iter(f"{space}Role")] for s in sets]
    assert roles == [["subtitle", "main"], ["forced-subtitle"], ["caption"]]
    hearing = [s.find(f"{space}Accessibility") for s in sets]
    assert [h is not None and h.get("value") for h in hearing] == [False, False, "2"]
    assert [s.findtext(f"{space}Representation/{space}BaseURL") for s in sets] == [
        *("s1-eng-id.vtt", "s2-fra-id.vtt", "s3-eng-id.vtt"),
    ]


def test_text_comes_before_all_that_names_it() -> None:
    files = package(adaptive(LARGE, segments="files"), [LARGE], [PLAIN])

    assert [file.name for file in files] == [
        "film/v1-720p-id/init.mp4",
        "film/v1-720p-id/00001.m4s",
        "film/v1-720p-id/00002.m4s",
        "film/s1-eng-id.vtt",
        "film/s1-eng-id.m3u8",
        "film/v1-720p-id.m3u8",
        "film/v1-720p-id-keys.m3u8",
        "film/index.m3u8",
        "film/index.mpd",
    ]


def test_dash_alone_has_no_playlists_of_text() -> None:
    files = package(adaptive(LARGE, formats=("dash",)), [LARGE], [PLAIN])

    assert [file.name for file in files][1:] == ["film/s1-eng-id.vtt", "film/index.mpd"]


def test_facts_tell_what_a_track_is() -> None:
    assert text_facts(PLAIN) == {
        "name": "eng",
        "cues": 2,
        "default": True,
        "language": "eng",
    }
    assert "language" not in text_facts(replace(UNTOLD, cues=0))
