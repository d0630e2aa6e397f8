"""Reading a recipe: from any document to one that says everything outright."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from media_nommer.core.errors import InvalidRecipe, UnknownPreset
from media_nommer.core.presets import Preset
from media_nommer.core.recipes.codecs import (
    CONTAINER_OF_EXTENSION,
    CONTAINERS,
    ROYALTY_FREE,
)
from media_nommer.core.recipes.documents import (
    AdaptiveOutput,
    AnyOutput,
    FileOutput,
    Output,
    PresetOutput,
    Recipe,
)
from media_nommer.core.recipes.extra_settling import expect_problems
from media_nommer.core.recipes.input_settling import input_problems, use_problems
from media_nommer.core.recipes.own_reading import with_own_outputs
from media_nommer.core.recipes.sentences import quoted, sentences
from media_nommer.core.recipes.settling import settled

_COMMON_TO_CODECS = {
    *("codec", "width", "height", "turn_box", "frame_rate", "max_frame_rate"),
    *("resize", "upscale", "pad_color", "crop", "deinterlace", "hdr"),
    *("denoise", "sharpen", "fade_in", "fade_out"),
    *("watermarks", "texts", "burn_in"),
    *("channels", "loudness", "if_missing"),
}
#: What the preset says no more once its output says the first.
_OVERRULED = {
    "bitrate": ("quality", "max_bitrate", "buffer", "target_vmaf"),
    "quality": ("bitrate", "passes", "target_vmaf"),
    "target_vmaf": ("quality", "bitrate", "passes", "max_bitrate", "buffer"),
    "profile": ("bit_depth",),
    "bit_depth": ("profile",),
    "frame_rate": ("max_frame_rate",),
    "max_frame_rate": ("frame_rate",),
}


def parse_recipe(document: object, *, stored: bool = False) -> Recipe:
    """Return the recipe that ``document`` (what a JSON or YAML reader gave) says.

    Outputs without a preset come back with every choice that follows from the recipe alone
    filled in: container, codecs, quality, name. A recipe that was ``stored`` comes back
    equal, and may have outputs of own kinds that nothing here knows.

    Raises:
        InvalidRecipe: one sentence a line, each naming the field, the fault and what is
            allowed.
    """
    if not isinstance(document, Mapping):
        raise InvalidRecipe(f"the recipe: must be an object, not {quoted(document)}")
    document, problems = with_own_outputs(document, stored=stored)
    try:
        recipe = Recipe.model_validate(document)
    except ValidationError as error:
        problems = [*sentences(error), *problems]
    if problems:
        raise InvalidRecipe("\n".join(problems))
    return _with_outputs(recipe, list(recipe.outputs))


def resolve_presets(recipe: Recipe, presets: Mapping[str, Preset]) -> Recipe:
    """Return ``recipe`` with what each preset says written out.

    What an output says beside its preset wins, field by field within ``video`` and
    ``audio``. Another codec than the preset's drops what the preset said about quality,
    speed and bitrate, because these numbers mean something else there.

    Raises:
        UnknownPreset: naming the nearest one and those that are known.
        InvalidRecipe: preset and overrides do not go together, as in ``parse_recipe``.
    """
    problems: list[str] = []
    outputs: list[Output | PresetOutput] = []
    for index, output in enumerate(recipe.outputs):
        if not isinstance(output, PresetOutput):
            outputs.append(output)
            continue
        merged = _merged(_preset(output.preset, index, presets), output.model_extra or {})
        try:
            outputs.append(_adapter().validate_python(merged))
        except ValidationError as error:
            problems += sentences(error, at=("outputs", index))
    if problems:
        raise InvalidRecipe("\n".join(problems))
    return _with_outputs(recipe, outputs)


def _with_outputs(recipe: Recipe, outputs: list[Output | PresetOutput]) -> Recipe:
    problems = list(input_problems(recipe.inputs, recipe.join))
    complete: list[Output | PresetOutput] = []
    for index, output in enumerate(outputs):
        if isinstance(output, PresetOutput):
            complete.append(output)
            continue
        finished, wrong = settled(output, f"outputs[{index}]")
        complete.append(finished)
        problems += wrong
        problems += expect_problems(finished, f"outputs[{index}].expect")
        if recipe.royalty_free:
            problems += _royalty_problems(finished, f"outputs[{index}]")
        problems += use_problems(recipe.inputs, recipe.join, finished, f"outputs[{index}]")
    if problems:
        raise InvalidRecipe("\n".join(problems))
    return recipe.model_copy(update={"outputs": tuple(complete)})


def _royalty_problems(output: Output, path: str) -> Iterator[str]:
    if not isinstance(output, FileOutput | AdaptiveOutput):
        return  # JPEG is free
    parts = {"video": output.video, "audio": output.audio}
    for part, said in parts.items():
        if said is not None and said.codec not in ROYALTY_FREE:
            free = CONTAINERS["mkv"].video if part == "video" else CONTAINERS["mkv"].audio
            allowed = ", ".join(codec for codec in free if codec in ROYALTY_FREE)
            yield (
                f"{path}.{part}.codec: {said.codec} is not royalty-free, which the recipe "
                f"asks for; allowed: {allowed}"
            )


def _preset(name: str, index: int, presets: Mapping[str, Preset]) -> Preset:
    if name in presets:
        return presets[name]
    close = difflib.get_close_matches(name, presets, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    raise UnknownPreset(
        f"outputs[{index}].preset: there is no preset {quoted(name)}{hint} "
        f"known: {', '.join(presets)}"
    )


def _merged(preset: Preset, said: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {**preset.output, **said, "from_preset": preset.name}
    for part in ("video", "audio"):
        base, own = preset.output.get(part), said.get(part)
        if isinstance(base, Mapping) and isinstance(own, Mapping):
            merged[part] = {**_kept(base, own), **own}
    if isinstance(said.get("ladder"), list) and isinstance(merged.get("video"), dict):
        merged["video"] = _without_box(merged["video"], said.get("video"))
    name = said.get("name")
    if isinstance(name, str) and "container" not in said:
        extension = name.rpartition(".")[2].lower()
        if extension in CONTAINER_OF_EXTENSION:
            merged.pop("container", None)
    return _with_one_choice_of_pictures(merged, said)


def _kept(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a preset's part still says where an output says something of its own."""
    changed = own.get("codec", base.get("codec")) != base.get("codec")
    overruled = {name for said in own for name in _OVERRULED.get(said, ())}
    return {
        key: value
        for key, value in base.items()
        if key not in overruled and (not changed or key in _COMMON_TO_CODECS)
    }


def _without_box(video: Mapping[str, Any], said: object) -> dict[str, Any]:
    """Return a preset's picture without its box, which a ladder has in each rendition."""
    own = said if isinstance(said, Mapping) else {}
    box = {"width", "height"} - set(own)
    return {key: value for key, value in video.items() if key not in box}


def _with_one_choice_of_pictures(
    merged: dict[str, Any], said: Mapping[str, Any]
) -> dict[str, Any]:
    """Drop the preset's ``count`` when the output asks for an interval or for times."""
    choices = {"count", "interval", "times", "poster"}
    if choices & set(said):
        for choice in choices - set(said):
            merged.pop(choice, None)
    return merged


_adapters: list[TypeAdapter[Output | PresetOutput]] = []


def _adapter() -> TypeAdapter[Output | PresetOutput]:
    """Return the reader of one output, built at its first use: building takes time."""
    if not _adapters:
        _adapters.append(TypeAdapter(AnyOutput))
    return _adapters[0]
