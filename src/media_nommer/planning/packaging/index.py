"""The index in a file of segments (``sidx``), by which players of DASH find them."""

import struct
from collections.abc import Sequence

from media_nommer.core.errors import OutputDamaged
from media_nommer.core.fragments import FragmentedFile
from media_nommer.planning.packaging.segments import Segment

_HEAD = 40  # bytes before the first reference, of the form with 64 bits
_REFERENCE = 12
_STARTS_WITH_KEY = 0x90000000


def index_bytes(file: FragmentedFile, segments: Sequence[Segment]) -> bytes:
    """Return what goes in the place of the encoder's index: one of segments.

    It lists fragments, of which a segment has several. What room is left comes before, as a
    box without meaning, so that the index ends where the first segment begins.

    Raises:
        OutputDamaged: there is no room for it.
    """
    size = _HEAD + _REFERENCE * len(segments)
    spare = file.index_size - size
    if spare < 0 or 0 < spare < 8:
        raise OutputDamaged("the output has no index that could be made smaller")
    free = struct.pack(">I4s", spare, b"free") + bytes(spare - 8) if spare else b""
    begins = round(segments[0].start * file.timescale)
    head = struct.pack(
        ">I4sIIIQQHH",
        *(size, b"sidx", 0x01000000, 1, file.timescale, begins, 0, 0, len(segments)),
    )
    return free + head + b"".join(_reference(each, file.timescale) for each in segments)


def index_place(file: FragmentedFile, segments: Sequence[Segment]) -> tuple[int, int]:
    """Return the first and the last byte of the index of segments."""
    end = file.index_offset + file.index_size
    return end - _HEAD - _REFERENCE * len(segments), end - 1


def _reference(segment: Segment, timescale: int) -> bytes:
    ticks = round(segment.duration * timescale)
    return struct.pack(">III", segment.size, ticks, _STARTS_WITH_KEY)
