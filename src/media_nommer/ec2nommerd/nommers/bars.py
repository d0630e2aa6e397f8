"""Looking for black bars before anything is planned: the sizes of outputs rest on them."""

from collections.abc import Collection, Sequence
from pathlib import Path

import structlog

from media_nommer.core.errors import EncodeError, MediaError
from media_nommer.core.ports.encoder import Encoder
from media_nommer.core.recipes import Recipe
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.inputs.bars import (
    NO_BARS,
    Bars,
    BarsCommand,
    Profile,
    bars_commands,
    bars_in,
    profile_in,
    wants_bars,
    watched_of,
    without_bars,
)
from media_nommer.planning.inputs.joining import Film
from media_nommer.planning.inputs.watching import Watched

log = structlog.get_logger(__name__)


def with_bars_cut(
    encoder: Encoder,
    work: Work,
    recipe: Recipe,
    film: Film,
    *,
    made: Collection[int],
) -> Recipe:
    """Return a recipe that says outright what is cut off where it asked for bars.

    Nobody looks for them where none of the outputs that are ``made`` wants it.
    """
    if not wants_bars(recipe, made):
        return recipe
    return without_bars(recipe, film, _found(encoder, work, watched_of(film, recipe)))


def _found(encoder: Encoder, work: Work, watched: Sequence[Watched]) -> Bars:
    """Return the bars, none of a film that cannot be looked at: the encode says why."""
    looks: list[list[Profile]] = [[] for _ in watched]
    try:
        for command in bars_commands(watched):
            work.encode(encoder, command.argv)
            looks[command.place] += _left(command, work.scratch)
    except (EncodeError, MediaError) as error:
        if work.worth_another_try(error):
            raise
        log.warning("bars_not_found", job=work.job.id, message=error.message)
        return NO_BARS
    bars = bars_in(looks)
    log.info("bars_found", job=work.job.id, moments=sum(map(len, looks)), bars=str(bars))
    return bars


def _left(command: BarsCommand, scratch: Path) -> list[Profile]:
    found: list[Profile] = []
    for paths in command.leaves:
        rows, columns = (_taken_away(scratch / path) for path in paths)
        profile = profile_in(rows, columns, command.size)
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
