"""What measurements come to: medians, spreads, and ratios between runs that are pairs."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took, in seconds; ``cpu`` is that of all its processes."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several figures, and the least and the most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of figures, of which there is at least one."""
        return cls(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], bare: Sequence[float]) -> list[float]:
    """Return how many times its pair each figure is.

    Runs are interleaved, so that a machine that slows down slows both of a pair: the median
    of these says more than the ratio of the medians.
    """
    return [one / other for one, other in zip(ours, bare, strict=True)]


def walls(samples: Sequence[Sample]) -> list[float]:
    """Return the wall-clock seconds of samples."""
    return [sample.wall for sample in samples]


def cpus(samples: Sequence[Sample]) -> list[float]:
    """Return the CPU seconds of samples."""
    return [sample.cpu for sample in samples]
