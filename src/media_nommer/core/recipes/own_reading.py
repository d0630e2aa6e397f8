"""Reading outputs of own kinds, which the recipe's own document knows nothing of."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from media_nommer.core.errors import NommerBroken
from media_nommer.core.recipes.documents import OUTPUT_KINDS
from media_nommer.core.recipes.names import template_problem
from media_nommer.core.recipes.own import OwnOutput, StrangeOutput
from media_nommer.core.recipes.own_nommers import own_kinds, own_nommer
from media_nommer.core.recipes.sentences import sentences

#: What a template of an own output's name may use.
_FIELDS = ("stem", "preset", "ext")


def with_own_outputs(
    document: Mapping[str, Any], *, stored: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return a recipe's document with its own outputs read, and what is wrong in them.

    In a ``stored`` one an output that nothing here knows, or knows otherwise, is let
    through: it was found good where the recipe was taken on.
    """
    outputs = document.get("outputs")
    if not isinstance(outputs, list | tuple):
        return dict(document), []
    problems: list[str] = []
    read: list[Any] = []
    for index, output in enumerate(outputs):
        kind = output.get("kind") if isinstance(output, dict) else None
        if not isinstance(kind, str) or kind in OUTPUT_KINDS:
            read.append(output)
        elif kind not in own_kinds():
            read.append(_strange(output) if stored else output)
        else:
            own, wrong = _read(kind, output, index)
            read.append(_strange(output) if wrong and stored else own)
            problems += [] if stored else wrong
    return {**document, "outputs": read}, problems


def settled_own(output: OwnOutput, path: str) -> tuple[OwnOutput, list[str]]:
    """Return ``output`` with its usual name where it says none, and what is wrong in it."""
    if isinstance(output, StrangeOutput):
        return output, []
    finished = output.model_copy(update={"name": output.name or usual_own_name(output)})
    return finished, list(_name_problems(finished, f"{path}.name"))


def usual_own_name(output: OwnOutput) -> str:
    """Return the template of an output that says no name."""
    nommer = own_nommer(output.kind)
    return nommer.name if nommer is not None else "{stem}"


def own_extension(output: OwnOutput) -> str:
    """Return how the name of an output ends, without a dot."""
    return usual_own_name(output).rpartition(".")[2]


def _read(kind: str, output: dict[str, Any], index: int) -> tuple[OwnOutput, list[str]]:
    try:
        nommer = own_nommer(kind)
    except NommerBroken as error:
        return _strange({"kind": kind}), [f"outputs[{index}].kind: {error.message}"]
    assert nommer is not None
    try:
        return nommer.document.model_validate(output), []
    except ValidationError as error:
        wrong = sentences(error, at=("outputs", index), document=nommer.document)
        return _strange({"kind": kind}), wrong


def _strange(output: dict[str, Any]) -> StrangeOutput:
    return StrangeOutput.model_construct(**output)


def _name_problems(output: OwnOutput, path: str) -> Iterator[str]:
    name, ending = output.name or "", own_extension(output)
    wrong = template_problem(name, _FIELDS)
    if wrong:
        yield f"{path}: {wrong}"
    elif name.rpartition(".")[2] not in {ending, "{ext}"}:
        yield f"{path}: must end in one of: {ending}, {{ext}}"
