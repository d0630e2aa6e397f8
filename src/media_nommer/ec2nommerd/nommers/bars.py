"""Looking for black bars before anything is planned: the sizes of outputs rest on them."""

from collections.abc import Collection
from pathlib import Path

import structlog

from media_nommer.core.errors import EncodeError, MediaError
from media_nommer.core.media import Media
from media_nommer.core.ports.encoder import Encoder
from media_nommer.core.recipes import Recipe
from media_nommer.ec2nommerd.nommers.base import Work
from media_nommer.planning.bars import (
    NO_BARS,
    Bars,
    BarsCommand,
    Profile,
    bars_commands,
    bars_in,
    profile_in,
    wants_bars,
    without_bars,
)
from media_nommer.planning.cutting import taken

log = structlog.get_logger(__name__)


def with_bars_cut(
    encoder: Encoder,
    work: Work,
    recipe: Recipe,
    media: Media,
    *,
    made: Collection[int],
    source: str,
) -> Recipe:
    """Return a recipe that says outright what is cut off where it asked for bars.

    Nobody looks for them where none of the outputs that are ``made`` wants it.
    """
    if not wants_bars(recipe, made):
        return recipe
    return without_bars(recipe, media, _found(encoder, work, recipe, media, source))


def _found(encoder: Encoder, work: Work, recipe: Recipe, media: Media, source: str) -> Bars:
    """Return the bars, none of a film that cannot be looked at: the encode says why."""
    profiles: list[Profile] = []
    try:
        for command in bars_commands(media, recipe, source=source):
            work.encode(encoder, command.argv)
            profiles += _left(command, work.scratch, media, recipe)
    except (EncodeError, MediaError) as error:
        if work.worth_another_try(error):
            raise
        log.warning("bars_not_found", job=work.job.id, message=error.message)
        return NO_BARS
    bars = bars_in(profiles)
    log.info("bars_found", job=work.job.id, moments=len(profiles), bars=str(bars))
    return bars


def _left(
    command: BarsCommand, scratch: Path, media: Media, recipe: Recipe
) -> list[Profile]:
    picture = taken(media, recipe.inputs[0])[0].picture
    assert picture is not None
    found: list[Profile] = []
    for paths in command.leaves:
        rows, columns = (_taken_away(scratch / path) for path in paths)
        profile = profile_in(rows, columns, picture)
        if profile is not None:
            found.append(profile)
    return found


def _taken_away(path: Path) -> bytes:
    """Return what is in a file, and remove it; a moment without a frame leaves none."""
    if not path.is_file():
        return b""
    data = path.read_bytes()
    path.unlink()
    return data
