"""What each video codec can be asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from media_nommer.core.recipes.codecs import VideoCodec

Profile = Literal[
    "baseline",
    "main",
    "high",
    "high10",
    "main10",
    "proxy",
    "lt",
    "standard",
    "hq",
    "4444",
    "lb",
    "sq",
    "hqx",
    "444",
]
Tune = Literal["film", "animation", "grain", "stillimage", "fastdecode", "zerolatency"]
BitDepth = Literal[8, 10]


@dataclass(frozen=True, slots=True)
class QualityRange:
    """Constant quality (CRF) of one codec: lower is better and larger."""

    best: float
    worst: float
    default: float


@dataclass(frozen=True, slots=True)
class Level:
    """The largest picture of a level and the most of it a second, in the codec's unit."""

    picture: int
    second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """What one codec can be asked for.

    ``profiles`` gives the bits of each; the first of a depth is its default. A codec
    without a ``quality`` has its quality from its profile. ``sample`` is the side of the
    square of pixels that its levels are counted in. ``most_rate`` is the most frames a
    second that its encoder takes.
    """

    quality: QualityRange | None = None
    depths: tuple[BitDepth, ...] = (8, 10)
    profiles: Mapping[Profile, BitDepth] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)
    sample: int = 1
    tunes: tuple[Tune, ...] = ()
    b_frames: bool = False
    bit_rates: bool = True
    average_and_most: bool = True
    two_passes: bool = True
    gop: bool = True
    hdr: bool = True
    most_rate: int | None = None

    def profile_for(self, depth: BitDepth) -> Profile | None:
        """Return the profile to use where none is said."""
        return next((p for p, bits in self.profiles.items() if bits == depth), None)


#: ITU-T H.264, table A-1: macroblocks.
_H264_LEVELS = {
    "1": Level(99, 1485),
    "1.1": Level(396, 3000),
    "1.2": Level(396, 6000),
    "1.3": Level(396, 11_880),
    "2": Level(396, 11_880),
    "2.1": Level(792, 19_800),
    "2.2": Level(1620, 20_250),
    "3": Level(1620, 40_500),
    "3.1": Level(3600, 108_000),
    "3.2": Level(5120, 216_000),
    "4": Level(8192, 245_760),
    "4.1": Level(8192, 245_760),
    "4.2": Level(8704, 522_240),
    "5": Level(22_080, 589_824),
    "5.1": Level(36_864, 983_040),
    "5.2": Level(36_864, 2_073_600),
    "6": Level(139_264, 4_177_920),
    "6.1": Level(139_264, 8_355_840),
    "6.2": Level(139_264, 16_711_680),
}

#: ITU-T H.265, tables A.8 and A.9: luma samples.
_HEVC_LEVELS = {
    "1": Level(36_864, 552_960),
    "2": Level(122_880, 3_686_400),
    "2.1": Level(245_760, 7_372_800),
    "3": Level(552_960, 16_588_800),
    "3.1": Level(983_040, 33_177_600),
    "4": Level(2_228_224, 66_846_720),
    "4.1": Level(2_228_224, 133_693_440),
    "5": Level(8_912_896, 267_386_880),
    "5.1": Level(8_912_896, 534_773_760),
    "5.2": Level(8_912_896, 1_069_547_520),
    "6": Level(35_651_584, 1_069_547_520),
    "6.1": Level(35_651_584, 2_139_095_040),
    "6.2": Level(35_651_584, 4_278_190_080),
}


def is_lossless(codec: VideoCodec, quality: float | None, depth: BitDepth) -> bool:
    """Say whether the encoder loses nothing, which few profiles can."""
    return codec == "h264" and quality == 0 and depth == 8


POWERS: Mapping[VideoCodec, Powers] = {
    "h264": Powers(
        quality=QualityRange(0, 51, 22),
        profiles={"high": 8, "main": 8, "baseline": 8, "high10": 10},
        levels=_H264_LEVELS,
        sample=16,
        tunes=(
            *("film", "animation", "grain", "stillimage"),
            *("fastdecode", "zerolatency"),
        ),
        b_frames=True,
        hdr=False,
    ),
    "hevc": Powers(
        quality=QualityRange(0, 51, 26),
        profiles={"main": 8, "main10": 10},
        levels=_HEVC_LEVELS,
        tunes=("animation", "grain", "fastdecode", "zerolatency"),
        b_frames=True,
    ),
    "vp9": Powers(quality=QualityRange(0, 63, 32)),
    "av1": Powers(
        quality=QualityRange(1, 63, 32),
        average_and_most=False,
        most_rate=240,
    ),
    "prores": Powers(
        depths=(10,),
        profiles={"hq": 10, "standard": 10, "lt": 10, "proxy": 10, "4444": 10},
        bit_rates=False,
        gop=False,
    ),
    "dnxhr": Powers(
        profiles={"hq": 8, "sq": 8, "lb": 8, "hqx": 10, "444": 10},
        bit_rates=False,
        gop=False,
    ),
    "ffv1": Powers(bit_rates=False, gop=False),
    "copy": Powers(bit_rates=False, gop=False),
}
