"""The picture that goes with a sound: where it is kept, and how FFmpeg is asked for it."""

from dataclasses import replace
from typing import Any

import pytest
from planning_media import COVER, FILM, SONG, plans_of

from media_nommer.core.media import Media
from media_nommer.planning.ffmpeg import encode_command


def argv_of(media: Media, *outputs: object, **of_input: object) -> tuple[str, ...]:
    plans = plans_of(media, *outputs, **of_input)
    return encode_command(media, plans, source="source", threads=2).argv


@pytest.mark.parametrize("name", ["a.m4a", "a.mp3", "a.flac"])
def test_a_sound_keeps_its_cover_as_it_is(name: str) -> None:
    (plan,) = plans_of(SONG, {"name": name})

    argv = argv_of(SONG, {"name": name})

    assert plan.cover == COVER.index
    assert "-map 0:1 -map 1:2 " in " ".join(argv)
    assert "-c:v copy -disposition:v attached_pic" in " ".join(argv)


@pytest.mark.parametrize(
    ("media", "output"),
    [
        pytest.param(SONG, {"name": "a.ogg"}, id="a container without covers"),
        pytest.param(SONG, {"name": "a.wav"}, id="another"),
        pytest.param(SONG, {"name": "a.mp3", "cover": None}, id="not wanted"),
        pytest.param(FILM, {"name": "a.mp3"}, id="a film is no cover"),
        pytest.param(
            replace(FILM, video=(*FILM.video, COVER)),
            {"name": "a.mp4", "video": {}},
            id="film",
        ),
        pytest.param(
            replace(SONG, video=(replace(COVER, codec="gif"),)), {"name": "a.mp3"}, id="GIF"
        ),
        pytest.param(
            replace(SONG, video=(replace(COVER, width=0),)), {"name": "a.mp3"}, id="no size"
        ),
    ],
)
def test_what_is_no_cover_or_has_no_place_for_one_has_none(
    media: Media, output: dict[str, Any]
) -> None:
    (plan,) = plans_of(media, output)

    assert plan.cover is None
    assert argv_of(media, output).count("-i") == 1


def test_a_cover_is_read_apart_once_since_ffmpeg_would_wait_for_more_of_it() -> None:
    argv = argv_of(SONG, {"name": "a.mp3"}, {"name": "a.m4a"}, start=3, duration=5)

    inputs = [n for n, word in enumerate(argv) if word == "-i"]
    assert len(inputs) == 2
    assert argv[inputs[1] - 2 : inputs[1]] == ("-t", "0.02")
    assert [w for w in argv if w == f"1:{COVER.index}"] == [f"1:{COVER.index}"] * 2
