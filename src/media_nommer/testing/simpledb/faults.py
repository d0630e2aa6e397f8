"""Faults to order: what goes wrong with a call, and whether it still takes effect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from media_nommer.testing.simpledb.errors import STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one call.

    It waits for ``delay``; if ``applied``, it is then carried out; and it is answered as
    it should be, unless there is an ``error`` (a code of SimpleDB) or the connection is
    ``dropped`` without an answer.

    Raises:
        ValueError: there is no such error, or nothing to answer with.
    """

    delay: timedelta = timedelta()
    applied: bool = True
    error: str | None = None
    dropped: bool = False

    def __post_init__(self) -> None:
        if self.error is not None and self.error not in STATUSES:
            raise ValueError(f"SimpleDB has no error {self.error}")
        if not (self.applied or self.error or self.dropped):
            raise ValueError("a call that is not applied needs an error, or is dropped")


#: Too many calls: nothing is done, and a client should come again later (HTTP 503).
THROTTLED = Fault(applied=False, error="ServiceUnavailable")
#: Something broke before anything was done (HTTP 500).
INTERNAL_ERROR = Fault(applied=False, error="InternalError")
#: Something broke after it was done: a retry meets its own write (HTTP 500).
INTERNAL_ERROR_AFTER = Fault(error="InternalError")
#: The connection ends before anything was done.
DROPPED = Fault(applied=False, dropped=True)
#: The connection ends after it was done: a retry meets its own write.
DROPPED_AFTER = Fault(dropped=True)


def delayed(delay: timedelta) -> Fault:
    """Return the fault of a call that is slow and then goes well."""
    return Fault(delay=delay)


#: Asked at every call, with its action and parameters, for what is to go wrong.
Hook: TypeAlias = Callable[[str, Mapping[str, str]], Fault | None]
