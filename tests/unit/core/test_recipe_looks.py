"""What a recipe may say of a picture's looks, and what in it contradicts itself."""

from typing import Any

import pytest

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.recipes import FileOutput, Recipe, parse_recipe


def read(video: dict[str, Any], **more: Any) -> Recipe:
    output = {"name": "a.mp4", "video": video, **more}
    return parse_recipe({"inputs": [{"url": "file:///a.mov"}], "outputs": [output]})


def fault(video: dict[str, Any], **more: Any) -> str:
    with pytest.raises(InvalidRecipe) as refused:
        read(video, **more)
    return refused.value.message.removeprefix("outputs[0].video")


def test_an_automatic_crop_that_was_stored_comes_back_equal() -> None:
    recipe = read({"crop": "auto"})

    again = parse_recipe(recipe.model_dump(mode="json"))

    assert again == recipe
    assert isinstance(recipe.outputs[0], FileOutput)


@pytest.mark.parametrize(
    ("crop", "sentence"),
    [
        (
            {"width": 640, "right": 8},
            ".crop: width and right contradict each other; allowed: one of them",
        ),
        (
            {"auto": True, "left": 8},
            ".crop: auto finds all edges by itself; allowed with it: nothing",
        ),
        (
            {"aspect": "1:1", "height": 100},
            ".crop: aspect and edges contradict each other; allowed: aspect, or left, "
            "right, top, bottom",
        ),
        ({"width": 1}, ".crop.width: must be at least 2, not 1"),
        ("all", ".crop: must be an object, not 'all'"),
    ],
)
def test_crops_that_cannot_be_are_refused(crop: Any, sentence: str) -> None:
    assert fault({"crop": crop}) == sentence


@pytest.mark.parametrize(
    ("video", "sentence"),
    [
        ({}, ".passes: 2 are for an average bitrate; say bitrate"),
        ({"quality": 20}, ".passes: 2 are for an average bitrate; say bitrate"),
        ({"target_vmaf": 95}, ".passes: 2 are for an average bitrate; say bitrate"),
        ({"codec": "copy"}, ".passes: copy takes the picture as it is; choose a codec"),
    ],
)
def test_two_passes_without_an_average_are_refused(
    video: dict[str, Any], sentence: str
) -> None:
    assert fault({**video, "passes": 2}) == sentence


def test_a_picture_that_is_drawn_on_is_not_measured_against_the_source() -> None:
    said = fault({"texts": [{"text": "x"}]}, measure=["vmaf"])

    assert said == (
        "outputs[0].measure: the source has nothing of what is drawn onto the picture"
    )


@pytest.mark.parametrize(("codec", "bits"), [("prores", {}), ("ffv1", {})])
def test_two_passes_of_a_codec_that_has_one_are_refused(
    codec: str, bits: dict[str, int]
) -> None:
    said = fault({"codec": codec, "passes": 2, **bits}, container="mkv", name="a.mkv")

    assert said == f".passes: {codec} has one; allowed: 1"


def test_two_passes_of_renditions_need_a_bitrate_in_each() -> None:
    def refusal(**said: Any) -> str:
        output = {"kind": "adaptive", "video": {"passes": 2}, **said}
        with pytest.raises(InvalidRecipe) as refused:
            parse_recipe({"inputs": [{"url": "file:///a.mov"}], "outputs": [output]})
        return refused.value.message

    assert refusal() == (
        "outputs[0].video.passes: needs a ladder whose renditions say a bitrate"
    )
    assert refusal(ladder=[{"height": 360, "bitrate": 500}, {"height": 240}]) == (
        "outputs[0].ladder[1].passes: 2 are for an average bitrate; say bitrate"
    )


def burnt(number: int, *inputs: dict[str, Any]) -> dict[str, Any]:
    video = {"burn_in": {"file": number}}
    return {"inputs": list(inputs), "outputs": [{"name": "a.mp4", "video": video}]}


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (0, "each input has files of its own; choose by language"),
        (2, "there is no 2; inputs[0].subtitles lists 2"),
    ],
)
def test_a_file_to_burn_in_that_is_not_there_is_refused(number: int, sentence: str) -> None:
    spoken = {"url": "file:///a.mp4", "subtitles": [{"url": "file:///a.srt"}] * 2}
    inputs = [spoken] * (2 if number == 0 else 1)

    with pytest.raises(InvalidRecipe) as refused:
        parse_recipe(burnt(number, *inputs))

    assert refused.value.message == f"outputs[0].video.burn_in.file: {sentence}"


def test_subtitles_to_burn_in_are_named_in_one_way() -> None:
    sentence = fault({"burn_in": {"track": 0, "language": "eng"}})

    assert sentence == (
        ".burn_in: track and language contradict each other; allowed: one of them"
    )


def test_bars_of_joined_inputs_may_be_cut_off() -> None:
    both = [{"url": "file:///a.mp4"}, {"url": "file:///b.mp4"}]
    output = {"name": "a.mp4", "video": {"crop": "auto"}}

    recipe = parse_recipe({"inputs": both, "outputs": [output]})

    assert isinstance(recipe.outputs[0], FileOutput)
