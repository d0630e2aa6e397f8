"""The search for the quality of a target: few trials, and an end that is right."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planning_media import FILM, plans_of, recipe_of, with_picture

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.media import Media
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.video import VideoPlan
from media_nommer.planning.vmaf import (
    Found,
    Trial,
    found,
    next_quality,
    sample_bytes,
    sample_command,
    samples_of,
    score_command,
    score_in,
    trial_command,
)

CODECS = ("h264", "hevc", "vp9", "av1")


def planned(media: Media = FILM, **said: object) -> OutputPlan:
    name = "a.mkv" if said.get("codec") in {"vp9", "av1"} else "a.mp4"
    video = {"target_vmaf": 90, **said}
    (plan,) = plans_of(media, {"name": name, "video": video, "audio": None})
    return plan


def video(media: Media = FILM, **said: object) -> VideoPlan:
    plan = planned(media, **said).video
    assert plan is not None
    return plan


def searched(
    plan: VideoPlan, target: float, scored: Callable[[float], float]
) -> tuple[Found, int]:
    """Search as a worker does, with an encoder that scores by a formula."""
    trials: list[Trial] = []
    while (quality := next_quality(plan, target, trials)) is not None:
        trials.append(Trial(quality, scored(quality)))
    return found(plan, target, trials), len(trials)


def curve(usual: float, bend: float, top: float = 99.5) -> Callable[[float], float]:
    """Return a film's VMAF by quality: near the top at first, then falling ever faster.

    At x264's usual quality it is ``usual``, and what it lacks grows e-fold in ``bend``.
    """
    lacks = top - usual
    return lambda quality: max(0.0, top - lacks * exp((quality - 22) / bend))


@given(
    codec=st.sampled_from(CODECS),
    target=st.floats(70, 97),
    usual=st.floats(85, 98.5),
    bend=st.floats(6, 14),
    top=st.floats(99, 100),
)
def test_a_search_ends_within_four_trials_at_what_the_target_is_or_the_limits_allow(
    codec: str, target: float, usual: float, bend: float, top: float
) -> None:
    plan, scored = video(codec=codec), curve(usual, bend, top)

    result, tries = searched(plan, target, scored)

    assert 1 <= tries <= 4
    best, last = (1, 51) if codec in {"h264", "hevc"} else (1, 63)
    assert best <= result.quality <= last
    if scored(last) <= target <= scored(best):
        one_step = abs(scored(result.quality + 1) - scored(result.quality))
        near = 0.5 if codec in {"h264", "hevc"} else max(0.5, one_step)
        assert abs(scored(result.quality) - target) <= near


@pytest.mark.parametrize("target", [80, 85, 90, 93, 95, 97])
@pytest.mark.parametrize("usual", [90, 94, 97])
def test_a_usual_film_comes_within_a_quarter_of_its_target_in_three_trials(
    target: float, usual: float
) -> None:
    scored = curve(usual, 7.5)

    result, tries = searched(video(), target, scored)

    assert abs(scored(result.quality) - target) <= 0.25
    assert abs(result.score - scored(result.quality)) <= 0.25
    assert tries <= 3


def test_encoders_that_take_whole_steps_get_whole_steps() -> None:
    result, _ = searched(video(codec="av1"), 91.3, curve(95, 9))

    assert result.quality == int(result.quality)


def test_a_target_that_no_quality_reaches_gets_the_best_there_is() -> None:
    result, _ = searched(video(), 95, lambda quality: 70 - quality)

    assert result.quality < 5


def test_samples_lie_evenly_in_the_film_and_are_a_part_of_it() -> None:
    samples = samples_of(video())

    starts = [sample.start for sample in samples]
    gaps = {round(b - a, 2) for a, b in pairwise(starts)}
    assert sum(sample.duration for sample in samples) <= 40
    assert len(samples) > 10
    assert max(gaps) - min(gaps) <= 0.02
    assert samples[-1].end < 596.4


@pytest.mark.parametrize(("seconds", "count"), [(3.0, 1), (24.0, 1), (60.0, 5)])
def test_a_short_film_is_taken_whole(seconds: float, count: int) -> None:
    film = replace(with_picture(duration=seconds), duration=seconds)

    samples = samples_of(video(film))

    assert len(samples) == count
    assert count > 1 or samples[0].duration == seconds


def test_large_pictures_get_fewer_samples_for_they_take_more_room() -> None:
    large = with_picture(width=7680, height=4320)

    assert len(samples_of(video(large))) < len(samples_of(video()))
    assert sample_bytes(video(large)) < 6_000_000_000


def test_samples_are_sought_joined_and_shaped_as_the_output_is() -> None:
    plan = planned(height=360, fade_in=2)

    argv = sample_command(FILM, plan, source="source", threads=2)

    count = argv.count("-i")
    graph = argv[argv.index("-filter_complex") + 1]
    assert graph.startswith("[0:0][1:0]")
    assert f"concat=n={count}:v=1:a=0[joined];[joined]scale=640:360" in graph
    assert "fade" not in graph
    assert argv[-1] == "sample.mkv"


def test_a_part_has_its_samples_out_of_the_part() -> None:
    source = {"url": "file:///a", "start": 100, "end": 130}
    (plan,) = plans_of(FILM, {"video": {"target_vmaf": 90}}, start=100, end=130)
    assert recipe_of({"video": {}}, **source)

    argv = sample_command(FILM, plan, source="source", threads=2)

    starts = [float(argv[n + 1]) for n, word in enumerate(argv) if word == "-ss"]
    assert min(starts) >= 100
    assert max(starts) < 130


def test_a_format_without_an_index_is_read_from_its_beginning() -> None:
    stream = replace(FILM, format="mpegts")
    plan = planned(stream)

    argv = sample_command(stream, plan, source="source", threads=2)

    assert argv.count("-i") == 1
    assert "-ss" not in argv
    assert "select='gte(t," in argv[argv.index("-filter_complex") + 1]


def test_a_trial_is_encoded_as_the_film_will_be() -> None:
    argv = trial_command(planned(speed="slow", gop=2), 27.5, threads=2)

    assert argv[argv.index("-crf") + 1] == "27.5"
    assert argv[argv.index("-preset") + 1] == "slow"
    assert argv[-1] == "trial.mkv"


def test_the_score_is_what_the_log_says_last() -> None:
    assert "libvmaf" in score_command(threads=2)[-4]
    assert score_in(["x", "[Parsed_libvmaf_0 @ 0x7f] VMAF score: 93.125", "y"]) == 93.125
    assert score_in(["nothing"]) is None


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"quality": 20}, "target_vmaf and quality contradict each other"),
        ({"bitrate": 900}, "target_vmaf and bitrate contradict each other"),
        ({"max_bitrate": 900}, "target_vmaf and max_bitrate contradict each other"),
        ({"codec": "prores"}, "target_vmaf: prores has no quality; choose by profile"),
        ({"codec": "copy"}, "target_vmaf: copy takes the picture as it is"),
    ],
)
def test_a_target_stands_alone(said: dict[str, object], sentence: str) -> None:
    name = "a.mov" if said.get("codec") == "prores" else "a.mkv"
    with pytest.raises(InvalidRecipe, match=sentence):
        recipe_of({"name": name, "video": {"target_vmaf": 90, **said}})


def test_a_target_takes_the_place_of_what_a_preset_says_of_quality() -> None:
    (output,) = recipe_of({"preset": "web", "video": {"target_vmaf": 93}}).outputs

    assert output.video.quality is None  # type: ignore[union-attr]
    assert output.video.target_vmaf == 93  # type: ignore[union-attr]
