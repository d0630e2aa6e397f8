"""Landlock: what a process that touches media sees of this machine's files.

The rules are made here, by the worker, and handed to the process as a descriptor: it keeps
itself to them before it becomes its program, and neither it nor what it starts can lift
them. A kernel without Landlock keeps nobody; an older one keeps to less.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

#: What programs need of a system, besides their own folder: libraries, fonts, how many
#: cores there are. Nothing of it is anybody's secret.
SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt", "/nix/store", "/gnu"),
    *("/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime", "/etc/alternatives"),
    *("/etc/fonts", "/var/cache/fontconfig", "/sys/devices/system"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
    *("/dev/zero", "/dev/random", "/dev/urandom"),
)
_NULL = "/dev/null"

_CREATE_RULESET, _ADD_RULE = 444, 445
_VERSION, _PATH_BENEATH = 1, 1

#: Rights of ``linux/landlock.h``, and the version of the kernel's interface they came with.
_EXECUTE, _WRITE, _READ, _LIST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_FIRST, _REFER, _TRUNCATE = (1 << 13) - 1, 1 << 13, 1 << 14
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE
_NO_TCP, _NO_OTHERS = 0b11, 0b11  # bind and connect; abstract sockets and signals

_libc = ctypes.CDLL(None, use_errno=True)


@cache
def landlock_version() -> int:
    """Return the version of Landlock that this kernel has, 0 for none."""
    said: int = _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    return max(0, said)


def rules_for(folder: Path, sees: Iterable[str | Path]) -> int:
    """Return a descriptor of rules, for a kernel that has Landlock.

    By them a process changes nothing but what is in ``folder``, reads that, what links in
    it lead to, ``sees`` and what every program needs; and it connects to nothing by TCP.

    Raises:
        OSError: the kernel does not take them.
    """
    version = landlock_version()
    handled = _handled(version)
    attributes = struct.pack("QQQ", handled, _NO_TCP, _NO_OTHERS)
    attributes = attributes[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = _called(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    try:
        for path in (*SYSTEM, *sees, *_linked(folder)):
            _allow(rules, path, _EXECUTE | _READ | _LIST)
        _allow(rules, _NULL, _READ | _WRITE)
        _allow(rules, folder, handled)
    except BaseException:
        os.close(rules)
        raise
    return rules


def _handled(version: int) -> int:
    """Return the rights that nobody has without a rule."""
    return _FIRST | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)


def _linked(folder: Path) -> Iterator[str]:
    """Yield what links in a folder lead to: files of this machine are linked to."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)  # noqa: PTH118 - there may be thousands
            if os.path.islink(path):  # noqa: PTH114
                yield os.path.realpath(path)


def _allow(rules: int, path: str | Path, rights: int) -> None:
    """Add a rule for a path; of what is not there, or closed to us, there is none."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        rule = struct.pack("=Qi", rights & _handled(landlock_version()), place)
        _called(_ADD_RULE, rules, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)


def _called(number: int, *arguments: object) -> int:
    answer: int = _libc.syscall(number, *arguments)
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"Landlock: {os.strerror(error)}")
    return answer
