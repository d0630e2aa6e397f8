"""Finding the level at which a sound comes to its loudness, by trials where it takes them.

Where a gain lifts peaks above what they may reach, the limiter that holds them down takes
of the loudness too, and nothing tells beforehand how much; nor what an encoder that loses
something leaves of a sound. So what comes out is measured, and the gain corrected by what
is amiss.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from media_nommer.planning.sounds.loudness import Habits, Level, Measured, Target

#: As often a level is tried, at most.
MOST_TRIALS = 3

_SILENCE = -70.0  # LUFS: the gate below which EBU R128 counts nothing
_RINGING = 0.5  # dB: what the way back from the limiter's rate adds to peaks
_NEAR = 0.15  # LU that are not worth another trial
_OFF = 0.5  # LU by which a sound may miss its loudness without a word
_USUAL_SLOPE = 0.8  # LU that a limited sound grows by with a decibel of gain, about
_LEAST_SLOPE = 0.3
_MOST_MORE = 6.0  # dB beyond the plain gain: more would flatten the sound, not lift it


@dataclass(frozen=True, slots=True)
class Trial:
    """A level that was tried, and what came of it."""

    level: Level
    came: Measured


@dataclass(frozen=True, slots=True)
class Found:
    """The level to encode with, and what the trials promise of it: None without trials."""

    level: Level
    came: Measured | None = None


def leveled(
    target: Target,
    measured: Measured,
    habits: Habits,
    tried: Callable[[Level], Measured],
) -> Found | None:
    """Return the level for a sound, None for silence; ``tried`` tells what comes of one.

    It is asked three times at most, and not at all where a plain gain does it.
    """
    plain = plain_level(target, measured, habits)
    if plain is None:
        return None
    trials: list[Trial] = []
    while (level := next_level(target, plain, habits, trials)) is not None:
        trials.append(Trial(level, tried(level)))
    return found_level(target, plain, trials)


def plain_level(target: Target, measured: Measured, habits: Habits) -> Level | None:
    """Return the level that follows from what a sound is, None for silence, which stays."""
    if measured.loudness <= _SILENCE:
        return None
    decibels = round(target.loudness - measured.loudness, 2)
    most = target.true_peak - habits.overshoot
    if measured.true_peak + decibels <= most:
        return Level(decibels, harder=habits.softer)
    return Level(decibels, min(most, target.true_peak - _RINGING), habits.softer)


def next_level(
    target: Target, plain: Level, habits: Habits, trials: Sequence[Trial]
) -> Level | None:
    """Return the level to try next, None once ``found_level`` knows enough.

    What comes of a gain alone is known, unless the encoder is ``unsure``.
    """
    if plain.limit is None and not habits.unsure:
        return None
    if not trials:
        return plain
    if len(trials) >= MOST_TRIALS or _is_good(target, trials[-1]):
        return None
    wanted = _corrected(target, plain, habits, trials)
    return None if any(trial.level == wanted for trial in trials) else wanted


def found_level(target: Target, plain: Level, trials: Sequence[Trial]) -> Found:
    """Return the level that came nearest, of those whose peaks stay below the limit."""
    if not trials:
        return Found(plain)
    below = [trial for trial in trials if trial.came.true_peak <= target.true_peak]
    if not below:
        best = min(trials, key=lambda trial: trial.came.true_peak)
    else:
        best = min(below, key=lambda trial: abs(trial.came.loudness - target.loudness))
    return Found(best.level, best.came)


def missed(target: Target, found: Found) -> str | None:
    """Return a sentence on what a sound does not come to, None where it does."""
    came = found.came
    if came is None:
        return None
    if came.true_peak > target.true_peak:
        return (
            f"its peaks reach {came.true_peak:.1f} dBTP, above the {target.true_peak:g} "
            "that they were to stay below"
        )
    if abs(came.loudness - target.loudness) <= _OFF:
        return None
    return (
        f"it comes to {came.loudness:.1f} LUFS, not {target.loudness:g}: its peaks stand "
        "so far above the rest that it would have to be flattened to keep them below "
        f"{target.true_peak:g} dBTP"
    )


def _is_good(target: Target, trial: Trial) -> bool:
    near = abs(trial.came.loudness - target.loudness) <= _NEAR
    return near and trial.came.true_peak <= target.true_peak


def _corrected(
    target: Target, plain: Level, habits: Habits, trials: Sequence[Trial]
) -> Level:
    """Return the last level with its gain, and its limit where that was passed, mended."""
    last = trials[-1]
    above = max(0.0, last.came.true_peak - target.true_peak)
    limit = last.level.limit
    if above:
        lower = target.true_peak - habits.overshoot if limit is None else limit - above
        limit = round(lower - _RINGING, 2)
    amiss = target.loudness - last.came.loudness
    gain = last.level.gain + amiss / _slope(plain, trials)
    bounded = min(max(gain, plain.gain - _MOST_MORE), plain.gain + _MOST_MORE)
    return replace(last.level, gain=round(bounded, 2), limit=limit)


def _slope(plain: Level, trials: Sequence[Trial]) -> float:
    """Return by how many LU a sound grows with a decibel of gain, from the last trials."""
    if plain.limit is None:
        return 1.0
    if len(trials) < 2:
        return _USUAL_SLOPE
    before, last = trials[-2:]
    step = last.level.gain - before.level.gain
    if abs(step) < _NEAR:
        return _USUAL_SLOPE
    grown = (last.came.loudness - before.came.loudness) / step
    return min(max(grown, _LEAST_SLOPE), 1.0)
