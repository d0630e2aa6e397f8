"""Adaptive outputs of real films, as parsers and players that are not ours see them."""

import io
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import m3u8
import pytest
from mpegdash.parser import MPEGDASHParser
from seeing import first_click, first_flash, packets, pictures, samples
from tests.adaptive_films import Streamed, ffmpeg, stream

from media_nommer.core.ports.probe import Probe

FRAMES = 150
RATE = Fraction(30_000, 1001)


def test_key_frames_are_at_the_same_frames_of_every_rendition(ranges: Streamed) -> None:
    large, small = (packets(path) for path in ranges.named(".mp4"))

    assert large == small
    assert len(large) == FRAMES
    keys = [at for at, is_key in large if is_key]
    assert keys == [Fraction(n * 30) / RATE for n in range(5)]


def test_every_frame_of_the_source_is_in_every_rendition(
    ranges: Streamed, source: Path
) -> None:
    seen = pictures(source)

    for path in ranges.named(".mp4"):
        made = pictures(path)
        assert [at for at, _ in made] == pytest.approx([at for at, _ in seen], abs=0.001)
        assert [light > 200 for _, light in made] == [light > 200 for _, light in seen]


def test_a_strict_reader_of_playlists_finds_all_that_it_needs(ranges: Streamed) -> None:
    master = m3u8.load(str(ranges.master))

    assert master.is_variant
    assert master.is_independent_segments
    told = [
        (p.stream_info.resolution, p.stream_info.codecs, p.stream_info.frame_rate)
        for p in master.playlists
    ]
    assert told == [
        ((320, 180), "avc1.64000d,mp4a.40.2", 29.97),
        ((160, 90), "avc1.64000b,mp4a.40.2", 29.97),
    ]
    (sound,) = master.media
    assert (sound.type, sound.language, sound.default, sound.channels) == (
        *("AUDIO", "en", "YES", "1"),
    )
    assert {p.stream_info.audio for p in master.playlists} == {sound.group_id}
    assert len(master.iframe_playlists) == 2


@pytest.mark.parametrize("kind", ["ranges", "files"])
def test_playlists_address_every_byte_of_every_segment(
    kind: str, request: pytest.FixtureRequest
) -> None:
    streamed: Streamed = request.getfixturevalue(kind)
    master = m3u8.load(str(streamed.master))
    targets = set()

    for uri in [p.uri for p in master.playlists] + [s.uri for s in master.media]:
        playlist = m3u8.load(str(streamed.master.parent / uri))
        targets.add(playlist.target_duration)
        assert playlist.is_endlist
        assert playlist.playlist_type == "vod"
        assert max(s.duration for s in playlist.segments) < playlist.target_duration + 0.5
        assert sum(s.duration for s in playlist.segments) == pytest.approx(5, abs=0.03)
        header = _bytes(streamed, playlist.segment_map[0])
        for segment in playlist.segments:
            _begins_with_a_key(header + _bytes(streamed, segment))
        _ends_with_the_file(streamed, playlist)

    assert targets == {2}


def test_what_is_said_to_be_taken_is_what_segments_take(ranges: Streamed) -> None:
    master = m3u8.load(str(ranges.master))
    sound = m3u8.load(str(ranges.master.parent / master.media[0].uri))
    rates = [_rates(ranges, sound)]

    for choice in master.playlists:
        own = _rates(ranges, m3u8.load(str(ranges.master.parent / choice.uri)))
        peak = max(own) + max(rates[0])
        assert choice.stream_info.bandwidth >= peak - 2
        assert choice.stream_info.average_bandwidth <= choice.stream_info.bandwidth


def test_key_frames_alone_are_whole_pictures(ranges: Streamed) -> None:
    master = m3u8.load(str(ranges.master))

    for listed in master.iframe_playlists:
        playlist = m3u8.load(str(ranges.master.parent / listed.uri))
        assert playlist.is_i_frames_only
        assert len(playlist.segments) == 5
        header = _bytes(ranges, playlist.segment_map[0])
        for segment in playlist.segments:
            _begins_with_a_key(header + _bytes(ranges, segment))


