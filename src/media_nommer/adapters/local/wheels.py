"""Gathering the wheels that another machine needs to install media-nommer, with pip.

pip runs as a process of its own: it has no interface for programs. It takes from whatever
index it is set up for here; the other machine then needs none.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.parser import HeaderParser
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from media_nommer.adapters.local.packing import EXTRA, pack_ourselves
from media_nommer.adapters.local.packing_own import own_packages, pack_installed
from media_nommer.core.errors import SetupFailed

_OWN = "media-nommer"
#: Written last into a folder of wheels: it is whole.
_WHOLE = "whole"
_OLDEST_GLIBC = 5
_LAST_LINES = 8
_KEPT_FOR = timedelta(days=30)
#: Each round asks for what the one before did not bring.
_ROUNDS = 5

#: Runs pip with some words; ends in SetupFailed where pip does.
Pip = Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The machine that wheels are to run on: Linux, with CPython."""

    machine: str
    python: str = "3.11"
    glibc: int = 36

    @property
    def tag(self) -> str:
        """CPython's name in the names of wheels."""
        return "cp" + self.python.replace(".", "")

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms whose wheels it runs, the newest first."""
        named = ("manylinux2014", "manylinux2010", "manylinux1")
        numbered = range(self.glibc, _OLDEST_GLIBC - 1, -1)
        return (
            *(f"manylinux_2_{number}_{self.machine}" for number in numbered),
            *(f"{name}_{self.machine}" for name in named),
            f"linux_{self.machine}",
        )

    @property
    def environment(self) -> dict[str, str]:
        """What the conditions of requirements ask for."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


def run_pip(words: Sequence[str]) -> None:
    """Run pip to its end.

    Raises:
        SetupFailed: it is not there, or it ends with an error.
    """
    argv = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    if lines and lines[-1].endswith("No module named pip"):
        raise SetupFailed(
            "pip is not there, which gathers what nodes install",
            advice=f"`{Path(sys.executable).name} -m ensurepip` installs it.",
        )
    raise SetupFailed(
        "\n".join(
            [
                "the wheels that nodes install cannot be had from the package index",
                *lines[-_LAST_LINES:],
            ]
        ),
        advice="Try again later; if pip needs a proxy or another index, set it up as for "
        "`pip install`.",
    )


def gather_wheels(
    target: Target, cache: Path, *, extras: Sequence[str] = (), pip: Pip = run_pip
) -> tuple[Path, ...]:
    """Return the wheels of media-nommer, all that it needs and pip, in order of name.

    Packages with own nommers that are installed here are among them, and what more of ours
    ``extras`` name. Where a package is installed here, its version is taken: nodes run what
    was tried. What was gathered before stays below ``cache`` and is taken from there.

    Raises:
        SetupFailed: some cannot be had.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="packing-") as packing:
        packages = own_packages()
        also = [f"{package.name}=={package.version}" for package in packages]
        also += [f"{_OWN}[{extra}]" for extra in extras]
        own = pack_ourselves(Path(packing), also=also)
        more = [pack_installed(package, Path(packing)) for package in packages]
        others = _others(target, own, more, cache, pip)
        place = cache / f"own-{hashlib.sha256(own.read_bytes()).hexdigest()[:16]}"
        place.mkdir(exist_ok=True)
        own = own.replace(place / own.name)
    _remove_unused(cache, (place, others))
    return tuple(sorted((own, *others.glob("*.whl")), key=lambda path: path.name))


def unmet(wheels: Iterable[Path], extra: str, target: Target) -> tuple[str, ...]:
    """Return what media-nommer with ``extra`` needs on ``target`` and no wheel brings.

    pip goes by the conditions of the machine that it runs on, which may need other things.
    """
    there = dict(map(_needs, wheels))
    missing: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    ahead = [(_OWN, ""), (_OWN, extra)]
    while ahead:
        name, with_extra = ahead.pop()
        if (name, with_extra) in seen:
            continue
        seen.add((name, with_extra))
        for wanted in there.get(name, ()):
            if not _applies(wanted, with_extra, target):
                continue
            needed = canonicalize_name(wanted.name)
            if needed not in there:
                missing[needed] = f"{wanted.name}{wanted.specifier}"
            ahead += [(needed, each) for each in ("", *wanted.extras)]
    return tuple(missing[name] for name in sorted(missing))


def _others(target: Target, own: Path, more: Sequence[Path], cache: Path, pip: Pip) -> Path:
    """Return the folder of all wheels but our own, filled if it is not there."""
    key = [_papers_of(own), *_versions_here(), *target.platforms, target.python, EXTRA]
    key += [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in more]
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    place = cache / f"{target.machine}-{digest[:16]}"
    if (place / _WHOLE).exists():
        return place
    with tempfile.TemporaryDirectory(dir=cache, prefix="gathering-") as name:
        folder = Path(name) / "wheels"
        folder.mkdir()
        _gather(target, own, more, folder, pip)
        (folder / own.name).unlink(missing_ok=True)
        (folder / _WHOLE).touch()
        shutil.rmtree(place, ignore_errors=True)
        folder.replace(place)
    return place


def _remove_unused(cache: Path, used: Iterable[Path]) -> None:
    """Remove what nobody has asked for lately: of other versions, or other packages."""
    for folder in used:
        os.utime(folder)
    oldest = time.time() - _KEPT_FOR.total_seconds()
    for folder in cache.iterdir():
        if folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)


def _gather(
    target: Target, own: Path, more: Sequence[Path], folder: Path, pip: Pip
) -> None:
    for wheel in more:
        shutil.copy(wheel, folder)
    constraints = folder.parent / "constraints.txt"
    constraints.write_text("".join(f"{line}\n" for line in _versions_here()))
    requirements = [f"{_OWN}[{EXTRA}] @ {own.absolute().as_uri()}", "pip"]
    for _ in range(_ROUNDS):
        pip(_words(target, folder, constraints, requirements))
        missing = unmet([own, *folder.glob("*.whl")], EXTRA, target)
        if not missing:
            return
        requirements += missing
    raise SetupFailed(f"the package index has nothing for {', '.join(missing)}")


def _words(
    target: Target, folder: Path, constraints: Path, requirements: Iterable[str]
) -> list[str]:
    return [
        *("download", "--quiet", "--no-input", "--dest", str(folder)),
        *("--find-links", str(folder)),
        *("--only-binary", ":all:", "--implementation", "cp"),
        *("--python-version", target.python, "--constraint", str(constraints)),
        *(word for name in target.platforms for word in ("--platform", name)),
        *requirements,
    ]


def _versions_here() -> list[str]:
    found = {
        canonicalize_name(each.name): each.version
        for each in distributions()
        if each.name is not None
    }
    return sorted(f"{name}=={found[name]}" for name in found if name != _OWN)


def _needs(wheel: Path) -> tuple[str, tuple[Requirement, ...]]:
    """Return what a wheel is called, and what it requires."""
    papers = HeaderParser().parsestr(_papers_of(wheel))
    wanted = papers.get_all("Requires-Dist", [])
    return canonicalize_name(papers["Name"]), tuple(map(Requirement, wanted))


def _papers_of(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            folder, _, file = name.partition("/")
            if folder.endswith(".dist-info") and file == "METADATA":
                return archive.read(name).decode("utf-8", "replace")
    raise SetupFailed(f"{wheel.name} is no wheel: it does not say what it is")


def _applies(wanted: Requirement, extra: str, target: Target) -> bool:
    if wanted.marker is None:
        return not extra
    return wanted.marker.evaluate({**target.environment, "extra": extra})
