"""The names of outputs: safe ones, and no two alike."""

import re
from collections.abc import Sequence

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.recipes.names import unsafe_name
from media_nommer.planning.plan import OutputPlan

_LONGEST_TITLE = 500


def safe_name(name: str, where: str) -> str:
    """Return a name as it is.

    Raises:
        InvalidRecipe: it leads out of the destination, or could not stand there.
    """
    wrong = unsafe_name(name)
    if wrong:
        raise InvalidRecipe(f"{where}.name: {wrong}")
    return name


def check_names(plans: Sequence[OutputPlan]) -> None:
    """Refuse names that meet; case is not told apart, since some file systems do not.

    Raises:
        InvalidRecipe: two outputs would have one name.
    """
    taken: dict[str, int] = {}
    for plan in plans:
        for name in plan.names:
            first = taken.setdefault(name.casefold(), plan.index)
            if first != plan.index:
                raise InvalidRecipe(
                    f"outputs[{plan.index}].name: outputs[{first}] is called {name!r} too; "
                    "give one of them another name"
                )


def clean_title(title: str | None) -> str | None:
    """Return a title that can stand in an argument list and in any container."""
    if not title:
        return None
    text = title.encode("utf-8", "replace").decode("utf-8")
    text = re.sub("[\x00-\x1f\x7f]+", " ", text).strip()
    return text[:_LONGEST_TITLE] or None
