"""Reading a recipe: from any document to one that says everything outright."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pydantic import ValidationError

from media_nommer.core.errors import InvalidRecipe, UnknownPreset
from media_nommer.core.presets import Preset
from media_nommer.core.recipes.codecs import CONTAINERS, ROYALTY_FREE
from media_nommer.core.recipes.documents import (
    AdaptiveOutput,
    Audio,
    FileOutput,
    Output,
    Recipe,
    Video,
)
from media_nommer.core.recipes.extra_settling import expect_problems
from media_nommer.core.recipes.input_settling import input_problems, use_problems
from media_nommer.core.recipes.own_reading import with_own_outputs
from media_nommer.core.recipes.preset_reading import USUAL_OUTPUTS, with_presets
from media_nommer.core.recipes.sentences import quoted, sentences
from media_nommer.core.recipes.settling import settled


def parse_recipe(
    document: object,
    presets: Mapping[str, Preset] = MappingProxyType({}),
    *,
    royalty_free: bool = False,
    stored: bool = False,
) -> Recipe:
    """Return the recipe that ``document`` (what a JSON or YAML reader gave) says.

    Every choice that follows from the recipe alone is filled in: container, codecs,
    quality, name; and what each output's preset says is written out. What an output says
    beside its preset wins, field by field within ``video`` and ``audio``. Another codec
    than the preset's drops what the preset said about quality, speed and bitrate, because
    these numbers mean something else there. Without outputs there is one, of the preset
    ``web``.

    With ``royalty_free`` it is taken as one that says so. A recipe that was ``stored``
    comes back equal, and may have outputs of own kinds that nothing here knows.

    Raises:
        InvalidRecipe: one sentence a line, each naming the field, the fault and what is
            allowed.
        UnknownPreset: nothing else is wrong; one sentence a line, each naming the nearest
            preset and those that are known.
    """
    if not isinstance(document, Mapping):
        raise InvalidRecipe(f"the recipe: must be an object, not {quoted(document)}")
    document, unknown = with_presets({"outputs": USUAL_OUTPUTS, **document}, presets)
    document, problems = with_own_outputs(document, stored=stored)
    try:
        recipe = Recipe.model_validate(document)
    except ValidationError as error:
        problems = [*sentences(error), *problems]
    if problems:
        raise InvalidRecipe("\n".join([*unknown, *problems]))
    if unknown:
        raise UnknownPreset("\n".join(unknown))
    if royalty_free:
        recipe = recipe.model_copy(update={"royalty_free": True})
    return _settled(recipe)


def _settled(recipe: Recipe) -> Recipe:
    problems = list(input_problems(recipe.inputs, recipe.join))
    complete: list[Output] = []
    for index, output in enumerate(recipe.outputs):
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
    parts: dict[str, Video | Audio | None] = {"video": output.video, "audio": output.audio}
    if isinstance(output, AdaptiveOutput):
        groups = enumerate(output.audio_groups)
        parts |= {f"audio_groups[{number}]": said for number, said in groups}
    for part, said in parts.items():
        if said is not None and said.codec not in ROYALTY_FREE:
            free = CONTAINERS["mkv"].video if part == "video" else CONTAINERS["mkv"].audio
            allowed = ", ".join(codec for codec in free if codec in ROYALTY_FREE)
            yield (
                f"{path}.{part}.codec: {said.codec} is not royalty-free, which the recipe "
                f"asks for; allowed: {allowed}"
            )
