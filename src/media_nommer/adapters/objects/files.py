"""Files of this machine, or of a file system that is mounted on it, at ``file://``."""

import errno
import os
import stat as modes
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from typing_extensions import override

from media_nommer.adapters.objects import copying
from media_nommer.adapters.objects.paths import (
    file_url,
    inside,
    path_of,
    real_path,
)
from media_nommer.core.disk import disk_errors
from media_nommer.core.errors import (
    OutputChanged,
    OutputExists,
    PathNotAllowed,
    SourceNotFound,
)
from media_nommer.core.ports.storage import (
    PLAIN,
    StopCheck,
    Storage,
    StoredObject,
    Traits,
    never_stop,
)

_NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR}


class FileStorage(Storage):
    """Puts files in one step by link or rename, and reads them where they are.

    Only what lies below ``roots``, its links followed, may be read or written; None allows
    everything. Below ``own`` are folders whose files nobody writes to once they are there
    (the work area): a copy of such a file is a second link to it where that can be.
    """

    def __init__(
        self, roots: Sequence[Path] | None = None, *, own: Sequence[Path] = ()
    ) -> None:
        self._roots = None if roots is None else tuple(map(real_path, roots))
        self._own = tuple(map(real_path, own))

    @override
    def check(self, url: str, *, to_write: bool = False) -> None:
        """Check that a URL is that of a file which may be touched."""
        self._path(url)

    @override
    def stat(self, url: str) -> StoredObject | None:
        """Return what stands at ``url``, None for nothing; a folder is nothing."""
        with disk_errors(url):
            return _seen(self._path(url))

    @override
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        """Make ``path`` a link to the file."""
        source = self._source(url)
        with disk_errors(str(path)):
            path.symlink_to(source)

    @override
    def put(
        self,
        path: Path,
        url: str,
        *,
        before: str | None = None,
        sha256: str | None = None,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> StoredObject:
        """Put a file at ``url``, by a second link to it where that can be."""
        target = self._path(url)
        ours = not path.is_symlink() or inside(real_path(path), self._own)
        return self._put(real_path(path), target, url, before, stop, may_link=ours)

    @override
    def is_near(self, url: str) -> bool:
        """Return True."""
        return True

    @override
    def copy(
        self,
        source: str,
        url: str,
        *,
        before: str | None = None,
        sha256: str | None = None,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> StoredObject:
        """Put the bytes that stand at ``source`` at ``url``, as ``put`` would."""
        target, path = self._path(url), self._source(source)
        ours = inside(path, self._own)
        return self._put(path, target, url, before, stop, may_link=ours)

    @override
    def holds(self, url: str, *, size: int, sha256: str) -> bool:
        """Return whether exactly these bytes stand at ``url``."""
        path = self._path(url)
        with disk_errors(url):
            seen = _seen(path)
            if seen is None or seen.size != size:
                return False
            return copying.sha256_of(path) == sha256

    @override
    def read(self, url: str) -> bytes:
        """Return a file whole."""
        source = self._source(url)
        with disk_errors(url):
            return source.read_bytes()

    @override
    def sweep(self, prefix: str, older_than: timedelta) -> int:
        """Remove the hidden files below a folder that nobody has written to for long."""
        folder = self._path(prefix)
        before, removed = time.time() - older_than.total_seconds(), 0
        with disk_errors(prefix):
            for path in folder.rglob(".*.part"):
                with suppress(FileNotFoundError):
                    if copying.is_part(path.name) and path.lstat().st_mtime < before:
                        path.unlink()
                        removed += 1
        return removed

    @override
    def drop_unfinished(
        self, urls: Sequence[str], *, since: datetime, until: datetime
    ) -> int:
        """Remove the hidden files beside these that nobody writes to any more."""
        removed = 0
        for url in urls:
            target = self._path(url)
            with disk_errors(url), suppress(FileNotFoundError, NotADirectoryError):
                removed += copying.sweep_parts(target)
        return removed

    @override
    def link(self, url: str, lasting: timedelta) -> str | None:
        """Return None: nobody outside can be let in."""
        return None

    @override
    def delete(self, url: str) -> None:
        """Remove a file, or a link to one; nothing happens where nothing is."""
        path = self._entry(url)
        with disk_errors(url):
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return

    @override
    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the URLs of all files below a folder, sorted."""
        folder = path_of(prefix)
        self._path(prefix)
        with disk_errors(prefix):
            found = [
                Path(parent, name)
                for parent, _, names in os.walk(folder, onerror=_tell)
                for name in names
                if not copying.is_part(name)
            ]
            return tuple(sorted(file_url(path) for path in found if path.is_file()))

    @override
    def delete_below(self, prefix: str) -> None:
        """Remove a folder and all that is below it; links go, not what they lead to."""
        folder = self._entry(prefix)
        with disk_errors(prefix):
            if folder.is_symlink():
                folder.unlink()
                return
            for parent, folders, files in os.walk(folder, topdown=False, onerror=_tell):
                for name in files:
                    Path(parent, name).unlink(missing_ok=True)
                for name in folders:
                    _remove_folder(Path(parent, name))
            _remove_folder(folder)

    def _path(self, url: str) -> Path:
        """Return the path that ``url`` names, its links followed, if it may be used."""
        return self._allowed(path_of(url))

    def _entry(self, url: str) -> Path:
        """Return the path that ``url`` names, its own link not followed."""
        path = path_of(url)
        return self._allowed(path.parent) / path.name

    def _allowed(self, path: Path) -> Path:
        real = real_path(path)
        if self._roots is not None and not inside(real, self._roots):
            raise PathNotAllowed(f"{path} is not below a folder that may be used")
        return real

    def _source(self, url: str) -> Path:
        path = self._path(url)
        with disk_errors(url):
            if not path.is_file():
                raise SourceNotFound(f"there is no file at {url}")
        return path

    def _put(
        self,
        source: Path,
        target: Path,
        url: str,
        before: str | None,
        stop: StopCheck,
        *,
        may_link: bool,
    ) -> StoredObject:
        with disk_errors(url):
            _expect(target, url, before)
            copying.make_folder(target.parent)
            if may_link and _is_ours(source):
                with copying.linked(source, target) as part:
                    if part is not None:
                        copying.sync_file(part)
                        return _publish(part, target, url, before, stop)
            with copying.copied(source, target, stop) as part:
                return _publish(part, target, url, before, stop)


def _publish(
    part: Path, target: Path, url: str, before: str | None, stop: StopCheck
) -> StoredObject:
    """Give a whole file its place: the step that readers see."""
    stored = _stored(part.stat())
    if before is None:
        copying.go_on(stop)
        try:
            copying.appear(part, target)
        except FileExistsError as error:
            raise OutputExists(f"something stands at {url} already") from error
    else:
        _expect(target, url, before)
        copying.go_on(stop)
        try:
            swapped = copying.replace(part, target, lambda old: _is_version(old, before))
        except FileNotFoundError:
            swapped = False
        if not swapped:
            raise OutputChanged(f"{url} was changed by somebody else meanwhile")
    copying.sync_folder(target.parent)
    return stored


def _expect(target: Path, url: str, before: str | None) -> None:
    if before is None and os.path.lexists(target):
        raise OutputExists(f"something stands at {url} already")
    seen = None if before is None else _seen(target)
    if before is not None and (seen is None or seen.version != before):
        raise OutputChanged(f"{url} was changed by somebody else meanwhile")


def _is_version(path: Path, version: str) -> bool:
    seen = _seen(path)
    return seen is not None and seen.version == version


def _seen(path: Path) -> StoredObject | None:
    try:
        status = path.stat()
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return None
        raise
    return _stored(status) if modes.S_ISREG(status.st_mode) else None


def _stored(status: os.stat_result) -> StoredObject:
    version = f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"
    return StoredObject(size=status.st_size, version=version)


def _is_ours(path: Path) -> bool:
    status = path.stat()
    return modes.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()


def _tell(error: OSError) -> None:
    """Raise what ``os.walk`` met; without it a folder that we may not read seems empty."""
    if error.errno not in _NOTHING_THERE:
        raise error


def _remove_folder(path: Path) -> None:
    """Remove an empty folder, or a link; one that somebody has put into stays."""
    try:
        if path.is_symlink():
            path.unlink()
        else:
            path.rmdir()
    except OSError as error:
        if error.errno not in {*_NOTHING_THERE, errno.ENOTEMPTY, errno.EEXIST}:
            raise
