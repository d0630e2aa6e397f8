"""What an attempt had of a node's machine, and what that cost."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from media_nommer.core.nodes import UNKNOWN_MACHINE, Machine

_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Seconds of a machine; of a second that two attempts worked in, each has a half.

    ``kind`` is that of its node. ``machine`` is what was known of it then.
    """

    seconds: float = 0.0
    kind: str = ""
    machine: Machine = UNKNOWN_MACHINE

    @property
    def cost(self) -> float | None:
        """Return US dollars, None where nobody knows the price of the machine."""
        return cost_of(self.seconds, self.machine.price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What shares come to. ``priced`` is US dollars for those whose price is known.

    ``unpriced`` counts the others: shares without a price, and attempts without a share.
    """

    seconds: float = 0.0
    priced: float = 0.0
    unpriced: int = 0

    @property
    def cost(self) -> float | None:
        """Return US dollars for all of it, None where a price is not known."""
        return None if self.unpriced else self.priced

    def __add__(self, other: "Spent") -> "Spent":
        """Return both together."""
        return Spent(
            seconds=self.seconds + other.seconds,
            priced=self.priced + other.priced,
            unpriced=self.unpriced + other.unpriced,
        )


def spent_on(shares: Iterable[Share | None]) -> Spent:
    """Return what shares come to; None is an attempt of which nobody knows the share.

    No time costs nothing, whatever the price of it.
    """
    seconds = priced = 0.0
    unpriced = 0
    for share in shares:
        if share is None:
            unpriced += 1
            continue
        seconds += share.seconds
        if share.cost is not None:
            priced += share.cost
        elif share.seconds:
            unpriced += 1
    return Spent(seconds=seconds, priced=priced, unpriced=unpriced)


def cost_of(seconds: float, price: float | None) -> float | None:
    """Return US dollars for ``seconds`` at a price an hour, None where that is None."""
    return None if price is None else seconds * price / _HOUR


def merged(shares: Iterable[Share]) -> tuple[Share, ...]:
    """Return shares with those of like machines as one: which ones they were is dropped."""
    sums: dict[tuple[str, Machine], float] = {}
    for share in shares:
        if not share.seconds:
            continue
        like = replace(share.machine, name="", started_at=None, ended_at=None)
        sums[share.kind, like] = sums.get((share.kind, like), 0.0) + share.seconds
    return tuple(
        Share(seconds=seconds, kind=kind, machine=machine)
        for (kind, machine), seconds in sums.items()
    )
