"""The runs before the one that makes outputs, and the names for what they find out."""

from typing import Any

from planning_media import FILM

from media_nommer.core.presets import load_presets
from media_nommer.core.recipes import parse_recipe
from media_nommer.planning.forerunners import Forerunner, Shown, shown_runs
from media_nommer.planning.inputs.joining import Film
from media_nommer.planning.outputs import plan_outputs


def shown(*outputs: dict[str, Any]) -> Shown:
    document = {"inputs": [{"url": "file:///film.mp4"}], "outputs": list(outputs)}
    recipe = parse_recipe(document, load_presets())
    plans = plan_outputs(FILM, recipe, stem="film")
    return shown_runs(Film(FILM, "source"), recipe, plans, threads=2)


def told(run: Forerunner) -> tuple[str, str | None, int, int]:
    return run.key, run.finds, run.least, run.most


def test_an_output_that_needs_nothing_before_has_nothing_before() -> None:
    assert shown({"preset": "web"}).before == ()


def test_the_level_of_a_sound_has_a_name_where_it_will_stand() -> None:
    found = shown({"name": "a.flac", "audio": {"codec": "flac", "loudness": {}}})

    measure, level = found.before
    assert told(measure) == ("loudness-0", "<level-0s0>", 1, 1)
    assert measure.argv == (
        *("-threads", "2", "-i", "source", "-map", "0:1", "-filter:a"),
        "aresample=async=1,aformat=channel_layouts=stereo,aresample=44100,"
        "ebur128=peak=true:framelog=quiet",
        *("-f", "null", "-"),
    )
    assert told(level) == ("level-0s0-0", "<level-0s0>", 0, 3)
    assert level.argv[level.argv.index("-filter:a") + 1] == (
        "aresample=async=1,aformat=channel_layouts=stereo,<level-0s0>,"
        "ebur128=peak=true:framelog=quiet"
    )
    assert found.argv[found.argv.index("-filter:a") + 1] == (
        "aresample=async=1,aformat=channel_layouts=stereo,<level-0s0>"
    )


def test_a_lossy_sound_is_encoded_and_measured_once_at_least() -> None:
    found = shown({"name": "a.mp3", "audio": {"codec": "mp3", "loudness": {}}})

    _, encode, measure = found.before
    assert told(encode) == ("level-0s0-0", "<level-0s0>", 1, 3)
    assert encode.argv[-3:] == ("-f", "matroska", "level.mka")
    assert told(measure) == ("level-0s0-1", "<level-0s0>", 1, 3)
    assert "level.mka" in measure.argv


def test_the_quality_for_a_vmaf_has_a_name_where_it_will_stand() -> None:
    found = shown({"name": "a.mp4", "video": {"target_vmaf": 93}, "audio": None})

    samples, trial, score = found.before
    assert told(samples) == ("samples-0", None, 1, 1)
    assert told(trial) == ("trial-0", "<quality-0>", 1, 4)
    assert trial.purpose == "try a quality for VMAF 93"
    assert trial.argv[:9] == (
        *("-threads", "2", "-i", "sample.mkv", "-map", "0:v", "-c:v", "libx264"),
        "-preset",
    )
    assert trial.argv[trial.argv.index("-crf") + 1] == "<quality-0>"
    assert told(score) == ("score-0", "<quality-0>", 1, 4)
    assert found.argv[found.argv.index("-crf") + 1] == "<quality-0>"


def test_the_first_of_two_passes_comes_before() -> None:
    video = {"codec": "h264", "bitrate": 900, "passes": 2}
    (run,) = shown({"name": "a.mp4", "video": video}).before

    assert told(run) == ("pass-1", None, 1, 1)
    assert run.argv[run.argv.index("-pass:v") + 1] == "1"


def test_looks_for_black_bars_come_first_and_later_commands_are_without() -> None:
    audio = {"codec": "aac", "loudness": {}}
    found = shown({"name": "a.mp4", "video": {"crop": "auto"}, "audio": audio})

    assert [run.key for run in found.before[:5]] == [
        *("bars-0", "bars-1", "bars-2", "bars-3"),
        "loudness-0",
    ]
    assert found.before[0].purpose == (
        "look for black bars; later commands are as if there were none"
    )
    assert not any("crop=" in word for word in found.argv)


def test_peaks_of_a_waveform_are_measured_before() -> None:
    (run,) = shown({"kind": "waveform"}).before

    assert told(run) == ("peaks-0", None, 1, 1)
    assert any("out-0.txt" in word for word in run.argv)


def test_what_is_slower_is_shown_apart_from_what_is_quicker() -> None:
    slow = {"name": "slow.mp4", "video": {}, "pace": 0.5}

    said = shown(slow, {"name": "quick.mp4", "video": {}, "pace": 2})

    assert [each.key for each in said.before] == ["slower"]
    assert said.before[0].argv[-1] == "out-0.mp4"
    assert said.argv[-1] == "out-1.mp4"
