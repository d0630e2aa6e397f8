"""Segments of MPEG-TS, for players that know no other: copied out of renditions."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

from media_nommer.core.errors import OutputDamaged
from media_nommer.core.ports.probe import StreamCount
from media_nommer.planning.packaging.packed import Packed

_OFFSET = 10  # seconds: MPEG-TS has no times before nought, which a sound's priming has
_DELAY = 0.7  # seconds, twice of which FFmpeg lets pass before the first frame of MPEG-TS

#: Ticks of MPEG-TS at which a film begins in its segments.
BEGINS = round((_OFFSET + 2 * _DELAY) * 90_000)


def transport_command(packed: Packed, source: str, pattern: str) -> tuple[str, ...]:
    """Return FFmpeg's arguments for cutting a rendition into files like ``pattern``.

    They are cut where its segments are, by frames, and keep its times.
    """
    frames = list(accumulate(_frames(packed)))[:-1]
    cuts = ("-segment_frames", ",".join(map(str, frames))) if frames else ()
    return (
        *("-copyts", "-i", source, "-map", "0", "-c", "copy"),
        *("-output_ts_offset", str(_OFFSET), "-fflags", "+bitexact"),
        *("-f", "segment", "-segment_format", "mpegts", "-segment_start_number", "1"),
        *(*(cuts or ("-segment_time", "1000000")), pattern),
    )


def with_transport_sizes(packed: Packed, sizes: Sequence[int]) -> Packed:
    """Return a rendition whose segments are files of these sizes.

    Raises:
        OutputDamaged: there are more or fewer than segments.
    """
    if len(sizes) != len(packed.segments):
        raise OutputDamaged(
            f"rendition {packed.rendition.key} has {len(packed.segments)} segments, and "
            f"{len(sizes)} files were made"
        )
    segments = tuple(
        replace(part, offset=0, size=size)
        for part, size in zip(packed.segments, sizes, strict=True)
    )
    return replace(packed, segments=segments)


def check_transport(packed: Packed, number: int, counts: Sequence[StreamCount]) -> None:
    """Do nothing if the ``number``-th file, counted from 1, has the frames of its segment.

    Raises:
        OutputDamaged: it has others.
    """
    wanted = _frames(packed)[number - 1]
    there = sum(count.packets for count in counts)
    if len(counts) != 1 or there != wanted:
        raise OutputDamaged(
            f"rendition {packed.rendition.key} has {there} frames in its segment {number}, "
            f"planned {wanted}"
        )


def _frames(packed: Packed) -> list[int]:
    """Return the frames of each segment."""
    scale, ends = packed.file.timescale, [p.start + p.duration for p in packed.segments]
    found = [0] * len(ends)
    number = 0
    for fragment in packed.file.fragments:
        while Fraction(fragment.time, scale) >= ends[number] and number + 1 < len(ends):
            number += 1
        found[number] += fragment.frames
    return found
