"""What is asked of a single value, and the ranges in which an index finds what passes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from typing_extensions import override

from media_nommer.testing.simpledb import ranges
from media_nommer.testing.simpledb.ranges import Ranges


class Test(ABC):
    """What is asked of one value."""

    __test__ = False  # pytest would take the name for a class of tests

    @abstractmethod
    def passes(self, value: str) -> bool:
        """Tell whether a value passes."""

    @abstractmethod
    def ranges(self) -> Ranges:
        """Return ranges outside of which no value passes."""


@dataclass(frozen=True, slots=True)
class Within(Test):
    """Passes what lies in ranges: all of ``= > >= < <= between in`` and ``like 'x%'``."""

    within: Ranges

    @override
    def passes(self, value: str) -> bool:
        return ranges.contains(self.within, value)

    @override
    def ranges(self) -> Ranges:
        return self.within


@dataclass(frozen=True, slots=True)
class Ends(Test):
    """Passes what ends with a text: ``like '%x'``."""

    text: str

    @override
    def passes(self, value: str) -> bool:
        return value.endswith(self.text)

    @override
    def ranges(self) -> Ranges:
        return ranges.ALL


@dataclass(frozen=True, slots=True)
class Holds(Test):
    """Passes what has a text anywhere: ``like '%x%'``."""

    text: str

    @override
    def passes(self, value: str) -> bool:
        return self.text in value

    @override
    def ranges(self) -> Ranges:
        return ranges.ALL


@dataclass(frozen=True, slots=True)
class Unlike(Test):
    """Passes what another test does not: ``!=`` and ``not like``."""

    test: Test

    @override
    def passes(self, value: str) -> bool:
        return not self.test.passes(value)

    @override
    def ranges(self) -> Ranges:
        return ranges.ALL


@dataclass(frozen=True, slots=True)
class AllOf(Test):
    """Passes what passes every one of several tests."""

    tests: tuple[Test, ...]

    @override
    def passes(self, value: str) -> bool:
        return all(test.passes(value) for test in self.tests)

    @override
    def ranges(self) -> Ranges:
        return ranges.intersection([test.ranges() for test in self.tests])


@dataclass(frozen=True, slots=True)
class AnyOf(Test):
    """Passes what passes at least one of several tests."""

    tests: tuple[Test, ...]

    @override
    def passes(self, value: str) -> bool:
        return any(test.passes(value) for test in self.tests)

    @override
    def ranges(self) -> Ranges:
        return ranges.union(test.ranges() for test in self.tests)
