"""From the fragments of a file to the segments that players fetch, and what these take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from media_nommer.core.fragments import Fragment, FragmentedFile

_NEAR = 0.05  # seconds: times are rounded to ticks, and no group of pictures is as short
_BLOCK = 16  # bytes of AES


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring fragments that are fetched as one; times in seconds, the rest bytes."""

    start: Fraction
    duration: Fraction
    offset: int
    size: int


def segments_of(file: FragmentedFile, length: float) -> tuple[Segment, ...]:
    """Return the segments of a file, each about ``length`` seconds.

    One begins with the first fragment at or after every multiple of the length, so those of
    sounds stay beside those of pictures however long a film is.
    """
    groups: list[list[Fragment]] = []
    begun = -1
    for fragment in file.fragments:
        number = floor((fragment.time / file.timescale + _NEAR) / length)
        if number > begun:
            groups.append([])
            begun = number
        groups[-1].append(fragment)
    return tuple(_segment(group, file.timescale) for group in groups)


def length_of(file: FragmentedFile) -> Fraction:
    """Return when the last frame of a file ends, in seconds."""
    last = file.fragments[-1]
    return Fraction(last.time + last.duration, file.timescale)


def encrypted_whole(parts: Sequence[Segment]) -> tuple[Segment, ...]:
    """Return segments as large as they are when each is encrypted with AES-128."""
    return tuple(replace(part, size=(part.size // _BLOCK + 1) * _BLOCK) for part in parts)


def peak_bits(parts: Sequence[Segment], target: int) -> int:
    """Return the largest bit rate of neighbouring segments, by RFC 8216's rule.

    Those count that are together between a half and one and a half of the target duration.
    Of a film shorter than that it is the bit rate of all.
    """
    found = list(_rates(parts, target))
    return ceil(max(found, default=Fraction(mean_bits(parts))))


def mean_bits(parts: Sequence[Segment]) -> int:
    """Return the bit rate of all segments together."""
    length = _together(parts)
    return ceil(8 * sum(part.size for part in parts) / length) if length else 0


def _rates(parts: Sequence[Segment], target: int) -> Iterator[Fraction]:
    """Yield the bit rate of each run of neighbours that counts."""
    for first in range(len(parts)):
        size, length = 0, Fraction(0)
        for part in parts[first:]:
            size, length = size + part.size, length + part.duration
            if 2 * length > 3 * target:
                break
            if 2 * length >= target:
                yield 8 * size / length


def _together(parts: Sequence[Segment]) -> Fraction:
    return sum((part.duration for part in parts), Fraction(0))


def _segment(group: Sequence[Fragment], timescale: int) -> Segment:
    return Segment(
        start=Fraction(group[0].time, timescale),
        duration=Fraction(sum(each.duration for each in group), timescale),
        offset=group[0].offset,
        size=sum(each.size for each in group),
    )
