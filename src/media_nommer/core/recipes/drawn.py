"""What a recipe has drawn onto a picture: images, text, subtitles."""

import unicodedata
from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from media_nommer.core.recipes.base import Document
from media_nommer.core.recipes.extras import Color, Encoding

Position = Literal[
    "top-left",
    "top",
    "top-right",
    "left",
    "center",
    "right",
    "bottom-left",
    "bottom",
    "bottom-right",
]
Seconds = Annotated[float, Field(ge=0, le=1_000_000)]
Margin = Annotated[float, Field(ge=0, le=0.5)]
Opacity = Annotated[float, Field(gt=0, le=1)]

#: What stands for the time of each frame.
TIMECODE = "{timecode}"
_CONTROL = {"Cc", "Cs", "Zl", "Zp"}


class Watermark(Document):
    """An image over the picture, at its place from ``start`` to ``end``.

    ``width`` is a share of the picture's, ``margin`` one of its shorter side; times are
    seconds of the output.
    """

    url: Annotated[str, Field(min_length=1, max_length=4096)]
    position: Position = "bottom-right"
    margin: Margin = 0.03
    width: Annotated[float, Field(ge=0.01, le=1)] = 0.15
    opacity: Opacity = 1
    start: Seconds | None = None
    end: Seconds | None = None


class DrawnText(Document):
    """Text over the picture, in which ``{timecode}`` is the time of each frame.

    ``size`` (of a line) and ``margin`` are shares of the picture's shorter side; times are
    seconds of the output. ``background`` is a box behind it; without one it has an outline.
    """

    text: Annotated[str, Field(min_length=1, max_length=500)]
    position: Position = "bottom"
    margin: Margin = 0.04
    size: Annotated[float, Field(ge=0.01, le=0.5)] = 0.05
    color: Color = "#ffffff"
    background: Color | None = None
    start: Seconds | None = None
    end: Seconds | None = None


class BurnIn(Document):
    """One of the source's subtitles as a part of the picture.

    It is the one of ``language``, or the ``track``-th, or the ``file``-th of the input's
    own files, each counted from 0; without them the one that a player would show. ``size``
    of text is a share of the picture's shorter side.
    """

    track: Annotated[int, Field(ge=0, le=255)] | None = None
    file: Annotated[int, Field(ge=0, le=31)] | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{3}$")] | None = None
    encoding: Encoding | None = None
    size: Annotated[float, Field(ge=0.01, le=0.3)] = 0.055


Watermarks: TypeAlias = Annotated[tuple[Watermark, ...], Field(max_length=8)]
DrawnTexts: TypeAlias = Annotated[tuple[DrawnText, ...], Field(max_length=8)]


def images_of(recipe: Document) -> Iterator[tuple[str, str]]:
    """Yield the place and the URL of each image that a resolved recipe names."""
    for index, output in enumerate(getattr(recipe, "outputs", ())):
        marks: Watermarks = getattr(getattr(output, "video", None), "watermarks", ())
        for number, mark in enumerate(marks):
            yield f"outputs[{index}].video.watermarks[{number}].url", mark.url


def drawn_problems(
    marks: Watermarks, texts: DrawnTexts, burn_in: BurnIn | None, path: str
) -> Iterator[str]:
    """Yield a sentence for each thing that cannot be drawn."""
    for number, mark in enumerate(marks):
        yield from _time_problems(mark, f"{path}.watermarks[{number}]")
    for number, text in enumerate(texts):
        yield from _time_problems(text, f"{path}.texts[{number}]")
        yield from _text_problems(text.text, f"{path}.texts[{number}].text")
    ways = ("track", "file", "language")
    said = [way for way in ways if getattr(burn_in, way, None) is not None]
    if len(said) > 1:
        both = f"{' and '.join(said)} contradict each other"
        yield f"{path}.burn_in: {both}; allowed: one of them"


def _time_problems(one: Watermark | DrawnText, path: str) -> Iterator[str]:
    if one.end is not None and one.end <= (one.start or 0):
        after = f"must be after the start, {one.start or 0:g}"
        yield f"{path}.end: {after}, not {one.end:g}"


def _text_problems(text: str, path: str) -> Iterator[str]:
    wrong = {c for c in text if c != "\n" and unicodedata.category(c) in _CONTROL}
    if wrong:
        said = ", ".join(sorted(f"U+{ord(c):04X}" for c in wrong)[:3])
        yield f"{path}: may not hold {said}; allowed: what can be seen, and line ends"
    elif not text.strip():
        yield f"{path}: must have something to be seen"
