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
