"""Loudness by EBU R128: what is measured first, and the gain that follows from it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SILENCE = -70.0  # LUFS: the gate below which EBU R128 counts nothing
_OVERSAMPLED = 192_000  # hertz: peaks between samples show there
_INTEGRATED = re.compile(r"^\s*I:\s+(-?[\d.]+|-?inf|nan) LUFS")
_PEAK = re.compile(r"^\s*Peak:\s+(-?[\d.]+|-?inf|nan) dBFS")


@dataclass(frozen=True, slots=True)
class Target:
    """What a sound is to be: LUFS over all of it, and the most its peaks reach, in dBTP."""

    loudness: float
    true_peak: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What a sound is, in LUFS and dBTP."""

    loudness: float
    true_peak: float


def measuring_filter() -> str:
    """Return the filter that measures; it says what it found when the sound ends."""
    return "ebur128=peak=true:framelog=quiet"


def measured_in(log: Sequence[str]) -> Measured | None:
    """Return what the filter said at the end of a log, None if it said nothing."""
    loudness = _last(_INTEGRATED, log)
    peak = _last(_PEAK, log)
    if loudness is None or peak is None:
        return None
    return Measured(loudness, peak)


def loudness_filters(target: Target, measured: Measured, rate: int) -> tuple[str, ...]:
    """Return the filters that bring a sound to its target.

    It is one gain for all of it, so nothing is pumped. Only where that would lift peaks
    above the limit are they held down. Silence stays silent.
    """
    if measured.loudness <= _SILENCE:
        return ()
    decibels = target.loudness - measured.loudness
    gain = f"volume={decibels:.2f}dB"
    if measured.true_peak + decibels <= target.true_peak:
        return (gain,)
    limit = 10 ** (target.true_peak / 20)
    return (
        gain,
        f"aresample={_OVERSAMPLED}",
        f"alimiter=limit={limit:.4f}:level=0:latency=1",
        f"aresample={rate}",
    )


def _last(pattern: re.Pattern[str], log: Sequence[str]) -> float | None:
    found = None
    for line in log:
        match = pattern.match(re.sub(r"^(\[[^\]]*\] )+", "", line))
        if match:
            found = match[1]
    if found is None:
        return None
    return float("-inf") if found == "nan" else float(found)
