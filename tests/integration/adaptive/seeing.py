"""What a player would see and hear of a film, by FFmpeg's own libraries."""

from array import array
from fractions import Fraction
from pathlib import Path

import av

_LOUD = 0.05
_BRIGHT = 200


def packets(path: Path) -> list[tuple[Fraction, bool]]:
    """Return when each packet of the first picture is shown, and whether it is a key."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        unit = stream.time_base or Fraction(1)
        found = [
            (packet.pts * unit, bool(packet.is_keyframe))
            for packet in container.demux(stream)
            if packet.pts is not None
        ]
    return sorted(found)


def pictures(path: Path, *, number: int = 0) -> list[tuple[float, float]]:
    """Return when each picture is shown, and how bright it is."""
    with av.open(str(path)) as container:
        stream = container.streams.video[number]
        return [
            (float(frame.time or 0), _light(frame)) for frame in container.decode(stream)
        ]


def _light(frame: av.VideoFrame) -> float:
    plane = bytes(frame.reformat(format="gray").planes[0])
    return sum(plane) / len(plane)


def first_flash(path: Path, after: float) -> float:
    """Return when the first bright picture after some time is shown."""
    return next(at for at, light in pictures(path) if at > after and light > _BRIGHT)


def samples(path: Path) -> "list[tuple[float, array[float]]]":
    """Return pieces of the first sound, and when each begins."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [
            (
                float(frame.time or 0),
                array("f", bytes(frame.planes[0])[: 4 * frame.samples]),
            )
            for frame in container.decode(stream)
        ]


def first_click(path: Path, after: float) -> float:
    """Return when the first loud sample after some time is heard."""
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].sample_rate
    for begins, piece in samples(path):
        for number, value in enumerate(piece):
            if abs(value) > _LOUD and (at := begins + number / rate) > after:
                return at
    raise AssertionError("there is no click")
