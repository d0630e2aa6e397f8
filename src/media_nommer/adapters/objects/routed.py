"""Many storages as one, each asked for the URLs of its own scheme."""

import builtins
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from typing_extensions import override

from media_nommer.core.errors import UnsupportedUrl
from media_nommer.core.ports.storage import (
    PLAIN,
    BegunPut,
    StopCheck,
    Storage,
    StoredObject,
    Traits,
    never_stop,
)


class RoutedStorage(Storage):
    """Hands every call to the storage that serves the URL's scheme.

    A storage is opened when a URL of its scheme first comes up. What is copied from one
    storage to another goes through a folder below ``scratch`` (the system's for temporary
    files where that is None).
    """

    def __init__(
        self,
        storages: Mapping[str, Callable[[], Storage]],
        *,
        scratch: Path | None = None,
    ) -> None:
        self._openers = dict(storages)
        self._opened: dict[str, Storage] = {}
        self._lock = threading.Lock()
        self._scratch = scratch

    @override
    def check(self, url: str, *, to_write: bool = False) -> None:
        """Check what can be told of a URL without asking another machine for it."""
        self._serving(url).check(url, to_write=to_write)

    @override
    def stat(self, url: str) -> StoredObject | None:
        """Return what stands at ``url``, None for nothing."""
        return self._serving(url).stat(url)

    @override
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        """Make the bytes of ``url`` readable at ``path``."""
        self._serving(url).fetch(url, path, stop=stop)

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
        """Put the bytes of ``path`` at ``url``."""
        return self._serving(url).put(
            path, url, before=before, sha256=sha256, traits=traits, stop=stop
        )

    @override
    def is_near(self, url: str) -> bool:
        """Return whether what is put there is there at once."""
        return self._serving(url).is_near(url)

    @override
    def begin(
        self,
        path: Path,
        url: str,
        *,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> BegunPut:
        """Begin to put a file that is still written to, as its storage does."""
        return self._serving(url).begin(path, url, traits=traits, stop=stop)

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
        """Put the bytes that stand at ``source`` at ``url``."""
        origin, target = self._serving(source), self._serving(url)
        if origin is target:
            return target.copy(
                source, url, before=before, sha256=sha256, traits=traits, stop=stop
            )
        with tempfile.TemporaryDirectory(prefix="copy-", dir=self._scratch) as folder:
            path = Path(folder, "object")
            origin.fetch(source, path, stop=stop)
            return target.put(
                path, url, before=before, sha256=sha256, traits=traits, stop=stop
            )

    @override
    def holds(self, url: str, *, size: int, sha256: str) -> bool:
        """Return whether exactly these bytes stand at ``url``."""
        return self._serving(url).holds(url, size=size, sha256=sha256)

    @override
    def read(self, url: str) -> bytes:
        """Return a small object whole."""
        return self._serving(url).read(url)

    @override
    def sweep(self, prefix: str, older_than: timedelta) -> int:
        """Remove what writers that died left half-made below ``prefix``."""
        return self._serving(prefix).sweep(prefix, older_than)

    @override
    def drop_unfinished(
        self, urls: Sequence[str], *, since: datetime, until: datetime
    ) -> int:
        """Drop what was begun between these times of puts at these ``urls``."""
        by_storage: dict[Storage, builtins.list[str]] = {}
        for url in urls:
            by_storage.setdefault(self._serving(url), []).append(url)
        return sum(
            storage.drop_unfinished(theirs, since=since, until=until)
            for storage, theirs in by_storage.items()
        )

    @override
    def link(self, url: str, lasting: timedelta) -> str | None:
        """Return a link that lasts for so long, None where the storage gives none."""
        return self._serving(url).link(url, lasting)

    @override
    def delete(self, url: str) -> None:
        """Remove what stands at ``url``."""
        self._serving(url).delete(url)

    @override
    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the URLs of all objects below ``prefix``."""
        return self._serving(prefix).list(prefix)

    @override
    def delete_below(self, prefix: str) -> None:
        """Remove all objects below ``prefix``."""
        self._serving(prefix).delete_below(prefix)

    def _serving(self, url: str) -> Storage:
        scheme, mark, _ = url.partition("://")
        opener = self._openers.get(scheme.lower()) if mark else None
        if opener is None:
            known = ", ".join(f"{name}://" for name in sorted(self._openers))
            raise UnsupportedUrl(
                f"{scheme + mark if mark else url!r} is not a place that can be used here",
                advice=f"These can be: {known}.",
            )
        with self._lock:
            if scheme.lower() not in self._opened:
                self._opened[scheme.lower()] = opener()
            return self._opened[scheme.lower()]
