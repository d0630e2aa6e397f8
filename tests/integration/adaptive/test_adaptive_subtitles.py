"""Subtitles beside real films, as parsers that are not ours find them."""

from pathlib import Path

import av
import m3u8
import pytest
from mpegdash.parser import MPEGDASHParser
from tests.adaptive_films import SPOKEN, Streamed, film, stream, with_texts

from media_nommer.core.ports.probe import Probe
from media_nommer.planning.packaging.transport import BEGINS

_SMALL = {
    "video": {"speed": "ultrafast", "height": 64},
    "ladder": None,
    "of_input": {"start": 1},
}


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoken")
    return with_texts(film(folder / "film.mp4", seconds=4), folder / "film.mkv", *SPOKEN)


@pytest.fixture(scope="module")
def in_ts(probe: Probe, spoken: Path, tmp_path_factory: pytest.TempPathFactory) -> Streamed:
    return stream(probe, spoken, tmp_path_factory.mktemp("ts"), segments="ts", **_SMALL)


def test_players_find_each_track_by_its_language_and_purpose(
    probe: Probe, spoken: Path, tmp_path: Path
) -> None:
    made = stream(probe, spoken, tmp_path, **_SMALL)

    master = m3u8.load(str(made.master))
    texts = [each for each in master.media if each.type == "SUBTITLES"]
    assert [(t.name, t.language, t.default, t.forced) for t in texts] == [
        ("eng", "en", "YES", "NO"),
        ("fra (forced)", "fr", "NO", "YES"),
        ("eng (SDH)", "en", "NO", "NO"),
    ]
    assert {p.stream_info.subtitles for p in master.playlists} == {texts[0].group_id}
    (period,) = MPEGDASHParser.parse(str(made.manifest)).periods
    sets = [s for s in period.adaptation_sets if s.content_type == "text"]
    assert [s.lang for s in sets] == ["en", "fr", "en"]
    for listed, told in zip(texts, sets, strict=True):
        playlist = m3u8.load(str(made.master.parent / listed.uri))
        (segment,) = playlist.segments
        assert playlist.target_duration >= segment.duration == pytest.approx(3, abs=0.03)
        assert segment.uri == told.representations[0].base_urls[0].base_url_value
        assert (made.master.parent / segment.uri).is_file()


def test_text_of_mpeg_ts_is_shown_when_its_picture_is(in_ts: Streamed) -> None:
    first = next(path for path in in_ts.folder.rglob("00001.ts") if "v1" in str(path))

    with av.open(str(first)) as container:
        begins = min(p.pts for p in container.demux() if p.pts is not None)

    text = in_ts.named(".vtt")[0].read_text()
    assert begins == BEGINS
    assert f"X-TIMESTAMP-MAP=MPEGTS:{BEGINS},LOCAL:00:00:00.000\n" in text


def test_text_of_a_part_is_cut_with_it(in_ts: Streamed) -> None:
    """The first cue is shown from 0.5 s to 2 s of the film, whose first second is left."""
    text = in_ts.named(".vtt")[1].read_text()

    assert "\n00:00:00.000 --> 00:00:01.000\nBonjour\n" in text
    assert in_ts.packaged.facts["subtitles"] == [
        {"name": "eng", "cues": 2, "default": True, "language": "eng"},
        {"name": "fra (forced)", "cues": 1, "forced": True, "language": "fra"},
        {"name": "eng (SDH)", "cues": 1, "hearing_impaired": True, "language": "eng"},
    ]
