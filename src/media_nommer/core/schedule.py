"""When which limits hold: windows of the week, as an operator writes them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, tzinfo

from typing_extensions import override

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
MIDNIGHT = time()

_DAY = "|".join(DAYS)
_DAYS = re.compile(rf"(?:{_DAY})(?:-(?:{_DAY}))?(?:,(?:{_DAY})(?:-(?:{_DAY}))?)*")
_HOURS = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)")
_COUNT = re.compile(r"(min|max)=(\d{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Some hours of some days of each week, and what is different in them.

    ``days`` count from Monday, 0. A window whose ``end`` is not after its ``start`` goes on
    over midnight, and belongs to the day that it begins on. None leaves a limit as it is;
    ``off`` starts no nodes for the backlog.
    """

    days: frozenset[int] = EVERY_DAY
    start: time = MIDNIGHT
    end: time = MIDNIGHT
    zone: str = "UTC"
    min_nodes: int | None = None
    max_nodes: int | None = None
    off: bool = False

    def covers(self, at: datetime) -> bool:
        """Return whether the window is open at an aware time; its end is not in it."""
        local = at.astimezone(_zone(self.zone))
        today, hour = local.weekday(), local.time()
        if self.start < self.end:
            return today in self.days and self.start <= hour < self.end
        begun_today = today in self.days and hour >= self.start
        return begun_today or ((today - 1) % 7 in self.days and hour < self.end)

    @override
    def __str__(self) -> str:
        """Return the text that ``read_window`` reads back as this window."""
        words = [
            ",".join(DAYS[day] for day in sorted(self.days)),
            f"{self.start:%H:%M}-{self.end:%H:%M}",
            self.zone,
        ]
        if self.min_nodes is not None:
            words.append(f"min={self.min_nodes}")
        if self.max_nodes is not None:
            words.append(f"max={self.max_nodes}")
        return " ".join([*words, "off"] if self.off else words)


def window_at(schedule: Iterable[Window], at: datetime) -> Window | None:
    """Return the first window that is open at an aware time, None where none is."""
    return next((window for window in schedule if window.covers(at)), None)


def read_window(text: str) -> Window:
    """Return the window that a text such as ``mon-fri 08:00-18:00 UTC max=8`` says.

    Days, hours and zone may be left out: every day, the whole day, UTC. At least one of
    ``min=``, ``max=`` and ``off`` must be there.

    Raises:
        ValueError: it says something else, or nothing.
    """
    window: dict[str, object] = {}
    for word in text.split():
        said = _read_word(word)
        if said.keys() & window.keys():
            raise ValueError(f"{word!r} says again what was said before")
        window |= said
    found = Window(**window)  # type: ignore[arg-type]
    if found.min_nodes is None and found.max_nodes is None and not found.off:
        raise ValueError("neither min=, max= nor off")
    if (found.min_nodes or 0) > (found.max_nodes or found.min_nodes or 0):
        raise ValueError("min= is more than max=")
    return found


def _read_word(word: str) -> dict[str, object]:
    if word == "off":
        return {"off": True}
    if count := _COUNT.fullmatch(word):
        return {f"{count[1]}_nodes": int(count[2])}
    if hours := _HOURS.fullmatch(word):
        return {"start": _read_hour(hours[1]), "end": _read_hour(hours[2])}
    if _DAYS.fullmatch(word.lower()):
        return {"days": frozenset(_read_days(word.lower()))}
    try:
        _zone(word)
    except (KeyError, ValueError, OSError) as error:  # unknown, no name, a folder
        raise ValueError(f"{word!r} is not understood") from error
    return {"zone": word}


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only needed where a schedule is set

    return ZoneInfo(name)


def _read_hour(text: str) -> time:
    return MIDNIGHT if text == "24:00" else time.fromisoformat(text)


def _read_days(text: str) -> Iterable[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        day, end = DAYS.index(first), DAYS.index(last or first)
        yield day
        while day != end:
            day = (day + 1) % 7
            yield day
