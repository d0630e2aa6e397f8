"""Faults by a seed: what goes wrong with the n-th call of a kind, whoever makes it.

Nothing is drawn from a generator that threads share: each decision is a hash of the seed,
the kind of call and its number, so that a seed is the same faults again as far as threads
make the same calls again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tests.faults.calls import Call


class Fault(StrEnum):
    """What may happen to a call."""

    #: It comes late to the service, and so does its answer to us.
    SLOW = "slow"
    #: It is slower than a lease is long.
    VERY_SLOW = "very slow"
    #: The connection ends before the service has heard of it.
    LOST = "lost"
    #: The service does it, and the connection ends without an answer.
    UNANSWERED = "unanswered"
    #: The service does it, and the connection ends in the middle of the answer.
    CUT = "cut"
    #: It arrives twice; the second answer is the one that is given.
    TWICE = "twice"
    #: The connection ends at once, and the service does it some seconds later.
    LATE = "late"
    #: Nothing happens at all until somebody loses patience.
    SILENCE = "silence"
    #: Something broke before it was done, or after.
    BROKEN = "broken"
    BROKEN_AFTER = "broken after"
    #: The service cannot now: overloaded, too many calls, or a machine before it says so.
    AWAY = "away"
    THROTTLED = "throttled"
    GATEWAY = "gateway"
    #: The answer's clock is hours off.
    WRONG_CLOCK = "wrong clock"
    #: S3 finds our clock wrong.
    TOO_SKEWED = "too skewed"
    #: From this call on, nothing that comes in by the same door arrives for some seconds.
    PARTED = "parted"


@dataclass(frozen=True, slots=True)
class Harm:
    """A fault that meets a call; ``seconds`` is how long what takes time takes."""

    fault: Fault
    seconds: float = 0.0


#: How many of a thousand calls meet each fault.
USUAL: Mapping[Fault, float] = {
    Fault.SLOW: 30,
    Fault.VERY_SLOW: 2,
    Fault.LOST: 15,
    Fault.UNANSWERED: 15,
    Fault.CUT: 5,
    Fault.TWICE: 15,
    Fault.LATE: 5,
    Fault.SILENCE: 0.5,
    Fault.BROKEN: 10,
    Fault.BROKEN_AFTER: 5,
    Fault.AWAY: 7,
    Fault.THROTTLED: 15,
    Fault.GATEWAY: 3,
    Fault.WRONG_CLOCK: 10,
    Fault.TOO_SKEWED: 3,
}

#: Calls that are few and decide much meet some faults more often, so many times.
_DECIDING = frozenset(
    {
        *("CopyObject", "CompleteMultipartUpload", "PutObject"),
        *("SendMessage", "DeleteMessage", "PutItem"),
    }
)
_TELLING = frozenset({Fault.UNANSWERED, Fault.TWICE, Fault.LATE, Fault.BROKEN_AFTER})
_OFTENER = 5

_SPANS: Mapping[Fault, tuple[float, float]] = {
    Fault.SLOW: (0.02, 0.3),
    Fault.VERY_SLOW: (4.2, 4.8),
    Fault.LATE: (0.2, 5.0),
    Fault.SILENCE: (6.0, 6.0),
    Fault.WRONG_CLOCK: (-50_000.0, 50_000.0),
    Fault.PARTED: (6.0, 13.0),
}

#: Outages: so many calls of one kind in a row that all fail, and how often that is.
_OUTAGE, _OUTAGES = 12, 0.015
#: How often one door is shut, and at which of the calls that come in there.
_PARTINGS, _PARTS_AT = 0.6, (30, 250)
_IN_OUTAGES = (Fault.AWAY, Fault.LOST, Fault.THROTTLED, Fault.BROKEN)


@dataclass(frozen=True)
class Seeded:
    """The faults of one seed; ``rates`` counts the calls of a thousand that meet each."""

    seed: int
    rates: Mapping[Fault, float] = field(default_factory=lambda: USUAL)
    outages: float = _OUTAGES
    #: One of these is shut for a while in most runs, as when a machine's network fails.
    doors: tuple[str, ...] = ()

    def __call__(self, call: Call) -> Harm | None:
        """Return what goes wrong with a call, None for nothing."""
        fault = Fault.PARTED if self._shuts(call) else self._fault(call)
        if fault is None or not _possible(fault, call):
            return None
        low, high = _SPANS.get(fault, (0.0, 0.0))
        return Harm(fault, low + (high - low) * self._draw("span", call.kind, call.number))

    def _fault(self, call: Call) -> Fault | None:
        block = call.number // _OUTAGE
        if self._draw("outage", call.kind, block) < self.outages:
            which = self._draw("which", call.kind, block)
            return _IN_OUTAGES[int(which * len(_IN_OUTAGES))]
        left = 1000 * self._draw("fault", call.kind, call.number)
        for fault, rate in self.rates.items():
            often = call.operation in _DECIDING and fault in _TELLING
            left -= rate * _OFTENER if often else rate
            if left < 0:
                return fault
        return None

    def _shuts(self, call: Call) -> bool:
        if not self.doors or draw(self.seed, "parts") > _PARTINGS:
            return False
        door = self.doors[int(draw(self.seed, "door") * len(self.doors))]
        first, last = _PARTS_AT
        return (call.door, call.nth) == (
            door,
            int(first + (last - first) * draw(self.seed, "parts at")),
        )

    def _draw(self, what: str, kind: str, number: int) -> float:
        return draw(self.seed, what, kind, number)


def draw(*of: object) -> float:
    """Return a number from 0 up to 1 that is the same for the same words, and no other."""
    digest = hashlib.blake2b(repr(of).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def _possible(fault: Fault, call: Call) -> bool:
    if fault is Fault.TOO_SKEWED:
        # An answer to a HEAD has no body to say so in: nobody could tell it from a refusal.
        return call.service == "s3" and not call.operation.startswith("Head")
    if fault in {Fault.SILENCE, Fault.VERY_SLOW}:
        return call.operation != "ReceiveMessage"  # it waits by itself
    return True
