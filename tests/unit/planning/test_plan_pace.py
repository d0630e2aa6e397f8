"""Films at another pace: rates, lengths and filters, and what cannot have one."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
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

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.media import Media, SubtitleStream
from media_nommer.planning.captions import Cue, paced
from media_nommer.planning.ffmpeg import measure_commands, texts_command
from media_nommer.planning.pace import runs_by_pace
from media_nommer.planning.plan import OutputPlan, single_files
from media_nommer.planning.room import expected_bytes


def film(pace: float, media: Media = FILM, **said: Any) -> OutputPlan:
    (plan,) = plans_of(media, {"video": {}, "pace": pace, **said})
    return plan


def sound_filters(pace: float) -> str:
    argv = argv_of(FILM, {"video": {}, "pace": pace})
    return argv[argv.index("-filter:a") + 1]


@pytest.mark.parametrize(
    ("pace", "filters"),
    [
        (2, "settb=AVTB,setpts=PTS/2,fps=24,"),
        (0.5, "settb=AVTB,setpts=PTS/0.5,fps=12,"),
        (1.25, "settb=AVTB,setpts=PTS/1.25,fps=24,"),
    ],
)
def test_a_quick_film_drops_frames_and_a_slow_one_keeps_all(
    pace: float, filters: str
) -> None:
    assert graph_of(FILM, {"video": {}, "pace": pace}).startswith(f"[0:0]{filters}scale=")


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        ({"frame_rate": 50}, Fraction(50)),
        ({"max_frame_rate": 10}, Fraction(10)),
        ({"max_frame_rate": 50}, Fraction(24)),
    ],
)
def test_a_rate_that_is_asked_for_is_that_of_the_paced_film(
    said: dict[str, Any], rate: Fraction
) -> None:
    plan = film(2, video=said)

    assert plan.video is not None
    assert plan.video.timing.rate == rate


def test_ntsc_rates_stay_exact() -> None:
    ntsc = with_picture(
        frame_rate=Fraction(24000, 1001), average_rate=Fraction(24000, 1001)
    )

    assert "fps=24000/1001," in graph_of(ntsc, {"video": {}, "pace": 2})
    assert "fps=12000/1001," in graph_of(ntsc, {"video": {}, "pace": 0.5})


@pytest.mark.parametrize(
    ("pace", "filters"),
    [
        (2, "atempo=2"),
        (3, "atempo=2,atempo=1.5"),
        (0.25, "atempo=0.5,atempo=0.5"),
        (1.1, "atempo=1.1"),
    ],
)
def test_a_sound_changes_its_pace_in_steps_that_sound_well(
    pace: float, filters: str
) -> None:
    length = 596.4741950113379 / pace
    assert sound_filters(pace) == (
        f"aresample=async=1:first_pts=0,{filters},apad=pad_dur=0.3,atrim=end={length:.6f}"
    )


def test_a_sound_whose_length_nobody_knows_ends_as_ffmpeg_has_it() -> None:
    endless = replace(FILM, audio=(replace(SOUND, duration=None),))
    argv = argv_of(endless, {"video": {}, "pace": 2})

    assert argv[argv.index("-filter:a") + 1].endswith(",atempo=2")


def test_pictures_and_sounds_are_shorter_or_longer_together() -> None:
    plan = film(2)

    assert plan.video is not None
    assert plan.audio is not None
    assert plan.video.duration == pytest.approx(596.458 / 2, abs=0.001)
    assert plan.audio.duration == pytest.approx(596.474 / 2, abs=0.001)
    assert plan.video.timing.frames is None


def test_a_sound_that_begins_late_is_as_late_as_the_pace_has_it() -> None:
    late = replace(FILM, audio=(replace(SOUND, start_time=3.0, duration=593.0),))

    plan = film(2, late)

    assert plan.audio is not None
    assert plan.audio.duration == 298


def test_fades_are_of_the_film_as_it_plays() -> None:
    said = graph_of(FILM, {"video": {"fade_out": 2}, "pace": 2})

    assert said.endswith(",fade=t=out:st=296.229:d=2[v0]")


def test_loudness_is_measured_of_the_sound_as_it_plays() -> None:
    output = {"audio": {"loudness": {}}, "pace": 2, "name": "a.m4a"}

    (command,) = measure_commands(plans_of(FILM, output), source="source", threads=1)

    assert ",atempo=2," in command.argv[command.argv.index("-filter:a") + 1]


def test_subtitles_keep_step_and_chapters_are_left_out() -> None:
    spoken = replace(FILM, subtitles=(SubtitleStream(index=2, codec="subrip"),))
    video = {"burn_in": {}}
    outputs = [
        {"name": "a.mkv", "video": {}, "pace": 2},
        {"name": "b.mkv", "video": {}},
        {"name": "c.mkv", "video": video, "pace": 4},
    ]

    command = texts_command(plans_of(spoken, *outputs), source="source")
    argv = argv_of(spoken, outputs[0])

    assert command is not None
    assert [track.path for track in command.tracks] == ["text-2-2.srt", "text-2-4.srt"]
    assert argv[argv.index("-map_chapters") + 1] == "-1"
    assert paced([Cue(1000, 2001, "x")], 2) == (Cue(500, 1000, "x"),)


def test_renditions_have_the_pace_and_their_key_frames_in_step() -> None:
    (plan,) = plans_of(FILM, {"kind": "adaptive", "pace": 0.5})

    parts = single_files([plan])
    assert plan.adaptive is not None
    assert {part.video.pace for part in parts if part.video} == {0.5}
    assert {part.video.timing.gop for part in parts if part.video} == {24}
    assert plan.adaptive.gop == 2
    assert plan.duration == pytest.approx(1192.948, abs=0.001)


def test_films_of_another_pace_have_pictures_of_their_own() -> None:
    said = graph_of(
        FILM,
        {"name": "a.mp4", "video": {}},
        {"name": "b.mp4", "video": {"height": 360}, "pace": 2},
    )

    assert said.startswith("[0:0]split=2[s0][s1];")


def test_a_variable_rate_becomes_a_steady_one() -> None:
    variable = with_picture(frame_rate=None, average_rate=Fraction(15), frames=None)

    assert "setpts=PTS/2,fps=15," in graph_of(variable, {"video": {}, "pace": 2})


def test_a_slow_film_needs_more_room() -> None:
    output = {"video": {"bitrate": 1000}}
    usual = expected_bytes(plans_of(FILM, output), FILM)

    assert expected_bytes(plans_of(FILM, {**output, "pace": 0.5}), FILM) > 1.8 * usual


def test_the_pace_of_a_source_without_a_rate_is_known_too() -> None:
    bare = replace(PICTURE, frame_rate=None, average_rate=None, frames=None)

    assert ",fps=30," in graph_of(replace(FILM, video=(bare,)), {"video": {}, "pace": 4})


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"pace": 5}, "pace: must be at most 4, not 5"),
        (
            {"video": {"codec": "copy"}},
            "video.codec: a copy has the pace of its source",
        ),
        (
            {"audio": {"codec": "copy"}},
            "audio.codec: a copy has the pace of its source",
        ),
        (
            {"video": {"target_vmaf": 90}},
            "video.target_vmaf: trials are of the source's own pace",
        ),
        (
            {"measure": ["ssim"]},
            "measure: the source has not the frames of another pace",
        ),
    ],
)
def test_what_has_no_other_pace_is_refused(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as refused:
        recipe_of({"video": {}, "pace": 2, "name": "a.mkv", **said})

    assert refused.value.message == f"outputs[0].{sentence}"


@pytest.mark.parametrize(
    ("paces", "runs"),
    [
        ([1, 2, 4], [[1, 2, 4]]),
        ([0.5, 1], [[0.5, 1]]),
        ([2, 0.5], [[0.5], [2]]),
        ([1, 0.25, 2, 0.5], [[0.25, 0.5], [1, 2]]),
    ],
)
def test_films_that_are_slower_are_not_made_together_with_quicker_ones(
    paces: list[float], runs: list[list[float]]
) -> None:
    wanted = runs_by_pace([film(pace) for pace in paces])

    assert [[plan.pace for plan in run] for run in wanted] == runs
