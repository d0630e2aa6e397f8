"""The search for the level at which a sound comes to its loudness."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planning_media import FILM, SOUND, plans_of

from media_nommer.planning.ffmpeg import level_commands
from media_nommer.planning.sounds.leveling import Found, Trial, leveled, missed, next_level
from media_nommer.planning.sounds.loudness import (
    NO_HABITS,
    Habits,
    Level,
    Measured,
    OpenLevel,
    Target,
)

TARGET = Target(-16.0, -1.0)
PEAKED = Measured(-30.0, -6.0)  # 14 dB of gain lift its peaks to 8 dBTP
UNSURE = Habits(overshoot=1.5, unsure=True)


class Limited:
    """A sound of which a limiter takes more, the harder it is driven."""

    def __init__(self, taken: float, slope: float) -> None:
        self.taken, self.slope = taken, slope
        self.tried: list[Level] = []

    def __call__(self, level: Level) -> Measured:
        self.tried.append(level)
        loudness = -16.0 - self.taken + (level.gain - 14.0) * self.slope
        return Measured(round(loudness, 1), level.limit or 0.0)


def test_a_gain_that_lifts_no_peak_too_high_is_not_tried() -> None:
    sound = Limited(0.0, 1.0)

    found = leveled(TARGET, Measured(-20.0, -8.0), NO_HABITS, sound)

    assert found == Found(Level(4.0))
    assert sound.tried == []


def test_what_the_limiter_takes_is_given_back_by_the_gain() -> None:
    sound = Limited(0.9, 0.75)

    found = leveled(TARGET, PEAKED, NO_HABITS, sound)

    assert found is not None
    assert found.came is not None
    assert abs(found.came.loudness - TARGET.loudness) <= 0.15
    assert found.level.gain > 14.9
    assert sound.tried[0] == Level(14.0, -1.5)


@given(st.floats(0, 2.5), st.floats(0.5, 1.0))
def test_three_trials_are_enough_or_what_is_amiss_is_told(
    taken: float, slope: float
) -> None:
    sound = Limited(taken, slope)

    found = leveled(TARGET, PEAKED, NO_HABITS, sound)

    assert found is not None
    assert found.came is not None
    assert len(sound.tried) <= 3
    off = abs(found.came.loudness - TARGET.loudness)
    assert (off > 0.5) == (missed(TARGET, found) is not None)
    assert off <= 0.5


def test_a_sound_that_would_have_to_be_flattened_is_told_of() -> None:
    sound = Limited(9.0, 0.3)

    found = leveled(TARGET, PEAKED, NO_HABITS, sound)

    assert found is not None
    assert max(level.gain for level in sound.tried) == 20.0
    told = missed(TARGET, found)
    assert told is not None
    assert told.startswith("it comes to -23.2 LUFS, not -16: its peaks stand so far")


def test_peaks_that_come_out_above_the_limit_are_held_lower() -> None:
    trial = Trial(Level(14.0, -2.5), Measured(-16.0, -0.4))

    level = next_level(TARGET, Level(14.0, -2.5), UNSURE, [trial])

    assert level == Level(14.0, -3.6)


def test_peaks_above_the_limit_at_last_are_told_of() -> None:
    found = Found(Level(14.0, -2.5), Measured(-16.0, -0.4))

    assert missed(TARGET, found) == (
        "its peaks reach -0.4 dBTP, above the -1 that they were to stay below"
    )


def test_an_encoder_that_softens_some_sounds_is_tried_itself() -> None:
    found = leveled(TARGET, Measured(-20.0, -9.0), UNSURE, Limited(-9.1, 1.0))

    assert found is not None
    assert found.came is not None
    assert found.level.gain == pytest.approx(4.9)
    assert abs(found.came.loudness - TARGET.loudness) <= 0.15


def test_what_loses_nothing_is_measured_without_an_encoder() -> None:
    said = {"codec": "flac", "loudness": {}}
    (plan,) = plans_of(FILM, {"name": "a.flac", "audio": said})
    assert plan.audio is not None

    (argv,) = level_commands(plan, plan.audio, Level(6.0, -2.5), source="source", threads=2)

    assert argv == (
        *("-threads", "2", "-i", "source", "-map", "0:1", "-filter:a"),
        "aresample=async=1,aformat=channel_layouts=stereo,volume=6.00dB,"
        "aresample=192000,alimiter=limit=0.7499:level=0:latency=1,aresample=44100,"
        "ebur128=peak=true:framelog=quiet",
        *("-f", "null", "-"),
    )


def test_what_loses_something_is_encoded_to_be_measured() -> None:
    film = replace(FILM, audio=(replace(SOUND, channels=6, layout="5.1"),))
    (plan,) = plans_of(film, {"name": "a.opus", "audio": {"codec": "opus", "loudness": {}}})
    assert plan.audio is not None

    encode, measure = level_commands(
        plan, plan.audio, Level(6.0), source="source", threads=2
    )

    assert encode == (
        *("-threads", "2", "-i", "source", "-map", "0:1", "-filter:a"),
        "aresample=async=1,aformat=channel_layouts=5.1,volume=6.00dB",
        *("-c:a", "libopus", "-b:a", "240k", "-ac", "6", "-ar", "48000"),
        *("-f", "matroska", "level.mka"),
    )
    assert measure == (
        *("-threads", "2", "-i", "level.mka", "-map", "0:a", "-filter:a"),
        *("ebur128=peak=true:framelog=quiet", "-f", "null", "-"),
    )


def test_a_level_that_nobody_knows_yet_is_shown_by_its_name() -> None:
    assert OpenLevel("<level-0s0>").filters(48000) == ("<level-0s0>",)