def test_a_reader_of_manifests_finds_the_same_renditions(ranges: Streamed) -> None:
    found = MPEGDASHParser.parse(str(ranges.manifest))

    assert found.media_presentation_duration.startswith("PT5.0")
    (period,) = found.periods
    pictures_, sounds = period.adaptation_sets
    assert [r.codecs for r in pictures_.representations] == ["avc1.64000d", "avc1.64000b"]
    assert [r.frame_rate for r in pictures_.representations] == ["30000/1001"] * 2
    assert (sounds.lang, sounds.representations[0].codecs) == ("en", "mp4a.40.2")
    for each in (*pictures_.representations, *sounds.representations):
        data = (ranges.manifest.parent / each.base_urls[0].base_url_value).read_bytes()
        first, last = map(int, each.segment_bases[0].index_range.split("-"))
        assert data[first + 4 : first + 8] == b"sidx"
        assert int.from_bytes(data[first : first + 4]) == last + 1 - first
        assert data[last + 5 : last + 9] == b"moof"


@pytest.mark.parametrize("kind", ["ranges", "files"])
@pytest.mark.parametrize("manifest", ["index.m3u8", "index.mpd"])
def test_ffmpeg_plays_it_whole(
    kind: str, manifest: str, request: pytest.FixtureRequest
) -> None:
    streamed: Streamed = request.getfixturevalue(kind)
    path = streamed.folder / "film" / manifest

    text = ffmpeg(
        *("-i", str(path), "-map", "0:v", "-map", "0:a", "-f", "framecrc", "-"),
    )

    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    counts = [sum(row[0].strip() == str(n) for row in rows) for n in range(3)]
    lengths = sum(int(row[3]) for row in rows if row[0].strip() == "2")
    assert counts[:2] == [FRAMES, FRAMES]
    assert lengths == pytest.approx(5 * 48_000, abs=1500)  # FFmpeg may drop a frame of AAC


def test_picture_and_sound_are_as_near_as_in_the_source(
    ranges: Streamed, source: Path
) -> None:
    path = ranges.master

    apart = [first_flash(each, 2.5) - first_click(each, 2.5) for each in (source, path)]

    assert apart[1] == pytest.approx(apart[0], abs=0.005)
    assert pictures(path)[0][0] == pytest.approx(0, abs=0.005)


def test_segments_of_mpeg_ts_are_the_same_film(
    probe: Probe, source: Path, tmp_path: Path
) -> None:
    made = stream(probe, source, tmp_path, segments="ts")

    master = m3u8.load(str(made.master))
    assert master.playlists[0].stream_info.codecs == "avc1.64000d,mp4a.40.2"
    assert not master.iframe_playlists
    for uri in [p.uri for p in master.playlists] + [s.uri for s in master.media]:
        playlist = m3u8.load(str(made.master.parent / uri))
        assert sum(s.duration for s in playlist.segments) == pytest.approx(5, abs=0.03)
        for segment in playlist.segments:
            _begins_with_a_key((made.master.parent / segment.uri).read_bytes())
    assert len(pictures(made.master)) == FRAMES
    apart = [first_flash(p, s) - first_click(p, s) for p, s in _both(source, made.master)]
    assert apart[1] == pytest.approx(apart[0], abs=0.005)


def _both(source: Path, made: Path) -> list[tuple[Path, float]]:
    """Return films and a moment of them that is a little before a flash."""
    return [(source, 2.5), (made, pictures(made)[0][0] + 2.5)]


@pytest.mark.parametrize(
    "begins",
    [
        pytest.param((0.0, 0.4), id="late sound"),
        pytest.param((0.4, 0.0), id="late picture"),
    ],
)
def test_what_begins_late_stays_where_it_was(
    begins: tuple[float, float],
    probe: Probe,
    source: Path,
    tmp_path: Path,
) -> None:
    late = tmp_path / "late.mkv"
    inputs = [
        word for offset in begins for word in ("-itsoffset", str(offset), "-i", str(source))
    ]
    ffmpeg(*inputs, *("-map", "0:v", "-map", "1:a", "-t", "3", "-c", "copy", str(late)))

    made = stream(probe, late, tmp_path / "made")

    apart = [
        first_flash(path, 1.5) - first_click(path, 1.5) for path in (late, made.master)
    ]
    assert apart[1] == pytest.approx(apart[0], abs=0.005)
    assert pictures(made.master)[0][0] == pytest.approx(0, abs=0.005)
    assert samples(made.master)[0][0] == pytest.approx(0, abs=0.025)


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_a_film_with_gaps_has_its_keys_each_second(
    ending: str, probe: Probe, source: Path, tmp_path: Path
) -> None:
    gaps = tmp_path / f"gaps.{ending}"
    ffmpeg(
        *("-i", str(source), "-vf", "select='not(eq(mod(n,5),1)+eq(mod(n,7),2))'"),
        *("-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast", str(gaps)),
    )

    made = stream(probe, gaps, tmp_path / "made")

    keys = [[float(at) for at, is_key in packets(p) if is_key] for p in made.named(".mp4")]
    assert keys[0] == pytest.approx(keys[1], abs=0.001)
    assert keys[0] == pytest.approx([0, 1, 2, 3, 4], abs=0.1)


