"""Sets of strings as sorted, disjoint, half-open ranges: what a sorted index can find.

Python orders strings by code points, which is the order of their UTF-8 bytes; the string
right behind ``v`` in that order is ``v`` and a NUL.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

#: From a string, up to but without another; None is the end of all strings.
Range: TypeAlias = tuple[str, str | None]
Ranges: TypeAlias = tuple[Range, ...]

ALL: Ranges = (("", None),)
NONE: Ranges = ()


def exactly(value: str) -> Ranges:
    """Return the range that holds one string."""
    return ((value, value + "\0"),)


def starting_with(prefix: str) -> Ranges:
    """Return the range of the strings that begin with ``prefix``."""
    head = prefix.rstrip(chr(0x10FFFF))
    return ((prefix, head[:-1] + chr(ord(head[-1]) + 1) if head else None),)


def union(parts: Iterable[Ranges]) -> Ranges:
    """Return the ranges of the strings that are in any of ``parts``."""
    merged: list[Range] = []
    for low, high in sorted((r for part in parts for r in part), key=lambda r: r[0]):
        if merged and (merged[-1][1] is None or low <= merged[-1][1]):
            merged[-1] = (merged[-1][0], _later(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def intersection(parts: Sequence[Ranges]) -> Ranges:
    """Return the ranges of the strings that are in all of ``parts``."""
    common = ALL
    for part in parts:
        pairs = ((a, b) for a in common for b in part)
        overlaps = ((max(a[0], b[0]), _earlier(a[1], b[1])) for a, b in pairs)
        common = union([tuple(r for r in overlaps if r[1] is None or r[0] < r[1])])
    return common


def contains(ranges: Ranges, value: str) -> bool:
    """Tell whether ``value`` is in one of the ranges."""
    return any(low <= value and (high is None or value < high) for low, high in ranges)


def _later(one: str | None, other: str | None) -> str | None:
    return None if one is None or other is None else max(one, other)


def _earlier(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
