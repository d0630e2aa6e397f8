"""What every part of an installation can do: be looked at, made, changed and removed."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How a part is found."""

    ABSENT = "absent"
    AS_WANTED = "as wanted"
    DIFFERS = "differs"
    #: It is there and was not made by us: it is used, and never changed or removed.
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Look:
    """How a part was found, and what differs from what is wanted, in words."""

    standing: Standing
    details: tuple[str, ...] = ()


#: A part that is as it should be, and one that is not there.
FINE, NOTHING = Look(Standing.AS_WANTED), Look(Standing.ABSENT)


def judged(differences: tuple[str, ...] | list[str]) -> Look:
    """Return what a look found, that of a part which is there and ours."""
    return Look(Standing.DIFFERS, tuple(differences)) if differences else FINE


class Part(ABC):
    """One thing that an installation is made of; ``kind`` says what it is."""

    kind: str
    #: Whether it holds what cannot be made again.
    holds_data = False
    #: Whether it is the account's, not the installation's, and stays.
    of_account = False

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called, and what tells it from others of its kind."""

    @abstractmethod
    def look(self) -> Look:
        """Return how it is now; nothing is changed.

        Raises:
            InvalidSetting: something else goes by its name.
        """

    @abstractmethod
    def make(self) -> None:
        """Make it, or change what differs; where it is as wanted, nothing happens."""

    @abstractmethod
    def remove(self) -> None:
        """Remove it, if it is there."""

    def ours(self) -> bool:
        """Return whether we made it, if it is there."""
        return self.look().standing is not Standing.NOT_OURS

    def empty(self) -> bool:
        """Return whether nothing is lost if it goes."""
        return not self.holds_data
