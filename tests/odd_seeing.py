"""What a player shows and plays of a file, by PyAV alone: nothing of ours is asked."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
from av.sidedata.sidedata import Type as SideData

from tests.odd_sources import CORNERS

_DASH = "{urn:mpeg:dash:schema:mpd:2011}"
_HD_LINES = 720  # an untagged picture this high is BT.709 to players, a lower one BT.601
_WEIGHTS = {"709": (0.2126, 0.0722), "601": (0.299, 0.114), "2020": (0.2627, 0.0593)}
_MATRICES = {1: "709", 5: "601", 6: "601", 9: "2020"}
_CONTRAST = 0.25  # of the way from black to white, also where white is that of HDR

Color = tuple[int, int, int]


@dataclass(frozen=True)
class Picture:
    """A picture as it is shown. ``lights`` are those of its middle, 0 to 1, frame by frame.

    ``corners`` are red, green and blue in the middle of each quarter of one frame;
    ``square`` is how wide and high the dark square is there, in pixels.
    """

    codec: str
    pixels: str
    width: int
    height: int
    aspect: Fraction
    rotation: int
    tags: tuple[int, int, int, int]
    interlaced: bool
    told: frozenset[str]
    times: Sequence[float]
    lights: Sequence[float]
    corners: Sequence[Color]
    square: tuple[int, int]

    @property
    def flash(self) -> float | None:
        """When the square in the middle flashes first."""
        dark, bright = min(self.lights), max(self.lights)
        if bright - dark < _CONTRAST:
            return None
        seen = zip(self.times, self.lights, strict=True)
        return next(time for time, light in seen if light > (dark + bright) / 2)


@dataclass(frozen=True)
class Sound:
    """A sound as it is heard: all samples of its first channel, and when they begin."""

    codec: str
    channels: int
    rate: int
    begins: float
    samples: "array[float]"

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @property
    def beep(self) -> float | None:
        """When what is loudest in it begins."""
        most = max(map(abs, self.samples), default=0.0)
        where = (n for n, value in enumerate(self.samples) if abs(value) > most / 2)
        first = next(where, None)
        return None if first is None else self.begins + first / self.rate


@dataclass(frozen=True)
class Seen:
    """A file, or what a manifest leads to."""

    duration: float | None
    title: str | None
    chapters: int
    subtitles: Sequence[str]
    pictures: Sequence[Picture]
    sounds: Sequence[Sound]

    @property
    def picture(self) -> Picture:
        return self.pictures[0]

    @property
    def sound(self) -> Sound:
        return self.sounds[0]

    @property
    def apart(self) -> float | None:
        """By how many seconds the beep is heard after the flash is seen."""
        if not self.pictures or not self.sounds:
            return None
        flash, beep = self.picture.flash, self.sound.beep
        return None if flash is None or beep is None else beep - flash


@dataclass
class _Watching:
    """What was gathered of a stream so far."""

    times: list[float] = field(default_factory=list)
    lights: list[float] = field(default_factory=list)
    frame: Any = None
    samples: "array[float]" = field(default_factory=lambda: array("f"))
    begins: float | None = None


def see(path: Path) -> Seen:
    """Decode all of a file, or of the best that a manifest leads to, as a player does."""
    if path.suffix == ".mpd":
        return _see_dash(path)
    with av.open(str(path), metadata_errors="replace") as container:
        films = [s for s in container.streams.video if not _is_cover(s)]
        sounds = list(container.streams.audio)
        gathered = {stream.index: _Watching() for stream in (*films, *sounds)}
        streams = [container.streams[index] for index in gathered]
        for packet in container.demux(streams):
            for frame in packet.decode():
                _watch(gathered[packet.stream.index], frame)
        return Seen(
            duration=None
            if container.duration is None
            else container.duration / av.time_base,
            title=_title(container),
            chapters=len(container.chapters()),
            subtitles=[s.codec_context.name for s in container.streams.subtitles],
            pictures=[_picture(s, gathered[s.index]) for s in films],
            sounds=[_sound(s, gathered[s.index]) for s in sounds],
        )


def _see_dash(manifest: Path) -> Seen:
    """See the first of each kind that a manifest of DASH lists, each on its own."""
    pictures: list[Picture] = []
    sounds: list[Sound] = []
    root = ElementTree.parse(manifest).getroot()
    for kind in root.iterfind(f".//{_DASH}AdaptationSet"):
        offset = kind.find(f".//{_DASH}SegmentBase[@presentationTimeOffset]")
        assert offset is None, "this reader knows of no offsets"
        name = kind.findtext(f"{_DASH}Representation/{_DASH}BaseURL")
        seen = see(manifest.parent / (name or "nothing"))
        pictures += seen.pictures
        sounds += seen.sounds
    length = root.get("mediaPresentationDuration", "").strip("PTS")
    return Seen(float(length), None, 0, (), pictures, sounds)


def _title(container: Any) -> str | None:
    """Return the title of the file, or in Ogg of its streams."""
    told = (container.metadata, *(stream.metadata for stream in container.streams))
    return next((text for each in told if (text := each.get("title"))), None)


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _watch(so_far: _Watching, frame: Any) -> None:
    time = float(frame.time or 0)
    if isinstance(frame, av.VideoFrame):
        so_far.times.append(time)
        so_far.lights.append(_light(frame, frame.width // 2, frame.height // 2))
        if len(so_far.times) <= 5:
            so_far.frame = frame
        return
    if so_far.begins is None:
        so_far.begins = time
    so_far.samples.extend(_first_channel(frame))


def _first_channel(frame: Any) -> "array[float]":
    """Return the samples of the first channel, from -1 to 1."""
    kind, count = frame.format.name, frame.samples
    step = 1 if frame.format.is_planar else frame.layout.nb_channels
    code, full = {"flt": ("f", 1.0), "s16": ("h", 2.0**15), "s32": ("i", 2.0**31)}[
        kind.removesuffix("p")
    ]
    data = array(code, bytes(frame.planes[0])[: count * step * array(code).itemsize])
    return array("f", (value / full for value in data[::step]))


def _light(frame: Any, x: int, y: int) -> float:
    """Return how bright a pixel is, 0 to 1, whatever the depth and range."""
    plane = frame.planes[0]
    deep = frame.format.components[0].bits
    data = memoryview(plane)
    wide = 1 if deep == 8 else 2
    at = y * plane.line_size + x * wide
    value = int.from_bytes(bytes(data[at : at + wide]), "little") >> (deep - 8)
    if frame.format.name.startswith("yuvj") or int(frame.color_range) == 2:
        return value / 255
    return (value - 16) / 219


def _picture(stream: Any, watched: _Watching) -> Picture:
    frame = watched.frame
    assert frame is not None, "there is no frame in it"
    context = stream.codec_context
    return Picture(
        codec=context.codec.canonical_name,
        pixels=frame.format.name,
        width=frame.width,
        height=frame.height,
        aspect=stream.sample_aspect_ratio or Fraction(1),
        rotation=int(frame.rotation) % 360,
        tags=(
            *(int(context.color_primaries), int(context.color_trc)),
            *(int(context.colorspace), int(context.color_range)),
        ),
        interlaced=bool(frame.interlaced_frame),
        told=frozenset(
            kind.name for kind in SideData if frame.side_data.get(kind) is not None
        ),
        times=watched.times,
        lights=watched.lights,
        corners=corners(frame),
        square=_square(frame),
    )


def _sound(stream: Any, watched: _Watching) -> Sound:
    context = stream.codec_context
    return Sound(
        codec=context.codec.canonical_name,
        channels=context.layout.nb_channels,
        rate=context.sample_rate,
        begins=watched.begins or 0.0,
        samples=watched.samples,
    )


def corners(frame: Any, part: tuple[int, int, int, int] | None = None) -> list[Color]:
    """Return the colours of the four corners of a frame, or of a part of it, as shown."""
    whole = frame.reformat(format="yuv444p")
    left, top, width, height = part or (0, 0, frame.width, frame.height)
    places = [
        (left + width * x // 8, top + height * y // 8)
        for x, y in ((1, 1), (7, 1), (1, 7), (7, 7))
    ]
    return [_shown(frame, whole, x, y) for x, y in places]


def _shown(frame: Any, whole: Any, x: int, y: int) -> Color:
    """Turn brightness and colour of a pixel into red, green and blue."""
    values = []
    for plane in whole.planes:
        data, line = memoryview(plane), plane.line_size
        near = [
            bytes(data[at : at + 1])[0]
            for row in range(max(0, y - 1), y + 2)
            for at in range(row * line + max(0, x - 1), row * line + x + 2)
        ]
        values.append(sum(near) / len(near))
    matrix = _MATRICES.get(int(frame.colorspace))
    if matrix is None:
        matrix = "709" if frame.height >= _HD_LINES else "601"
    full = frame.format.name.startswith("yuvj") or int(frame.color_range) == 2
    luma = values[0] / 255 if full else (values[0] - 16) / 219
    blue, red = ((v - 128) / (255 if full else 224) for v in values[1:])
    of_red, of_blue = _WEIGHTS[matrix]
    r, b = luma + 2 * red * (1 - of_red), luma + 2 * blue * (1 - of_blue)
    g = (luma - of_red * r - of_blue * b) / (1 - of_red - of_blue)
    return (_byte(r), _byte(g), _byte(b))


def _byte(value: float) -> int:
    return max(0, min(255, round(value * 255)))


def _square(frame: Any) -> tuple[int, int]:
    """Return how far the dark of the middle goes to both sides, and up and down."""
    x, y = frame.width // 2, frame.height // 2
    middle = _light(frame, x, y)

    def far(places: Iterator[tuple[int, int]]) -> int:
        return sum(1 for _ in _while_alike(frame, places, middle))

    across = far((n, y) for n in range(x, frame.width)) + far(
        (n, y) for n in range(x - 1, -1, -1)
    )
    down = far((x, n) for n in range(y, frame.height)) + far(
        (x, n) for n in range(y - 1, -1, -1)
    )
    return across, down


def _while_alike(
    frame: Any, places: Iterator[tuple[int, int]], middle: float
) -> Iterator[None]:
    for x, y in places:
        if abs(_light(frame, x, y) - middle) > 0.08:
            return
        yield


def likeness(seen: Sequence[Color], wanted: Sequence[Color] = CORNERS) -> int:
    """Return by how much the worst part of the colours differs, 0 to 255."""
    return max(
        abs(a - b)
        for one, other in zip(seen, wanted, strict=True)
        for a, b in zip(one, other, strict=True)
    )
