"""What a ``where`` clause means: conditions on items, made of tests of values.

A predicate is all that is said of one attribute with ``and`` and ``or``. It is held
against each value by itself, and an item is found if any of its values passes. So
``k = 'a' and k = 'b'`` finds nothing, and ``k = 'a' intersection k = 'b'`` finds items that
have both. ``not`` is the complement: it finds items without the attribute, which ``!=``
does not.

Conditions also say what an index may do for them: ``bounds``.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from typing_extensions import override

from media_nommer.testing.simpledb import ranges
from media_nommer.testing.simpledb.ranges import Ranges
from media_nommer.testing.simpledb.values import AllOf, AnyOf, Test

#: The values of each attribute of an item; no attribute is without values.
Item: TypeAlias = Mapping[str, frozenset[str]]


class Kind(Enum):
    """What the values of a subject are."""

    ATTRIBUTE = "attribute"
    ITEM_NAME = "itemName()"
    #: One and the same empty value for every item: what is scanned for want of an index.
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a test looks at, and what an index is kept of."""

    kind: Kind
    attribute: str = ""

    def values(self, name: str, item: Item) -> frozenset[str]:
        """Return what an item has there."""
        if self.kind is Kind.ATTRIBUTE:
            return item.get(self.attribute, frozenset())
        return frozenset({name if self.kind is Kind.ITEM_NAME else ""})


ITEM_NAME = Subject(Kind.ITEM_NAME)
EVERYTHING = Subject(Kind.EVERYTHING)


class Condition(ABC):
    """What is asked of an item."""

    @abstractmethod
    def finds(self, name: str, item: Item) -> bool:
        """Tell whether the item is found."""

    @abstractmethod
    def bounds(self) -> Mapping[Subject, Ranges]:
        """Return where an item that is found has a value for certain.

        Each entry stands for itself: a found item has, of that subject, at least one value
        in those ranges.
        """

    def parts(self) -> Iterator["Condition"]:
        """Go through this condition and all that it is made of."""
        yield self


@dataclass(frozen=True, slots=True)
class Always(Condition):
    """Finds every item: no ``where`` at all."""

    @override
    def finds(self, name: str, item: Item) -> bool:
        return True

    @override
    def bounds(self) -> Mapping[Subject, Ranges]:
        return {}


@dataclass(frozen=True, slots=True)
class Predicate(Condition):
    """Finds an item if any one value passes."""

    subject: Subject
    test: Test

    @override
    def finds(self, name: str, item: Item) -> bool:
        return any(self.test.passes(v) for v in self.subject.values(name, item))

    @override
    def bounds(self) -> Mapping[Subject, Ranges]:
        return {self.subject: self.test.ranges()}


@dataclass(frozen=True, slots=True)
class Every(Condition):
    """Finds an item that has values and all of them pass."""

    subject: Subject
    test: Test

    @override
    def finds(self, name: str, item: Item) -> bool:
        values = self.subject.values(name, item)
        return bool(values) and all(self.test.passes(value) for value in values)

    @override
    def bounds(self) -> Mapping[Subject, Ranges]:
        return {self.subject: self.test.ranges()}


@dataclass(frozen=True, slots=True)
class IsNull(Condition):
    """Finds an item that does not have an attribute."""

    subject: Subject

    @override
    def finds(self, name: str, item: Item) -> bool:
        return not self.subject.values(name, item)

    @override
    def bounds(self) -> Mapping[Subject, Ranges]:
        return {}


@dataclass(frozen=True, slots=True)
class IsNotNull(Condition):
    """Finds an item that has an attribute."""

    subject: Subject

    @override
    def finds(self, name: str, item: Item) -> bool:
        return bool(self.subject.values(name, item))

    @override
    def bounds(self) -> Mapping[Subject, Ranges]:
        return {self.subject: ranges.ALL}


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """Finds every item that another condition does not."""

    condition: Condition

    @override
    def finds(self, name: str, item: Item) -> bool:
        return not self.condition.finds(name, item)

    @override
    def bounds(self) -> Mapping[Subject, Ranges]:
        return {}

    @override
    def parts(self) -> Iterator[Condition]:
        yield self
        yield from self.condition.parts()


@dataclass(frozen=True, slots=True)
class Both(Condition):
    """Finds the items that all of several conditions find."""

    conditions: tuple[Condition, ...]

    @override
    def finds(self, name: str, item: Item) -> bool:
        return all(condition.finds(name, item) for condition in self.conditions)

    @override
    def bounds(self) -> Mapping[Subject, Ranges]:
        known: dict[Subject, Ranges] = {}
        for condition in self.conditions:
            for subject, where in condition.bounds().items():
                # Two conditions may hold of two values of one attribute, so ranges that
                # both must be met do not intersect: either is true, the other is dropped.
                if known.get(subject, ranges.ALL) == ranges.ALL:
                    known[subject] = where
        return known

    @override
    def parts(self) -> Iterator[Condition]:
        yield self
        for condition in self.conditions:
            yield from condition.parts()


@dataclass(frozen=True, slots=True)
class Either(Condition):
    """Finds the items that any of several conditions finds."""

    conditions: tuple[Condition, ...]

    @override
    def finds(self, name: str, item: Item) -> bool:
        return any(condition.finds(name, item) for condition in self.conditions)

    @override
    def bounds(self) -> Mapping[Subject, Ranges]:
        each = [condition.bounds() for condition in self.conditions]
        common = set(each[0]).intersection(*each[1:])
        return {
            subject: ranges.union(known[subject] for known in each) for subject in common
        }

    @override
    def parts(self) -> Iterator[Condition]:
        yield self
        for condition in self.conditions:
            yield from condition.parts()


def every_of(conditions: list[Condition]) -> Condition:
    """Return what ``and`` makes: what is said of one attribute becomes one predicate."""
    together = _by_subject(conditions, AllOf)
    return together[0] if len(together) == 1 else Both(tuple(together))


def any_of(conditions: list[Condition]) -> Condition:
    """Return what ``or`` makes: what is said of one attribute becomes one predicate."""
    together = _by_subject(conditions, AnyOf)
    return together[0] if len(together) == 1 else Either(tuple(together))


def _by_subject(
    conditions: list[Condition], join: type[AllOf] | type[AnyOf]
) -> list[Condition]:
    tests: dict[Subject, list[Test]] = {}
    others: list[Condition] = []
    for condition in conditions:
        if isinstance(condition, Predicate):
            tests.setdefault(condition.subject, []).append(condition.test)
        else:
            others.append(condition)
    predicates = [
        Predicate(subject, of[0] if len(of) == 1 else join(tuple(of)))
        for subject, of in tests.items()
    ]
    return [*predicates, *others]
