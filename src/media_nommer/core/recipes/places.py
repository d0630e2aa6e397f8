"""Which sources a recipe names, wherever it does so."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit


def sources_of(recipe: Mapping[str, Any]) -> dict[str, str]:
    """Return the place of each source in a recipe's document, by its URL.

    One that is named in several places is there once, with the first of them.
    """
    found: dict[str, str] = {}
    for place, url in _named(recipe):
        found.setdefault(url, place)
    return found


def is_text(place: str) -> bool:
    """Say whether what a recipe names at a place is a file of text, not media."""
    return ".subtitles[" in place


def name_of(url: str) -> str:
    """Return what the file at a URL is called."""
    path = url if url.startswith("file:") else urlsplit(url).path
    return PurePosixPath(unquote(path)).name


def _named(recipe: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for number, source in enumerate(_list(recipe.get("inputs"))):
        yield from _url(source, f"inputs[{number}]")
        said = source if isinstance(source, Mapping) else {}
        for kind in ("audio", "subtitles"):
            for place, each in enumerate(_list(said.get(kind))):
                yield from _url(each, f"inputs[{number}].{kind}[{place}]")


def _url(source: object, path: str) -> Iterator[tuple[str, str]]:
    url = source.get("url") if isinstance(source, Mapping) else None
    if isinstance(url, str):
        yield f"{path}.url", url


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
