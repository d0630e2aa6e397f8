"""Loudness by EBU R128: how it is measured, and how a sound is brought to it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from media_nommer.core.recipes.codecs import LOSSLESS, AudioCodec

_OVERSAMPLED = 192_000  # hertz: peaks between samples show there
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
class Level:
    """What is done to a sound: one ``gain`` for all of it, in decibels; nothing is pumped.

    Only where that would lift peaks too high are they held below a ``limit``, in dBTP. What
    the encoder takes away of the level it is given ``harder``.
    """

    gain: float
    limit: float | None = None
    harder: float = 0.0

    def filters(self, rate: int) -> tuple[str, ...]:
        """Return the filters that bring a sound to it that will have so many hertz."""
        gain = f"volume={self.gain + self.harder:.2f}dB"
        if self.limit is None:
            return (gain,)
        limit = 10 ** ((self.limit + self.harder) / 20)
        return (
            gain,
            f"aresample={_OVERSAMPLED}",
            f"alimiter=limit={limit:.4f}:level=0:latency=1",
            f"aresample={rate}",
        )


@dataclass(frozen=True, slots=True)
class OpenLevel:
    """A level that nobody knows yet: its ``name`` stands in commands that are shown."""

    name: str

    def filters(self, rate: int) -> tuple[str, ...]:
        """Return the name in the place of filters."""
        return (self.name,)


#: By the keys of sounds, what makes each as loud as it is to be.
Levels: TypeAlias = Mapping[str, Level | OpenLevel]


@dataclass(frozen=True, slots=True)
class Habits:
    """What an encoder makes of a sound, in decibels.

    Peaks come out higher than they went in by ``overshoot`` at most, or nearly so; all of
    it comes out ``softer``. Of one that is ``unsure`` more depends on the sound.
    """

    overshoot: float = 0.0
    softer: float = 0.0
    unsure: bool = False


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


def habits_of(codec: AudioCodec, kbits: int | None) -> Habits:
    """Return what the encoder of a codec does to loudness and peaks, as far as it is known.

    All that lose something are unsure. They leave out what is high, the more the fewer bits
    there are, of noise 1 to 3 LU; libopus also leaves out what other channels drown, and
    makes speech of few bits 2 LU softer.
    """
    if codec in LOSSLESS:
        return NO_HABITS
    table = _LAME_SOFTER if codec == "mp3" else ()
    softer = next((softer for most, softer in table if (kbits or 0) <= most), 0.0)
    return Habits(overshoot=_OVERSHOOT, softer=softer, unsure=True)


def _last(pattern: re.Pattern[str], log: Sequence[str]) -> float | None:
    found = None
    for line in log:
        match = pattern.match(re.sub(r"^(\[[^\]]*\] )+", "", line))
        if match:
            found = match[1]
    if found is None:
        return None
    return float("-inf") if found == "nan" else float(found)
