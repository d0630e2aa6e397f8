"""Segments of MPEG-TS, for players that know no other: copied out of renditions."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from media_nommer.core.errors import OutputDamaged
from media_nommer.core.fragments import FragmentedFile
from media_nommer.core.ports.probe import StreamCount
from media_nommer.planning.packaging.packed import Packed
from media_nommer.planning.packaging.segments import Segment

_OFFSET = 10  # seconds: MPEG-TS has no times before nought, which a sound's priming has
_DELAY = 0.7  # seconds, twice of which FFmpeg lets pass before the first frame of MPEG-TS

#: Ticks of MPEG-TS at which a film begins in its segments.
BEGINS = round((_OFFSET + 2 * _DELAY) * 90_000)


def frames_in(file: FragmentedFile, segments: Sequence[Segment]) -> tuple[int, ...]:
    """Return the frames of each of some neighbouring segments of a file."""
    starts = [part.offset for part in segments]
    end = segments[-1].offset + segments[-1].size
    found = [0] * len(starts)
    for fragment in file.fragments:
        if starts[0] <= fragment.offset < end:
            found[bisect_right(starts, fragment.offset) - 1] += fragment.frames
    return tuple(found)


def transport_command(frames: Sequence[int], source: str, pattern: str) -> tuple[str, ...]:
    """Return FFmpeg's arguments for cutting a file into files like ``pattern``.

    Each gets as many ``frames`` as are said, and they keep their times.
    """
    ends = list(accumulate(frames))[:-1]
    cuts = ("-segment_frames", ",".join(map(str, ends))) if ends else ()
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


def check_transport(
    packed: Packed, number: int, wanted: int, counts: Sequence[StreamCount]
) -> None:
    """Do nothing if the ``number``-th file, counted from 1, has the frames it should.

    Raises:
        OutputDamaged: it has others.
    """
    there = sum(count.packets for count in counts)
    if len(counts) != 1 or there != wanted:
        raise OutputDamaged(
            f"rendition {packed.rendition.key} has {there} frames in its segment {number}, "
            f"planned {wanted}"
        )
