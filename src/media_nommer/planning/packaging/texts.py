"""Subtitles as they are published beside the renditions of an adaptive output."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from media_nommer.planning.captions import Cue, as_webvtt
from media_nommer.planning.packaging.transport import BEGINS
from media_nommer.planning.texts.streamed_texts import TextRendition


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedText:
    """One track of subtitles, written. ``base`` begins the names of its files.

    It is one segment, as long as the film.
    """

    rendition: TextRendition
    base: str
    text: str
    cues: int
    length: Fraction

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.text.encode())

    @property
    def bits(self) -> int:
        """How many bits a second it takes."""
        return max(1, ceil(8 * self.size / self.length)) if self.length else 1


def packed_text(
    rendition: TextRendition, base: str, cues: Sequence[Cue], length: Fraction, *, ts: bool
) -> PackedText:
    """Return a track of subtitles as WebVTT, with times as its film's segments have."""
    text = as_webvtt(cues, begins=BEGINS if ts else 0)
    return PackedText(
        rendition=rendition, base=base, text=text, cues=len(cues), length=length
    )


def text_name(base: str) -> str:
    """Return the name of a track's file."""
    return f"{base}.vtt"
