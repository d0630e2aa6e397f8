"""What a recipe may say of outputs that go with a film."""

from typing import Any

import pytest

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.presets import load_presets
from media_nommer.core.recipes import Recipe, parse_recipe
from media_nommer.core.recipes.extras import AnimationOutput, SpriteOutput

KINDS: tuple[dict[str, Any], ...] = (
    {"kind": "captions"},
    {"kind": "sprite"},
    {"kind": "waveform", "picture": {}},
    {"kind": "animation", "name": "a.webp"},
    {"kind": "metadata"},
    {"kind": "checksums", "name": "SHA256SUMS"},
    {"kind": "thumbnails", "poster": True},
)


def read(*outputs: object, **more: object) -> Recipe:
    document = {"inputs": [{"url": "file:///in.mov"}], "outputs": list(outputs), **more}
    return parse_recipe(document, load_presets())


def test_what_is_left_out_is_filled_in() -> None:
    names = [getattr(output, "name", None) for output in read(*KINDS).outputs]

    assert names == [
        *("{stem}.{ext}", "{stem}-sprite.vtt", "{stem}-waveform.json", "a.webp"),
        *("{stem}-metadata.json", "SHA256SUMS", "{stem}-poster.jpg"),
    ]
    sprite, animation = (read(*KINDS).outputs[place] for place in (1, 3))
    assert isinstance(sprite, SpriteOutput)
    assert (sprite.count, sprite.width) == (100, 160)
    assert isinstance(animation, AnimationOutput)
    assert (animation.format, animation.width) == ("webp", 320)


def test_a_stored_recipe_comes_back_equal() -> None:
    recipe = read(*KINDS)

    assert parse_recipe(recipe.model_dump(mode="json")) == recipe


def test_all_of_them_are_free_of_royalties() -> None:
    free = {"name": "a.webm", "video": {"codec": "vp9"}}

    assert len(read(*KINDS, free, royalty_free=True).outputs) == 8


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            {"kind": "captions", "track": 0, "language": "eng"},
            "outputs[0]: track and language contradict each other; allowed: one of them",
        ),
        (
            {"kind": "captions", "language": "english"},
            "outputs[0].language: 'english' is not of the right form; "
            "allowed: three letters, such as eng",
        ),
        (
            {"kind": "captions", "format": "srt", "name": "a.vtt"},
            "outputs[0].name: must end in one of: srt, {ext}",
        ),
        (
            {"kind": "sprite", "count": 5, "interval": 2},
            "outputs[0]: count and interval contradict each other; allowed: one of them",
        ),
        (
            {"kind": "sprite", "name": "{number}.vtt"},
            "outputs[0].name: {number} has no meaning for this output; allowed: {stem}, "
            "{preset}, {codec}, {ext}, {width}, {height}",
        ),
        (
            {"kind": "animation", "pieces": 50, "seconds": 60},
            "outputs[0]: pieces, seconds and frame_rate make 30000 frames; allowed: 3000",
        ),
        (
            {"kind": "waveform", "picture": {"color": "blue"}},
            "outputs[0].picture.color: 'blue' is not of the right form; allowed: such as "
            "#20a0ff or, half seen through, #20a0ff80",
        ),
        (
            {"kind": "metadata", "expect": {"min_duration": 3}},
            "outputs[0].expect: only films, sounds and animations have a duration",
        ),
        (
            {"kind": "thumbnails", "expect": {"min_vmaf": 90}},
            "outputs[0].expect.min_vmaf: only films are measured",
        ),
        (
            {"name": "a.m4a", "expect": {"min_vmaf": 90}},
            "outputs[0].expect.min_vmaf: is of the picture, and there is no video",
        ),
        (
            {"kind": "adaptive", "video": None, "measure": ["psnr"]},
            "outputs[0].measure: is of the picture, and there is no video",
        ),
        (
            {"name": "a.mkv", "video": {"codec": "copy"}, "measure": ["ssim"]},
            "outputs[0].measure: a copy is as its source is; choose a codec",
        ),
        (
            {"video": {}, "measure": ["mos"]},
            "outputs[0].measure[0]: 'mos' is not known here; allowed: vmaf, ssim, psnr",
        ),
        (
            {"kind": "checksums", "expect": {"max_size": 3}},
            "outputs[0].expect: a list of checksums is not held against anything",
        ),
        (
            {"name": "a.m4a", "expect": {"min_duration": 9, "max_duration": 3}},
            "outputs[0].expect.min_duration: must be at most max_duration, 3, not 9",
        ),
        (
            {"name": "a.m4a", "expect": {"max_sise": 3}},
            "outputs[0].expect.max_sise: is not known here; did you mean 'max_size'? "
            "allowed: max_size, min_duration, max_duration, min_vmaf",
        ),
    ],
)
def test_a_fault_is_told_in_one_sentence(output: object, sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        read(output)

    assert caught.value.message == sentence
