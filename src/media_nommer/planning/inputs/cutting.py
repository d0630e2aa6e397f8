"""Which part and which streams of a source are taken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TypeVar

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import AudioStream, Media, VideoStream
from media_nommer.core.recipes.inputs import Input
from media_nommer.planning.pictures.moments import picture_length
from media_nommer.planning.pictures.timing import timing_of

_NEAR = 0.0005  # seconds: people and containers write thousandths
_INDEXED = ("mov", "matroska")  # formats in which seeking finds a key frame before a time
_PRE_ROLL = 2.0  # seconds decoded before a cut, so that open groups are whole (chunking.md)

_Stream = TypeVar("_Stream", VideoStream, AudioStream)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A part of the source, in seconds after its start; without an ``end``, to the last.

    ``seek`` is where reading begins; what comes before ``start`` is decoded and dropped.
    """

    start: float
    end: float | None
    seek: float

    @property
    def first(self) -> float:
        """Where the part begins, in seconds after where reading begins."""
        return self.start - self.seek

    @property
    def last(self) -> float | None:
        """Where the part ends, in seconds after where reading begins."""
        return None if self.end is None else self.end - self.seek

    def picture_filters(self) -> str:
        """Return the filters that leave the frames of the part, beginning at nought.

        A frame within half a millisecond of an edge is taken to be on it.
        """
        return self._filters("trim", "setpts", _NEAR)

    def sound_filters(self) -> str:
        """Return the filters that leave the samples of the part."""
        return self._filters("atrim", "asetpts", 0.0)

    def _filters(self, trim: str, times: str, near: float) -> str:
        edges = [f"start={max(0.0, self.first - near):.6f}"] if self.first > 0 else []
        if self.last is not None:
            edges.append(f"end={self.last - near:.6f}")
        shifted = f"max(0,round(PTS-{self.first:.6f}/TB))"
        back = f",{times}='{shifted}'" if self.first > 0 else ""
        return f"{trim}={':'.join(edges)}{back}"


def taken(
    media: Media, wanted: Input, where: str = "inputs[0]"
) -> tuple[Media, Cut | None]:
    """Return what is left of a source by what a recipe says of it, and how to get at it.

    ``where`` is the place of what it says in the recipe.

    Raises:
        NoStreams: the source has no such stream.
        InvalidRecipe: the part lies behind the end of the film.
    """
    chosen = replace(
        media,
        video=_numbered(media.video, wanted.video_track, f"{where}.video_track"),
        audio=_spoken(
            _numbered(media.audio, wanted.audio_track, f"{where}.audio_track"),
            wanted.audio_language,
            f"{where}.audio_language",
        ),
    )
    cut = _cut(media, wanted, where)
    return (chosen, None) if cut is None else (_shortened(chosen, cut, where), cut)


def _numbered(
    streams: Sequence[_Stream], number: int | None, path: str
) -> tuple[_Stream, ...]:
    if number is None:
        return tuple(streams)
    if number >= len(streams):
        raise NoStreams(
            f"{path}: there is no {number}; the source has {len(streams)}, counted from 0"
        )
    return (streams[number],)


def _spoken(
    streams: tuple[AudioStream, ...], language: str | None, path: str
) -> tuple[AudioStream, ...]:
    if language is None:
        return streams
    found = tuple(stream for stream in streams if stream.language == language)
    if not found:
        known = ", ".join(sorted({s.language or "untold" for s in streams})) or "no sound"
        raise NoStreams(f"{path}: there is no {language!r}; the source has: {known}")
    return found


def _cut(media: Media, wanted: Input, where: str) -> Cut | None:
    end = wanted.end
    start = wanted.start or 0.0
    if wanted.duration is not None:
        end = start + wanted.duration
    if not start and end is None:
        return None
    if media.duration is not None and start >= media.duration:
        raise InvalidRecipe(
            f"{where}.start: the film ends before, after {media.duration:.3f} s"
        )
    indexed = any(name in media.format for name in _INDEXED)
    seek = start - _PRE_ROLL if indexed and start >= 2 * _PRE_ROLL else 0.0
    return Cut(start=start, end=end, seek=seek)


def _shortened(media: Media, cut: Cut, where: str) -> Media:
    """Return the media as if the part were all there is of it."""
    end = cut.end
    known = media.duration
    if known is not None:
        known = min(known, end or known) - cut.start
    elif end is not None:
        known = end - cut.start
    sounds = [_short_sound(stream, media, cut) for stream in media.audio]
    return replace(
        media,
        duration=known,
        video=tuple(_short_picture(stream, media, cut, where) for stream in media.video),
        audio=tuple(stream for stream in sounds if stream is not None),
    )


def _short_picture(stream: VideoStream, media: Media, cut: Cut, where: str) -> VideoStream:
    begins = media.begin_of(stream)
    timing = timing_of(stream, media)
    if timing.frames is None or timing.rate is None:
        length = _left(begins, picture_length(media, stream), cut)
        late = media.start_time + max(0.0, begins - cut.start)
        return replace(stream, frames=None, duration=length, start_time=late)
    rate = float(timing.rate)

    def frames_before(time: float) -> int:
        number = ceil((time - _NEAR - begins) * rate - 1e-6)
        return max(0, min(number, timing.frames or 0))

    first = frames_before(cut.start)
    last = timing.frames if cut.end is None else frames_before(cut.end)
    if last <= first:
        raise InvalidRecipe(f"{where}: there is no frame between start and end")
    return replace(
        stream,
        frames=last - first,
        duration=(last - first) / rate,
        start_time=media.start_time + max(0.0, begins + first / rate - cut.start),
    )


def _short_sound(stream: AudioStream, media: Media, cut: Cut) -> AudioStream | None:
    begins = media.begin_of(stream)
    length = _left(begins, stream.duration, cut)
    if length is not None and length <= 0:
        return None
    late = media.start_time + max(0.0, begins - cut.start)
    return replace(stream, frames=None, duration=length, start_time=late)


def _left(begins: float, length: float | None, cut: Cut) -> float | None:
    """Return what is left of a stream, None where nothing tells."""
    if length is None:
        return None
    ends = begins + length if cut.end is None else min(begins + length, cut.end)
    return ends - max(cut.start, begins)
