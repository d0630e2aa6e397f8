"""Playlists of HLS, word for word."""

from dataclasses import replace
from fractions import Fraction

import pytest
from packing_samples import (
    AVC,
    ENGLISH,
    FRENCH,
    LARGE,
    SMALL,
    fragmented,
    picture,
)

from media_nommer.planning.packaging.hls import (
    key_frames_playlist,
    master_playlist,
    media_playlist,
    target_duration,
)


def test_a_master_tells_what_each_choice_takes_and_is() -> None:
    text = master_playlist([LARGE, SMALL, ENGLISH, FRENCH], 6, key_frames=True)

    assert text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="eng",LANGUAGE="en",DEFAULT=YES,'
        'AUTOSELECT=YES,CHANNELS="2",URI="a1-eng-id.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="fra",LANGUAGE="fr",DEFAULT=NO,'
        'AUTOSELECT=YES,CHANNELS="6",URI="a2-fra-id.m3u8"',
        "#EXT-X-STREAM-INF:BANDWIDTH=905496,AVERAGE-BANDWIDTH=736776,"
        'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=23.976,'
        'VIDEO-RANGE=SDR,AUDIO="audio"',
        "v2-360p-id.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=3356379,AVERAGE-BANDWIDTH=2557178,"
        'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=23.976,'
        'VIDEO-RANGE=SDR,AUDIO="audio"',
        "v1-720p-id.m3u8",
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=799201,AVERAGE-BANDWIDTH=599401,"
        'CODECS="avc1.64001f",RESOLUTION=1280x720,VIDEO-RANGE=SDR,'
        'URI="v1-720p-id-keys.m3u8"',
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=186481,AVERAGE-BANDWIDTH=144301,"
        'CODECS="avc1.64001f",RESOLUTION=640x360,VIDEO-RANGE=SDR,'
        'URI="v2-360p-id-keys.m3u8"',
    ]


def test_players_begin_with_what_most_lines_carry() -> None:
    sizes = {"v1": 6_000_000, "v2": 1_200_000, "v3": 300_000}
    made = [
        picture(number, 640, 360, fragmented([size // 3] * 3))
        for number, size in enumerate(sizes.values(), start=1)
    ]

    text = master_playlist(made, 6, key_frames=False)

    listed = [line[:2] for line in text.splitlines() if not line.startswith("#")]
    assert listed == ["v2", "v1", "v3"]


def test_sound_alone_is_a_choice_of_its_own() -> None:
    text = master_playlist([ENGLISH, FRENCH], 6, key_frames=True)

    assert text.splitlines()[-2:] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=127660,AVERAGE-BANDWIDTH=127660,CODECS="mp4a.40.2",'
        'AUDIO="audio"',
        "a1-eng-id.m3u8",
    ]
    assert "I-FRAME" not in text


def test_each_choice_is_listed_with_each_group() -> None:
    wide = replace(FRENCH, rendition=replace(FRENCH.rendition, default=True, group=2))

    lines = master_playlist([LARGE, SMALL, ENGLISH, wide], 6, key_frames=False).splitlines()

    told = [line.split(":")[1] for line in lines if line.startswith("#EXT-X-STREAM-INF")]
    assert [line.rsplit(",", 1)[1] for line in told] == ['AUDIO="audio"'] * 2 + [
        'AUDIO="audio-2"'
    ] * 2
    assert [line for line in lines if not line.startswith("#")] == [
        *("v2-360p-id.m3u8", "v1-720p-id.m3u8"),
        *("v2-360p-id.m3u8", "v1-720p-id.m3u8"),
    ]
    assert [line.split(",")[1] for line in lines if "TYPE=AUDIO" in line] == [
        'GROUP-ID="audio"',
        'GROUP-ID="audio-2"',
    ]
    alone = master_playlist([ENGLISH, wide], 6, key_frames=False).splitlines()
    assert [line for line in alone if not line.startswith("#")] == [
        "a1-eng-id.m3u8",
        "a2-fra-id.m3u8",
    ]


def test_a_choice_takes_as_much_as_its_own_group_does() -> None:
    wide = replace(FRENCH, rendition=replace(FRENCH.rendition, group=2))

    both = master_playlist([LARGE, ENGLISH, wide], 6, key_frames=False).splitlines()
    one = master_playlist([LARGE, ENGLISH], 6, key_frames=False).splitlines()

    assert next(line for line in one if "STREAM-INF" in line) in both


def test_a_silent_film_has_no_group() -> None:
    assert "AUDIO" not in master_playlist([LARGE], 6, key_frames=False)


@pytest.mark.parametrize(
    ("transfer", "light"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG"), ("bt709", "SDR")]
)
def test_the_range_of_brightness_is_told(transfer: str, light: str) -> None:
    made = picture(1, 640, 360, fragmented([1000]), transfer=transfer)

    assert f"VIDEO-RANGE={light}" in master_playlist([made], 2, key_frames=False)


def test_a_playlist_addresses_segments_by_bytes() -> None:
    text = media_playlist(LARGE, 6, segments="ranges")

    assert text == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:6\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MAP:URI="v1-720p-id.mp4",BYTERANGE="700@0"\n'
        "#EXTINF:6.006000,\n"
        "#EXT-X-BYTERANGE:1500000@800\n"
        "v1-720p-id.mp4\n"
        "#EXTINF:3.003000,\n"
        "#EXT-X-BYTERANGE:1200000@1500800\n"
        "v1-720p-id.mp4\n"
        "#EXT-X-ENDLIST\n"
    )


def test_a_playlist_names_segment_files() -> None:
    lines = media_playlist(ENGLISH, 6, segments="files").splitlines()

    assert lines[6:10] == [
        '#EXT-X-MAP:URI="a1-eng-id/init.mp4"',
        "#EXTINF:6.016000,",
        "a1-eng-id/00001.m4s",
        "#EXTINF:2.005333,",
    ]


@pytest.mark.parametrize(
    ("segments", "last"),
    [
        ("ranges", ["#EXT-X-BYTERANGE:75000@2400800", "v1-720p-id.mp4"]),
        ("files", ["#EXT-X-BYTERANGE:75000@900000", "v1-720p-id/00002.m4s"]),
    ],
)
def test_key_frames_can_be_fetched_alone(segments: str, last: list[str]) -> None:
    lines = key_frames_playlist(LARGE, 6, segments=segments).splitlines()

    assert "#EXT-X-I-FRAMES-ONLY" in lines
    assert lines.count("#EXTINF:2.002000,") == 4
    assert lines[-4:-1] == ["#EXTINF:1.001000,", *last]


def test_the_target_is_the_longest_of_all_rounded_with_halves_going_up() -> None:
    half = replace(SMALL, segments=(replace(SMALL.segments[0], duration=Fraction(13, 2)),))

    assert target_duration([LARGE, ENGLISH]) == 6
    assert target_duration([LARGE, half]) == 7
    assert target_duration([picture(1, 64, 64, fragmented([9], frames=1, config=AVC))]) == 1
