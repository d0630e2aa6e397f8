"""Making a whole file appear in a folder in one step, whatever happens meanwhile."""

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from media_nommer.core.ports.storage import StopCheck

#: How many bytes are copied between two looks at ``stop``: 16 MiB.
PIECE = 16 << 20

_PART = re.compile(r"\..+\.[0-9a-f]{16}\.part", re.DOTALL)
#: What a file system answers that cannot do what is asked, rather than will not.
_CANNOT = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
_CANNOT_COPY = {*_CANNOT, errno.EINVAL, errno.EBADF, errno.EIO, errno.ETXTBSY}
_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2

#: Seconds to wait for a folder's lock, where one is needed at all.
LOCK_PATIENCE = 10.0


def is_part(name: str) -> bool:
    """Return whether a file of this name is one of ours that is not whole yet."""
    return _PART.fullmatch(name) is not None


def go_on(stop: StopCheck) -> None:
    """Raise what ``stop`` answers, if it does."""
    reason = stop()
    if reason is not None:
        raise reason


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they outlast a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk."""
    with _opened(folder) as handle:
        os.fsync(handle)


def sync_file(path: Path) -> None:
    """Put the bytes of a file on the disk."""
    with _opened(path) as handle:
        os.fsync(handle)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the one lock that a folder has; nothing of it is left in the folder.

    Only for file systems whose rename can neither refuse nor exchange: a process that is
    stopped while it holds the lock holds up the others.

    Raises:
        TimeoutError: somebody else held it for too long.
    """
    end = time.monotonic() + LOCK_PATIENCE
    with _opened(folder) as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise TimeoutError(
                        errno.ETIMEDOUT, "another process holds its lock", str(folder)
                    ) from None
                time.sleep(0.01)
            except OSError:
                break  # it cannot be locked: the check of a version must do
            else:
                break
        yield


@contextmanager
def copied(source: Path, target: Path, stop: StopCheck) -> Iterator[Path]:
    """Copy a file to a hidden name beside ``target``, which is gone in the end.

    The copy is locked while it is there, so one that is not locked was left by a process
    that was killed: whoever puts a file of the same name next removes it.
    """
    part, handle = _new_part(target)
    try:
        with _opened(source) as reader:
            _copy(reader, handle, stop)
        os.fsync(handle)
        yield part
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        os.close(handle)


@contextmanager
def linked(source: Path, target: Path) -> Iterator[Path | None]:
    """Give a file a second, hidden name beside ``target``; None where that cannot be."""
    part = _part_name(target)
    try:
        part.hardlink_to(source)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        yield None
        return
    try:
        yield part
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def appear(part: Path, target: Path) -> None:
    """Give a whole file its final name, unless something has it.

    Raises:
        FileExistsError: something has it.
    """
    try:
        os.link(part, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        _rename_without_replacing(part, target)


def replace(part: Path, target: Path, expected: Callable[[Path], bool]) -> bool:
    """Put a whole file in the place of what stands at ``target``, in one step.

    ``expected`` is asked about what stood there, once it is out of the way: where it says
    no, everything is put back as it was. Return whether the file is in its place.

    Raises:
        FileNotFoundError: nothing stands at ``target``.
    """
    try:
        _rename(part, target, _RENAME_EXCHANGE)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOSYS}:
            raise
        return _replace_locked(part, target, expected)
    if expected(part):
        return True
    _rename(part, target, _RENAME_EXCHANGE)
    return False


def _replace_locked(part: Path, target: Path, expected: Callable[[Path], bool]) -> bool:
    with locked(target.parent):
        if not expected(target):
            return False
        part.replace(target)
        return True


def sweep_parts(target: Path) -> int:
    """Remove the parts of this target that were left behind; return how many.

    Those that somebody writes to are locked, and stay.
    """
    start, removed = f".{_tag(target)}.", 0
    length = len(_part_name(target).name)
    for entry in os.scandir(target.parent):
        named_so = entry.name.startswith(start) and len(entry.name) == length
        if named_so and is_part(entry.name):
            with contextlib.suppress(OSError), _opened(Path(entry.path)) as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                Path(entry.path).unlink()
                removed += 1
    return removed


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _part_name(target: Path) -> Path:
    return target.with_name(f".{_tag(target)}.{secrets.token_hex(8)}.part")


def _tag(target: Path) -> str:
    """Return the file's name, or what stands for it where it leaves no room for more."""
    name = target.name
    if len(os.fsencode(name)) <= 200:
        return name
    return hashlib.sha256(os.fsencode(name)).hexdigest()


def _new_part(target: Path) -> tuple[Path, int]:
    """Make a part and lock it; one that a sweeper took before that is made anew."""
    sweep_parts(target)
    while True:
        part = _part_name(target)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), part.stat()):
                return part, handle
        os.close(handle)


def _copy(reader: int, writer: int, stop: StopCheck) -> None:
    go_on(stop)
    copy: Callable[[int, int, int], int] = os.copy_file_range
    while True:
        try:
            count = copy(reader, writer, PIECE)
        except OSError as error:
            if copy is _send or error.errno not in _CANNOT_COPY:
                raise
            copy = _send
            continue
        if not count:
            return
        go_on(stop)


def _send(reader: int, writer: int, count: int) -> int:
    return os.sendfile(writer, reader, None, count)


def _rename_without_replacing(part: Path, target: Path) -> None:
    """Rename where links cannot be had; the lock serves where that flag is not known."""
    try:
        _rename(part, target, _RENAME_NOREPLACE)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOSYS}:
            raise
    else:
        return
    with locked(target.parent):
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        part.rename(target)


def _rename(old: Path, new: Path, flags: int) -> None:
    """Rename as renameat2(2) does, which Python does not offer."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(new))
    if rename(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(new))


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)
