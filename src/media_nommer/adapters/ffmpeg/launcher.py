"""The one way in which a process that touches media is started."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from media_nommer.adapters.ffmpeg.landlock import landlock_version, rules_for
from media_nommer.adapters.ffmpeg.launcher_child import MAX_ORDER
from media_nommer.adapters.ffmpeg.process import Exit, Limits, Process, Sink, Watch
from media_nommer.core.errors import (
    EncodeError,
    EncoderCrashed,
    HandedBack,
    InvalidSetting,
)

NO_LIMITS = Limits()
_HELPER = Path(__file__).with_name("launcher_child.py")
_TIME_TO_LEAVE = 15.0


class Launcher:
    """Starts processes through a small helper, so that none outlives this one.

    The helper is their parent: it is started at the first launch, is not reached by a
    terminal's Ctrl-C, and learns of this process's death, however sudden, from a closed
    socket. It then kills every process group and removes ``scratch_root``, which therefore
    must belong to this launcher alone. When the helper dies, its processes do too, the runs
    that waited for them fail with a retryable error, and the next launch starts another.

    Methods may be called from any thread. ``close`` leaves ``scratch_root`` as it is.

    Raises:
        InvalidSetting: ``scratch_root`` already holds something, which would be lost.
    """

    def __init__(self, scratch_root: Path) -> None:
        scratch_root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if next(scratch_root.iterdir(), None) is not None:
            raise InvalidSetting(
                f"the scratch folder {scratch_root} is not empty",
                advice="Give a new folder: all in it is deleted if the worker is killed.",
            )
        self.scratch_root = scratch_root.resolve()
        self._lock = threading.Lock()
        self._helper: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def helper_pid(self) -> int | None:
        """The process id of the helper, None until something was launched."""
        return self._helper.pid if self._helper else None

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        limits: Limits = NO_LIMITS,
        stdin: int | None = None,
        sees: Sequence[Path] | None = None,
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
        watch: Watch | None = None,
    ) -> Exit:
        """Run a program to its end, whatever its exit status, and return how it ended.

        The sinks get what it prints in chunks as they come, on this thread. ``watch`` is
        asked ten times a second whether to stop: the error it returns is raised as soon as
        the process and all that it started are dead. ``sees`` is as for ``start``.

        Raises:
            EncoderMissing: the program cannot be run.
            EncoderLimit: it took longer than ``limits.wall``.
            EncoderCrashed: the helper died, and the process with it.
            HandedBack: the launcher was closed meanwhile.
        """
        with self.start(
            argv, cwd=cwd, limits=limits, stdin=stdin, sees=sees, pipes=True
        ) as process:
            ended = process.wait(
                on_stdout=on_stdout, on_stderr=on_stderr, watch=watch, wall=limits.wall
            )
        if self._closed and ended.code:
            raise HandedBack(f"{Path(argv[0]).name} was stopped: the worker is leaving")
        return ended

    def start(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        limits: Limits = NO_LIMITS,
        stdin: int | None = None,
        sees: Sequence[Path] | None = None,
        pipes: bool = False,
        inherit: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a program and return at once; it lives as long as the result is held.

        ``inherit`` become its descriptors 3, 4, …. Nothing of this process's environment is
        passed on. ``limits.wall`` is kept by ``Process.wait``. Where the kernel can, it
        changes files in ``cwd`` alone, and reads those, what they link to, what every
        program needs and ``sees``; None for all that this process may.

        Raises:
            EncodeError: the command line is too long.
            HandedBack: the launcher is closed.
        """
        confined = sees is not None and landlock_version() > 0
        order = _order(argv, cwd, limits, env or {}, confined=confined)
        rules = [rules_for(cwd, sees)] if confined and sees is not None else []
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        read_ends: list[int] = []
        outs = [null, null]
        if pipes:
            pairs = [os.pipe(), os.pipe()]
            read_ends = [read for read, _ in pairs]
            outs = [write for _, write in pairs]
        given = [theirs.fileno(), null if stdin is None else stdin, *outs, *inherit]
        given += rules
        try:
            self._send(order, given)
        except BaseException:
            ours.close()
            _close_all(read_ends)
            raise
        finally:
            theirs.close()
            _close_all({null, *outs, *rules})
        for fd in read_ends:
            os.set_blocking(fd, False)
        return Process(Path(argv[0]).name, ours, *(read_ends or (None, None)))

    def close(self) -> None:
        """Kill everything that runs and end the helper; closing twice is harmless."""
        with self._lock:
            self._closed = True
            if self._control is not None:
                with contextlib.suppress(OSError):  # it may be dead already
                    self._control.send(b'{"bye": true}')
            self._bury(patience=_TIME_TO_LEAVE)

    def _send(self, order: bytes, fds: Sequence[int]) -> None:
        with self._lock:
            if self._closed:
                raise HandedBack("nothing is started any more: the worker is leaving")
            for _ in range(2):
                control = self._control or self._start_helper()
                try:
                    socket.send_fds(control, [order], fds)
                except (BrokenPipeError, ConnectionError):
                    self._bury(patience=0.0)
                else:
                    return
        raise EncoderCrashed("the process that starts encoders keeps dying")

    def _start_helper(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            fd = theirs.fileno()
            command = [sys.executable, "-I", "-S", str(_HELPER), str(fd)]
            self._helper = subprocess.Popen(  # lives until close
                [*command, str(self.scratch_root)],
                pass_fds=(fd,),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env={"LC_ALL": "C.UTF-8"},
            )
        self._control = ours
        return ours

    def _bury(self, patience: float) -> None:
        """Wait for the helper's end, hasten it, and forget it."""
        helper, self._helper = self._helper, None
        control, self._control = self._control, None
        if helper is not None:
            try:
                helper.wait(patience)
            except subprocess.TimeoutExpired:
                helper.kill()
                helper.wait()
        if control is not None:
            control.close()


def _order(
    argv: Sequence[str],
    cwd: Path,
    limits: Limits,
    env: Mapping[str, str],
    *,
    confined: bool,
) -> bytes:
    home = str(cwd)
    clean = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": home, "TMPDIR": home}
    order = {
        "argv": list(argv),
        "cwd": home,
        "env": clean | dict(env),
        "limits": limits.rlimits(),
        "nice": limits.nice,
        "confined": confined,
    }
    packed = json.dumps(order).encode()
    if len(packed) > MAX_ORDER:
        raise EncodeError(f"the command line for {Path(argv[0]).name} is too long")
    return packed


def _close_all(fds: Sequence[int] | set[int]) -> None:
    for fd in fds:
        os.close(fd)
