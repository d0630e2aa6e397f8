"""What is to be done to the parts of an installation, before and while it is done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from media_nommer.adapters.aws.setup.parts.part import Part, Standing


class Deed(StrEnum):
    """What is done to a part."""

    MAKE = "make"
    CHANGE = "change"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part, what is done to it, and what there is to say about that."""

    deed: Deed
    part: Part
    details: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Return what the part is, and what it is called."""
        return f"{self.part.kind} {self.part.name}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done, in its order."""

    steps: tuple[Step, ...]

    @property
    def to_do(self) -> tuple[Step, ...]:
        """Return the steps by which something changes."""
        return tuple(step for step in self.steps if step.deed is not Deed.KEEP)

    def carry_out(self, tell: Callable[[Step], None] = lambda _step: None) -> None:
        """Do all of it; ``tell`` hears of each step before it is done."""
        for step in self.to_do:
            tell(step)
            if step.deed is Deed.REMOVE:
                step.part.remove()
            else:
                step.part.make()


_DEEDS = {Standing.ABSENT: Deed.MAKE, Standing.DIFFERS: Deed.CHANGE}
_NOT_OURS = "not made by `nommer aws up`"
_HOLDS_DATA = "holds what cannot be made again; --delete-data removes it"


def plan_up(parts: Iterable[Part]) -> Plan:
    """Return what makes parts as they are wanted; nothing is done yet."""
    return Plan(tuple(map(_up, parts)))


def plan_down(parts: Iterable[Part], *, delete_data: bool) -> Plan:
    """Return what removes parts, in the order given; nothing is done yet.

    What we have not made stays, and without ``delete_data`` so does what holds data.
    """
    steps = (_down(part, delete_data=delete_data) for part in parts if not part.of_account)
    return Plan(tuple(step for step in steps if step is not None))


def _up(part: Part) -> Step:
    look = part.look()
    ours = () if look.standing is not Standing.NOT_OURS else (_NOT_OURS,)
    deed = _DEEDS.get(look.standing, Deed.KEEP)
    return Step(deed=deed, part=part, details=look.details or ours)


def _down(part: Part, *, delete_data: bool) -> Step | None:
    if part.look().standing is Standing.ABSENT:
        return None
    if not part.ours():
        return Step(deed=Deed.KEEP, part=part, details=(_NOT_OURS,))
    if part.holds_data and not delete_data and not part.empty():
        return Step(deed=Deed.KEEP, part=part, details=(_HOLDS_DATA,))
    return Step(deed=Deed.REMOVE, part=part)
