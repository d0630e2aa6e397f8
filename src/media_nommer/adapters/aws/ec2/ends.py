"""When machines ended: as EC2 says, or else between the two looks that saw it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from media_nommer.adapters.aws.ec2.instances import Listed

#: Of a machine that ended between two looks further apart than this nobody knows when.
_WATCHED = timedelta(seconds=5)

#: Up to here a clock that differs from EC2's says more than the full seconds of an answer.
_NEARLY = timedelta(seconds=2)


class Ends:
    """Remembers of each machine when it was last seen alive, and when it ended.

    EC2 tells the time of an end that somebody asked it for. Of machines that switch
    themselves off, as ours do, it tells none.
    """

    def __init__(self) -> None:
        self._alive_at: dict[str, datetime] = {}
        self._ended_at: dict[str, datetime] = {}
        self._known: set[str] = set()

    def see(self, listed: Iterable[Listed], at: datetime) -> None:
        """Take note of all the machines there are, as they were listed ``at`` a time."""
        found = {each.machine.name: each for each in listed}
        self._alive_at = {k: v for k, v in self._alive_at.items() if k in found}
        self._ended_at = {k: v for k, v in self._ended_at.items() if k in found}
        self._known &= found.keys()
        for name, each in found.items():
            if not each.over:
                self._alive_at[name] = at
            elif each.machine.ended_at is not None:
                self._ended_at[name] = each.machine.ended_at
                self._known.add(name)
            elif name not in self._ended_at:
                self._ended_at[name] = self._found_over(name, at)

    def ended_at(self, name: str) -> datetime:
        """Return when a machine ended that was seen to be over; if not known, at most."""
        return self._ended_at[name]

    def knows(self, name: str) -> bool:
        """Return whether that is when it ended, to a second or so."""
        return name in self._known

    def _found_over(self, name: str, at: datetime) -> datetime:
        alive_at = self._alive_at.get(name)
        if alive_at is None or at - alive_at > _WATCHED:
            return at
        self._known.add(name)
        return alive_at + (at - alive_at) / 2


def told_at(answer: Mapping[str, Any], ours: datetime) -> datetime:
    """Return when EC2 gave an answer, by its own clock: that is by which it bills.

    ``ours`` is the time here when the answer came, and right where both nearly agree.
    """
    said = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        theirs = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return ours
    if theirs.tzinfo is None or abs(ours - theirs) <= _NEARLY:
        return ours
    return theirs + timedelta(seconds=0.5)
