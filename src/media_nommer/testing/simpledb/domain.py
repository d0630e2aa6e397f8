"""A domain: conditional writes, limits, and copies that lag behind."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from media_nommer.core.clock import Clock
from media_nommer.testing.simpledb.conditions import Item
from media_nommer.testing.simpledb.errors import SimpleDbError
from media_nommer.testing.simpledb.limits import Limits
from media_nommer.testing.simpledb.table import Table


@dataclass(frozen=True, slots=True)
class Pair:
    """A name and a value that a call puts or deletes; no value means all of the name's."""

    name: str
    value: str | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What an attribute must be for a write to happen; None means that it must not be."""

    name: str
    value: str | None


class Domain:
    """Items and their writes.

    Not safe to use from several threads at once: the service has one lock around it.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.latest = Table()
        self._late = Table()
        self._waiting: deque[tuple[float, Mapping[str, Item]]] = deque()
        self._limits = limits
        self._clock = clock

    def read(self, *, consistent: bool) -> Table:
        """Return the copy that a read sees.

        A consistent one has every write. The other has those whose lag is over; writes
        arrive there one after the other, so a slow one holds up those behind it.
        """
        if consistent:
            return self.latest
        while self._waiting and self._waiting[0][0] <= self._clock.monotonic():
            self._late.put_all(self._waiting.popleft()[1].items())
        return self._late

    def settle(self) -> None:
        """Let every copy have every write now."""
        while self._waiting:
            self._late.put_all(self._waiting.popleft()[1].items())

    def put(self, puts: Mapping[str, Sequence[Pair]], lag: timedelta) -> None:
        """Put attributes of one or more items, all of them or none.

        Raises:
            SimpleDbError: an item or the domain would become too large.
        """
        self._write({name: _with(self._item(name), p) for name, p in puts.items()}, lag)

    def delete(self, deletes: Mapping[str, Sequence[Pair]], lag: timedelta) -> None:
        """Delete attributes of items; no pairs at all delete the whole item."""
        self._write(
            {name: _without(self._item(name), p) for name, p in deletes.items()}, lag
        )

    def check(self, name: str, expected: Expected) -> None:
        """Make sure that an item's attribute is what a write expects.

        Raises:
            SimpleDbError: it is not, or it has several values.
        """
        values = self._item(name).get(expected.name, frozenset())
        if expected.value is None:
            if values:
                raise SimpleDbError(
                    "ConditionalCheckFailed", f"Attribute ({expected.name}) has a value"
                )
            return
        if not values:
            raise SimpleDbError(
                "AttributeDoesNotExist", f"Attribute ({expected.name}) does not exist"
            )
        if len(values) > 1:
            raise SimpleDbError(
                "MultiValuedAttribute", f"Attribute ({expected.name}) has several values"
            )
        if values != {expected.value}:
            raise SimpleDbError(
                "ConditionalCheckFailed",
                f"Attribute ({expected.name}) is ({min(values)}), expected "
                f"({expected.value})",
            )

    def _item(self, name: str) -> Item:
        return self.latest.items.get(name, {})

    def _write(self, states: Mapping[str, Item], lag: timedelta) -> None:
        before = {name: self._item(name) for name in states}
        for item in states.values():
            if sum(map(len, item.values())) > self._limits.item_attributes:
                raise SimpleDbError("NumberItemAttributesExceeded", "Too many in one item")
        self.latest.put_all(states.items())
        try:
            self._check_size()
        except SimpleDbError:
            self.latest.put_all(before.items())
            raise
        self._waiting.append((self._visible_at(lag), states))
        self.read(consistent=False)  # lets go of what is no longer waiting

    def _visible_at(self, lag: timedelta) -> float:
        if lag == timedelta.max:
            return math.inf
        return self._clock.monotonic() + lag.total_seconds()

    def _check_size(self) -> None:
        if self.latest.value_count > self._limits.domain_attributes:
            raise SimpleDbError("NumberDomainAttributesExceeded", "Too many attributes")
        if self.latest.size > self._limits.domain_bytes:
            raise SimpleDbError("NumberDomainBytesExceeded", "Too many bytes")


def _with(item: Item, pairs: Sequence[Pair]) -> Item:
    """Return an item with pairs put; one that replaces does so for its whole name."""
    replaced = {pair.name for pair in pairs if pair.replace}
    values = {name: set(of) for name, of in item.items() if name not in replaced}
    for pair in pairs:
        assert pair.value is not None
        values.setdefault(pair.name, set()).add(pair.value)
    return {name: frozenset(of) for name, of in values.items()}


def _without(item: Item, pairs: Sequence[Pair]) -> Item:
    if not pairs:
        return {}
    gone = {pair.name for pair in pairs if pair.value is None}
    gone_pairs = {(pair.name, pair.value) for pair in pairs}
    left = {
        name: frozenset(v for v in values if (name, v) not in gone_pairs)
        for name, values in item.items()
        if name not in gone
    }
    return {name: values for name, values in left.items() if values}
