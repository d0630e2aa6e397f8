"""Objects in the memory of one process, at ``memory://bucket/key``."""

import hashlib
import itertools
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from typing_extensions import override

from media_nommer.core.errors import (
    OutputChanged,
    OutputExists,
    SourceNotFound,
    StorageError,
    UnsupportedUrl,
)
from media_nommer.core.ports.storage import (
    PLAIN,
    StopCheck,
    Storage,
    StoredObject,
    Traits,
    never_stop,
)

_SCHEME = "memory://"
#: How much of a copy is made between two looks at ``stop``: 1 MiB.
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Object:
    data: bytes
    version: str

    @property
    def seen(self) -> StoredObject:
        return StoredObject(size=len(self.data), version=self.version)


class MemoryStorage(Storage):
    """Holds whole objects as bytes; a key is what follows the bucket, taken as it is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions = itertools.count(1)
        self._objects: dict[str, _Object] = {}

    @override
    def check(self, url: str, *, to_write: bool = False) -> None:
        """Check that a URL is one of memory."""
        self.stat(url)

    @override
    def stat(self, url: str) -> StoredObject | None:
        """Return what stands at ``url``, None for nothing."""
        stored = self._at(url)
        return stored.seen if stored else None

    @override
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        """Write the bytes of ``url`` to ``path``, which must not exist yet."""
        data = self.read(url)
        with path.open("xb") as file:
            try:
                for start in range(0, len(data), _PIECE):
                    _go_on(stop)
                    file.write(data[start : start + _PIECE])
            except BaseException:
                path.unlink()
                raise

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
        """Put the bytes of ``path`` at ``url`` in one step, if the place is as expected."""
        _check(url)
        return self._place(_read(path, stop), url, before)

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
        _check(url)
        data = self.read(source)
        _go_on(stop)
        return self._place(data, url, before)

    @override
    def holds(self, url: str, *, size: int, sha256: str) -> bool:
        """Return whether exactly these bytes stand at ``url``."""
        stored = self._at(url)
        if stored is None or len(stored.data) != size:
            return False
        return hashlib.sha256(stored.data).hexdigest() == sha256

    @override
    def read(self, url: str) -> bytes:
        """Return an object whole."""
        stored = self._at(url)
        if stored is None:
            raise SourceNotFound(f"there is nothing at {url}")
        return stored.data

    @override
    def link(self, url: str, lasting: timedelta) -> str | None:
        """Return None: nobody outside can be let in."""
        return None

    @override
    def delete(self, url: str) -> None:
        """Remove what stands at ``url``; nothing happens where nothing does."""
        _check(url)
        with self._lock:
            self._objects.pop(url, None)

    @override
    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the URLs of all objects below ``prefix``, sorted."""
        folder = _folder(prefix)
        with self._lock:
            return tuple(sorted(url for url in self._objects if url.startswith(folder)))

    @override
    def delete_below(self, prefix: str) -> None:
        """Remove all objects below ``prefix``."""
        folder = _folder(prefix)
        with self._lock:
            for url in [url for url in self._objects if url.startswith(folder)]:
                del self._objects[url]

    def _place(self, data: bytes, url: str, before: str | None) -> StoredObject:
        with self._lock:
            standing = self._objects.get(url)
            if before is None and standing is not None:
                raise OutputExists(f"something stands at {url} already")
            if before is not None and (standing is None or standing.version != before):
                raise OutputChanged(f"{url} was changed by somebody else meanwhile")
            self._objects[url] = stored = _Object(data, str(next(self._versions)))
        return stored.seen

    def _at(self, url: str) -> _Object | None:
        _check(url)
        with self._lock:
            return self._objects.get(url)


def _check(url: str) -> None:
    bucket, _, key = url.removeprefix(_SCHEME).partition("/")
    if not url.startswith(_SCHEME) or not bucket or not key:
        raise UnsupportedUrl(f"{url} is not of the form {_SCHEME}bucket/key")


def _folder(prefix: str) -> str:
    folder = prefix.rstrip("/") + "/"
    if not folder.startswith(_SCHEME) or folder == _SCHEME:
        raise UnsupportedUrl(f"{prefix} is not of the form {_SCHEME}bucket/folder")
    return folder


def _read(path: Path, stop: StopCheck) -> bytes:
    pieces = []
    try:
        with path.open("rb") as file:
            _go_on(stop)
            while piece := file.read(_PIECE):
                pieces.append(piece)
                _go_on(stop)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    return b"".join(pieces)


def _go_on(stop: StopCheck) -> None:
    reason = stop()
    if reason is not None:
        raise reason
