"""The index in a file of segments (``sidx``), by which players of DASH find them."""

import struct
from collections.abc import Sequence

from media_nommer.core.errors import OutputDamaged
from media_nommer.core.fragments import FragmentedFile
from media_nommer.planning.packaging.segments import Segment

_HEAD = 40  # bytes before the first reference, of the form with 64 bits
_SHORT_HEAD = 32  # the same with 32 bits, for where there is no room
_REFERENCE = 12
_STARTS_WITH_KEY = 0x90000000


def index_bytes(file: FragmentedFile, segments: Sequence[Segment]) -> bytes:
    """Return what goes in the place of the encoder's index: one of segments.

    It lists fragments, of which a segment has several. What room is left comes before, as a
    box without meaning, so that the index ends where the first segment begins.

    Raises:
        OutputDamaged: there is no room for it.
    """
    size = _size(file, segments)
    spare = file.index_size - size
    if spare < 0 or 0 < spare < 8:
        raise OutputDamaged("the output has no index that could be made smaller")
    free = struct.pack(">I4s", spare, b"free") + bytes(spare - 8) if spare else b""
    long = size == _long(segments)
    begins = round(segments[0].start * file.timescale)
    head = (
        struct.pack(">I4sI", size, b"sidx", 0x01000000 if long else 0)
        + struct.pack(">II", 1, file.timescale)
        + struct.pack(">QQ" if long else ">II", begins, 0)
        + struct.pack(">HH", 0, len(segments))
    )
    return free + head + b"".join(_reference(each, file.timescale) for each in segments)


def index_place(file: FragmentedFile, segments: Sequence[Segment]) -> tuple[int, int]:
    """Return the first and the last byte of the index of segments."""
    end = file.index_offset + file.index_size
    return end - _size(file, segments), end - 1


def _size(file: FragmentedFile, segments: Sequence[Segment]) -> int:
    """Return the size of the index: of the longer form, if that fits."""
    long = _long(segments)
    fits = file.index_size == long or file.index_size >= long + 8
    return long if fits else long - _HEAD + _SHORT_HEAD


def _long(segments: Sequence[Segment]) -> int:
    return _HEAD + _REFERENCE * len(segments)


def _reference(segment: Segment, timescale: int) -> bytes:
    ticks = round(segment.duration * timescale)
    return struct.pack(">III", segment.size, ticks, _STARTS_WITH_KEY)
