"""The probe port on PyAV, which runs in forks of a server process and never in this one."""

import errno
import json
import os
import select
import socket
import stat
import sys
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter
from typing_extensions import override

from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.adapters.ffmpeg.process import Process
from media_nommer.core.errors import (
    AccessDenied,
    EmptySource,
    EncoderCrashed,
    MediaError,
    NoStreams,
    NotMedia,
    ReaderTimeout,
    SourceNotFound,
    TruncatedMedia,
)
from media_nommer.core.fragments import FragmentedFile
from media_nommer.core.media import Media
from media_nommer.core.ports.probe import Probe, StreamCount

_SERVER = Path(__file__).with_name("probe_child.py")
_PYTHON = (sys.prefix, sys.base_prefix, sys.exec_prefix)
_GRACE = 5.0
_TRIES = 3
_STARVED = 10  # times as long as a reader computes, it may take on a machine that is busy
_MEDIA = TypeAdapter(Media)
_FRAGMENTED = TypeAdapter(FragmentedFile)
_COUNTS = TypeAdapter(tuple[StreamCount, ...])
_ERRORS: dict[str, type[MediaError]] = {
    kind.code: kind for kind in (NotMedia, NoStreams, TruncatedMedia)
}


class AvProbe(Probe):
    """Inspects files through a server process that the launcher starts when first asked.

    The server leaves after a minute without work; the next request starts another. What
    kills a fork is tried once more (memory may have been short), and only then is the file
    blamed. ``memory`` is bytes of address space. ``cpu`` is how long a look may compute,
    and ``count_cpu`` a walk over every packet; either may take longer, up to ``wall``, so
    that no file is blamed for a machine that is busy. Any thread may call.
    """

    def __init__(
        self,
        launcher: Launcher,
        *,
        cpu: timedelta = timedelta(seconds=30),
        count_cpu: timedelta = timedelta(minutes=10),
        wall: timedelta | None = None,
        memory: int = 2 * 1024**3,
    ) -> None:
        self._launcher = launcher
        self._cpu = {"inspect": cpu, "count": count_cpu, "fragments": count_cpu}
        self._cpu["so_far"] = cpu
        self._wall = wall
        self._memory = memory
        self._lock = threading.Lock()
        self._server: Process | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @override
    def inspect(self, path: Path, *, called: str | None = None) -> Media:
        return _MEDIA.validate_python(self._ask("inspect", path, called or path.name))

    @override
    def count(self, path: Path) -> tuple[StreamCount, ...]:
        return _COUNTS.validate_python(self._ask("count", path, path.name))

    @override
    def fragments(self, path: Path) -> FragmentedFile:
        return _FRAGMENTED.validate_python(self._ask("fragments", path, path.name))

    @override
    def fragments_so_far(self, path: Path, *, after: int = 0) -> FragmentedFile | None:
        found = self._ask("so_far", path, path.name, after=after)
        return None if found is None else _FRAGMENTED.validate_python(found)

    def close(self) -> None:
        """End the server and whatever it reads; closing twice is harmless."""
        with self._lock:
            self._drop_server()

    def _ask(self, verb: str, path: Path, name: str, **said: int) -> Any:
        """Return what a fork found.

        Raises:
            MediaError: it found something wrong, or the file killed it twice.
            ReaderTimeout: it took too long.
            EncoderCrashed: the server kept dying, whatever it was asked.
        """
        cpu = self._cpu[verb].total_seconds()
        wall = cpu * _STARVED if self._wall is None else self._wall.total_seconds()
        limits = {"wall": wall, "cpu": cpu}
        crashes = 0
        for _ in range(_TRIES):
            answer, alive, took = self._try(verb, path, name, limits, said)
            if answer is not None:
                return _unpack(answer)
            if took >= wall:
                raise ReaderTimeout(f"{name} could not be read within {wall:g} seconds")
            crashes += alive
            if crashes == 2 and took >= cpu:
                raise NotMedia(
                    f"{name} takes more than {cpu:g} seconds of computing to read"
                )
            if crashes == 2:
                raise NotMedia(f"{name} is damaged: the file crashed the reader")
        raise EncoderCrashed(f"the process that reads media died while it read {name}")

    def _try(
        self,
        verb: str,
        path: Path,
        name: str,
        limits: Mapping[str, float],
        said: Mapping[str, int],
    ) -> tuple[bytes | None, bool, float]:
        """Return the answer if there was one, whether the server lives, and the seconds."""
        request = {"verb": verb, "name": name, **limits, "memory": self._memory, **said}
        wall = limits["wall"]
        media = _open(path, name)
        read_end, write_end = os.pipe()
        try:
            begun = time.monotonic()
            try:
                control = self._send(json.dumps(request).encode(), [media, write_end])
            finally:
                os.close(media)
                os.close(write_end)
            answer = _read_all(read_end, begun + wall + _GRACE)
            took = time.monotonic() - begun
            if took >= wall + _GRACE:
                self.close()  # its alarm did not ring: trust nothing of it
            return answer, _alive(control), took
        finally:
            os.close(read_end)

    def _send(self, request: bytes, fds: list[int]) -> socket.socket:
        with self._lock:
            for _ in range(_TRIES):
                control = self._control or self._start_server()
                try:
                    socket.send_fds(control, [request], fds)
                except (BrokenPipeError, ConnectionError):
                    self._drop_server()
                else:
                    return control
        raise EncoderCrashed("the process that reads media does not stay alive")

    def _start_server(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._server = self._launcher.start(
                    [sys.executable, "-I", "-S", str(_SERVER), json.dumps(_module_path())],
                    cwd=self._launcher.scratch_root,
                    sees=[Path(entry) for entry in (*_PYTHON, *_module_path())],
                    inherit=[theirs.fileno()],
                )
            except BaseException:
                ours.close()
                raise
        self._control = ours
        return ours

    def _drop_server(self) -> None:
        control, self._control = self._control, None
        server, self._server = self._server, None
        if control is not None:
            control.close()
        if server is not None:
            server.close()


def _open(path: Path, name: str) -> int:
    """Open a plain file that has content, whatever its name looks like.

    Raises:
        SourceNotFound: nothing is there.
        AccessDenied: we may not read it.
        NotMedia: it is a folder, a pipe or a device.
        EmptySource: it has no bytes.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceNotFound(f"there is no file {path}") from error
    except PermissionError as error:
        raise AccessDenied(f"{name} may not be read") from error
    except OSError as error:
        what = (
            NotMedia if error.errno in {errno.ENXIO, errno.ENAMETOOLONG} else AccessDenied
        )
        raise what(f"{name} cannot be opened: {error.strerror}.") from error
    kind = os.fstat(fd)
    if stat.S_ISREG(kind.st_mode) and kind.st_size:
        return fd
    os.close(fd)
    if stat.S_ISREG(kind.st_mode):
        raise EmptySource(f"{name} is empty")
    what_it_is = "a folder" if stat.S_ISDIR(kind.st_mode) else "not a plain file"
    raise NotMedia(f"{name} is {what_it_is}")


def _read_all(fd: int, deadline: float) -> bytes | None:
    """Read to the end; None if that does not come in time or nothing was said."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    parts: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0:
        if not poll.poll(left * 1000):
            break
        if not (part := os.read(fd, 65536)):
            return b"".join(parts) or None
        parts.append(part)
    return None


def _alive(control: socket.socket) -> bool:
    try:
        return bool(control.recv(1, socket.MSG_DONTWAIT))
    except BlockingIOError:
        return True
    except OSError:
        return False


def _unpack(answer: bytes) -> Any:
    said = json.loads(answer)
    if "error" not in said:
        return said["found"]
    kind = _ERRORS.get(said["error"], NotMedia)
    raise kind(said["message"], advice=said["advice"] or None)


def _module_path() -> list[str]:
    return [str(Path(entry).resolve()) for entry in sys.path if entry]
