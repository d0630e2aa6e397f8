"""Which renditions a film is streamed in, by its size, its rate and its own bits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from media_nommer.core.recipes.codecs import VideoCodec
from media_nommer.planning.pictures.sizes import Size, fitted_size

#: The usual boxes of 16:9, the largest first; upright films take them upright.
BOXES = (
    *(Size(3840, 2160), Size(2560, 1440), Size(1920, 1080), Size(1280, 720)),
    *(Size(960, 540), Size(640, 360), Size(426, 240)),
)

#: A rung that takes more than the one above it divided by this is not worth its work:
#: a player gains by changing to it less than lines waver anyhow.
LEAST_STEP = 1.5

_KBITS = 5000  # the most for 1080p of 30 frames a second in H.264
_PIXELS = 1920 * 1080
_RATE = 30.0
_BY_PIXELS = 0.75  # bits grow by this power of the pixels: large pictures are smoother
_BY_RATE = 0.5  # the same of frames a second: nearer frames differ less
_CODECS: Mapping[VideoCodec, float] = {"h264": 1.0, "hevc": 0.6, "vp9": 0.65, "av1": 0.5}
_OF_SOURCE = 2.5  # a source's hardest parts take more than its mean; so may what is made
_LEAST = 100  # kbit/s
_ROUND = 50  # kbit/s


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: the size of its picture and the most kbit/s that it takes."""

    size: Size
    max_bitrate: int


def auto_ladder(
    top: Size,
    *,
    codec: VideoCodec = "h264",
    rate: float | None = None,
    share: float = 1.0,
    smallest: int = 2,
) -> tuple[Step, ...]:
    """Return the rungs for a film whose picture is at most ``top``, the largest first.

    The first is ``top`` itself; each further one is as large as one of ``BOXES`` holds the
    picture, smaller, and takes at least ``LEAST_STEP`` times fewer bits than the one above
    it. ``rate`` is frames a second, ``share`` what ``share_of_source`` gives.
    """
    steps: list[Step] = []
    for size in _sizes(top, smallest):
        kbits = usual_kbits(size, codec=codec, rate=rate, share=share)
        if not steps or kbits * LEAST_STEP <= steps[-1].max_bitrate:
            steps.append(Step(size, kbits))
    return tuple(steps)


def usual_kbits(
    size: Size,
    *,
    codec: VideoCodec = "h264",
    rate: float | None = None,
    share: float = 1.0,
) -> int:
    """Return the most kbit/s that a picture of a size usually takes: a ``share`` of it."""
    pixels: float = (size.width * size.height / _PIXELS) ** _BY_PIXELS
    kbits: float = _KBITS * pixels * ((rate or _RATE) / _RATE) ** _BY_RATE
    kbits *= share * _CODECS.get(codec, 1.0)
    return max(_LEAST, round(kbits / _ROUND) * _ROUND)


def share_of_source(
    shown: Size, kbits: float | None, *, codec: str, rate: float | None
) -> float:
    """Return which part of the usual bits a source has use for: all, if it took as many.

    ``kbits`` is kbit/s of its picture, None where nothing tells. One that took few for its
    size, by the thrift of its ``codec``, is no better for many, at any size.
    """
    if not kbits:
        return 1.0
    thrift = {name: value for name, value in _CODECS.items() if name == codec}
    usual = usual_kbits(shown, rate=rate) * next(iter(thrift.values()), 1.0)
    return min(1.0, kbits * _OF_SOURCE / usual)


def _sizes(top: Size, smallest: int) -> Iterator[Size]:
    """Yield ``top``, and what the smaller boxes hold of a picture of its shape."""
    yield top
    last = top
    for box in _turned(BOXES, top):
        if box.width >= top.width and box.height >= top.height:
            continue
        size = fitted_size(top, box.width, box.height, smallest=smallest)
        if size.width < last.width and size.height < last.height:
            yield size
            last = size


def _turned(boxes: Sequence[Size], shown: Size) -> Sequence[Size]:
    if shown.height <= shown.width:
        return boxes
    return [Size(box.height, box.width) for box in boxes]
