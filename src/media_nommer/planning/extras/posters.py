"""The one picture that stands for a film: the first that is worth showing.

Some candidates are made, each measured by FFmpeg, and the measures decide.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from media_nommer.core.media import Media, VideoStream
from media_nommer.planning.pictures.frames import (
    Fields,
    chain,
    first_at,
    jpeg,
    whole_frames,
)
from media_nommer.planning.pictures.moments import picture_length
from media_nommer.planning.pictures.sizes import Size

#: So many are looked at, over this part of the film, and over no more seconds than these.
CANDIDATES = 24
_PART = 0.5
_FARTHEST = 300.0
_UNKNOWN = 60.0  # seconds, where nothing tells how long the film is

#: A picture of light outside these, or whose tenths of dark and light are nearer than this,
#: is black, white or flat; of 255.
_DARKEST, _LIGHTEST = 28.0, 235.0
_FLATTEST = 24.0

#: Of the good ones' medians: what a picture needs, or may have of blur.
_LIGHT_SHARE, _SPREAD_SHARE, _BLUR_SHARE = 0.6, 0.5, 1.4

_FRAME = re.compile(r"frame:\d+ .*pts_time:(\S+)")
_VALUE = re.compile(r"lavfi\.(\S+)=(\S+)")
_LIGHT, _LOW, _HIGH = "signalstats.YAVG", "signalstats.YLOW", "signalstats.YHIGH"
_BLUR, _TIME = "blur", "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class PosterPlan:
    """The candidates of one output, at ``times``, in seconds after the file's start."""

    stream: int
    size: Size
    times: tuple[float, ...]
    quality: int

    def filters(self, stream: VideoStream, fields: Fields, measures: str) -> str:
        """Return the filters to the candidates; ``measures`` is where theirs are put."""
        return chain(
            whole_frames(fields),
            first_at(self.times),
            f"trim=end_frame={len(self.times)}",
            jpeg(stream, self.size),
            "signalstats,blurdetect",
            f"metadata=mode=print:file={measures}",
        )


@dataclass(frozen=True, slots=True)
class Measures:
    """What FFmpeg measures of a picture: its light, how far that spreads, how blurred.

    ``time`` is its seconds.
    """

    light: float
    spread: float
    blur: float
    time: float = 0.0

    @property
    def good(self) -> bool:
        """Whether it is neither black nor white nor flat."""
        return _DARKEST <= self.light <= _LIGHTEST and self.spread >= _FLATTEST


def poster_times(media: Media, stream: VideoStream) -> tuple[float, ...]:
    """Return when the candidates are: close together first, since most films begin soon."""
    start = max(0.0, media.begin_of(stream))
    length = picture_length(media, stream)
    span = _UNKNOWN if length is None else min(length * _PART, _FARTHEST)
    found = (start + span * (n / CANDIDATES) ** 2 for n in range(CANDIDATES))
    return tuple(dict.fromkeys(round(time, 3) for time in found))


def measures_in(text: str) -> tuple[Measures, ...]:
    """Return the measures of each candidate, from what FFmpeg wrote."""
    found: list[dict[str, float]] = []
    for line in text.splitlines():
        if frame := _FRAME.match(line):
            found.append({_TIME: _number(frame[1])})
        elif found and (value := _VALUE.fullmatch(line.strip())):
            found[-1][value[1]] = _number(value[2])
    return tuple(_measures(one) for one in found)


def chosen(candidates: Sequence[Measures]) -> int:
    """Return which candidate becomes the poster: the first that is as good as most good.

    Where none is good it is the one that has most to show.
    """
    good = [one for one in candidates if one.good]
    if not good:
        return max(range(len(candidates)), key=lambda n: (_worth(candidates[n]), -n))
    light, spread, blur = (
        median(each)
        for each in zip(*((one.light, one.spread, one.blur) for one in good), strict=True)
    )
    for number, one in enumerate(candidates):
        if (
            one.good
            and one.light >= light * _LIGHT_SHARE
            and one.spread >= spread * _SPREAD_SHARE
            and one.blur <= blur * _BLUR_SHARE
        ):
            return number
    return candidates.index(good[0])


def _worth(one: Measures) -> float:
    return one.spread + min(one.light, 255 - one.light)


def _measures(found: Mapping[str, float]) -> Measures:
    spread = found.get(_HIGH, 0.0) - found.get(_LOW, 0.0)
    return Measures(
        light=found.get(_LIGHT, 0.0),
        spread=spread,
        blur=found.get(_BLUR, 0.0),
        time=found[_TIME],
    )


def _number(text: str) -> float:
    """Return a number; FFmpeg has none for the blur of a picture without edges."""
    value = float(text) if re.fullmatch(r"-?[0-9.]+(e[-+]?\d+)?", text) else math.nan
    return value if math.isfinite(value) else 0.0
