"""systemd's unit files, as far as a node's are written, and what they say to do."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#: Who a unit with DynamicUser= runs as; systemd gives numbers from 61184 to 65519.
DYNAMIC_USER = 61999

_UNITS = {"s": 1, "sec": 1, "": 1, "min": 60, "m": 60, "ms": 0.001, "h": 3600}
_WORD = re.compile(r"\$\{(\w+)\}|\$(\w+)")
_DEFAULT_STOP = 90.0
_DEFAULT_RESTART = 0.1


class BadUnit(Exception):
    """A unit is not there, or asks for what is not done here."""


class Command(NamedTuple):
    """A line of a unit that is run; its failing may be of no account."""

    argv: tuple[str, ...]
    may_fail: bool
    as_root: bool


@dataclass(frozen=True)
class Unit:
    """A service, as its file says."""

    name: str
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def last(self, key: str, otherwise: str = "") -> str:
        """Return what was said last of a key."""
        return self.lines.get(key, (otherwise,))[-1]

    @property
    def oneshot(self) -> bool:
        return self.last("Type", "simple") == "oneshot"

    @property
    def user(self) -> str | int | None:
        """The user that it runs as, None for root; one that nobody else is by a number."""
        dynamic = self.last("DynamicUser") in {"yes", "true", "1", "on"}
        return DYNAMIC_USER if dynamic else self.last("User") or None

    @property
    def state_folders(self) -> tuple[str, ...]:
        """The folders that are made for it, and are its user's."""
        return tuple(f"/var/lib/{name}" for name in self.last("StateDirectory").split())

    @property
    def folder(self) -> str:
        return self.last("WorkingDirectory", "/").lstrip("-").replace("~", "/root")

    @property
    def kills_main_only(self) -> bool:
        """Whether only the main process is asked to stop."""
        return self.last("KillMode", "control-group") in {"mixed", "process"}

    @property
    def restart_after(self) -> float | None:
        """How many seconds after its end it is started again, None for never."""
        if self.last("Restart", "no") == "no":
            return None
        return seconds(self.last("RestartSec")) or _DEFAULT_RESTART

    @property
    def patience(self) -> float:
        """How long it may take to stop, in seconds."""
        return seconds(self.last("TimeoutStopSec")) or _DEFAULT_STOP

    def commands(self, key: str, environment: Mapping[str, str]) -> tuple[Command, ...]:
        """Return what a key such as ExecStart runs."""
        return tuple(_command(line, environment) for line in self.lines.get(key, ()))

    def environment(self) -> dict[str, str]:
        """Return the variables that its processes have; files are read now."""
        found = {"PATH": PATH, "LANG": "C.UTF-8"}
        if self.user is not None:
            found |= {"HOME": "/", "USER": str(self.user), "LOGNAME": str(self.user)}
        if self.state_folders:
            found["STATE_DIRECTORY"] = ":".join(self.state_folders)
        for line in self.lines.get("Environment", ()):
            found |= dict(word.split("=", 1) for word in shlex.split(line))
        for line in self.lines.get("EnvironmentFile", ()):
            found |= _read_environment(line)
        return found


def find(name: str) -> Unit:
    """Return the unit of a name.

    Raises:
        BadUnit: there is none, or it wants something that is not done here.
    """
    full = name if "." in name else f"{name}.service"
    for folder in FOLDERS:
        path = Path(folder) / full
        if path.is_file():
            return parse(full, path.read_text())
    raise BadUnit(f"Unit {full} could not be found.")


def parse(name: str, text: str) -> Unit:
    """Return the unit that a file's text says."""
    lines: dict[str, tuple[str, ...]] = {}
    for key, value in _assignments(text):
        lines[key] = (*lines.get(key, ()), value) if value else ()
    unit = Unit(name, {key: said for key, said in lines.items() if said})
    if unit.last("Restart", "no") not in {"no", "always"}:
        raise BadUnit(f"{name}: here it is started again always or never")
    if not unit.lines.get("ExecStart"):
        raise BadUnit(f"{name} lacks ExecStart=")
    return unit


def seconds(span: str) -> float:
    """Return a span such as ``90``, ``1min 30s`` in seconds, 0 for none."""
    parts = re.findall(r"([\d.]+)\s*([a-z]*)", span)
    return sum(float(count) * _UNITS[unit] for count, unit in parts)


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for line in text.replace("\\\n", " ").splitlines():
        bare = line.strip()
        if bare and bare[0] not in "#;[" and "=" in bare:
            key, _, value = bare.partition("=")
            yield key.strip(), value.strip()


def _command(line: str, environment: Mapping[str, str]) -> Command:
    prefix = re.match(r"[-@:+!|]*", line)
    assert prefix is not None, "it matches nothing, too"
    words = shlex.split(line[prefix.end() :])
    argv: list[str] = []
    for word in words:
        alone = re.fullmatch(r"\$(\w+)", word)
        if alone:  # split at spaces, as systemd does where a variable stands alone
            argv += environment.get(alone[1], "").split()
        else:
            told = _WORD.sub(lambda m: environment.get(m[1] or m[2], ""), word)
            argv.append(told.replace("$$", "$").replace("%%", "%"))
    return Command(tuple(argv), "-" in prefix[0], "+" in prefix[0])


def _read_environment(line: str) -> dict[str, str]:
    path = Path(line.lstrip("-"))
    if not path.is_file():
        if line.startswith("-"):
            return {}
        raise BadUnit(f"{path} is not there")
    found = {}
    for said in path.read_text().splitlines():
        if said.strip() and said.strip()[0] not in "#;":
            name, _, value = said.partition("=")
            found[name.strip()] = " ".join(shlex.split(value))
    return found
