"""Parts of a source, and which of its streams are taken."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_media import (
    FILM,
    PICTURE,
    SOUND,
    argv_of,
    graph_of,
    plans_of,
    recipe_of,
    with_picture,
)

from media_nommer.core.errors import InvalidRecipe, NommerError, NoStreams
from media_nommer.core.media import Media
from media_nommer.planning.ffmpeg import encode_command
from media_nommer.planning.outputs import plan_outputs

WEB = {"preset": "web"}
DUBBED = replace(
    FILM,
    audio=(SOUND, replace(SOUND, index=2, language="fra", default=False, channels=6)),
)


def test_a_part_is_sought_and_cut_exactly() -> None:
    argv = argv_of(FILM, WEB, start=100, end=101.5)

    assert argv[:7] == (
        *("-threads", "2", "-noaccurate_seek", "-ss", "98.000000", "-i", "source"),
    )
    assert argv[argv.index("-filter_complex") + 1] == (
        "[0:0]trim=start=1.999500:end=3.499500,"
        "setpts='max(0,round(PTS-2.000000/TB))',"
        "scale=1280:720:out_range=tv,setsar=1,format=yuv420p[v0]"
    )
    assert argv[argv.index("-filter:a") + 1] == (
        "atrim=start=2.000000:end=3.500000,asetpts='max(0,round(PTS-2.000000/TB))',"
        "aresample=async=1"
    )
    assert argv[argv.index("-map_chapters") + 1] == "-1"


def test_a_stream_without_an_index_is_read_from_its_start() -> None:
    media = replace(FILM, format="mpegts")

    argv = argv_of(media, WEB, start=100)

    assert "-ss" not in argv
    assert "[0:0]trim=start=99.999500," in argv[argv.index("-filter_complex") + 1]


def test_a_beginning_is_not_moved() -> None:
    assert graph_of(FILM, WEB, duration=2).startswith("[0:0]trim=end=1.999500,scale=")


@pytest.mark.parametrize(
    ("said", "frames", "seconds"),
    [
        ({"start": 100}, 11915, 496.458),
        ({"end": 2}, 48, 2.0),
        ({"start": 1, "duration": 1}, 24, 1.0),
        ({"start": 1.01, "end": 1.02}, None, None),
        ({"start": 1.0, "end": 1.02}, 1, 1 / 24),
        ({"start": 1.042, "end": 1.083}, 1, 1 / 24),
        ({"end": 9999}, 14315, 596.458),
    ],
)
def test_how_many_frames_a_part_has(
    said: dict[str, Any], frames: int | None, seconds: float | None
) -> None:
    if frames is None:
        with pytest.raises(InvalidRecipe, match="no frame between start and end"):
            plans_of(FILM, WEB, **said)
        return

    (plan,) = plans_of(FILM, WEB, **said)

    assert plan.video is not None
    assert plan.video.timing.frames == frames
    assert plan.video.duration == pytest.approx(seconds, abs=0.001)


def test_a_part_that_begins_between_frames_keeps_its_own_clock() -> None:
    on, off = (plans_of(FILM, WEB, start=start)[0].video for start in (10, 10.02))

    assert on is not None
    assert off is not None
    assert (on.timing.kind, off.timing.kind) == ("constant", "source")


def test_pictures_are_taken_out_of_the_part() -> None:
    (plan,) = plans_of(FILM, {"kind": "thumbnails", "count": 2}, start=100, duration=4)

    assert plan.thumbnails is not None
    assert plan.thumbnails.times == (1.0, 3.0)


def test_a_sound_that_ended_before_the_part_is_none() -> None:
    media = replace(FILM, audio=(replace(SOUND, duration=5.0),))

    (plan,) = plans_of(media, WEB, start=10)

    assert plan.audio is None


@pytest.mark.parametrize(
    ("said", "stream"),
    [({}, 1), ({"audio_track": 1}, 2), ({"audio_language": "fra"}, 2)],
)
def test_which_sound_is_taken(said: dict[str, Any], stream: int) -> None:
    (plan,) = plans_of(DUBBED, WEB, **said)

    assert plan.audio is not None
    assert plan.audio.stream == stream


def test_which_picture_is_taken() -> None:
    second = replace(PICTURE, index=3, default=False, height=360, width=640)
    media = replace(FILM, video=(PICTURE, second))

    assert graph_of(media, WEB, video_track=1).startswith("[0:3]scale=640:360")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"audio_track": 2},
            "inputs[0].audio_track: there is no 2; the source has 2, counted from 0",
        ),
        (
            {"audio_language": "deu"},
            "inputs[0].audio_language: there is no 'deu'; the source has: eng, fra",
        ),
    ],
)
def test_a_track_that_is_not_there_is_told(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NoStreams) as caught:
        plans_of(DUBBED, WEB, **said)

    assert caught.value.message == sentence


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"end": 2, "duration": 1},
            "inputs[0]: end and duration contradict each other; allowed: one of them",
        ),
        ({"start": 3, "end": 2}, "inputs[0].end: must be after the start, 3, not 2"),
        (
            {"start": 700},
            "inputs[0].start: the film ends before, after 596.474 s",
        ),
        (
            {"audio_track": 0, "audio_language": "eng"},
            "inputs[0]: audio_track and audio_language contradict each other; "
            "allowed: one of them",
        ),
    ],
)
def test_a_part_that_cannot_be_is_told(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        plans_of(FILM, WEB, **said)

    assert caught.value.message == sentence


def test_a_part_is_not_copied() -> None:
    copies = {"container": "mkv", "video": {"codec": "copy"}, "audio": {"codec": "copy"}}

    with pytest.raises(InvalidRecipe) as caught:
        plans_of(FILM, copies, start=1)

    assert caught.value.message.splitlines() == [
        f"outputs[0].{part}.codec: a copy cannot begin or end where inputs[0] says"
        for part in ("video", "audio")
    ]


TIMES = st.none() | st.floats(0, 700)


@settings(deadline=None)
@given(
    st.builds(
        with_picture,
        frames=st.none() | st.integers(1, 20_000),
        duration=st.none() | st.floats(0.001, 900),
        start_time=st.none() | st.floats(-1, 10),
        average_rate=st.sampled_from([Fraction(24), Fraction(19)]),
    ),
    TIMES,
    TIMES.filter(lambda end: end != 0),
)
def test_every_part_is_planned_or_refused_with_a_sentence(
    media: Media, start: float | None, end: float | None
) -> None:
    outputs = (WEB, {"kind": "thumbnails", "count": 3})
    try:
        plans = plan_outputs(media, recipe_of(*outputs, start=start, end=end), stem="film")
    except NommerError as error:
        told = error.message
    else:
        told = ""
        assert encode_command(media, plans, source="source", threads=1).argv

    assert not told or told.startswith(("inputs[0]", "outputs["))
