"""From what was typed after `encode` or `submit` to the jobs that it asks for."""

from collections.abc import Sequence
from pathlib import Path

from media_nommer.cli.documents import (
    Document,
    Wishes,
    document_for,
    inputs_of,
    out_folder,
)
from media_nommer.cli.inputs import Source, find_sources
from media_nommer.cli.recipe_files import RECIPE_EXTENSIONS, read_recipe
from media_nommer.core.errors import BadRequest


def wishes_of(
    *,
    presets: Sequence[str],
    recipe: Path | None,
    destination: str | None,
    name: str | None,
    if_exists: str | None,
) -> Wishes:
    """Return what the options say, the recipe file read.

    Raises:
        BadRequest: they contradict each other, or the recipe is none.
    """
    if presets and recipe:
        raise BadRequest(
            "--preset and --recipe cannot be given together",
            advice='A recipe names presets itself: {"outputs": [{"preset": "web"}]}.',
        )
    return Wishes(
        presets=presets,
        recipe=read_recipe(recipe) if recipe else None,
        destination=destination,
        name=name,
        if_exists=if_exists,
    )


def recipe_among(
    inputs: Sequence[str], recipe: Path | None
) -> tuple[Path | None, Sequence[str]]:
    """Return the recipe file and the INPUTs, where the first of them may be the recipe."""
    if recipe is None and inputs and Path(inputs[0]).suffix.lower() in RECIPE_EXTENSIONS:
        return Path(inputs[0]), inputs[1:]
    return recipe, inputs


def jobs_for(
    inputs: Sequence[str], wishes: Wishes, *, recursive: bool = False
) -> list[tuple[Source, Document]]:
    """Return a source and a document for each job that the command line asks for.

    Raises:
        BadRequest: there is no INPUT, or it or the destination cannot be used.
        SourceNotFound, NotMedia: what is named is not there, or is no media.
    """
    joined = inputs_of(wishes.recipe)
    if len(joined) > 1:
        return [_joined_job(inputs, joined, wishes)]
    named = list(inputs) or joined
    if not named:
        raise BadRequest(
            "there is nothing to encode: no INPUT was given",
            advice="Give a film: `nommer encode film.mov`.",
        )
    sources = find_sources(named, recursive=recursive, leave_out=out_folder(wishes))
    return [(source, document_for(source, wishes)) for source in sources]


def _joined_job(
    inputs: Sequence[str], joined: Sequence[str], wishes: Wishes
) -> tuple[Source, Document]:
    """Return the one job of a recipe that joins several inputs."""
    if inputs:
        raise BadRequest(
            f"the recipe joins {len(joined)} inputs, and INPUT would be one of them",
            advice="Leave INPUT out, or name one input in the recipe.",
        )
    found = [find_sources([named]) for named in joined]
    for named, sources in zip(joined, found, strict=True):
        if len(sources) != 1:
            raise BadRequest(
                f"{named} is a folder; an input of a recipe is one file",
                advice="Name each file among the `inputs`.",
            )
    first, *others = (sources[0] for sources in found)
    return first, document_for(first, wishes, *others)
