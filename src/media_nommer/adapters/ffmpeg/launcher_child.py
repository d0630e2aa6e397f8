"""The helper process: parent of all that touches media, so that none outlives the worker.

It runs as a script under ``python -I -S`` and imports little, because it must start quickly
and stay small. It has one thread, so ``fork`` is safe in it, and the parent-death signal of
its children fires when it dies and not before.

Wire, over Unix sequenced-packet sockets:

* the *control* socket brings one JSON order per process, with file descriptors: the leash,
  then the process's standard input, output and error, then what else it inherits, and
  last, where it is to be ``confined``, Landlock's rules for it.
  ``{"bye": true}`` asks the helper to kill what runs and leave. End of file means that the
  worker died: then the scratch tree is removed too;
* the *leash* belongs to one process. The helper answers ``{"pid"}`` or ``{"error"}`` on it,
  and later ``{"status", "cpu", "peak"}``. End of file from the worker means: kill it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import resource
import select
import signal
import socket
import sys

TYPE_CHECKING = False  # importing typing would cost a tenth of the time to start
if TYPE_CHECKING:
    from typing import Any, NoReturn

MAX_ORDER = 192 * 1024
MAX_FDS = 16
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_RESTRICT_SELF = 446  # of Landlock
_FIRST_FREE_FD = 64
_INT = 4
_libc = ctypes.CDLL(None, use_errno=True)


class _Child:
    """One process that runs, with the helper's end of its leash."""

    def __init__(self, pid: int, leash: socket.socket) -> None:
        self.pid = pid
        self.leash = leash


class Helper:
    """Starts what it is told to, reaps it, and kills it when its leash is let go."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, _Child] = {}
        self._by_leash: dict[int, _Child] = {}
        self._poll = select.poll()
        self._wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._poll.register(self._wake, select.POLLIN)
        self._poll.register(control, select.POLLIN)

    def serve(self) -> bool:
        """Work until the worker says goodbye (return True) or is gone (return False)."""
        while True:
            for fd, _ in self._poll.poll():
                if fd == self._wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake, 4096)
                    self._reap(os.WNOHANG)
                elif fd != self._control.fileno():
                    self._let_go(fd)
                elif (goodbye := self._obey()) is not None:
                    return goodbye

    def kill_all(self) -> None:
        """Kill every process group, and return when the last child is reaped."""
        for pid in self._children:
            _kill_group(pid)
        while self._children:
            self._reap(0)

    def _obey(self) -> bool | None:
        message, fds = take(self._control, MAX_ORDER)
        if not message:
            return False
        order = json.loads(message)
        if "bye" in order:
            return True
        leash = socket.socket(fileno=fds[0])
        leash.setblocking(False)
        try:
            pid = _spawn(order, leash, fds[1:])
        except OSError as error:
            _tell(leash, {"error": error.errno, "what": "fork"})
            leash.close()
        else:
            child = self._children[pid] = _Child(pid, leash)
            self._by_leash[leash.fileno()] = child
            self._poll.register(leash, select.POLLIN)
            _tell(leash, {"pid": pid})
        for fd in fds[1:]:
            os.close(fd)
        return None

    def _let_go(self, fd: int) -> None:
        """Kill the process whose leash was dropped; its reaping closes the leash."""
        child = self._by_leash.get(fd)
        if child is None or not _dropped(child.leash):
            return  # the event was for an older leash, whose number was given out again
        self._forget(fd)
        _kill_group(child.pid)

    def _forget(self, fd: int) -> None:
        if self._by_leash.pop(fd, None):
            self._poll.unregister(fd)

    def _reap(self, options: int) -> None:
        while True:
            try:  # first look, so that the group is killed while its number is still taken
                seen = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | options)
            except ChildProcessError:
                return
            if seen is None:
                return
            _kill_group(seen.si_pid)
            pid, status, usage = os.wait4(seen.si_pid, 0)
            child = self._children.pop(pid, None)
            if child is None:
                continue
            self._forget(child.leash.fileno())
            code = os.waitstatus_to_exitcode(status)
            cpu = usage.ru_utime + usage.ru_stime
            _tell(child.leash, {"status": code, "cpu": cpu, "peak": usage.ru_maxrss * 1024})
            child.leash.close()
            if not self._children:
                return


def take(control: socket.socket, longest: int) -> tuple[bytes, list[int]]:
    """Receive a message and descriptors that close at exec.

    (``socket.recv_fds`` of Python 3.11 drops the flag that asks for this.)
    """
    room = socket.CMSG_SPACE(MAX_FDS * _INT)
    message, parts, _, _ = control.recvmsg(longest, room, socket.MSG_CMSG_CLOEXEC)
    packed = b"".join(data for _, kind, data in parts if kind == socket.SCM_RIGHTS)
    numbers = range(0, len(packed) - len(packed) % _INT, _INT)
    return message, [int.from_bytes(packed[k : k + _INT], sys.byteorder) for k in numbers]


def _tell(leash: socket.socket, what: dict[str, Any]) -> None:
    """Answer on a leash, if somebody still holds the other end."""
    with contextlib.suppress(OSError):
        leash.send(json.dumps(what).encode())


def _dropped(leash: socket.socket) -> bool:
    try:
        return not leash.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _spawn(order: dict[str, Any], leash: socket.socket, fds: list[int]) -> int:
    """Fork, and return the child's process id; the child never returns."""
    helper = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(order, leash, fds, helper)
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)  # whichever of the two comes first
    return pid


def _become(
    order: dict[str, Any], leash: socket.socket, fds: list[int], helper: int
) -> NoReturn:
    """Turn this fork into the process that was ordered."""
    what = "start"
    try:
        os.setpgid(0, 0)
        die_with_parent(helper)
        _set_limits(order)
        what = "cwd"
        os.chdir(order["cwd"])
        what = "start"
        if order["confined"]:
            _confine(fds.pop())
        _place(fds)
        signal.set_wakeup_fd(-1)
        for number in (*IGNORED, signal.SIGCHLD, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execve(order["argv"][0], order["argv"], order["env"])
    except OSError as error:
        _tell(leash, {"error": error.errno, "what": what})
    except ValueError:  # what setrlimit raises
        _tell(leash, {"error": errno.EINVAL, "what": what})
    finally:
        os._exit(127)


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when ``parent`` dies, even if it has already."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(127)


def _confine(rules: int) -> None:
    """Keep this process, and all that it becomes and starts, to Landlock's rules."""
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if _libc.syscall(_RESTRICT_SELF, rules, 0):
        raise OSError(ctypes.get_errno(), "Landlock does not take its rules")


def _set_limits(order: dict[str, Any]) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, soft, hard in order["limits"]:
        number = getattr(resource, name)
        ceiling = resource.getrlimit(number)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(number, (soft, hard))
    os.nice(order["nice"])
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123
        score.write("500")  # when memory runs out, the encoder goes before the worker


def _place(fds: list[int]) -> None:
    """Make ``fds`` the descriptors 0, 1, 2, …; all others close at exec."""
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_FD) for fd in fds]
    for number, fd in enumerate(high):
        os.dup2(fd, number, inheritable=True)


def main(control_fd: int, scratch: str) -> None:
    """Serve one worker, then leave nothing behind."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=control_fd) as control:
        control.set_inheritable(False)
        helper = Helper(control)
        try:
            said_goodbye = helper.serve()
        except OSError:
            said_goodbye = False
        helper.kill_all()
    if not said_goodbye:
        import shutil  # noqa: PLC0415  # only a dead worker costs the 10 ms of this import

        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
