"""Reading recipe files, in JSON or YAML; what is wrong in one is told with its line."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from media_nommer.cli.documents import Document
from media_nommer.core.errors import AccessDenied, BadRequest, InvalidRecipe, NommerError

#: By these a file tells that it is YAML; any other name is taken for JSON.
YAML_EXTENSIONS = frozenset({".yaml", ".yml"})

#: By these a file tells that it is a recipe, where it could be a film.
RECIPE_EXTENSIONS = YAML_EXTENSIONS | {".json"}

_PLACE = re.compile(r"^([a-z_]\w*(?:\[\d+\]|\.\w+)*): ")
_STEP = re.compile(r"\w+")


def read_recipe(file: Path) -> Document:
    """Return the document in a recipe file, its outputs found to be sound.

    Raises:
        InvalidRecipe: it is no such thing; the message says in which line.
        UnknownPreset: it names a preset that is not there.
        BadRequest: there is no such file.
    """
    text = _text(file)
    is_yaml = file.suffix.lower() in YAML_EXTENSIONS
    document = _from_yaml(file, text) if is_yaml else _from_json(file, text)
    if not isinstance(document, dict):
        language = "YAML, but no list of `key: value`" if is_yaml else "JSON, but not an"
        what = language if is_yaml else f"{language} object in braces"
        raise InvalidRecipe(f"the recipe {file} is {what}")
    with _telling_lines(file, text):
        _check(document)
    return document


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BadRequest(
            f"there is no recipe file {file}", advice="Check the path after --recipe."
        ) from error
    except OSError as error:
        raise AccessDenied(f"the recipe {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidRecipe(f"the recipe {file} is not text in UTF-8") from error


def _from_json(file: Path, text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidRecipe(
            f"the recipe {file} is not JSON: {_where(error)}",
            advice='The least one is {"outputs": [{"preset": "web"}]}. '
            "A recipe in YAML ends in .yaml.",
        ) from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object that says each thing once; of two, nobody knows which is meant."""
    whole = dict(pairs)
    if len(whole) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{json.dumps(twice)} is there twice in one object")
    return whole


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number there")


def _where(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else f"{error}"


def _from_yaml(file: Path, text: str) -> object:
    from media_nommer.cli.yaml_reading import BadYaml, read_yaml

    try:
        return read_yaml(text).value
    except BadYaml as error:
        raise InvalidRecipe(f"the recipe {file} cannot be read: {error}") from error


def _check(document: Document) -> None:
    """Find what is wrong with a recipe by itself, before INPUT and -o are put in."""
    from media_nommer.core.presets import load_presets
    from media_nommer.core.recipes import parse_recipe

    whole = dict(document)
    inputs = whole.setdefault("inputs", [{}])
    if isinstance(inputs, list) and len(inputs) == 1 and isinstance(inputs[0], Mapping):
        whole["inputs"] = [{"url": "file:///INPUT", **inputs[0]}]
    parse_recipe(whole, load_presets())


@contextlib.contextmanager
def _telling_lines(file: Path, text: str) -> Iterator[None]:
    """Put file and line before each sentence of what is found wrong."""
    try:
        yield
    except BadRequest as error:
        raise _with_lines(error, file, text) from error


def _with_lines(error: NommerError, file: Path, text: str) -> NommerError:
    from media_nommer.cli.yaml_reading import BadYaml, read_yaml

    lines: Mapping[tuple[str | int, ...], int] = {}
    with contextlib.suppress(BadYaml):  # nearly all JSON is YAML, which has lines
        lines = read_yaml(text).lines
    told = [_with_line(sentence, file, lines) for sentence in error.message.splitlines()]
    return type(error)("\n".join(told), advice=error.advice)


def _with_line(
    sentence: str, file: Path, lines: Mapping[tuple[str | int, ...], int]
) -> str:
    place = _PLACE.match(sentence)
    steps: tuple[str | int, ...] = ()
    if place:
        found = _STEP.findall(place[1])
        steps = tuple(int(step) if step.isdecimal() else step for step in found)
    while steps and steps not in lines:
        steps = steps[:-1]
    at = f", line {lines[steps]}" if steps else ""
    return f"{file}{at}: {sentence}"
