"""The documents of outputs that go with a film: captions, sheets, peaks, lists."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from media_nommer.core.recipes.base import AnyKind, Document

#: Of captions that are not in UTF-8; each is ASCII below 128.
Encoding = Literal[
    "utf-8",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-5",
    "iso-8859-7",
    "iso-8859-9",
    "iso-8859-15",
    "koi8-r",
    "koi8-u",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-jp",
    "euc-kr",
]

CaptionsFormat = Literal["webvtt", "srt"]
AnimationFormat = Literal["gif", "webp", "avif"]

TilePixels = Annotated[int, Field(ge=16, le=2048)]
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$")]


class CaptionsOutput(AnyKind):
    """One text track of the source's subtitles, as a file.

    It is the one of ``language``, or the ``track``-th, counted from 0; without them the one
    that a player would show. ``encoding`` is that of a source whose text is not in UTF-8.
    """

    kind: Literal["captions"] = "captions"
    format: CaptionsFormat = "webvtt"
    track: Annotated[int, Field(ge=0, le=255)] | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{3}$")] | None = None
    encoding: Encoding | None = None


class SpriteOutput(AnyKind):
    """Small pictures of the film on sheets, and a WebVTT map of which is shown when.

    One of ``count`` (spread evenly) and ``interval`` (seconds) says which; without any it
    is a hundred. ``width`` and ``height`` are the box of one picture; a sheet has so many
    ``columns`` and ``rows`` of them.
    """

    kind: Literal["sprite"] = "sprite"
    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    interval: Annotated[float, Field(ge=0.1, le=86400)] | None = None
    width: TilePixels | None = None
    height: TilePixels | None = None
    columns: Annotated[int, Field(ge=1, le=100)] = 10
    rows: Annotated[int, Field(ge=1, le=100)] = 10
    quality: Annotated[int, Field(ge=1, le=100)] = 75


class WaveformPicture(Document):
    """A waveform as PNG. Colours are ``#rrggbb``, with ``aa`` behind it for see-through."""

    width: Annotated[int, Field(ge=16, le=16384)] = 1800
    height: Annotated[int, Field(ge=16, le=4096)] = 280
    color: Color = "#3366cc"
    background: Color = "#00000000"


class WaveformOutput(AnyKind):
    """The peaks of the sound, as JSON in version 2 of audiowaveform's format.

    There is a least and a highest sample of every ``samples_per_pixel``, of ``bits`` each;
    of all channels mixed, or of each (``split_channels``).
    """

    kind: Literal["waveform"] = "waveform"
    samples_per_pixel: Annotated[int, Field(ge=64, le=1_000_000)] = 256
    bits: Literal[8, 16] = 8
    split_channels: bool = False
    picture: WaveformPicture | None = None


class MetadataOutput(AnyKind):
    """What the inspection of the source found, as JSON."""

    kind: Literal["metadata"] = "metadata"


class ChecksumsOutput(AnyKind):
    """SHA-256 of the files of all other outputs, as ``sha256sum -c`` reads it."""

    kind: Literal["checksums"] = "checksums"


class AnimationOutput(AnyKind):
    """A short moving picture without sound: pieces of the film, one after the other.

    ``pieces`` are spread evenly, each of so many ``seconds``. ``width`` and ``height`` are
    the box; ``quality``, of webp and avif, goes from 1 to 100, higher is better.
    """

    kind: Literal["animation"] = "animation"
    format: AnimationFormat | None = None
    pieces: Annotated[int, Field(ge=1, le=50)] = 4
    seconds: Annotated[float, Field(ge=0.1, le=60)] = 1
    width: TilePixels | None = None
    height: TilePixels | None = None
    frame_rate: Annotated[float, Field(ge=1, le=50)] = 10
    quality: Annotated[int, Field(ge=1, le=100)] = 60
    loop: bool = True


ExtraOutput: TypeAlias = (
    CaptionsOutput
    | SpriteOutput
    | WaveformOutput
    | MetadataOutput
    | ChecksumsOutput
    | AnimationOutput
)
