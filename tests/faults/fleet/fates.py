"""What becomes of the machines of a run, by its seed."""

from dataclasses import dataclass
from enum import StrEnum

from tests.faults.seeded import draw


class Fate(StrEnum):
    """What EC2 does to a machine, or does not."""

    LIVES = "lives"
    #: It is launched, and never boots.
    DEAD = "never boots"
    #: It is taken back, at once or some seconds after word of it.
    RECLAIMED = "reclaimed"
    NOTICED = "reclaimed with notice"
    #: It is recommended to be elsewhere.
    REBALANCED = "likely to be reclaimed"
    #: Its network is down, for less than a lease or until it is taken for dead.
    PARTED = "cut off"
    LOST = "cut off for long"


#: Of a hundred machines, how many meet which fate; all others live.
_FATES = {
    Fate.DEAD: 10,
    Fate.RECLAIMED: 20,
    Fate.NOTICED: 15,
    Fate.REBALANCED: 5,
    Fate.PARTED: 10,
    Fate.LOST: 12,
}
#: When, in seconds of a machine's life: before it has joined, or in the middle of its work.
_WHEN = (0.5, 14.0)
#: From this machine of a run on all live, so that every run comes to an end.
_LUCKY = 10


@dataclass(frozen=True)
class Lot:
    """A machine's fate, when it meets it, and how long that lasts."""

    fate: Fate
    after: float = 0.0
    lasts: float = 0.0


@dataclass(frozen=True)
class Fates:
    """All that goes wrong in the run of a seed."""

    seed: int

    def of(self, number: int) -> Lot:
        """Return what becomes of a run's machine of this number, from 0."""
        if number >= _LUCKY:
            return Lot(Fate.LIVES)
        left = 100 * self._draw("fate", number)
        for fate, rate in _FATES.items():
            left -= rate
            if left < 0:
                low, high = _WHEN
                after = low + (high - low) * self._draw("after", number)
                return Lot(fate, after, self._lasts(fate, number))
        return Lot(Fate.LIVES)

    @property
    def lost_launches(self) -> int:
        """How many answers to launches get lost."""
        return int(3 * self._draw("lost launches"))

    @property
    def listed_after(self) -> float:
        """How many seconds a new machine is not listed."""
        return max(0.0, 4 * self._draw("listed after") - 2)

    @property
    def lacking(self) -> tuple[str, float]:
        """Which market has nothing at first (``*`` for both), and for how many seconds."""
        which = self._draw("lacking")
        if which < 0.5:
            return "", 0.0
        market = "spot" if which < 0.75 else "*"
        return market, 2 + 6 * self._draw("lacks for")

    def _lasts(self, fate: Fate, number: int) -> float:
        span = self._draw("lasts", number)
        match fate:
            case Fate.NOTICED:
                return 6 + 3 * span
            case Fate.PARTED:
                return 1 + 2 * span
            case Fate.LOST:
                return 10 + 20 * span
        return 0.0

    def _draw(self, *what: object) -> float:
        return draw(self.seed, "fleet", *what)
