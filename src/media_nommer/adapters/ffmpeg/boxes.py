"""Reads the boxes of MP4 files, trusting no size; only the probe child may call it."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media_nommer.core.errors import NotMedia

_MOST_HEADER = 16 * 1024 * 1024  # bytes of boxes without data in them
_MOST_BOXES = 1_000_000


@dataclass(frozen=True, slots=True)
class Box:
    """One box of a file: where it begins, its size, and where its content begins."""

    kind: str
    offset: int
    size: int
    content: int

    @property
    def end(self) -> int:
        """Where the next box begins."""
        return self.offset + self.size


def top_boxes(fd: int, start: int = 0, *, growing: bool = False) -> Iterator[Box]:
    """Yield the boxes of an open file, in order, from the one at byte ``start`` on.

    Of one that is ``growing`` those are left out that are not whole yet.

    Raises:
        NotMedia: they do not follow one another to the file's end.
    """
    size = os.fstat(fd).st_size
    offset, count = start, 0
    while offset < size:
        head = os.pread(fd, 16, offset)
        box = _head(head, offset, size)
        count += 1
        if growing and (len(head) < 16 or (box is not None and box.end > size)):
            return
        if box is None or box.end > size or count > _MOST_BOXES:
            raise NotMedia(f"there is no box of MP4 at byte {offset}")
        yield box
        offset = box.end


def content_of(fd: int, box: Box) -> bytes:
    """Return what is in a box that holds no media itself.

    Raises:
        NotMedia: it is too large for that, or cut short.
    """
    size = box.end - box.content
    data = os.pread(fd, size, box.content) if size <= _MOST_HEADER else b""
    if len(data) != size:
        raise NotMedia(f"the box {box.kind} at byte {box.offset} cannot be read")
    return data


def boxes_in(data: bytes, start: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield the kind and the content of each box in ``data``, from byte ``start`` on."""
    while start + 8 <= len(data):
        box = _head(data[start : start + 16], start, len(data))
        if box is None or box.end > len(data):
            return
        yield box.kind, data[box.content : box.end]
        start = box.end


def box_at(data: bytes, *kinds: str) -> bytes:
    """Return the content of the box that the path of ``kinds`` leads to.

    Raises:
        NotMedia: there is none.
    """
    for kind in kinds:
        found = next((inside for name, inside in boxes_in(data) if name == kind), None)
        if found is None:
            raise NotMedia(f"the file has no box {kind}")
        data = found
    return data


def _head(data: bytes, offset: int, limit: int) -> Box | None:
    if len(data) < 8:
        return None
    size, kind = struct.unpack_from(">I4s", data)
    head = 8
    if size == 1 and len(data) >= 16:
        size, head = struct.unpack_from(">Q", data, 8)[0], 16
    elif size == 0:
        size = limit - offset
    if size < head:
        return None
    return Box(kind.decode("latin-1"), offset, size, offset + head)
