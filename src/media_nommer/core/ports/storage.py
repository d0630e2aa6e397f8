"""Where bytes are: sources, destinations and the work area, all named by URL."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from typing_extensions import override

from media_nommer.core.errors import WorkStopped

#: Asked between pieces of a long copy, and once more right before the step that makes it
#: visible; answers why to stop, or None to go on.
StopCheck = Callable[[], WorkStopped | None]


def never_stop() -> WorkStopped | None:
    """Let a copy run to its end."""
    return None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What stands at a URL: ``size`` in bytes, and a ``version`` that changes with it."""

    size: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """How an object is kept and served, where its storage knows of such things.

    ``content_type`` is told by the name where it is None. ``kms_key`` is the id of the key
    that the service is to encrypt with, ``storage_class`` the service's own word.
    """

    content_type: str | None = None
    cache_control: str | None = None
    storage_class: str | None = None
    kms_key: str | None = None


#: As the storage does by itself.
PLAIN = Traits()


class BegunPut(ABC):
    """A put of a file that somebody still writes to: bytes may go ahead, seen by nobody.

    One thread at a time may use it. Whoever began it ends it, by ``finish`` or ``drop``.
    """

    #: Whether ``send_ahead`` ever sends anything.
    goes_ahead = True

    @abstractmethod
    def send_ahead(self) -> bool:
        """Send of what the file has by now as much as is worth a call; say if that was any.

        There may be no file yet. What fails here goes with the rest in the end.

        Raises:
            StorageError: nothing could be sent now.
        """

    @abstractmethod
    def finish(
        self,
        *,
        before: str | None = None,
        sha256: str | None = None,
        stop: StopCheck | None = None,
    ) -> StoredObject:
        """Put the file, which is whole now, in its place, as ``Storage.put`` would.

        What went ahead is held against it, and goes anew where it is other bytes by now, as
        it is where an encoder writes a header last. Where ``stop`` is given, it is asked
        from here on, in the place of what was given first. What fails may be tried again.

        Raises:
            OutputExists, OutputChanged: as ``Storage.put`` does.
        """

    @abstractmethod
    def drop(self) -> None:
        """Leave nothing of it, unless it is finished; what cannot go now is swept later."""


class Storage(ABC):
    """Reads and writes whole objects by URL; a reader never sees half of one.

    Methods may be called from any thread. Each may raise AccessDenied, NoSpace,
    UnsupportedUrl, PathNotAllowed, and StorageError for anything else.

    Every adapter that writes must pass ``media_nommer.testing.storage_contract``.
    """

    @abstractmethod
    def check(self, url: str, *, to_write: bool = False) -> None:
        """Check what can be told of a URL without asking another machine for it.

        Raises:
            UnsupportedUrl: it names nothing that can be read here, or written.
            PathNotAllowed: it is out of bounds.
        """

    @abstractmethod
    def stat(self, url: str) -> StoredObject | None:
        """Return what stands at ``url``, None for nothing."""

    @abstractmethod
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        """Make the bytes of ``url`` readable at ``path``, which must not exist yet.

        Where the bytes are on this machine already, ``path`` may become a link to them: it
        must not be written to.

        Raises:
            SourceNotFound: there is nothing at ``url``.
        """

    @abstractmethod
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
        """Put the bytes of ``path`` at ``url`` in one step, if the place is as expected.

        ``before`` is the version that must stand there now, None for nothing. The file may
        be linked rather than copied: it must not be written to afterwards. Who knows the
        bytes' ``sha256`` already spares a storage that wants it the reading.

        Raises:
            OutputExists: ``before`` is None, and something stands there.
            OutputChanged: something other than ``before`` stands there.
        """

    def is_near(self, url: str) -> bool:
        """Return whether what is put there is there at once, as on this machine's disk."""
        return False

    def begin(
        self,
        path: Path,
        url: str,
        *,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> BegunPut:
        """Begin to put a file that is still written to, or will be.

        Nothing is sent by this alone. A storage to which nothing can be sent ahead, or that
        has no use for it, puts all of it in the end.
        """
        return _PutAtEnd(self, path, url, traits, stop)

    @abstractmethod
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
        """Put the bytes that stand at ``source`` at ``url``, as ``put`` would.

        Who knows their ``sha256`` spares those who ask for it later the reading.

        Raises:
            SourceNotFound: there is nothing at ``source``.
            OutputExists: ``before`` is None, and something stands there.
            OutputChanged: something other than ``before`` stands there.
        """

    @abstractmethod
    def holds(self, url: str, *, size: int, sha256: str) -> bool:
        """Return whether exactly these bytes stand at ``url``."""

    @abstractmethod
    def read(self, url: str) -> bytes:
        """Return a small object whole.

        Raises:
            SourceNotFound: there is nothing at ``url``.
        """

    @abstractmethod
    def delete(self, url: str) -> None:
        """Remove what stands at ``url``; nothing happens where nothing does."""

    @abstractmethod
    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the URLs of all objects below ``prefix`` (a folder, with or without /)."""

    @abstractmethod
    def delete_below(self, prefix: str) -> None:
        """Remove all objects below ``prefix``, and the folders that are empty then."""

    def sweep(self, prefix: str, older_than: timedelta) -> int:
        """Remove what writers that died left half-made below ``prefix``; count them.

        Nobody can see it, and nobody goes on with what was begun so long ago. A storage
        that leaves nothing behind has nothing to do. ``older_than`` is negative for what is
        begun just now as well, by clocks that differ.
        """
        return 0

    def drop_unfinished(
        self, urls: Sequence[str], *, since: datetime, until: datetime
    ) -> int:
        """Drop what was begun between these times of puts at just these ``urls``; count it.

        A put that goes on all the same is begun anew. A storage that leaves nothing behind,
        or where it costs nothing, has nothing to do.

        Raises:
            AccessDenied: we may put there, and not look for what is unfinished.
        """
        return 0

    @abstractmethod
    def link(self, url: str, lasting: timedelta) -> str | None:
        """Return a link by which anybody may read the object for so long.

        None where the storage gives none, or nothing stands there to be seen at once.
        """


class _PutAtEnd(BegunPut):
    """Nothing goes ahead."""

    goes_ahead = False

    def __init__(
        self,
        storage: Storage,
        path: Path,
        url: str,
        traits: Traits,
        stop: StopCheck,
    ) -> None:
        self._storage = storage
        self._path, self._url = path, url
        self._traits, self._stop = traits, stop

    @override
    def send_ahead(self) -> bool:
        return False

    @override
    def finish(
        self,
        *,
        before: str | None = None,
        sha256: str | None = None,
        stop: StopCheck | None = None,
    ) -> StoredObject:
        return self._storage.put(
            self._path,
            self._url,
            before=before,
            sha256=sha256,
            traits=self._traits,
            stop=stop or self._stop,
        )

    @override
    def drop(self) -> None:
        pass
