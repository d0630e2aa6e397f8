"""The records of duties: who has each, changed by one at a time."""

from collections.abc import Callable
from typing import Generic

from media_nommer.adapters.aws.items.records import Items, Key, Records
from media_nommer.core.errors import NotFound, Overtaken
from media_nommer.core.nodes import Duty


class Duties(Generic[Key]):
    """Every duty, an item each; ``key_of`` tells an item's key from the duty's name."""

    def __init__(self, items: Items[Key], key_of: Callable[[str], Key]) -> None:
        self._records = Records(items, Duty, NotFound)
        self._key_of = key_of

    def get(self, name: str) -> Duty | None:
        """Return who has a duty, None when nobody ever had it."""
        return self._records.find(self._key_of(name))

    def swap(self, duty: Duty) -> Duty:
        """Replace the version that ``duty`` was made from; revision 0 means a first one.

        Raises:
            Overtaken: somebody else has stored another, or nobody ever one.
        """
        key = self._key_of(duty.name)
        if duty.revision == 0:
            taken = self._records.add(key, duty, {})
            if taken is None:
                raise Overtaken(f"somebody else took the duty {duty.name} meanwhile")
            return taken
        try:
            return self._records.swap(key, duty, {}, duty.name)[0]
        except NotFound as error:
            raise Overtaken(f"nobody ever had the duty {duty.name}") from error
