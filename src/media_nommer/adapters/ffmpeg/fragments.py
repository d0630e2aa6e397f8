"""From the boxes of a fragmented MP4 file to what its fragments hold."""

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from media_nommer.adapters.ffmpeg.boxes import (
    Box,
    box_at,
    boxes_in,
    content_of,
    top_boxes,
)
from media_nommer.core.errors import NotMedia
from media_nommer.core.fragments import Fragment, FragmentedFile

_CONFIGS = ("avcC", "hvcC", "av1C", "vpcC", "esds", "dOps", "dfLa", "dac3", "dec3")
_VISUAL = 78  # bytes of a picture's sample entry before the boxes in it
_AUDIBLE = 28  # the same of a sound's
_NOT_SYNC = 0x10000
_MOST_FRAMES = 10_000_000  # in one run: a size that only a broken file has


@dataclass(frozen=True, slots=True)
class _Track:
    """What the header says of the one track; ``shift`` is cut off its beginning."""

    timescale: int
    shift: int
    entry: str
    config: bytes
    duration: int
    size: int
    flags: int


@dataclass(frozen=True, slots=True)
class _Frame:
    duration: int
    size: int
    flags: int
    offset: int


def read_fragments(fd: int, name: str) -> FragmentedFile:
    """Return what an open fragmented MP4 file of one track holds.

    Raises:
        NotMedia: it is none, or damaged.
    """
    try:
        found = _read(fd, top_boxes(fd))
    except (struct.error, IndexError) as error:
        raise NotMedia(f"{name} has a box that is cut short") from error
    if found is None:
        raise NotMedia("the file has no fragment")
    return found


def read_so_far(fd: int, name: str, after: int) -> FragmentedFile | None:
    """Return the same of a file that is still written to; None without a fragment.

    Only fragments from byte ``after`` on are looked at, until there is an index.

    Raises:
        NotMedia: it is none, or not any more.
    """
    try:
        return _read(fd, _boxes_so_far(fd, after))
    except (struct.error, IndexError) as error:
        raise NotMedia(f"{name} has a box that is cut short") from error


def _boxes_so_far(fd: int, after: int) -> Iterator[Box]:
    """Yield the boxes up to the header, and then those from byte ``after`` on.

    Behind an index, which comes last and moves all others, they are all yielded.
    """
    header = 0
    for box in top_boxes(fd, growing=True):
        yield box
        if box.kind == "moov":
            header = box.end
            break
    if not header:
        return
    first = next(top_boxes(fd, header, growing=True), None)
    indexed = first is not None and first.kind == "sidx"
    yield from top_boxes(fd, header if indexed else max(after, header), growing=True)


def _read(fd: int, boxes: Iterable[Box]) -> FragmentedFile | None:
    """Return what a file holds, None if that is no fragment."""
    track: _Track | None = None
    header, index = 0, Box("sidx", 0, 0, 0)
    moof: Box | None = None
    fragments: list[Fragment] = []
    for box in boxes:
        if box.kind == "moov":
            track, header = _track(content_of(fd, box)), box.end
        elif box.kind == "sidx" and not fragments:
            index = box
        elif box.kind == "moof":
            moof = box
        elif box.kind == "mdat":
            if track is None or moof is None:
                raise NotMedia("the file is not made of fragments")
            fragments.append(_fragment(content_of(fd, moof), moof, box, track))
            moof = None
    if track is None or not fragments:
        return None
    return FragmentedFile(
        size=os.fstat(fd).st_size,
        header=header,
        index_offset=index.offset,
        index_size=index.size,
        timescale=track.timescale,
        entry=track.entry,
        config=track.config.hex(),
        fragments=tuple(_shown_until_the_next(fragments)),
    )


def _shown_until_the_next(fragments: list[Fragment]) -> Iterator[Fragment]:
    """Yield the fragments with the time for which they are shown.

    By the times of decoding they may seem longer or shorter, where frames change places.
    """
    for fragment, after in pairwise(fragments):
        yield replace(fragment, duration=max(0, after.time - fragment.time))
    yield fragments[-1]


def _track(moov: bytes) -> _Track:
    tracks = [inside for kind, inside in boxes_in(moov) if kind == "trak"]
    if len(tracks) != 1:
        raise NotMedia(f"the file has {len(tracks)} tracks, not one")
    media = box_at(tracks[0], "mdia")
    header = box_at(media, "mdhd")
    scale = struct.unpack_from(">I", header, 20 if header[0] else 12)[0]
    entry, config = _entry(box_at(media, "minf", "stbl", "stsd"))
    _, _, _, duration, size, flags = struct.unpack_from(
        ">IIIIII", box_at(moov, "mvex", "trex")
    )
    if not scale:
        raise NotMedia("the track of the file has no clock")
    return _Track(scale, _shift(tracks[0]), entry, config, duration, size, flags)


