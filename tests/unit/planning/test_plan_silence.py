"""Films without sound get a silent one where a recipe asks for it."""

from dataclasses import replace
from typing import Any

import pytest
from planning_media import FILM, PICTURE, SILENT, argv_of, joined_of, plans_of

from media_nommer.core.errors import InvalidRecipe, MediaError
from media_nommer.planning.ffmpeg import encode_command, measure_commands

ASKED: dict[str, Any] = {"codec": "aac", "if_missing": "silence"}
MP4: dict[str, Any] = {"name": "film.mp4", "video": {"codec": "h264"}, "audio": ASKED}
SHORT = replace(SILENT, duration=10.0, video=(replace(PICTURE, frames=240, duration=10.0),))


def test_a_film_without_sound_is_given_silence_of_its_length() -> None:
    argv = argv_of(SHORT, MP4)

    assert argv[:8] == (
        *("-threads", "2", "-i", "source", "-f", "lavfi", "-i"),
        "anullsrc=r=48000:cl=stereo:d=10.000000",
    )
    maps = [argv[n + 1] for n, word in enumerate(argv) if word == "-map"]
    assert maps == ["[v0]", "1:0"]
    assert argv[argv.index("-c:a") :][:8] == (
        *("-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000"),
    )


def test_a_film_with_sound_keeps_it() -> None:
    assert "lavfi" not in argv_of(FILM, MP4)


def test_a_film_without_sound_is_left_so_where_nothing_is_said() -> None:
    (plan,) = plans_of(SHORT, {**MP4, "audio": {"codec": "aac"}})

    assert plan.audio is None


def test_outputs_share_silence_that_is_alike() -> None:
    mono = {**MP4, "name": "mono.mp4", "audio": {**ASKED, "channels": 1}}

    argv = argv_of(SHORT, MP4, {**MP4, "name": "b.mp4"}, mono)

    assert [word for word in argv if word.startswith("anullsrc")] == [
        "anullsrc=r=48000:cl=stereo:d=10.000000",
        "anullsrc=r=48000:cl=mono:d=10.000000",
    ]
    maps = [argv[n + 1] for n, word in enumerate(argv) if word == "-map"]
    assert maps[1::2] == ["1:0", "1:0", "2:0"]


def test_the_silence_of_a_part_is_as_long_as_the_part() -> None:
    (plan,) = plans_of(SHORT, MP4, start=2, end=5)
    argv = argv_of(SHORT, MP4, start=2, end=5)

    assert plan.audio is not None
    assert plan.audio.duration == 3.0
    assert "anullsrc=r=48000:cl=stereo:d=3.000000" in argv
    assert "-filter:a" not in argv


def test_a_copied_picture_may_have_a_silent_sound() -> None:
    (plan,) = plans_of(SHORT, {**MP4, "video": {"codec": "copy"}})

    assert plan.audio is not None
    assert plan.audio.silent


def test_silence_is_not_measured() -> None:
    plans = plans_of(SHORT, {**MP4, "audio": {**ASKED, "loudness": {}}})

    assert measure_commands(plans, source="source", threads=1) == ()


def test_an_adaptive_output_and_a_joined_film_get_silence_too() -> None:
    film, plans = joined_of([SHORT, SHORT], {"kind": "adaptive", "audio": ASKED}, MP4)

    argv = encode_command(film.media, plans, source=film.source, threads=1).argv

    assert argv.count("anullsrc=r=48000:cl=stereo:d=20.000000") == 1
    assert argv.count("2:0") == 2
    assert "concat=n=2:v=1:a=0[joined]" in argv[argv.index("-filter_complex") + 1]


def test_a_length_that_nothing_tells_is_refused() -> None:
    unknown = replace(
        SHORT, duration=None, video=(replace(PICTURE, frames=None, duration=None),)
    )

    with pytest.raises(MediaError, match="does not tell how long"):
        plans_of(unknown, MP4)


def test_a_copy_of_a_sound_cannot_be_silence() -> None:
    with pytest.raises(InvalidRecipe, match="if_missing: copy takes the sound as it is"):
        plans_of(SHORT, {**MP4, "audio": {"codec": "copy", "if_missing": "silence"}})
