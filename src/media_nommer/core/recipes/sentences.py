"""What is wrong with a recipe, in one sentence for each fault."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from media_nommer.core.recipes.base import Expect, ObjectTraits
from media_nommer.core.recipes.codecs import OTHER_WORDS
from media_nommer.core.recipes.documents import (
    OUTPUT_KINDS,
    Audio,
    Crop,
    FileOutput,
    Loudness,
    Recipe,
    Rung,
    Video,
)
from media_nommer.core.recipes.drawn import BurnIn, DrawnText, Watermark
from media_nommer.core.recipes.encryption import Encryption
from media_nommer.core.recipes.extras import WaveformPicture
from media_nommer.core.recipes.inputs import Input, InputSound, InputSubtitles, Join
from media_nommer.core.recipes.own_nommers import own_kinds

_LONGEST_VALUE = 60
_SECRET_FIELDS = {  # a password or a key may stand in them
    *("url", "destination", "encryption", "key", "audio_key", "key_url"),
}

_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "tuple": "a list",
    "list": "a list",
    "dict": "an object",
    "model": "an object",
    "finite": "a finite number",
}


def sentences(
    error: ValidationError,
    at: Sequence[str | int] = (),
    document: type[BaseModel] | None = None,
) -> list[str]:
    """Return one sentence for each fault, naming the field by its path below ``at``.

    ``document`` is what an output is that is none of ours.
    """
    faults = [dict(fault) for fault in error.errors(include_url=False)]
    return [
        _sentence(fault, at, document) for fault in faults if not _follows(fault, faults)
    ]


def _follows(fault: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a list is only too short because its entries are at fault."""
    place = fault["loc"]
    return fault["type"] == "too_short" and any(
        other["loc"][: len(place)] == place and other is not fault for other in faults
    )


def path_of(location: Sequence[str | int]) -> str:
    """Return a location as people write it: ``outputs[0].video.codec``."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path or "the recipe"


#: What a text must look like, by its key.
_FORMS: Mapping[str | int, str] = {
    "aspect": "allowed: such as 16:9 or 2.39:1",
    "pad_color": "allowed: black, white, or such as #20a0ff",
    "audio_language": "allowed: three letters, such as eng",
    "language": "allowed: three letters, such as eng",
    "color": "allowed: such as #20a0ff or, half seen through, #20a0ff80",
    "background": "allowed: such as #20a0ff or, half seen through, #20a0ff80",
    "level": "allowed: such as 4.1",
    "key": "allowed: 32 hexadecimal digits",
    "audio_key": "allowed: 32 hexadecimal digits",
    "key_id": "allowed: 32 hexadecimal digits",
    "audio_key_id": "allowed: 32 hexadecimal digits",
    "key_url": "allowed: a URL without spaces and quotation marks",
    "group": "allowed: up to 128 letters, digits and ._:-",
    "storage_class": "allowed: capitals, digits and _",
}

#: The documents inside an output, by the key that they stand under.
_PARTS: Mapping[str, type[BaseModel]] = {
    "video": Video,
    "ladder": Rung,
    "audio": Audio,
    "audio_groups": Audio,
    "object": ObjectTraits,
    "expect": Expect,
    "picture": WaveformPicture,
    "crop": Crop,
    "encryption": Encryption,
    "loudness": Loudness,
    "watermarks": Watermark,
    "texts": DrawnText,
    "burn_in": BurnIn,
}

#: Keys of stored recipes that nobody is told to write.
_OURS = frozenset({"from_preset"})


def unknown_key(key: str, known: Sequence[str]) -> str:
    """Return what to say about a key that is not among ``known``."""
    known = [name for name in known if name not in _OURS]
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return f"is not known here{hint} allowed: {', '.join(known)}"


def unknown_word(said: object, known: Sequence[str]) -> str:
    """Return what to say about a value that is none of ``known``."""
    meant = _meant(said, known) if isinstance(said, str) else None
    hint = f"; did you mean {meant!r}?" if meant else ";"
    return f"{quoted(said)} is not known here{hint} allowed: {', '.join(known)}"


def _meant(said: str, known: Sequence[str]) -> str | None:
    plain = re.sub(r"[^a-z0-9]", "", said.lower())
    if (ours := OTHER_WORDS.get(plain, plain)) in known:
        return ours
    close = difflib.get_close_matches(said.lower(), known, n=1)
    return close[0] if close else None


def quoted(value: object) -> str:
    """Return a value short enough to stand in a sentence."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _sentence(
    fault: dict[str, Any], at: Sequence[str | int], document: type[BaseModel] | None
) -> str:
    location = [*at, *fault["loc"]]
    if document is not None and fault["type"] == "extra_forbidden" and len(location) == 3:
        told = unknown_key(str(location[-1]), list(document.model_fields))
        return f"{path_of(location)}: {told}"
    if len(location) > 2 and location[0] == "outputs" and location[2] in OUTPUT_KINDS:
        tag = str(location.pop(2))
    else:
        tag = ""
    return f"{path_of(location)}: {_what(fault, location, tag)}"


def _what(fault: dict[str, Any], location: Sequence[str | int], tag: str) -> str:
    kind, context = str(fault["type"]), fault.get("ctx", {})
    secret = bool(location) and location[-1] in _SECRET_FIELDS
    value = "the one given" if secret else quoted(fault["input"])
    if kind == "extra_forbidden":
        return unknown_key(
            str(location[-1]), list(_document_at(location, tag).model_fields)
        )
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        return unknown_word(fault["input"], _choices(context["expected"]))
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"must be {words} {context[key]:g}, not {value}"
    if kind.startswith("union_tag"):
        if not isinstance(fault["input"], Mapping):
            return f"must be an object, not {value}"
        said = quoted(fault["input"].get("kind"))
        allowed = ", ".join((*OUTPUT_KINDS, *own_kinds()))
        return f"the kind {said} is not known here; allowed: {allowed}"
    if kind in {"too_long", "too_short"}:
        return _length(kind, context)
    if kind == "string_pattern_mismatch":
        return (
            f"{value} is not of the right form; {_FORMS.get(location[-1], 'see the docs')}"
        )
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "string_too_long":
        return f"must be at most {context['max_length']} characters long"
    return _other(fault, kind, value)


def _other(fault: dict[str, Any], kind: str, value: str) -> str:
    wanted = _KINDS.get(kind.split("_")[0])
    if wanted:
        return f"must be {wanted}, not {value}"
    return str(fault["msg"])


def _length(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "too_long":
        return f"has more entries than are allowed; at most {context['max_length']}"
    return "must have at least one entry"


def _choices(expected: str) -> list[str]:
    return re.findall(r"'([^']*)'", expected) or re.split(", | or ", expected)


def _document_at(location: Sequence[str | int], tag: str) -> type[BaseModel]:
    """Return the document that holds the last part of ``location``."""
    inside = [part for part in location[:-1] if isinstance(part, str)]
    if inside == ["inputs"]:
        return Input
    if inside == ["inputs", "audio"]:
        return InputSound
    if inside == ["inputs", "subtitles"]:
        return InputSubtitles
    if inside == ["join"]:
        return Join
    if inside and inside[-1] in _PARTS:
        return _PARTS[inside[-1]]
    if inside == ["outputs"]:
        return OUTPUT_KINDS.get(tag, FileOutput)
    return Recipe