def _shift(track: bytes) -> int:
    """Return the ticks that the track's edit list cuts off its beginning."""
    edits = dict(boxes_in(dict(boxes_in(track)).get("edts", b""))).get("elst")
    if not edits:
        return 0
    version, count = edits[0], struct.unpack_from(">I", edits, 4)[0]
    form, size = (">Qq", 20) if version else (">Ii", 12)
    for number in range(min(count, 16)):
        _, at = struct.unpack_from(form, edits, 8 + number * size)
        if at >= 0:
            return int(at)
    return 0


def _entry(described: bytes) -> tuple[str, bytes]:
    """Return the name of the sample entry and the codec's own box in it."""
    kind, content = next(boxes_in(described, 8), ("", b""))
    for start in (_VISUAL, _AUDIBLE):
        for name, inside in boxes_in(content, start):
            if name in _CONFIGS:
                return kind, inside
    return kind, b""


def _fragment(moof: bytes, head: Box, data: Box, track: _Track) -> Fragment:
    traf = box_at(moof, "traf")
    begins = _decode_time(box_at(traf, "tfdt"))
    frames: list[_Frame] = []
    for kind, inside in boxes_in(traf):
        if kind == "trun":
            frames += _frames(inside, box_at(traf, "tfhd"), track)
    if not frames:
        raise NotMedia("the file has a fragment without frames")
    if sum(frame.size for frame in frames) != data.end - data.content:
        raise NotMedia("the file has a fragment whose frames are not as large as its data")
    shown = begins + min(_shown(frames)) - track.shift
    times = zip(_shown(frames), frames, strict=True)
    end = begins + max(at + frame.duration for at, frame in times) - track.shift
    return Fragment(
        offset=head.offset,
        size=data.end - head.offset,
        first_end=data.content + frames[0].size,
        time=max(0, shown),
        duration=end - max(0, shown),
        frames=len(frames),
        keys=sum(not frame.flags & _NOT_SYNC for frame in frames),
        begins_with_key=not frames[0].flags & _NOT_SYNC,
    )


def _shown(frames: list[_Frame]) -> Iterator[int]:
    """Yield when each frame is shown, in ticks after the fragment's first decode time."""
    at = 0
    for frame in frames:
        yield at + frame.offset
        at += frame.duration


def _decode_time(box: bytes) -> int:
    return int(struct.unpack_from(">Q" if box[0] else ">I", box, 4)[0])


def _frames(run: bytes, header: bytes, track: _Track) -> Iterator[_Frame]:
    """Yield the frames of one run, with what the header's defaults fill in."""
    duration, size, flags = _defaults(header, track)
    said, count = struct.unpack_from(">II", run)
    said &= 0xFFFFFF
    if count > _MOST_FRAMES:
        raise NotMedia("the file has a fragment of more frames than can be")
    at = 8 + 4 * bool(said & 0x1)
    first = None
    if said & 0x4:
        first, at = struct.unpack_from(">I", run, at)[0], at + 4
    words = [bit for bit in (0x100, 0x200, 0x400, 0x800) if said & bit]
    for number in range(count):
        values = dict(
            zip(words, struct.unpack_from(f">{len(words)}I", run, at), strict=True)
        )
        at += 4 * len(words)
        own = first if first is not None and not number else values.get(0x400, flags)
        yield _Frame(
            values.get(0x100, duration), values.get(0x200, size), own, _signed(values)
        )


def _signed(values: dict[int, int]) -> int:
    """Return by how many ticks a frame is shown after it is decoded, or before."""
    offset = values.get(0x800, 0)
    return offset - (1 << 32) if offset >= 1 << 31 else offset


def _defaults(header: bytes, track: _Track) -> tuple[int, int, int]:
    said = struct.unpack_from(">I", header)[0] & 0xFFFFFF
    at = 8 + 8 * bool(said & 0x1) + 4 * bool(said & 0x2)
    values = [track.duration, track.size, track.flags]
    for place, bit in enumerate((0x8, 0x10, 0x20)):
        if said & bit:
            values[place], at = struct.unpack_from(">I", header, at)[0], at + 4
    return values[0], values[1], values[2]
