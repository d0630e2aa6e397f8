"""Counting the CPU time of a process and of all that descend from it.

``wait4`` tells only of children that somebody waited for, which leaves out what a process
with SIGCHLD ignored has started (the forks that read media), and all that still runs. The
kernel's task-clock event is passed on to every descendant and can be read at any time.
"""

import ctypes
import os
import platform
from contextlib import suppress

import psutil

_NUMBERS = {"x86_64": 298, "aarch64": 241}
_SOFTWARE, _TASK_CLOCK = 1, 1
_DISABLED, _INHERIT, _NO_KERNEL, _NO_HYPERVISOR = 1 << 0, 1 << 1, 1 << 5, 1 << 6
_FROM_EXEC = 1 << 12
_CLOSE_ON_EXEC = 8
_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    """The first version of the kernel's ``perf_event_attr``."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("config", ctypes.c_uint64),
        ("sample_period", ctypes.c_uint64),
        ("sample_type", ctypes.c_uint64),
        ("read_format", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
        ("wakeup_events", ctypes.c_uint32),
        ("bp_type", ctypes.c_uint32),
        ("config1", ctypes.c_uint64),
    )


class Meter:
    """The CPU seconds of a process, from its next exec on, and of all its descendants.

    Where the kernel does not let us count, they are read from /proc, which leaves out
    descendants that ended without being waited for. ``exact`` says which of the two it is.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._event = _open(pid)
        self.exact = self._event >= 0

    def read(self) -> float:
        """Return the seconds so far."""
        if self.exact:
            return int.from_bytes(os.read(self._event, 8), "little") / 1e9
        return _from_proc(self._pid)

    def close(self) -> None:
        """Stop counting."""
        if self._event >= 0:
            os.close(self._event)
            self._event = -1


def can_count() -> bool:
    """Return whether the kernel counts for us."""
    meter = Meter(os.getpid())
    meter.close()
    return meter.exact


def _open(pid: int) -> int:
    number = _NUMBERS.get(platform.machine())
    if number is None:
        return -1
    wanted = _Attributes(
        type=_SOFTWARE,
        size=ctypes.sizeof(_Attributes),
        config=_TASK_CLOCK,
        # Leaving out the kernel is what lets anyone ask; this clock counts it all the same.
        flags=_DISABLED | _INHERIT | _FROM_EXEC | _NO_KERNEL | _NO_HYPERVISOR,
    )
    arguments = (number, ctypes.byref(wanted), pid, -1, -1, _CLOSE_ON_EXEC)
    found: int = _libc.syscall(*arguments)
    return found


def _from_proc(pid: int) -> float:
    """Add up what every process of a tree, and the children it waited for, have used."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(pid)
        for process in [top, *top.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:4])
    return total
