"""Tells whether a file ends before its headers say, where that costs a few reads."""

import os
from collections.abc import Iterable

_RIFF_SLACK = 4096  # some writers are off by a header or two
_RIFF_UNKNOWN = 0x7FFF_FF00  # sizes from here up are what writers to pipes put
_MATROSKA_SEGMENT = 0x18538067


def missing_bytes(fd: int, format_name: str, index_ends: Iterable[int]) -> int:
    """Return how many bytes the file lacks, 0 where it is whole or cannot tell.

    ``index_ends`` are the ends of the last indexed packet of each stream.
    """
    size = os.fstat(fd).st_size
    if format_name.startswith("mov"):
        due = max(index_ends, default=0)
    elif format_name.startswith("matroska"):
        due = matroska_end(os.pread(fd, 4096, 0))
    elif format_name in {"avi", "wav"}:
        due = riff_end(os.pread(fd, 12, 0))
    else:
        due = 0
    return max(0, due - size)


def riff_end(head: bytes) -> int:
    """Return the offset where a RIFF file's chunk surely ends, 0 where it does not say."""
    if head[:4] != b"RIFF":
        return 0
    size = int.from_bytes(head[4:8], "little")
    return size + 8 - _RIFF_SLACK if _RIFF_SLACK < size < _RIFF_UNKNOWN else 0


def matroska_end(head: bytes) -> int:
    """Return the offset where a Matroska file's segment ends, 0 where it does not say."""
    place = 0
    while place < len(head):
        identity, place = _vint(head, place, keep_marker=True)
        size, place = _vint(head, place)
        if place > len(head) or size is None:
            return 0
        if identity == _MATROSKA_SEGMENT:
            return place + size
        place += size
    return 0


def _vint(data: bytes, place: int, *, keep_marker: bool = False) -> tuple[int | None, int]:
    """Read one EBML number (None: "unknown"); return it and the place behind it."""
    if place >= len(data) or data[place] == 0:
        return None, len(data) + 1
    length = 9 - data[place].bit_length()
    number = int.from_bytes(data[place : place + length], "big")
    if keep_marker:
        return number, place + length
    number &= (1 << 7 * length) - 1
    return (None if number == (1 << 7 * length) - 1 else number), place + length
