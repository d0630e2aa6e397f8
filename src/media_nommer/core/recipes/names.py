"""Names of outputs: templates, and what a safe file name is."""

import difflib
import re
from collections.abc import Collection, Mapping
from string import Formatter

FIELDS = ("stem", "preset", "height", "width", "codec", "ext", "number", "language")
_NUMBERS = {"height", "width", "number"}
_FORMAT = re.compile(r"0?[1-9]?d?")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST_PART = 255  # bytes: NAME_MAX of every common file system
_LONGEST_NAME = 900  # bytes: an S3 key has 1024, and the destination needs some
_LONGEST_STEM = 180  # bytes: leaves room for what a template adds


def template_problem(template: str, fields: Collection[str]) -> str | None:
    """Return what is wrong with a template that may use ``fields``, or None."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return f"{template!r} has a brace without its partner"
    for _, field, spec, conversion in parts:
        if field is None:
            continue
        if field not in fields:
            return _unknown_field(field, fields)
        if conversion or not _format_fits(field, spec or ""):
            return f"{{{field}}} has a format that is not known; allowed: {{number:04d}}"
    sample: dict[str, str | int] = {
        field: 1 if field in _NUMBERS else "x" for field in FIELDS
    }
    return unsafe_name(template.format_map(sample))


def _format_fits(field: str, spec: str) -> bool:
    return not spec or (field in _NUMBERS and _FORMAT.fullmatch(spec) is not None)


def _unknown_field(field: str, fields: Collection[str]) -> str:
    allowed = ", ".join(f"{{{name}}}" for name in fields)
    if field in FIELDS:
        return f"{{{field}}} has no meaning for this output; allowed: {allowed}"
    close = difflib.get_close_matches(field, fields, n=1)
    hint = f", did you mean {{{close[0]}}}?" if close else ";"
    return f"{{{field}}} is not known here{hint} allowed: {allowed}"


def uses(template: str, field: str) -> bool:
    """Say whether a template, already found sound, uses ``field``."""
    return any(found == field for _, found, _, _ in Formatter().parse(template))


def fill_template(template: str, values: Mapping[str, str | int]) -> str:
    """Return the name that a sound template makes of ``values``."""
    return template.format_map(values)


def unsafe_name(name: str) -> str | None:
    """Return why ``name`` could not be a file below the destination, or None if it can."""
    if name.startswith("/"):
        return f"{name!r} starts with '/'; names are below the destination"
    if _CONTROL.search(name):
        return f"{name!r} has a control character in it"
    if "\\" in name:
        return f"{name!r} has a backslash in it; folders are separated by '/'"
    parts = name.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return f"{name!r} has a part that is empty, '.' or '..'"
    if any(part != part.strip(" ") for part in parts):
        return f"{name!r} has a part that starts or ends with a space"
    if any(len(part.encode()) > _LONGEST_PART for part in parts):
        return f"{name!r} has a part longer than {_LONGEST_PART} bytes"
    if len(name.encode()) > _LONGEST_NAME:
        return f"a name of {len(name.encode())} bytes is too long; allowed: {_LONGEST_NAME}"
    return None


def safe_stem(stem: str) -> str:
    """Return ``stem`` as it can stand in a name: a source may be called anything.

    Separators and characters that cannot be printed become ``_``, leading dots and blanks
    go, and it is cut to 180 bytes.
    """
    cleaned = _CONTROL.sub("_", stem).replace("/", "_").replace("\\", "_")
    cleaned = cleaned.strip().lstrip(".").strip()
    cut = cleaned.encode()[:_LONGEST_STEM].decode(errors="ignore").strip()
    return cut or "output"
