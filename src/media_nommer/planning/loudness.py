"""Loudness by EBU R128: what is measured first, and the gain that follows from it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from media_nommer.core.recipes.codecs import LOSSLESS, AudioCodec

_SILENCE = -70.0  # LUFS: the gate below which EBU R128 counts nothing
_OVERSAMPLED = 192_000  # hertz: peaks between samples show there
_RINGING = 0.5  # dB: what the way back from there adds to peaks
_OVERSHOOT = 1.5  # dB: what was measured of AAC and Vorbis on clicks; others add less

#: LAME takes the level back, by kbit/s; as measured on a tone.
_LAME_SOFTER = (
    *((64, 0.74), (80, 0.69), (96, 0.64), (112, 0.6), (128, 0.56)),
    *((160, 0.53), (192, 0.35), (224, 0.23)),
)
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


@dataclass(frozen=True, slots=True)
class Habits:
    """What an encoder makes of a sound, in decibels.

    Peaks come out higher than they went in by ``overshoot`` at most, or nearly so; all of
    it comes out ``softer``.
    """

    overshoot: float = 0.0
    softer: float = 0.0


NO_HABITS = Habits()


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


def loudness_filters(
    target: Target, measured: Measured, rate: int, habits: Habits = NO_HABITS
) -> tuple[str, ...]:
    """Return the filters that bring a sound to its target.

    It is one gain for all of it, so nothing is pumped. Only where that would lift peaks
    above the limit are they held down. Silence stays silent.
    """
    if measured.loudness <= _SILENCE:
        return ()
    decibels = target.loudness - measured.loudness
    most = target.true_peak - habits.overshoot
    gain = f"volume={decibels + habits.softer:.2f}dB"
    if measured.true_peak + decibels <= most:
        return (gain,)
    limit = 10 ** ((min(most, target.true_peak - _RINGING) + habits.softer) / 20)
    return (
        gain,
        f"aresample={_OVERSAMPLED}",
        f"alimiter=limit={limit:.4f}:level=0:latency=1",
        f"aresample={rate}",
    )


def habits_of(codec: AudioCodec, kbits: int | None) -> Habits:
    """Return what the encoder of a codec does to loudness and peaks."""
    if codec in LOSSLESS:
        return NO_HABITS
    table = _LAME_SOFTER if codec == "mp3" else ()
    softer = next((softer for most, softer in table if (kbits or 0) <= most), 0.0)
    return Habits(overshoot=_OVERSHOOT, softer=softer)


def _last(pattern: re.Pattern[str], log: Sequence[str]) -> float | None:
    found = None
    for line in log:
        match = pattern.match(re.sub(r"^(\[[^\]]*\] )+", "", line))
        if match:
            found = match[1]
    if found is None:
        return None
    return float("-inf") if found == "nan" else float(found)
