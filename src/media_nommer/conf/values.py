"""The kinds of value that a setting has: how each is read, written and kept from view."""

import ipaddress
import math
import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator

from media_nommer.core.schedule import Window, read_window

#: The time that is written "forever".
FOREVER = timedelta.max

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhd])?")
_SIZES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12} | {
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*((?:[kmgt]i?)?b)?", re.IGNORECASE)
#: A password may hold what should have been encoded: it goes up to the last @.
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^/@\s:]*):\S*@")
_PASSWORD_IN_QUERY = re.compile(r"(?i)([?&](?:password|pwd|secret|token|key)=)[^&\s]*")


class Allowed(NamedTuple):
    """What a setting may be, in the words of an error message."""

    words: str


def read_duration(value: object) -> timedelta:
    """Return a time given as seconds, or as a number with ms, s, m, h or d.

    Raises:
        ValueError: it is not one.
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a time")  # noqa: TRY004 - pydantic takes ValueError alone
    found = _DURATION.fullmatch(str(value).strip())
    if found is None:
        raise ValueError("not a time")
    seconds = float(found[1]) * _UNITS[found[2] or "s"]
    if seconds > timedelta(days=36500).total_seconds():
        raise ValueError("too long")
    return timedelta(seconds=seconds)


def read_path(value: object) -> object:
    """Return a path as an absolute one, ``~`` being the home folder."""
    if isinstance(value, str | Path) and str(value):
        return Path(value).expanduser().absolute()
    raise ValueError("not a path")


def read_paths(value: object) -> object:
    """Return paths from a list, or from a text with colons between them."""
    if isinstance(value, str):
        value = [part for part in value.split(os.pathsep) if part]
    if isinstance(value, Sequence):
        return tuple(read_path(part) for part in value)
    raise ValueError("not a list of paths")


def _above_zero(value: object) -> timedelta:
    duration = read_duration(value)
    if not duration:
        raise ValueError("zero")
    return duration


def _lasting(value: object) -> timedelta:
    return FOREVER if value == "forever" else _above_zero(value)


def _read_pairs(value: object) -> object:
    """Return pairs from a table, or from a text such as ``a=1,b=2``."""
    if isinstance(value, Mapping):
        return tuple((str(name), str(said)) for name, said in value.items())
    if not isinstance(value, str):
        return value
    parts = [part.strip().partition("=") for part in value.split(",") if part.strip()]
    if not all(name and mark and said for name, mark, said in parts):
        raise ValueError("not pairs")
    return tuple((name, said) for name, _, said in parts)


def _read_words(value: object) -> object:
    """Return words from a list, or from a text with commas or spaces between them."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if isinstance(value, Sequence) and all(str(word).strip() for word in value):
        return tuple(str(word).strip() for word in value)
    raise ValueError("not a list of words")


def _read_prices(value: object) -> object:
    """Return prices by instance type, or by type and market: ``c7g.large/spot=0.03``."""
    prices = {name: float(said) for name, said in dict(_read_pairs(value)).items()}  # type: ignore[call-overload]
    if not all(math.isfinite(price) and price >= 0 for price in prices.values()):
        raise ValueError("not prices")
    return tuple(prices.items())


def _read_schedule(value: object) -> object:
    """Return windows from a list of texts, or from one with semicolons between them."""
    if isinstance(value, str):
        value = [part for part in value.split(";") if part.strip()]
    if not isinstance(value, Sequence):
        raise ValueError("not a list of windows")  # noqa: TRY004 - as above
    return tuple(
        part if isinstance(part, Window) else read_window(str(part)) for part in value
    )


def _read_size(value: object) -> int:
    """Return a number of bytes given as one, or with kB, MB, GB, TB, KiB, MiB, GiB, TiB."""
    found = _SIZE.fullmatch(str(value).strip())
    if isinstance(value, bool) or found is None:
        raise ValueError("not a size")
    size = int(float(found[1]) * _SIZES[(found[2] or "b").lower()])
    if size < 1:
        raise ValueError("too small")
    return size


_TIME_WORDS = 'such as 30 (seconds), "90s", "5m" or "2h"'

Duration = Annotated[
    timedelta, BeforeValidator(read_duration), Allowed(f"a time {_TIME_WORDS}, or 0")
]
PositiveDuration = Annotated[
    timedelta, BeforeValidator(_above_zero), Allowed(f"a time above zero {_TIME_WORDS}")
]
Lasting = Annotated[
    timedelta,
    BeforeValidator(_lasting),
    Allowed(f'a time above zero {_TIME_WORDS}, or "forever"'),
]
Pairs = Annotated[
    tuple[tuple[str, str], ...],
    BeforeValidator(_read_pairs),
    Allowed("name=value, several with commas between them"),
]
Words = Annotated[
    tuple[str, ...],
    BeforeValidator(_read_words),
    Allowed("words with commas between them, or a list"),
]
Prices = Annotated[
    tuple[tuple[str, float], ...],
    BeforeValidator(_read_prices),
    Allowed(
        "the price of an hour in US dollars by instance type, such as c7g.xlarge=0.145 or "
        "c7g.xlarge/spot=0.06, several with commas between them"
    ),
]
Size = Annotated[
    int, BeforeValidator(_read_size), Allowed('a size such as "500MB", "40GiB" or 1000000')
]
Schedule = Annotated[
    tuple[Window, ...],
    BeforeValidator(_read_schedule),
    Allowed(
        'windows such as "mon-fri 08:00-18:00 Europe/Berlin min=1 max=8" or "sat,sun off" '
        "(in the environment, with semicolons between them)"
    ),
]
Folder = Annotated[Path, BeforeValidator(read_path), Allowed("a path")]
Folders = Annotated[
    tuple[Path, ...],
    BeforeValidator(read_paths),
    Allowed("a list of folders (in the environment, with colons between them)"),
]


def written(value: object) -> str:
    """Return a setting's value as text that reads back as the same value."""
    if isinstance(value, timedelta):
        return _written_duration(value)
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return ",".join(f"{name}={said}" for name, said in value)
    if isinstance(value, tuple) and value and isinstance(value[0], Window):
        return "; ".join(str(window) for window in value)
    if isinstance(value, tuple):
        between = os.pathsep if value and isinstance(value[0], Path) else ","
        return between.join(str(part) for part in value)
    return str(value)


def _written_duration(value: timedelta) -> str:
    if value == FOREVER:
        return "forever"
    seconds = value.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds and not seconds % _UNITS[unit]:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def redacted(text: str) -> str:
    """Return text with the passwords that stand in URLs replaced by stars (rule 12)."""
    return _PASSWORD_IN_QUERY.sub(r"\1***", _PASSWORD_IN_URL.sub(r"\1:***@", text))


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
