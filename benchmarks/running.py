"""Running a command, with a clock and a CPU meter from its first instruction on."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

from benchmarks.figures import Sample
from benchmarks.meter import Meter

#: The command waits here until it is metered.
_GATE = ("/bin/sh", "-c", 'read -r _ && exec "$@" </dev/null', "sh")


class CommandFailed(Exception):
    """A command that is being measured did not do its work."""


class Running:
    """A command that runs; what is left of it and its children dies with the context."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        self._argv = argv
        self._process = subprocess.Popen(
            [*_GATE, *argv],
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C is for us, who then stop it in good order
        )
        self.pid = self._process.pid
        self.meter = Meter(self.pid)
        self.begun = time.perf_counter()
        assert self._process.stdin is not None, "it is a pipe"
        with self._process.stdin as gate:
            gate.write(b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            self.kill()
        self.meter.close()

    @property
    def alive(self) -> bool:
        """Whether it still runs; its end is left for ``wait`` to find."""
        if self._process.returncode is not None:
            return False
        looking = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, looking) is None

    def family(self) -> list[psutil.Process]:
        """Return the process and all that descend from it."""
        try:
            top = psutil.Process(self.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def wait(self, timeout: float) -> Sample:
        """Wait for its end and return what it took.

        Raises:
            CommandFailed: its exit status is not 0, or it took too long.
        """
        handle = os.pidfd_open(self.pid)
        try:
            ended, _, _ = select.select([handle], [], [], timeout)
            wall = time.perf_counter() - self.begun
        finally:
            os.close(handle)
        if not ended:
            raise CommandFailed(f"{self._argv[0]} took longer than {timeout:g} seconds")
        # Read before it is buried: /proc still has what its children used.
        cpu = self.meter.read()
        if self._process.wait():
            status = self._process.returncode
            raise CommandFailed(f"{' '.join(self._argv)}: exit status {status}")
        return Sample(wall, cpu)

    def stop(self, timeout: float) -> None:
        """Ask it to end, as Ctrl-C does, and wait; what does not end in time is killed."""
        family = self.family()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        _, left = psutil.wait_procs(family[1:], timeout=5)
        _kill(left)

    def kill(self) -> None:
        """Kill it and all that descend from it."""
        _kill(self.family())
        self._process.wait()


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 600,
) -> Sample:
    """Run a command to its end, what it prints thrown away, and return what it took.

    Raises:
        CommandFailed: its exit status is not 0, or it took too long.
    """
    with Running(argv, cwd=cwd, env=env) as running:
        return running.wait(timeout)


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=5)
