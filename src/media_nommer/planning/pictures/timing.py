"""Which clock the encoded frames keep, so that none is dropped, doubled or moved."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Literal

from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.documents import Video
from media_nommer.core.recipes.powers import POWERS

TimingKind = Literal["constant", "snapped", "source", "converted"]

_COARSE = Fraction(
    1, 2000
)  # a tick this long or longer rounds what it holds (Matroska: 1 ms)
_FASTEST = 250  # frames a second; above it a coarse tick is no longer small beside a frame
_GOP_SECONDS = 10
_GOP_FRAMES = (24, 600)
_GOP_UNKNOWN = 250  # frames: x264's own default
#: Frames: a minute of the fastest film.
GOP_MOST = 14_400
_NTSC = Fraction(1000, 1001)
_NTSC_NEAR = 0.006  # frames a second: 23.976, 29.97 and 59.94 are rounded that far


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How the frames of an output are timed.

    ``constant``: the source is known to have one rate, and ticks of one frame say all.
    ``snapped``: the source has one rate, rounded by its container to coarse ticks; times
    go back on the grid of the rate where they lie beside it. ``source``: every frame keeps
    the very time it has in the source, as a variable rate needs. ``converted``: frames are
    dropped or shown twice, so that there are ``rate`` of them a second. No other kind drops
    a frame.

    ``rate`` is frames a second. ``frames`` is how many there will be, None where headers do
    not tell it beyond doubt. ``gop`` is the most frames from one key frame to the next;
    where nothing tells how many frames that is, ``gop_seconds`` is what was asked for.
    """

    kind: TimingKind
    rate: Fraction | None
    frames: int | None
    gop: int
    gop_seconds: float | None = None


def video_timing(video: Video, stream: VideoStream, media: Media) -> Timing:
    """Return how the frames are timed of what a recipe makes of ``stream``."""
    timing = timing_of(stream, media)
    if (rate := _wanted_rate(video, stream)) is not None and rate != timing.rate:
        timing = Timing(
            kind="converted", rate=rate, frames=None, gop=_frames(_GOP_SECONDS, rate)
        )
    if video.gop is None:
        return timing
    rate = timing.rate or stream.average_rate or stream.frame_rate
    if timing.rate is None or not rate:
        return replace(timing, gop=GOP_MOST, gop_seconds=video.gop)
    return replace(timing, gop=max(1, round(rate * Fraction(video.gop))))


def exact_rate(rate: float) -> Fraction:
    """Return the rate that people mean: 29.97 is 30000/1001."""
    whole = Fraction(round(rate / float(_NTSC)))
    if rate != round(rate) and abs(float(whole * _NTSC) - rate) <= _NTSC_NEAR:
        return whole * _NTSC
    return Fraction(rate).limit_denominator(1001)


def _wanted_rate(video: Video, stream: VideoStream) -> Fraction | None:
    """Return the rate to convert to, None where the film keeps its own.

    Of a film that is too fast every second, third, … frame is kept, which is even.
    """
    if video.frame_rate is not None:
        return exact_rate(video.frame_rate)
    said = (video.max_frame_rate, POWERS[video.codec].most_rate)
    most = min((exact_rate(rate) for rate in said if rate is not None), default=None)
    if most is None:
        return None
    rate = _rate(stream)
    if rate is None:
        known = [r for r in (stream.frame_rate, stream.average_rate) if r]
        return most if not known or max(known) > most else None
    return rate / ceil(rate / most) if rate > most else None


def timing_of(stream: VideoStream, media: Media) -> Timing:
    """Return how the frames of ``stream`` are timed in what is made of it."""
    rate, gop = _rate(stream), _gop(stream)
    if rate is None:
        return Timing(kind="source", rate=None, frames=None, gop=gop)
    if _counted(stream, rate):
        kind: TimingKind = "constant" if _on_grid(stream, media, rate) else "source"
        return Timing(kind=kind, rate=rate, frames=stream.frames, gop=gop)
    kind = "snapped" if stream.time_base >= _COARSE and rate <= _FASTEST else "source"
    return Timing(kind=kind, rate=rate, frames=None, gop=gop)


def _rate(stream: VideoStream) -> Fraction | None:
    """Return the one rate of the stream, or None where it may vary."""
    rate, average = stream.frame_rate, stream.average_rate
    if not rate or rate <= 0 or not average or abs(average / rate - 1) > Fraction(1, 200):
        return None
    return rate


def _counted(stream: VideoStream, rate: Fraction) -> bool:
    """Say whether index, duration and rate agree.

    They do not when an edit list hides some packets, or when the rate varies after all.
    """
    if not stream.frames or not stream.duration:
        return False
    return abs(stream.frames - stream.duration * float(rate)) <= 0.51


def _on_grid(stream: VideoStream, media: Media, rate: Fraction) -> bool:
    """Say whether the first frame is a whole number of frames after the file's start.

    Otherwise ticks of one frame would move the picture against the sound.
    """
    frames = media.begin_of(stream) * float(rate)
    return abs(frames - round(frames)) / float(rate) < 0.001


def _gop(stream: VideoStream) -> int:
    """Return ten seconds of frames.

    Ten seconds cost 3.8 % of bits at most and seek well (measured.md: 2 s cost 24.6 %).
    """
    rate = stream.average_rate or stream.frame_rate
    if not rate or rate <= 0:
        return _GOP_UNKNOWN
    return _frames(_GOP_SECONDS, rate)


def _frames(seconds: float, rate: Fraction) -> int:
    low, high = _GOP_FRAMES
    return max(low, min(high, round(rate * Fraction(seconds))))
