"""What outputs will be called, told before anything runs, so that none meets another.

Heights and widths are only known once a source was inspected: names that use them are
compared as if they were equal everywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from media_nommer.cli.documents import Document
from media_nommer.cli.inputs import Source, path_of
from media_nommer.core.errors import BadRequest
from media_nommer.core.presets import Preset
from media_nommer.core.recipes import FileOutput, parse_recipe
from media_nommer.core.recipes.codecs import usual_extension
from media_nommer.core.recipes.documents import Output
from media_nommer.core.recipes.extra_settling import codec_of, extension_of
from media_nommer.core.recipes.extras import ExtraOutput
from media_nommer.core.recipes.names import fill_template, safe_stem
from media_nommer.core.recipes.own import OwnOutput
from media_nommer.core.recipes.own_reading import own_extension

_UNKNOWN: Mapping[str, str | int] = {"height": 0, "width": 0, "number": 1, "language": ""}


def settle_names(
    jobs: Sequence[tuple[Source, Document]], presets: Mapping[str, Preset]
) -> list[tuple[Source, Document]]:
    """Return the jobs with names under which no output meets a source or another output.

    A film that is encoded into its own folder may find its own name taken by itself: where
    nobody said what the output is called, it is called after its preset too.

    Raises:
        InvalidRecipe, UnknownPreset: a document cannot be encoded, whatever its names.
        BadRequest: an output would take the place of an INPUT, or of another output.
    """
    originals = {source.path: source for source, _ in jobs if source.path is not None}
    settled: list[tuple[Source, Document]] = []
    taken: dict[tuple[str, str], Source] = {}
    for source, document in jobs:
        document, places = _beside_itself(source, document, presets)
        folder = path_of(document["destination"])
        for name in places:
            if folder is not None and folder / name in originals:
                raise _over_an_input(source, originals[folder / name], name)
            key = (document["destination"].rstrip("/"), name.casefold())
            other = taken.setdefault(key, source)
            if other is not source:
                raise _same_name(other, source, name)
        settled.append((source, document))
    return settled


def _beside_itself(
    source: Source, document: Document, presets: Mapping[str, Preset]
) -> tuple[Document, list[str]]:
    """Return the document, its names changed where they are the source's own."""
    places = _places(source, document, presets)
    folder = path_of(document["destination"])
    own = [folder is not None and folder / name == source.path for name in places]
    if not any(own):
        return document, places
    outputs: list[Any] = [
        _renamed(output) if is_own and "name" not in output else output
        for output, is_own in zip(document["outputs"], own, strict=True)
    ]
    document = {**document, "outputs": outputs}
    return document, _places(source, document, presets)


def _places(source: Source, document: Document, presets: Mapping[str, Preset]) -> list[str]:
    """Return one name for each output, the first of pictures."""
    recipe = parse_recipe(document, presets)
    stem = safe_stem(source.stem)
    return [_place(output, stem) for output in recipe.outputs]


def _place(output: Output, stem: str) -> str:
    values: dict[str, str | int] = {**_UNKNOWN, "stem": stem}
    values["preset"] = safe_stem(output.from_preset or output.kind)
    if isinstance(output, FileOutput):
        coded = output.video or output.audio
        values["codec"] = coded.codec if coded else ""
        sound = output.audio.codec if output.audio else None
        values["ext"] = usual_extension(output.container or "mp4", sound)
    elif isinstance(output, ExtraOutput):
        values |= {"codec": codec_of(output), "ext": extension_of(output)}
    elif isinstance(output, OwnOutput):
        values |= {"codec": own_extension(output), "ext": own_extension(output)}
    else:
        values |= {"codec": "jpeg", "ext": "jpg"}
    return fill_template(output.name or "", values)


def _renamed(output: Mapping[str, Any]) -> dict[str, Any]:
    template = "{stem}-{preset}.{ext}" if "preset" in output else "{stem}-{codec}.{ext}"
    return {**output, "name": template}


def _over_an_input(source: Source, taken: Source, name: str) -> BadRequest:
    whose = "itself" if taken == source else f"the INPUT {taken.label}"
    return BadRequest(
        f"{name}, an output of {source.label}, would take the place of {whose}",
        advice="Give another folder with -o, or other names with --name.",
    )


def _same_name(first: Source, second: Source, name: str) -> BadRequest:
    if first.url == second.url:
        return BadRequest(f"{first.label} is given twice", advice="Name each INPUT once.")
    return BadRequest(
        f"{first.label} and {second.label} would both become {name}",
        advice="Encode them apart, each with its own -o, or tell them apart with --name.",
    )
