"""The peaks of a sound: measured by FFmpeg, written as JSON and drawn as PNG."""

import json
import re
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

from media_nommer.core.errors import NoStreams, OutputDamaged
from media_nommer.core.media import Media
from media_nommer.core.recipes.extras import WaveformOutput, WaveformPicture
from media_nommer.planning.inputs.cutting import Cut
from media_nommer.planning.inputs.reading import Source, sound_words
from media_nommer.planning.sounds.sound import place_of, placing_filters

_VERSION = 2  # of audiowaveform's format
_FULL = 32_768  # the loudest sample of 16 bits
_LEVEL = re.compile(r"lavfi\.astats\.(\d+)\.(Min|Max)_level=(\S+)")

#: Of 16 bits each.
Samples: TypeAlias = "array[int]"

#: How many values are written at once.
_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Peaks:
    """The least and the highest sample of each pixel, by channel, of 16 bits."""

    lows: tuple[Samples, ...]
    highs: tuple[Samples, ...]

    def __len__(self) -> int:
        return len(self.lows[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveformPlan:
    """The peaks of one output, of each of ``channels``.

    One that FFmpeg would not keep where it begins is ``placed`` before it is cut.
    """

    stream: int
    channels: int
    sample_rate: int
    samples_per_pixel: int
    bits: Literal[8, 16]
    picture: WaveformPicture | None = None
    duration: float | None = None
    placed: float | None = None

    def options(self, source: Source, cut: Cut | None, peaks: str) -> tuple[str, ...]:
        """Return FFmpeg's options; what it measures is put into the file ``peaks``."""
        mixed = ":channel_layouts=mono" if self.channels == 1 else ""
        filters = (
            *(() if cut is None else (*placing_filters(self.placed), cut.sound_filters())),
            "aresample=async=1",
            f"aformat=sample_fmts=s16{mixed}",
            f"asetnsamples=n={self.samples_per_pixel}:p=0",
            "astats=metadata=1:reset=1:measure_perchannel=Min_level+Max_level"
            ":measure_overall=none",
            f"ametadata=mode=print:file={peaks}",
        )
        return (
            *sound_words(source, self.stream, filters),
            *("-f", "null", "-"),
        )

    @property
    def expected(self) -> int | None:
        """How many peaks of each channel there will be, about; None where nothing tells."""
        if self.duration is None:
            return None
        return round(self.duration * self.sample_rate / self.samples_per_pixel)


def plan_waveform(media: Media, output: WaveformOutput, where: str) -> WaveformPlan:
    """Return the plan of the peaks of a source's sound.

    Raises:
        NoStreams: it has none.
    """
    sound = media.sound
    if sound is None:
        raise NoStreams(f"{where}: needs sound, and the source has none")
    return WaveformPlan(
        stream=sound.index,
        channels=max(1, sound.channels) if output.split_channels else 1,
        sample_rate=max(1, sound.sample_rate),
        samples_per_pixel=output.samples_per_pixel,
        bits=output.bits,
        picture=output.picture,
        duration=sound.duration,
        placed=place_of(sound, media),
    )


def peaks_in(lines: Iterable[str], channels: int) -> Peaks:
    """Return the peaks of each channel, from what FFmpeg wrote.

    Raises:
        OutputDamaged: it has not measured every channel every time.
    """
    lows = tuple(array("h") for _ in range(channels))
    highs = tuple(array("h") for _ in range(channels))
    for line in lines:
        found = _LEVEL.match(line)
        if found is None:
            continue
        place = int(found[1]) - 1
        if place >= channels:
            raise OutputDamaged(f"planned {channels} channels, the sound has {found[1]}")
        (lows if found[2] == "Min" else highs)[place].append(_level(found[3]))
    if len({len(each) for each in (*lows, *highs)}) != 1:
        raise OutputDamaged("the peaks of the sound are not of the same number")
    return Peaks(lows, highs)


def check_peaks(plan: WaveformPlan, peaks: Peaks) -> None:
    """Do nothing if there are as many peaks as the sound is long.

    Raises:
        OutputDamaged: there are none, or far fewer or more.
    """
    there, planned = len(peaks), plan.expected
    if not there:
        raise OutputDamaged("no peaks of the sound were measured")
    second = plan.sample_rate / plan.samples_per_pixel
    if planned is not None and abs(there - planned) > max(2, second, planned * 0.02):
        raise OutputDamaged(f"planned {planned} peaks, the output has {there}")


def as_json(plan: WaveformPlan, peaks: Peaks) -> Iterator[str]:
    """Yield the pieces of a document in version 2 of audiowaveform's format.

    ``data`` has the least and the highest of each channel in turn, then the next ones.
    """
    head = {
        "version": _VERSION,
        "channels": plan.channels,
        "sample_rate": plan.sample_rate,
        "samples_per_pixel": plan.samples_per_pixel,
        "bits": plan.bits,
        "length": len(peaks),
    }
    yield json.dumps(head, separators=(",", ":"))[:-1] + ',"data":['
    sides = [side for pair in zip(peaks.lows, peaks.highs, strict=True) for side in pair]
    values = (_shortened(v, plan.bits) for row in zip(*sides, strict=True) for v in row)
    comma = ""
    while some := list(islice(values, _AT_ONCE)):
        yield comma + ",".join(map(str, some))
        comma = ","
    yield "]}\n"


def as_png(picture: WaveformPicture, peaks: Peaks) -> bytes:
    """Return the peaks drawn as a PNG of two colours, each channel in a band of its own."""
    channels = len(peaks.lows)
    rows: list[bytes] = []
    for number, sides in enumerate(zip(peaks.lows, peaks.highs, strict=True)):
        top = picture.height * number // channels
        height = picture.height * (number + 1) // channels - top
        rows += _drawn(list(_columns(*sides, picture.width)), height)
    size = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 3, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            *(_chunk(b"IHDR", size), *_palette(picture)),
            _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _level(text: str) -> int:
    return max(-_FULL, min(_FULL - 1, round(float(text))))


def _shortened(value: int, bits: int) -> int:
    """Return a sample in so many bits, towards nought as audiowaveform does."""
    return value if bits == 16 else int(value / 256)


def _columns(lows: Samples, highs: Samples, width: int) -> Iterator[tuple[int, int]]:
    """Yield the extremes of each column; few peaks are drawn as wide as it takes."""
    count = len(lows)
    for column in range(width):
        begin = column * count // width
        end = max(begin + 1, (column + 1) * count // width)
        yield min(lows[begin:end]), max(highs[begin:end])


def _drawn(columns: Sequence[tuple[int, int]], height: int) -> list[bytes]:
    """Return rows of indices of colours: 1 where there is sound, at least a line."""
    rows = [bytearray(len(columns)) for _ in range(height)]
    middle = (height - 1) / 2
    for x, (low, high) in enumerate(columns):
        top = round(middle - high / _FULL * middle)
        bottom = round(middle - low / _FULL * middle)
        for row in rows[max(0, top) : min(height, bottom + 1)]:
            row[x] = 1
    return [bytes(row) for row in rows]


def _palette(picture: WaveformPicture) -> tuple[bytes, bytes]:
    colors = [
        bytes.fromhex(c[1:].ljust(8, "f")) for c in (picture.background, picture.color)
    ]
    return (
        _chunk(b"PLTE", b"".join(color[:3] for color in colors)),
        _chunk(b"tRNS", b"".join(color[3:] for color in colors)),
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
