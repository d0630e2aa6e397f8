"""What each input gives to a film that is made of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import ceil
from typing import Literal

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.media import AudioStream, Media, VideoStream
from media_nommer.core.recipes.inputs import Input
from media_nommer.planning.inputs.cutting import Cut, taken
from media_nommer.planning.inputs.takes import Take, own_takes, said_takes
from media_nommer.planning.pictures.moments import picture_length
from media_nommer.planning.pictures.timing import timing_of

#: Formats that tell how long a stream is, and are to be believed.
_TELLING = ("mov", "matroska", "avi", "wav", "flac", "ogg", "aiff", "nut", "mxf", "gif")
_TIMED = ("mpegts", "mpeg", "flv", "asf")  # whose length is estimated by last times

#: What changes its size is scaled on: a graph built anew would begin at its first file.
_AS_BEGUN = ("-reinit_filter", "0")

#: From the best to the worst; the words are such as ``check_output`` knows of formats.
Trust = Literal["exact", "mpegts", "guessed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One input: the number of its file, and what is taken of it.

    ``media`` is as if the part that is taken were all there is; ``takes`` are its sounds,
    the first of which a player would play; ``where`` is its place in the recipe.
    """

    file: int
    media: Media
    cut: Cut | None
    takes: tuple[Take, ...]
    where: str

    @property
    def picture(self) -> VideoStream | None:
        """The stream of its picture, None where it is sound alone."""
        stream = self.media.picture
        if stream is None or stream.width < 1 or stream.height < 1:
            return None
        return stream

    @property
    def is_still(self) -> bool:
        """Whether its picture is one alone, that stands as long as the recipe says."""
        return self.picture is not None and self.media.is_still

    @property
    def rate(self) -> Fraction | None:
        """Frames a second of its picture, or about so many where they vary."""
        stream = self.picture
        if stream is None or self.is_still:
            return None
        timing = timing_of(stream, self.media)
        return timing.rate or stream.average_rate or stream.frame_rate

    def frames(self, rate: Fraction) -> int | None:
        """Return how many frames it gives at ``rate``, None where nothing surely tells.

        A film is as long as its picture; what is sound alone has a picture as long.
        """
        stream = self.picture
        if stream is None or self.is_still:
            said = self.media.duration if stream else None
            length = self.sound_length if said is None else said
            return None if length is None else max(1, ceil(length * rate - 1e-6))
        timing, late = timing_of(stream, self.media), self._late(stream)
        if timing.frames is not None and timing.rate == rate:
            return self._within(timing.frames + round(late * rate), rate)
        length = picture_length(self.media, stream)
        if length is None or not self._told:
            return None
        return self._within(round((late + length) * rate), rate)

    def missing(self, rate: Fraction) -> int:
        """Return how many frames may be missing at its end: the last ones may last long."""
        stream = self.picture
        counted = stream is not None and timing_of(stream, self.media).frames is not None
        return ceil(rate / 10 if counted else rate) + 2

    def length(self, rate: Fraction | None) -> float | None:
        """Return its seconds in a film of a ``rate``, or among sounds alone, if told.

        Where ``frames`` and ``sound_length`` tell nothing it is what headers estimate.
        """
        if rate is not None and (frames := self.frames(rate)) is not None:
            return float(frames / rate)
        if rate is None and (length := self.sound_length) is not None:
            return length
        stream = self.picture if rate is not None else None
        if stream is None:
            return max(self._sound_lengths, default=self.media.duration)
        length = picture_length(self.media, stream)
        return None if length is None else self._late(stream) + length

    @property
    def sound_length(self) -> float | None:
        """Seconds of sound, None where nothing surely tells."""
        return max(self._sound_lengths, default=None) if self._told else None

    @property
    def trust(self) -> Trust:
        """How far what headers say of its length is to be trusted."""
        if self._told:
            return "exact"
        timed = any(name in self.media.format for name in _TIMED)
        return "mpegts" if timed else "guessed"

    def _within(self, frames: int, rate: Fraction) -> int:
        """Return no more frames than a part lasts: its first may lie between two."""
        most, told = frames, self.media.duration
        if self.cut is not None and told is not None:
            most = round(told * rate)
        return max(1, min(frames, most))

    @property
    def _sound_lengths(self) -> list[float]:
        return [
            self._late(take.stream) + take.stream.duration
            for take in self.takes
            if take.stream.duration is not None
        ]

    @property
    def _told(self) -> bool:
        return self.is_still or any(name in self.media.format for name in _TELLING)

    def _late(self, stream: VideoStream | AudioStream) -> float:
        return max(0.0, self.media.begin_of(stream))


class Found:
    """What inspections found of the files that a recipe names, and how each is opened."""

    def __init__(self, media: Mapping[str, Media], names: Mapping[str, str]) -> None:
        self._media, self._names = media, names
        self.opened: list[tuple[str, ...]] = []

    def of(self, url: str, cut: Cut | None = None) -> tuple[Media, int]:
        """Return what was found of a file, opened once more, and its number."""
        seek = cut.seek if cut else 0.0
        sought = ("-noaccurate_seek", "-ss", f"{seek:.6f}") if seek > 0 else ()
        self.opened.append((*sought, *_AS_BEGUN, "-i", self._names[url]))
        return self._media[url], len(self.opened) - 1

    def whole(self, url: str) -> Media:
        """Return what was found of a file."""
        return self._media[url]


def _again(found: Found, url: str, cut: Cut | None) -> int:
    return found.of(url, cut)[1]


def pieces_of(found: Found, inputs: Sequence[Input]) -> tuple[Piece, ...]:
    """Return what inputs give, in their order.

    Raises:
        NoStreams: an input has no such stream.
        InvalidRecipe: a part lies behind the end of its source, or has neither picture nor
            sound; tracks come to channels that are no layout.
    """
    parts = [
        taken(found.whole(each.url), each, f"inputs[{number}]")
        for number, each in enumerate(inputs)
    ]
    files = [
        found.of(each.url, cut)[1] for each, (_, cut) in zip(inputs, parts, strict=True)
    ]  # in their order, before those of other files
    pieces: list[Piece] = []
    for number, (each, (media, cut)) in enumerate(zip(inputs, parts, strict=True)):
        where = f"inputs[{number}]"
        again = partial(_again, found, each.url, cut)
        takes = own_takes(media, found.whole(each.url), cut, files[number], again)
        if each.audio is not None:
            own = (cut, files[number])
            takes = said_takes(each, found.whole(each.url), found.of, own, where)
        piece = Piece(file=files[number], media=media, cut=cut, takes=takes, where=where)
        if piece.picture is None and not takes:
            raise InvalidRecipe(f"{where}: has neither picture nor sound to join")
        pieces.append(piece)
    return tuple(pieces)
