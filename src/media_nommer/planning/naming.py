"""The names of outputs: safe ones, and no two alike."""

from collections.abc import Sequence

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.recipes.names import unsafe_name
from media_nommer.planning.plan import OutputPlan


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