def test_a_part_of_a_turned_film_of_changing_rate_has_its_keys_together(
    probe: Probe, source: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "odd.mkv"
    gaps = "select='not(eq(mod(n,5),1)+eq(mod(n,7),2))',crop=317:179:exact=1"
    ffmpeg(
        *("-i", str(source), "-vf", gaps, "-fps_mode", "vfr", "-pix_fmt", "yuv444p"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "copy", str(odd)),
    )
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "-90", "-i", str(odd), "-c", "copy", str(turned))

    made = stream(probe, turned, tmp_path / "made", of_input={"start": 0.5, "end": 4})

    large, small = (packets(path) for path in made.named(".mp4"))
    assert [key for _, key in large] == [key for _, key in small]
    assert [at for at, _ in large] == pytest.approx([at for at, _ in small], abs=0.001)
    assert sum(key for _, key in large) == 4
    sizes = [(f["width"], f["height"]) for f in made.packaged.facts["renditions"][:2]]  # type: ignore[index]
    assert all(height > width for width, height in sizes)


def test_a_film_without_sound_and_a_sound_without_film(
    probe: Probe, source: Path, tmp_path: Path
) -> None:
    silent, song = tmp_path / "silent.mp4", tmp_path / "song.m4a"
    ffmpeg("-i", str(source), "-an", "-t", "2", "-c", "copy", str(silent))
    ffmpeg("-i", str(source), "-vn", "-c", "copy", str(song))

    film = stream(probe, silent, tmp_path / "film")
    heard = stream(probe, song, tmp_path / "song", ladder=None)

    assert not film.named(".m4a")
    assert not heard.named(".mp4")
    assert m3u8.load(str(film.master)).playlists[0].stream_info.audio is None
    assert m3u8.load(str(heard.master)).playlists[0].stream_info.codecs == "mp4a.40.2"
    assert first_click(heard.master, 2.5) == pytest.approx(
        first_click(song, 2.5), abs=0.005
    )


def test_two_attempts_share_no_name_but_those_of_manifests(
    ranges: Streamed, probe: Probe, source: Path, tmp_path: Path
) -> None:
    other = stream(probe, source, tmp_path / "again", attempt="t.c2")

    assert set(ranges.names) & set(other.names) == {"film/index.m3u8", "film/index.mpd"}


def _bytes(streamed: Streamed, part: m3u8.Segment) -> bytes:
    data = (streamed.master.parent / part.uri).read_bytes()
    if not part.byterange:
        return data
    size, start = map(int, part.byterange.split("@"))
    return data[start : start + size]


def _begins_with_a_key(data: bytes) -> None:
    """See that bytes are media of which the first packet is a key frame that decodes."""
    with av.open(io.BytesIO(data)) as container:
        packets = [packet for packet in container.demux() if packet.size]
        assert packets[0].is_keyframe
        stream = packets[0].stream
        frames = [*stream.codec_context.decode(packets[0]), *stream.codec_context.decode()]
        assert stream.type == "audio" or [frame.key_frame for frame in frames] == [True]


def _ends_with_the_file(streamed: Streamed, playlist: m3u8.M3U8) -> None:
    parts = [p.byterange for p in playlist.segments]
    if not parts[0]:
        return
    ranges = [tuple(map(int, part.split("@"))) for part in parts]
    for (size, start), (_, after) in pairwise(ranges):
        assert start + size == after
    path = streamed.master.parent / playlist.segments[0].uri
    assert sum(ranges[-1]) == path.stat().st_size


def _rates(streamed: Streamed, playlist: m3u8.M3U8) -> list[float]:
    """Return the bit rates of segments that are at least half as long as the target."""
    return [
        8 * len(_bytes(streamed, part)) / part.duration
        for part in playlist.segments
        if part.duration * 2 >= playlist.target_duration
    ]
