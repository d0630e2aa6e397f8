"""What a fragmented MP4 file with one track holds, fragment by fragment: values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One fragment: the bytes of its boxes, and the frames in them.

    ``offset`` and ``size`` are bytes in the file; ``first_end`` is where the first frame's
    data end. ``time`` and ``duration`` are ticks of the track, as presented: ``time`` is
    that of the frame shown first. ``keys`` counts the key frames, of which one is the first
    frame if ``begins_with_key``.
    """

    offset: int
    size: int
    first_end: int
    time: int
    duration: int
    frames: int
    keys: int
    begins_with_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentedFile:
    """A fragmented MP4 file with one track.

    ``header`` is how many bytes the boxes take that a player needs before any fragment.
    ``index_offset`` and ``index_size`` tell where its index of fragments (``sidx``) is, and
    are 0 without one. ``timescale`` is ticks a second. ``entry`` is the name of the sample
    entry, ``config`` the codec's own box in it, without its head, as hexadecimal digits.
    """

    size: int
    header: int
    index_offset: int
    index_size: int
    timescale: int
    entry: str
    config: str
    fragments: tuple[Fragment, ...]
