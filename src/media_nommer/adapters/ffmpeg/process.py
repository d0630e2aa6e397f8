"""One process that the helper runs, seen from the worker: its pipes, its leash, its end."""

import contextlib
import errno
import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from media_nommer.core.errors import (
    EncodeError,
    EncoderCrashed,
    EncoderLimit,
    EncoderMissing,
    NommerError,
)

Sink = Callable[[bytes], None]
Watch = Callable[[], NommerError | None]

WATCH_EVERY = 0.1
_CHUNK = 64 * 1024
_TIME_TO_DIE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a process may use; None is no limit.

    ``memory`` is bytes of address space, ``file_size`` bytes of any one file it writes.
    """

    memory: int | None = None
    cpu: timedelta | None = None
    file_size: int | None = None
    wall: timedelta | None = None
    open_files: int = 1024
    nice: int = 0

    def rlimits(self) -> list[tuple[str, int, int]]:
        """Return (name, soft, hard) of every resource limit that the kernel is to hold."""
        found = [("RLIMIT_NOFILE", self.open_files, self.open_files)]
        if self.memory is not None:
            found.append(("RLIMIT_AS", self.memory, self.memory))
        if self.file_size is not None:
            found.append(("RLIMIT_FSIZE", self.file_size, self.file_size))
        if self.cpu is not None:
            seconds = max(1, round(self.cpu.total_seconds()))
            found.append(("RLIMIT_CPU", seconds, seconds + 5))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a process ended and what it used.

    ``code`` is its exit status, or minus the number of the signal that killed it;
    ``peak_memory`` is bytes of resident memory.
    """

    code: int
    cpu_seconds: float
    wall_seconds: float
    peak_memory: int

    @property
    def killed_by(self) -> signal.Signals | None:
        """The signal that killed it, if one did."""
        return signal.Signals(-self.code) if self.code < 0 else None


class Process:
    """A process that lives at most as long as this context manager is held.

    One thread at a time may use it.
    """

    def __init__(
        self, program: str, leash: socket.socket, stdout: int | None, stderr: int | None
    ) -> None:
        self._program = program
        self._leash = leash
        self._leash.setblocking(False)
        self._pipes = [fd for fd in (stdout, stderr) if fd is not None]
        self._stdout, self._stderr = stdout, stderr
        self._started = time.monotonic()
        self._exit: Exit | None = None
        self._refusal: NommerError | None = None
        self.pid: int | None = None

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(
        self,
        *,
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
        watch: Watch | None = None,
        wall: timedelta | None = None,
    ) -> Exit:
        """Hand on what the process prints, and return how it ended.

        ``watch`` is asked ten times a second; the error that it returns is raised once the
        process and all that it started are dead.

        Raises:
            EncoderMissing: the program could not be run.
            EncoderLimit: it took longer than ``wall``.
            EncoderCrashed: the helper died, and this process with it.
        """
        sinks = {self._stdout: on_stdout, self._stderr: on_stderr}
        deadline = None if wall is None else self._started + wall.total_seconds()
        with selectors.DefaultSelector() as selector:
            for fd in self._pipes:
                selector.register(fd, selectors.EVENT_READ, sinks.get(fd))
            selector.register(self._leash, selectors.EVENT_READ)
            next_look = self._started
            while self._exit is None:
                for key, _ in selector.select(WATCH_EVERY):
                    if key.fileobj is self._leash:
                        self._listen()
                    elif not _read(key.fd, key.data):
                        selector.unregister(key.fd)
                now = time.monotonic()
                if self._exit is not None or now < next_look:
                    continue
                next_look = now + WATCH_EVERY
                if error := _why_stop(self._program, now, deadline, watch):
                    self.kill()
                    raise error
        for fd in self._pipes:
            while _read(fd, sinks.get(fd)):
                pass
        if self._refusal is not None:
            raise self._refusal
        return self._exit

    def kill(self) -> None:
        """Kill the whole process group, and return when it is dead.

        A process that the kernel cannot kill at once (a hung disk) is left behind after ten
        seconds: it dies when it can.
        """
        if self._exit is not None:
            return
        with contextlib.suppress(OSError):
            self._leash.shutdown(socket.SHUT_WR)
        give_up = time.monotonic() + _TIME_TO_DIE
        with selectors.DefaultSelector() as selector, contextlib.suppress(NommerError):
            selector.register(self._leash, selectors.EVENT_READ)
            while self._exit is None and (left := give_up - time.monotonic()) > 0:
                if selector.select(left):
                    self._listen()

    def close(self) -> None:
        """Kill what still runs and close every descriptor; closing twice is harmless."""
        if self._leash.fileno() != -1:
            self.kill()
        self._leash.close()
        for fd in self._pipes:
            os.close(fd)
        self._pipes.clear()

    def _listen(self) -> None:
        """Take one message from the helper."""
        try:
            message = self._leash.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if not message:
            self._lost()
        said: dict[str, Any] = json.loads(message)
        if "pid" in said:
            self.pid = said["pid"]
        elif "error" in said:
            self._refusal = _refusal(self._program, said["what"], said["error"])
            if said["what"] == "fork":
                self._exit = self._ended(127, 0.0, 0)
        else:
            self._exit = self._ended(said["status"], said["cpu"], said["peak"])

    def _ended(self, code: int, cpu: float, peak: int) -> Exit:
        wall = time.monotonic() - self._started
        return Exit(code=code, cpu_seconds=cpu, wall_seconds=wall, peak_memory=peak)

    def _lost(self) -> None:
        """Bury a process whose helper died: the kernel killed it, we kill its children."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._exit = self._ended(-signal.SIGKILL, 0.0, 0)
        raise EncoderCrashed(
            f"{self._program} died together with the process that looks after it"
        )


def _why_stop(
    program: str, now: float, deadline: float | None, watch: Watch | None
) -> NommerError | None:
    if deadline is not None and now > deadline:
        return EncoderLimit(f"{program} took longer than it may")
    return watch() if watch else None


def _read(fd: int, sink: Sink | None) -> bool:
    """Pass on one chunk; return whether there may be more."""
    try:
        chunk = os.read(fd, _CHUNK)
    except BlockingIOError:
        return False
    if chunk and sink:
        sink(chunk)
    return bool(chunk)


def _refusal(program: str, what: str, number: int) -> NommerError:
    """Say why a process could not be started."""
    reason = os.strerror(number)
    if what == "cwd":
        return EncodeError(f"{program} could not enter its scratch folder: {reason}")
    if number in {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}:
        return EncoderCrashed(f"the machine could not start {program}: {reason}")
    if number == errno.E2BIG:
        return EncodeError(f"the command line for {program} is too long")
    return EncoderMissing(f"{program} cannot be run: {reason}")
