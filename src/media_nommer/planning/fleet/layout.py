"""When tasks begin that are laid on the slots of a fleet in their order."""

import math
from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heapreplace
from typing import NamedTuple


class Slot(NamedTuple):
    """A place for one task: in how many seconds it is free, and how fast it is."""

    free_in: float
    speed: float


class Layout:
    """Tasks, in work seconds each, on slots: the next one goes where it begins first.

    Iterating tells in how many seconds each begins, ``inf`` where there is no slot at all.
    Each task is laid once, when somebody asks for it.
    """

    def __init__(self, slots: Iterable[Slot], tasks: Sequence[float]) -> None:
        self._slots = tuple(slots)
        self._tasks = tasks
        self._begins: list[float] = []
        self._free = list(self._slots)
        heapify(self._free)

    def with_more(self, slots: Iterable[Slot]) -> "Layout":
        """Return the same tasks, laid out anew on these slots too."""
        return Layout((*self._slots, *slots), self._tasks)

    def __bool__(self) -> bool:
        """Return whether there is any slot."""
        return bool(self._slots)

    def __iter__(self) -> Iterator[float]:
        for place, work in enumerate(self._tasks):
            if place == len(self._begins):
                self._begins.append(self._lay(work))
            yield self._begins[place]

    def _lay(self, work: float) -> float:
        """Lay a task on the slot that is free first; return in how many seconds that is."""
        if not self._free:
            return math.inf
        free_in, speed = self._free[0]
        heapreplace(self._free, Slot(free_in + work / speed, speed))
        return free_in
