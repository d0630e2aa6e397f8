"""Reading a recipe: from any document to one that says everything outright."""

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from media_nommer.core.errors import InvalidRecipe, UnknownPreset
from media_nommer.core.presets import Preset
from media_nommer.core.recipes.codecs import CONTAINER_OF_EXTENSION
from media_nommer.core.recipes.documents import AnyOutput, Output, PresetOutput, Recipe
from media_nommer.core.recipes.sentences import quoted, sentences
from media_nommer.core.recipes.settling import settled

_COMMON_TO_CODECS = {"codec", "width", "height", "turn_box", "channels"}


def parse_recipe(document: object) -> Recipe:
    """Return the recipe that ``document`` (what a JSON or YAML reader gave) says.

    Outputs without a preset come back with every choice that follows from the recipe alone
    filled in: container, codecs, quality, name. A recipe that was stored comes back equal.

    Raises:
        InvalidRecipe: one sentence a line, each naming the field, the fault and what is
            allowed.
    """
    if not isinstance(document, Mapping):
        raise InvalidRecipe(f"the recipe: must be an object, not {quoted(document)}")
    try:
        recipe = Recipe.model_validate(dict(document))
    except ValidationError as error:
        raise InvalidRecipe("\n".join(sentences(error))) from None
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
    problems: list[str] = []
    complete: list[Output | PresetOutput] = []
    for index, output in enumerate(outputs):
        if isinstance(output, PresetOutput):
            complete.append(output)
            continue
        finished, wrong = settled(output, f"outputs[{index}]")
        complete.append(finished)
        problems += wrong
    if problems:
        raise InvalidRecipe("\n".join(problems))
    return recipe.model_copy(update={"outputs": tuple(complete)})


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
            changed = own.get("codec", base.get("codec")) != base.get("codec")
            kept = {k: v for k, v in base.items() if not changed or k in _COMMON_TO_CODECS}
            merged[part] = {**kept, **own}
    name = said.get("name")
    if isinstance(name, str) and "container" not in said:
        extension = name.rpartition(".")[2].lower()
        if extension in CONTAINER_OF_EXTENSION:
            merged.pop("container", None)
    return _with_one_choice_of_pictures(merged, said)


def _with_one_choice_of_pictures(
    merged: dict[str, Any], said: Mapping[str, Any]
) -> dict[str, Any]:
    """Drop the preset's ``count`` when the output asks for an interval or for times."""
    choices = {"count", "interval", "times"}
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
