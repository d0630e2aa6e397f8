"""What every kind of record in Amazon's databases does alike: add, get and swap, one each.

DynamoDB's table and SimpleDB's domain both are ``Items``: they make a write depend on a
revision, and know their own write again whose answer was lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeAlias, TypeVar

from media_nommer.adapters.aws.items.packing import pack, unpack
from media_nommer.core.errors import NotFound, Overtaken
from media_nommer.core.jobs import Job
from media_nommer.core.nodes import Duty, Node
from media_nommer.core.tasks import Task

#: The revision of a record that has never been changed; one that is not stored has 0.
FIRST = 1

Value: TypeAlias = str | int | bytes
Item: TypeAlias = Mapping[str, Value]

#: What an item shows for the indexes; None takes an attribute away.
Index: TypeAlias = Mapping[str, Value | None]

Key = TypeVar("Key")
AnyKey = TypeVar("AnyKey", contravariant=True)
Record = TypeVar("Record", Job, Task, Node, Duty)


@dataclass(frozen=True, slots=True)
class Refused:
    """A write that was not made, for what stood there: None for nothing."""

    standing: Item | None


class Items(Protocol[AnyKey]):
    """Where items lie. Attribute ``rev`` is what swaps depend on, ``doc`` the record."""

    def get(self, key: AnyKey, /) -> Item | None:
        """Return an item as it is now."""

    def add(self, key: AnyKey, values: Item, /) -> Refused | None:
        """Store a new item, unless there is one."""

    def swap(self, key: AnyKey, values: Index, /, *, read_at: int) -> Refused | Item:
        """Change the version of an item whose ``rev`` is ``read_at``; say what it was.

        Attributes that are not named stay. What it was may be empty.
        """


class Records(Generic[Key, Record]):
    """The records of one kind; each is one item."""

    def __init__(
        self, items: Items[Key], kind: type[Record], missing: type[NotFound]
    ) -> None:
        self._items = items
        self._kind: type[Record] = kind
        self._missing = missing
        self._noun = kind.__name__.lower()

    def of(self, item: Item) -> Record:
        """Return the record that an item holds."""
        packed = item["doc"]
        assert not isinstance(packed, int), "a document is text or bytes"
        return unpack(self._kind, packed)

    def add(self, key: Key, record: Record, index: Index) -> Record | None:
        """Store a new record and return it with its revision; None if one has its key."""
        added = replace(record, revision=FIRST)
        shown = {name: value for name, value in index.items() if value is not None}
        values = {**shown, "rev": FIRST, "doc": pack(added)}
        return added if self._items.add(key, values) is None else None

    def find(self, key: Key) -> Record | None:
        """Return a record, None if none has this key."""
        item = self._items.get(key)
        return None if item is None else self.of(item)

    def get(self, key: Key, name: str) -> Record:
        """Return a record; ``name`` is what people call it.

        Raises:
            NotFound: none has this key.
        """
        record = self.find(key)
        if record is None:
            raise self._missing(f"there is no {self._noun} {name}")
        return record

    def swap(
        self, key: Key, record: Record, index: Index, name: str
    ) -> tuple[Record, Item]:
        """Replace the version that ``record`` was made from; return what the item was, too.

        Raises:
            Overtaken: another version was stored meanwhile.
            NotFound: none has this key.
        """
        swapped = replace(record, revision=record.revision + 1)
        values = {**index, "rev": swapped.revision, "doc": pack(swapped)}
        old = self._items.swap(key, values, read_at=record.revision)
        if not isinstance(old, Refused):
            return swapped, old
        if old.standing is None:
            raise self._missing(f"there is no {self._noun} {name}")
        raise Overtaken(f"the {self._noun} {name} was changed meanwhile")
