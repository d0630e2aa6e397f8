"""Which parts of a recipe are secrets, so that no record ever holds one (rule 12)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from media_nommer.core.recipes.documents import AdaptiveOutput, Recipe

SEALED = "sealed:"
_SECRETS = ("key", "audio_key")


def secrets_in(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield the place of each secret, as people write it, and the secret."""
    for index, output in enumerate(recipe.outputs):
        said = output.encryption if isinstance(output, AdaptiveOutput) else None
        for name in _SECRETS:
            if secret := getattr(said, name, None):
                yield f"outputs[{index}].encryption.{name}", secret


def with_secrets(recipe: Recipe, change: Callable[[str], str]) -> Recipe:
    """Return a recipe with something else in the place of each secret."""
    outputs = tuple(
        output.model_copy(update={"encryption": _changed(output, change)})
        if isinstance(output, AdaptiveOutput) and output.encryption
        else output
        for output in recipe.outputs
    )
    return recipe.model_copy(update={"outputs": outputs})


def has_sealed(recipe: Mapping[str, Any]) -> bool:
    """Say whether a recipe on record needs secrets that were sealed."""
    outputs = recipe.get("outputs")
    if not isinstance(outputs, Sequence):
        return False
    said = (output.get("encryption") for output in outputs)
    return any(
        str(each.get(name)).startswith(SEALED)
        for each in said
        if isinstance(each, Mapping)
        for name in _SECRETS
    )


def _changed(output: AdaptiveOutput, change: Callable[[str], str]) -> object:
    said = output.encryption
    assert said is not None
    found = {name: getattr(said, name) for name in _SECRETS}
    return said.model_copy(
        update={name: change(secret) for name, secret in found.items() if secret}
    )
