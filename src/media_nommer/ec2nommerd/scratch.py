"""Scratch space: one folder an attempt, gone afterwards whatever happens."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from media_nommer.core.errors import NoSpace, StorageError

_TRIES = 20


class Scratch:
    """The scratch folder of one worker, below a root that several workers may share.

    The owner holds a lock on its folder for as long as it lives; a folder whose lock can be
    had belonged to a worker that died, and is removed by the next one that comes by.
    """

    def __init__(self, root: Path, owner: str) -> None:
        self.folder = root / owner
        self._root = root
        self._lock: int | None = None

    def __enter__(self) -> Self:
        while self._lock is None:
            _make(self.folder)
            self._lock = _locked(self.folder)
        remove_stale(self._root)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        with suppress(OSError):
            self._root.rmdir()

    @contextmanager
    def attempt(self, name: str) -> Iterator[Path]:
        """Give an empty folder for one attempt, and remove it with all that is in it.

        Raises:
            NoSpace: the disk has no room for it.
            StorageError: it cannot be made for another reason.
        """
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise _no_folder(folder, error) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def check_room(self, needed: int) -> None:
        """Check that ``needed`` bytes are free before work begins.

        Raises:
            NoSpace: they are not.
        """
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise NoSpace(
                f"this needs about {_megabytes(needed)} of scratch space, and "
                f"only {_megabytes(free)} are free in {self._root}"
            )


def remove_stale(root: Path) -> int:
    """Remove the folders of workers that died; return how many there were."""
    removed = 0
    for folder in root.iterdir():
        lock = _locked(folder) if folder.is_dir() else None
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
            removed += 1
    return removed


def _make(folder: Path) -> None:
    """Make a folder, which others may take for a dead one's and remove meanwhile."""
    for _ in range(_TRIES):
        with suppress(FileExistsError, FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _locked(folder: Path) -> int | None:
    """Return a handle that holds the lock on a folder, None if it cannot be had.

    A folder that was removed before we had its lock is not the one at its path any more.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), folder.stat()):
            return handle
    except OSError:
        pass  # somebody lives in it, or it is gone
    os.close(handle)
    return None


def _no_folder(folder: Path, error: OSError) -> StorageError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    kind = NoSpace if full else StorageError
    return kind(f"the scratch folder {folder} cannot be made: {error.strerror}")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
