"""The root of a stand-in machine: an overlay of the host's, without its hardware and homes.

All of this runs as PID 1 of the machine, in its own mount namespace, before anything of the
user's does. Each step that fails ends it.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

#: Says that one is in a machine, and in which.
MARK = Path("/run/pocket/machine")

#: What of the host is seen in a machine; all else is empty there.
_SEEN = frozenset(
    {"bin", "etc", "lib", "lib32", "lib64", "libx32", "opt", "sbin", "usr", "var"}
)
#: Empty even so: what the host's own programs keep there is no business of a machine.
_EMPTY = ("var/tmp", "var/log", "var/lib/cloud")
_DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
_SIZE = "4g"


def make(spec: dict[str, Any]) -> None:
    """Make the root and go there; the host's is out of sight then.

    Raises:
        OSError, subprocess.CalledProcessError: it cannot be had here.
    """
    _do("mount", "--make-rprivate", "/")
    # Whatever goes wrong from here on, the host's root cannot be written to.
    _do("mount", "-o", "remount,bind,ro", "/")
    place = Path(spec["folder"]) / "machine"
    _do("mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=755", "machine", place)
    root = _overlaid(place, spec["baked"])
    _hide(root, Path(spec["hidden"]))
    _devices(root)
    _kernel(root)
    _enter(root)
    socket.sethostname(spec["hostname"])
    _write(spec["files"])
    MARK.parent.mkdir(mode=0o755)
    MARK.write_text(spec["id"])


def is_ours(instance: str) -> bool:
    """Return whether the root that this process has is that of a machine."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    at_root = [kind for _, place, kind, *_ in mounts if place == "/"]
    return at_root == ["overlay"] and MARK.is_file() and MARK.read_text() == instance


def _overlaid(place: Path, baked: dict[str, str]) -> Path:
    """Mount the host's root under a layer that takes the writes, and so what was baked.

    What was baked lies within the host's root, so it cannot be one more layer over that.
    """
    root = _overlay(place / "whole", Path("/"), place / "root")
    for number, (folder, source) in enumerate(baked.items()):
        there = root / Path(folder).relative_to("/")
        there.mkdir(parents=True, exist_ok=True)
        _overlay(place / f"baked-{number}", Path(source), there)
    return root


def _overlay(place: Path, lower: Path, there: Path) -> Path:
    upper, work = place / "upper", place / "work"
    for folder in (upper, work, there):
        folder.mkdir(parents=True, exist_ok=True)
    told = f"lowerdir={lower},upperdir={upper},workdir={work}"
    _do("mount", "-t", "overlay", "-o", told, "machine", there)
    return there


def _hide(root: Path, checkout: Path) -> None:
    interpreter = Path(sys.base_prefix)
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and not folder.is_symlink() and folder.name not in _SEEN:
            _empty(folder)
    for name in _EMPTY:
        if (root / name).is_dir():
            _empty(root / name)
    for folder in ("tmp", "var/tmp"):
        (root / folder).chmod(0o1777)
    if interpreter.parts[1] not in _SEEN:
        there = root / interpreter.relative_to("/")
        there.mkdir(parents=True)
        _do("mount", "--bind", "-o", "ro", interpreter, there)
    hidden = root / checkout.relative_to("/")
    if hidden.is_dir():
        _empty(hidden)


def _empty(folder: Path) -> None:
    _do("mount", "-t", "tmpfs", "-o", "mode=755", "machine", folder)


def _devices(root: Path) -> None:
    for name in _DEVICES:
        there = root / "dev" / name
        there.touch()
        _do("mount", "--bind", Path("/dev") / name, there)
    (root / "dev" / "shm").mkdir()
    (root / "dev" / "shm").chmod(0o1777)
    (root / "dev" / "fd").symlink_to("/proc/self/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (root / "dev" / name).symlink_to(f"/proc/self/fd/{number}")


def _kernel(root: Path) -> None:
    _do("mount", "-t", "proc", "proc", root / "proc")
    for name in ("sys", "sysrq-trigger", "irq", "bus"):
        there = root / "proc" / name
        if there.exists():
            _do("mount", "--bind", "-o", "ro", there, there)
    _do("mount", "--bind", "-o", "ro", "/sys", root / "sys")


def _write(files: list[tuple[str, str, int]]) -> None:
    for name, content, mode in files:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # what a link points to stays as it is
        path.write_text(content)
        path.chmod(mode)


def _enter(root: Path) -> None:
    old = root / "run" / "old"
    old.mkdir()
    os.chdir(root)
    _do("pivot_root", ".", "run/old")
    os.chdir("/")
    _do("umount", "-l", "/run/old")
    Path("/run/old").rmdir()


def _do(*words: object) -> None:
    subprocess.run(
        [str(word) for word in words],
        check=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
