"""Segments that are files of their own: on their way while their rendition is encoded."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from media_nommer.core.errors import MediaError, OutputDamaged
from media_nommer.core.fragments import Fragment
from media_nommer.core.ports.probe import Probe
from media_nommer.ec2nommerd.nommers.locking import WholeLock
from media_nommer.planning.packaging.segments import Segment, segments_of

_AT_ONCE = 1024 * 1024  # bytes

#: How often, in seconds, a rendition is looked into for new fragments.
_LOOK_EVERY = 5.0


class SegmentFeed:
    """Places the segments of one rendition that are whole, one a call, in their order.

    Nothing depends on it. What is cut out of the whole rendition in the end is published,
    and what of that is placed already is known by its sum.
    """

    def __init__(
        self,
        probe: Probe,
        path: Path,
        *,
        seconds: float,
        place: Callable[[Path], None],
        lock: WholeLock | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._probe = probe
        self._path = path
        self._seconds = seconds
        self._place = place
        self._lock = lock
        self._now = now
        self._next_look = 0.0
        self._fragments: tuple[Fragment, ...] = ()
        self._ready: deque[Segment] = deque()
        self._placed = 0

    @property
    def name(self) -> str:
        """What the rendition is called in scratch."""
        return self._path.name

    def send(self) -> bool:
        """Place a segment, if one is whole; return whether one was.

        Raises:
            NommerError: it cannot be done now, or the rendition is not as it was.
        """
        if not self._ready:
            self._look()
        if not self._ready:
            return False
        part = self._ready[0]
        piece = self._path.with_name(f"{self._path.stem}-ahead.m4s")
        try:
            cut_out(self._path, piece, offset=part.offset, size=part.size)
            if self._lock is not None:
                self._lock.encrypt(piece, self._placed)
            self._place(piece)
        finally:
            piece.unlink(missing_ok=True)
        self._ready.popleft()
        self._placed += 1
        return True

    def _look(self) -> None:
        if self._now() < self._next_look or not _has_bytes(self._path):
            return
        self._next_look = self._now() + _LOOK_EVERY
        last = self._fragments[-1] if self._fragments else None
        after = last.offset + last.size if last else 0
        try:
            found = self._probe.fragments_so_far(self._path, after=after)
        except MediaError:  # it is just being written anew, with its index
            self._fragments = ()
            return
        if found is None:
            return
        known = () if found.index_size else self._fragments
        self._fragments = (*known, *found.fragments)
        all_ = segments_of(replace(found, fragments=self._fragments), self._seconds)
        self._ready.extend(all_[self._placed : -1])  # the last may not be whole yet


def cut_out(whole: Path, path: Path, *, offset: int, size: int) -> None:
    """Make a file of some bytes of another.

    Raises:
        OutputDamaged: the other has not so many.
    """
    left = size
    with whole.open("rb") as source, path.open("wb") as target:
        source.seek(offset)
        while left:
            part = source.read(min(left, _AT_ONCE))
            if not part:
                raise OutputDamaged(f"{whole.name} is shorter than its index says")
            target.write(part)
            left -= len(part)


def _has_bytes(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
