"""What a server was asked, and what that cost."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SelectWork:
    """What one call of Select had to read, against what it found.

    ``examined`` counts index entries read, each of which is one item looked at: an index
    on every single attribute is all that SimpleDB has, so of a page it reads one index
    from where the last page ended, and throws away what other conditions do not find.
    """

    expression: str
    examined: int
    matched: int


@dataclass(slots=True)
class Counts:
    """Calls by action, refusals by code, machine hours, and the work of each Select.

    ``box_usage`` is by formula, as Amazon's is: see ``boxes``.
    """

    calls: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    box_usage: float = 0.0
    selects: list[SelectWork] = field(default_factory=list)

    @property
    def examined(self) -> int:
        """How many index entries all Selects together read."""
        return sum(work.examined for work in self.selects)

    @property
    def matched(self) -> int:
        """How many items all Selects together found."""
        return sum(work.matched for work in self.selects)

    def copy(self) -> "Counts":
        """Return these counts as they are now."""
        return Counts(
            Counter(self.calls), Counter(self.refusals), self.box_usage, list(self.selects)
        )


#: Machine hours of the calls that always take the same.
FIXED_BOXES = {"CreateDomain": 0.0055590278, "DeleteDomain": 0.0055590278}
_READING, _WRITING, _LISTING = 0.0000093202, 0.0000219907, 0.0000071759


def boxes(action: str, amount: int) -> float:
    """Return the machine hours of a call.

    ``amount`` is what the call was about: pairs put, pairs got, or entries examined. What
    people measured of Amazon is a constant, and the cube of the pairs put or the square
    of those got on top; what a Select costs nobody found out, so that is made up here.
    """
    if action in FIXED_BOXES:
        return FIXED_BOXES[action]
    if action in {"ListDomains", "DomainMetadata"}:
        return _LISTING
    if action == "GetAttributes":
        return _READING + 2e-9 * amount**2
    if action == "Select":
        return 0.000014 + 8e-9 * amount
    return _WRITING + 2e-10 * amount**3
