"""Segments that are files of their own: on their way while their rendition is encoded."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from media_nommer.core.errors import MediaError, OutputDamaged, ReaderTimeout
from media_nommer.core.fragments import FragmentedFile
from media_nommer.core.ports.probe import Probe
from media_nommer.ec2nommerd.nommers.locking import WholeLock
from media_nommer.planning.packaging.segments import Segment, segments_of
from media_nommer.planning.packaging.transport import frames_in, transport_command

#: Makes files of the first of some neighbouring segments of a rendition, at least of one.
Cut: TypeAlias = Callable[[Path, FragmentedFile, Sequence[Segment]], Sequence[Path]]

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
        cut: Cut,
        lock: WholeLock | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._probe = probe
        self._path = path
        self._seconds = seconds
        self._place = place
        self._cut = cut
        self._lock = lock
        self._now = now
        self._next_look = 0.0
        self._file: FragmentedFile | None = None
        self._ready: deque[Segment] = deque()
        self._pieces: deque[Path] = deque()
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
        try:
            self._place_first()
        except BaseException:
            self._drop_pieces()
            raise
        self._pieces.popleft().unlink()
        self._ready.popleft()
        self._placed += 1
        return True

    def _place_first(self) -> None:
        if not self._pieces:
            assert self._file is not None, "what is ready was seen in it"
            self._pieces.extend(self._cut(self._path, self._file, [*self._ready]))
        if self._lock is not None:
            self._lock.encrypt(self._pieces[0], self._placed)
        self._place(self._pieces[0])

    def _drop_pieces(self) -> None:
        while self._pieces:
            self._pieces.popleft().unlink(missing_ok=True)

    def _look(self) -> None:
        if self._now() < self._next_look or not _has_bytes(self._path):
            return
        self._next_look = self._now() + _LOOK_EVERY
        known = self._file.fragments if self._file else ()
        after = known[-1].offset + known[-1].size if known else 0
        try:
            found = self._probe.fragments_so_far(self._path, after=after)
        except (MediaError, ReaderTimeout):  # it may be written anew just now
            self._file = None
            return
        if found is None:
            return
        if not found.index_size:
            found = replace(found, fragments=(*known, *found.fragments))
        self._file = found
        all_ = segments_of(found, self._seconds)
        self._ready.extend(all_[self._placed : -1])  # the last may not be whole yet


def cut_bytes(
    path: Path, file: FragmentedFile, segments: Sequence[Segment]
) -> Sequence[Path]:
    """Make a file of the first segment: the bytes that it has in its rendition.

    Raises:
        OutputDamaged: the rendition has not so many.
    """
    first = segments[0]
    piece = path.with_name(f"ahead-{path.stem}.m4s")
    cut_out(path, piece, offset=first.offset, size=first.size)
    return [piece]


def cut_transport(
    encode: Callable[[Sequence[str]], None],
    path: Path,
    file: FragmentedFile,
    segments: Sequence[Segment],
) -> Sequence[Path]:
    """Copy some segments into files of MPEG-TS, by one run of the encoder.

    It is given what players need of the rendition before any segment, and these alone. So
    each file has the same bytes as if it was made of the whole.

    Raises:
        NommerError: the encoder cannot copy them, or the rendition is not as it was.
    """
    some = path.with_name(f"ahead-{path.name}")
    pattern = f"ahead-{path.stem}-%06d.ts"
    first, last = segments[0], segments[-1]
    try:
        cut_out(path, some, offset=0, size=file.header)
        size = last.offset + last.size - first.offset
        cut_out(path, some, offset=first.offset, size=size, more=True)
        encode(transport_command(frames_in(file, segments), some.name, pattern))
    finally:
        some.unlink(missing_ok=True)
    return [path.with_name(pattern % number) for number in range(1, len(segments) + 1)]


def cut_out(whole: Path, path: Path, *, offset: int, size: int, more: bool = False) -> None:
    """Make a file of some bytes of another; with ``more`` they are put to its end.

    Raises:
        OutputDamaged: the other has not so many.
    """
    left = size
    with whole.open("rb") as source, path.open("ab" if more else "wb") as target:
        source.seek(offset)
        while left:
            part = source.read(min(left, _AT_ONCE))
            if not part:
                raise OutputDamaged(f"{whole.name} is shorter than its index says")
            target.write(part)
            left -= len(part)


def _has_bytes(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
