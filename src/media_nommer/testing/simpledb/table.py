"""Items with an index of every attribute that was ever asked for, and what they weigh."""

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from media_nommer.testing.simpledb.conditions import Item, Subject
from media_nommer.testing.simpledb.ranges import Ranges


class Entry(NamedTuple):
    """One value of one item, in an index.

    ``mark`` is drawn from the name. It stands before it, so that items with one value come
    in an order that is always the same and that nobody can mistake for a promise.
    """

    value: str
    mark: str
    name: str


class Index:
    """All values of one subject, in order."""

    def __init__(self, subject: Subject, items: Mapping[str, Item]) -> None:
        self._subject = subject
        self._items = 0
        self._entries: list[Entry] = []
        for name, item in items.items():
            entries = self._entries_of(name, item)
            self._entries.extend(entries)
            self._items += bool(entries)
        self._entries.sort()

    @property
    def one_value_each(self) -> bool:
        """Whether no item has two values."""
        return len(self._entries) == self._items

    def add(self, name: str, item: Item) -> None:
        """Take an item's values in."""
        entries = self._entries_of(name, item)
        self._items += bool(entries)
        for entry in entries:
            insort(self._entries, entry)

    def remove(self, name: str, item: Item) -> None:
        """Take an item's values out again."""
        entries = self._entries_of(name, item)
        self._items -= bool(entries)
        for entry in entries:
            del self._entries[bisect_left(self._entries, entry)]

    def count(self, within: Ranges) -> int:
        """Count the values in ranges, without reading them."""
        return sum(max(0, end - start) for start, end in self._spans(within))

    def scan(
        self, within: Ranges, *, after: Entry | None = None, descending: bool = False
    ) -> Iterator[Entry]:
        """Read the values in ranges one by one, in order, from behind ``after``."""
        spans = list(self._spans(within))
        for start, end in reversed(spans) if descending else spans:
            if after is not None and descending:
                end = min(end, bisect_left(self._entries, after))
            elif after is not None:
                start = max(start, bisect_right(self._entries, after))
            steps = range(start, end)
            for at in reversed(steps) if descending else steps:
                yield self._entries[at]

    def _spans(self, within: Ranges) -> Iterator[tuple[int, int]]:
        for low, high in within:
            start = bisect_left(self._entries, (low,))
            end = len(self._entries)
            yield start, end if high is None else bisect_left(self._entries, (high,))

    def _entries_of(self, name: str, item: Item) -> list[Entry]:
        mark = hashlib.blake2b(name.encode(), digest_size=6).hexdigest()
        return [Entry(value, mark, name) for value in self._subject.values(name, item)]


class Table:
    """One copy of a domain's items.

    Not safe to use from several threads at once.
    """

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.item_name_bytes = 0
        self.value_bytes = 0
        self.value_count = 0
        self.attribute_names: Counter[str] = Counter()
        self._indexes: dict[Subject, Index] = {}

    @property
    def attribute_name_bytes(self) -> int:
        """The size of all attribute names, each counted once."""
        return sum(len(name.encode()) for name in self.attribute_names)

    @property
    def size(self) -> int:
        """The bytes that count against the size of a domain."""
        return self.item_name_bytes + self.attribute_name_bytes + self.value_bytes

    def put(self, name: str, item: Item) -> None:
        """Set what an item is; an item without attributes is not kept."""
        before = self.items.pop(name, None)
        if before is not None:
            self._weigh(name, before, -1)
            for index in self._indexes.values():
                index.remove(name, before)
        if item:
            self.items[name] = item
            self._weigh(name, item, 1)
            for index in self._indexes.values():
                index.add(name, item)

    def put_all(self, items: Iterable[tuple[str, Item]]) -> None:
        """Set what several items are."""
        for name, item in items:
            self.put(name, item)

    def index(self, subject: Subject) -> Index:
        """Return the index of a subject; the first to ask has it made."""
        if subject not in self._indexes:
            self._indexes[subject] = Index(subject, self.items)
        return self._indexes[subject]

    def _weigh(self, name: str, item: Item, sign: int) -> None:
        self.item_name_bytes += sign * len(name.encode())
        for attribute, values in item.items():
            self.value_count += sign * len(values)
            self.value_bytes += sign * sum(len(value.encode()) for value in values)
            self.attribute_names[attribute] += sign
            if not self.attribute_names[attribute]:
                del self.attribute_names[attribute]
