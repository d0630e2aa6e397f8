"""Patches of known colours: written as films of any primaries and range, and read back."""

import subprocess
from collections.abc import Callable, Sequence
from math import log, sqrt
from pathlib import Path
from typing import TypeAlias

from planning_clips import FFMPEG

Color: TypeAlias = tuple[float, float, float]

_SIDE = 16  # pixels of a patch
#: Shares of red and blue in the brightness, by ITU-R BT.2020, BT.709 and BT.601.
_SHARES = {
    "bt2020nc": (0.2627, 0.0593),
    "bt709": (0.2126, 0.0722),
    "smpte170m": (0.299, 0.114),
}
#: Light of BT.709's primaries as that of others: ITU-R BT.2087 and the like.
TO_BT2020 = ((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.088, 0.8956))
TO_P3 = ((0.8225, 0.1774, 0.0), (0.0332, 0.9669, 0.0), (0.0171, 0.0724, 0.9108))


def mixed(by: Sequence[Color], light: Color) -> Color:
    """Return light of one set of primaries as that of another."""
    red, green, blue = (sum(a * b for a, b in zip(row, light, strict=True)) for row in by)
    return red, green, blue


def each(of: Callable[[float], float], color: Color) -> Color:
    """Return what becomes of each component."""
    return of(color[0]), of(color[1]), of(color[2])


def pq(nits: float) -> float:
    """Return what stands for light in SMPTE ST 2084."""
    part = (max(nits, 0) / 10_000) ** (2610 / 16384)
    top = 3424 / 4096 + 2413 / 128 * part
    return float((top / (1 + 2392 / 128 * part)) ** (2523 / 32))


def hlg(nits: Color) -> Color:
    """Return what stands in HLG for light of BT.2100's display of 1000 nits."""
    shown = (0.2627 * nits[0] + 0.678 * nits[1] + 0.0593 * nits[2]) / 1000
    if shown <= 0:
        return 0.0, 0.0, 0.0
    scene = shown ** (1 / 1.2) / shown / 1000
    return each(lambda one: _hlg_signal(max(one, 0) * scene), nits)


def film(path: Path, signals: Sequence[Color], colours: str) -> None:
    """Write patches side by side, of 10 bits, told as ``primaries:curve:matrix``."""
    primaries, curve, matrix = colours.split(":")
    codes = [_codes(signal, *_SHARES[matrix]) for signal in signals]
    planes = (b"".join(code[n] * _SIDE for code in codes) * _SIDE for n in range(3))
    told = f"color_primaries={primaries}:color_trc={curve}:colorspace={matrix}"
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv444p10le", "-r", "25")
    size = f"{_SIDE * len(signals)}x{_SIDE}"
    subprocess.run(
        [
            *(FFMPEG, "-loglevel", "error", *raw, "-s", size, "-i", "-"),
            *("-vf", f"setparams=range=tv:{told}", "-c:v", "ffv1", str(path)),
        ],
        input=b"".join(planes) * 3,
        check=True,
    )


def seen(path: Path, count: int, matrix: str = "bt709") -> list[Color]:
    """Return the patches of a film or a picture, from 0 to 255."""
    scale = f"scale=in_color_matrix={matrix}:flags=neighbor+accurate_rnd+full_chroma_int"
    done = subprocess.run(
        [
            *(FFMPEG, "-loglevel", "error", "-i", str(path), "-frames:v", "1"),
            *("-vf", f"{scale},format=rgb24", "-f", "rawvideo", "-"),
        ],
        capture_output=True,
        check=True,
    )
    middle = _SIDE // 2
    starts = ((middle * count * _SIDE + n * _SIDE + middle) * 3 for n in range(count))
    found = (done.stdout[start : start + 3] for start in starts)
    return [(float(one[0]), float(one[1]), float(one[2])) for one in found]


def _hlg_signal(light: float) -> float:
    if light <= 1 / 12:
        return sqrt(3 * light)
    a = 0.17883277
    return min(1.0, a * log(12 * light - (1 - 4 * a)) + 0.5 - a * log(4 * a))


def _codes(signal: Color, red: float, blue: float) -> tuple[bytes, bytes, bytes]:
    level = red * signal[0] + (1 - red - blue) * signal[1] + blue * signal[2]
    codes = (
        876 * level + 64,
        896 * (signal[2] - level) / (2 * (1 - blue)) + 512,
        896 * (signal[0] - level) / (2 * (1 - red)) + 512,
    )
    first, second, third = (round(code).to_bytes(2, "little") for code in codes)
    return first, second, third
