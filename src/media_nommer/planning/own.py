"""Outputs that other people's nommers make: their files, by the nommer's own plan."""

from collections.abc import Sequence
from contextlib import suppress

from media_nommer.core.errors import InvalidRecipe, NommerBroken, NommerError, NommerFailed
from media_nommer.core.media import Media
from media_nommer.core.recipes.names import fill_template, safe_stem
from media_nommer.core.recipes.own import OwnOutput, StrangeOutput
from media_nommer.core.recipes.own_nommers import own_nommer
from media_nommer.planning.extras.extras import Extra, OwnPlan

_MOST_FILES = 1000


def plan_own(media: Media, output: OwnOutput, stem: str, where: str) -> Extra:
    """Return the plan of an output of an own kind.

    Where nothing here makes it, its one name is as the recipe has it, and whoever is to
    make it says so.

    Raises:
        InvalidRecipe, NoStreams: the nommer says that it cannot be made.
        NommerFailed: it failed otherwise, or its names are no list of texts.
    """
    nommer = None
    if not isinstance(output, StrangeOutput):
        with suppress(NommerBroken):
            nommer = own_nommer(output.kind)
    ending = (nommer.name if nommer else output.name or "").rpartition(".")[2]
    values = {
        "stem": safe_stem(stem),
        "preset": safe_stem(output.kind),
        "ext": ending,
    }
    name = fill_template(output.name or "{stem}", values)
    if nommer is None:
        return Extra(OwnPlan(output), (name,))
    try:
        names = nommer.plan(output, media, name)
    except NommerError:
        raise
    except Exception as error:
        raise NommerFailed(
            f"{where}: the nommer of the kind {output.kind!r} cannot plan it: {error!r}"
        ) from error
    _check(names, name, output.kind, where)
    return Extra(OwnPlan(output), tuple(names))


def _check(names: Sequence[str], first: str, kind: str, where: str) -> None:
    if len(names) > _MOST_FILES:
        raise InvalidRecipe(f"{where}: would be {len(names)} files; allowed: {_MOST_FILES}")
    texts = not isinstance(names, str) and all(isinstance(name, str) for name in names)
    if not texts or not names or names[0] != first or len(set(names)) < len(names):
        raise NommerFailed(
            f"{where}: the nommer of the kind {kind!r} gave no list of names, the first of "
            f"them {first!r}, each once"
        )
