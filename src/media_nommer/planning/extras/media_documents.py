"""What an inspection found, as a document for other people's programs.

The names of its fields last: new ones may come, and none goes or changes its meaning.
"""

from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from media_nommer.core.media import Media

VERSION = 1

_MOST_KEPT = 16


def media_document(media: Media, inputs: Sequence[Media] = ()) -> dict[str, Any]:
    """Return ``media`` in what JSON has: a rate is a text such as ``30000/1001``.

    What is made of several ``inputs`` has these in it too.
    """
    document: dict[str, Any] = _plain({"version": VERSION, **asdict(media)})
    if len(inputs) > 1:
        document["inputs"] = [_plain(asdict(each)) for each in inputs]
    return document


def kept_document(media: Media, inputs: Sequence[Media] = ()) -> dict[str, Any]:
    """Return the same with as many streams of a kind, and inputs, as records hold well."""
    document: dict[str, Any] = _short(media_document(media, inputs))
    return document


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(part) for key, part in value.items()}
    return (
        [_short(part) for part in value[:_MOST_KEPT]] if isinstance(value, list) else value
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Fraction) else value
