"""Surroundings that know what they were told, and nothing of a machine of one's own."""

from typing_extensions import override

from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.ports.surroundings import Identity, Notice, Surroundings


class MemorySurroundings(Surroundings):
    """Those of a node on a machine of our own: nobody takes it away."""

    def __init__(self, identity: Identity | None = None) -> None:
        self._identity = identity or Identity()
        self._notice: Notice | None = None
        self._silent = False

    @override
    def who(self) -> Identity:
        """Return what was given at the beginning: by default nothing is known."""
        self._check()
        return self._identity

    @override
    def notice(self) -> Notice | None:
        """Return what ``give`` gave last."""
        self._check()
        return self._notice

    def give(self, notice: Notice | None) -> None:
        """Have a notice stand from now on, or none."""
        self._notice = notice

    def fall_silent(self, silent: bool = True) -> None:
        """Answer nothing from now on, or again."""
        self._silent = silent

    def _check(self) -> None:
        if self._silent:
            raise ServiceUnavailable("the surroundings do not answer")
