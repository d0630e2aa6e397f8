"""How loudness is measured, and the gain that follows."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planning_media import FILM, plans_of

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.recipes.codecs import AudioCodec
from media_nommer.planning.ffmpeg import encode_command, measure_commands
from media_nommer.planning.sounds.leveling import plain_level
from media_nommer.planning.sounds.loudness import (
    NO_HABITS,
    Level,
    Measured,
    Target,
    habits_of,
    measured_in,
)

FILM_UNTITLED = replace(FILM, title=None)
LOG = (
    "[Parsed_ebur128_2 @ 0x55d7] [info] Summary:",
    "",
    "  Integrated loudness:",
    "    I:         -23.6 LUFS",
    "    Threshold: -33.7 LUFS",
    "",
    "  Loudness range:",
    "    LRA:         4.2 LU",
    "",
    "  True peak:",
    "    Peak:       -2.1 dBFS",
    "[out#0/null @ 0x55d7] [info] video:0KiB audio:1KiB",
)


def loud(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "audio": {"channels": 2, "loudness": said}}


def test_what_is_measured_is_the_sound_that_will_be_encoded() -> None:
    plans = plans_of(FILM, loud("a.m4a"), {"name": "b.m4a"}, loud("c.mp4"), start=1, end=3)

    (command,) = measure_commands(plans, source="source", threads=2)

    assert command.sounds == ("0s0", "2s0")
    assert command.argv == (
        *("-threads", "2", "-i", "source", "-map", "0:1", "-filter:a"),
        "atrim=start=1.000000:end=3.000000,asetpts='max(0,round(PTS-1.000000/TB))',"
        "aresample=async=1,aformat=channel_layouts=stereo,aresample=44100,"
        "ebur128=peak=true:framelog=quiet",
        *("-f", "null", "-"),
    )


def test_a_recipe_without_loudness_is_measured_nowhere() -> None:
    assert measure_commands(plans_of(FILM, {"preset": "web"}), source="s", threads=1) == ()


def test_the_gain_of_each_output_is_its_own() -> None:
    plans = plans_of(FILM_UNTITLED, loud("a.m4a"), loud("b.m4a", target=-23))
    levels = {"0s0": Level(4.0), "1s0": Level(-3.0)}

    argv = encode_command(
        FILM_UNTITLED, plans, source="source", threads=1, levels=levels
    ).argv

    assert [word for word in argv if "aresample" in word] == [
        "aresample=async=1,aformat=channel_layouts=stereo,volume=4.00dB",
        "aresample=async=1,aformat=channel_layouts=stereo,volume=-3.00dB",
    ]


def test_each_sound_of_an_output_is_measured_and_has_a_gain_of_its_own() -> None:
    dub = replace(FILM.audio[0], index=2, language="fra", default=False)
    film = replace(FILM_UNTITLED, audio=(FILM.audio[0], dub))
    plans = plans_of(film, {**loud("a.m4a"), "audio_tracks": "all"})
    first, second = measure_commands(plans, source="source", threads=1)
    levels = {"0s0": Level(4.0), "0s1": Level(14.0, -2.5)}

    argv = encode_command(film, plans, source="source", threads=1, levels=levels).argv

    assert (first.sounds, second.sounds) == (("0s0",), ("0s1",))
    assert argv[argv.index("-filter:a:0") + 1].endswith(",volume=4.00dB")
    assert "volume=14.00dB" in argv[argv.index("-filter:a:1") + 1]


@pytest.mark.parametrize(
    ("loudness", "peak", "filters"),
    [
        pytest.param(-20.0, -5.5, ("volume=4.00dB",), id="room enough"),
        pytest.param(
            -20.0,
            -3.0,
            (
                "volume=4.00dB",
                "aresample=192000",
                "alimiter=limit=0.8414:level=0:latency=1",
                "aresample=48000",
            ),
            id="peaks held down",
        ),
        pytest.param(-70.0, -60.0, None, id="all but silent"),
        pytest.param(float("-inf"), float("-inf"), None, id="silent"),
    ],
)
def test_the_limiter_is_only_there_where_it_is_needed(
    loudness: float, peak: float, filters: tuple[str, ...] | None
) -> None:
    level = plain_level(Target(-16, -1), Measured(loudness, peak), NO_HABITS)

    assert (level.filters(48000) if level else None) == filters


@pytest.mark.parametrize(
    ("codec", "kbits", "filters"),
    [
        ("aac", 128, ("volume=4.00dB", "alimiter=limit=0.7499:level=0:latency=1")),
        ("mp3", 96, ("volume=4.64dB", "alimiter=limit=0.8072:level=0:latency=1")),
        ("mp3", 320, ("volume=4.00dB", "alimiter=limit=0.7499:level=0:latency=1")),
        ("flac", None, ("volume=4.00dB",)),
    ],
)
def test_what_an_encoder_does_to_loudness_and_peaks_is_reckoned_with(
    codec: AudioCodec, kbits: int | None, filters: tuple[str, ...]
) -> None:
    level = plain_level(Target(-16, -1), Measured(-20, -5.2), habits_of(codec, kbits))

    assert level is not None
    made = level.filters(48000)
    assert tuple(each for each in made if not each.startswith("aresample")) == filters


def test_what_was_measured_is_read_from_the_log() -> None:
    assert measured_in(LOG) == Measured(-23.6, -2.1)


def test_silence_is_read_from_the_log() -> None:
    silent = [line.replace("-2.1", "-inf").replace("-23.6", "-70.0") for line in LOG]

    assert measured_in(silent) == Measured(-70.0, float("-inf"))


@given(st.lists(st.text()))
def test_a_log_that_says_nothing_measures_nothing(log: list[str]) -> None:
    assert measured_in([line for line in log if "I:" not in line]) is None


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"target": 0}, "outputs[0].audio.loudness.target: must be at most -5, not 0"),
        (
            {"peak": -1},
            "outputs[0].audio.loudness.peak: is not known here; did you mean 'true_peak'? "
            "allowed: target, true_peak",
        ),
    ],
)
def test_a_loudness_that_cannot_be_is_told(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        plans_of(FILM, loud("a.m4a", **said))

    assert caught.value.message == sentence
