"""The names by which players ask for decoders, from what containers keep for decoders.

RFC 6381 says how they are written, and each codec's own text what stands in them. A file of
any container has them: what its header holds (``extradata``) is the same as in MP4, or in
MPEG-TS the stream's own first units.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from media_nommer.core.errors import OutputDamaged
from media_nommer.planning.packaging.codec_names import codec_name

_START = b"\0\0\1"
_H264_SPS, _HEVC_SPS = 7, 33  # kinds of units
_HALF_RATES = 32_000  # hertz; MPEG-2's sounds are below

#: Samples a second and in a picture of each level of VP9, times ten as it is written.
_VP9_LEVELS = (
    (10, 829_440, 36_864),
    (11, 2_764_800, 73_728),
    (20, 4_608_000, 122_880),
    (21, 9_216_000, 245_760),
    (30, 20_736_000, 552_960),
    (31, 36_864_000, 983_040),
    (40, 83_558_400, 2_228_224),
    (41, 160_432_128, 2_228_224),
    (50, 311_951_360, 8_912_896),
    (51, 588_251_136, 8_912_896),
    (52, 1_176_502_272, 8_912_896),
    (60, 1_176_502_272, 35_651_584),
    (61, 2_353_004_544, 35_651_584),
)
_VP9_MOST = 62
_PLAIN: Mapping[str, str] = {
    "opus": "opus",
    "vorbis": "vorbis",
    "flac": "flac",
    "ac3": "ac-3",
    "eac3": "ec-3",
    "vp8": "vp8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """What a container tells of one stream, as far as its name depends on it.

    ``tag`` are the four letters of its sample entry, where it has one.
    """

    codec: str
    extradata: bytes = b""
    tag: str = ""
    pixel_format: str = ""
    bit_depth: int = 8
    width: int = 0
    height: int = 0
    rate: Fraction | None = None
    sample_rate: int = 0


def codec_string(coded: Coded) -> str | None:
    """Return the name of a stream's codec, None where it has none or nothing tells it."""
    if coded.codec in _PLAIN:
        return _PLAIN[coded.codec]
    naming = _NAMING.get(coded.codec)
    try:
        return naming(coded) if naming else None
    except (IndexError, OutputDamaged):
        return None


def _h264(coded: Coded) -> str:
    config = coded.extradata
    if config[:1] != b"\1":
        config = _unit(config, lambda head: head & 0x1F == _H264_SPS)
    return codec_name("avc1", config)


def _hevc(coded: Coded) -> str:
    config = coded.extradata
    if config[:1] != b"\1":
        unit = _unit(config, lambda head: head >> 1 & 0x3F == _HEVC_SPS)
        config = b"\1" + unit.replace(b"\0\0\3", b"\0\0")[3:15]
    return codec_name("hvc1", config)


def _unit(stream: bytes, wanted: Callable[[int], bool]) -> bytes:
    """Return the first unit of a stream whose first byte is wanted."""
    for unit in stream.split(_START)[1:]:
        if unit and wanted(unit[0]):
            return unit
    raise IndexError


def _vp9(coded: Coded) -> str:
    full = "420" not in coded.pixel_format
    profile = full + 2 * (coded.bit_depth > 8)
    size = coded.width * coded.height
    speed = size * float(coded.rate or 30)
    level = next(
        (n for n, most, large in _VP9_LEVELS if speed <= most and size <= large), _VP9_MOST
    )
    return f"vp09.{profile:02}.{level:02}.{coded.bit_depth:02}"


def _aac(coded: Coded) -> str:
    """Return the name by the five bits that a decoder's description begins with."""
    kind = coded.extradata[0] >> 3 if coded.extradata else 2
    return f"mp4a.40.{kind}"


def _mp3(coded: Coded) -> str:
    return "mp4a.6B" if coded.sample_rate >= _HALF_RATES else "mp4a.69"


def _tagged(coded: Coded) -> str | None:
    return coded.tag if coded.tag.isalnum() and len(coded.tag) == 4 else None


_NAMING: Mapping[str, Callable[[Coded], str | None]] = {
    "h264": _h264,
    "hevc": _hevc,
    "av1": lambda coded: codec_name("av01", coded.extradata),
    "vp9": _vp9,
    "aac": _aac,
    "mp3": _mp3,
    "prores": _tagged,
    "dnxhd": _tagged,
}
