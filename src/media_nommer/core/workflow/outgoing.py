"""What an attempt has on its way to where it is published, seen by nobody until then."""

from collections.abc import Iterable

from media_nommer.core.jobs import PublishedFile
from media_nommer.core.ports.storage import BegunPut, StopCheck, StoredObject


class Outgoing:
    """Puts that were begun at their final places, by where else in the work area each lies.

    The publication alone finishes them, as it is on record. Threads may share it, each for
    files of its own.
    """

    def __init__(self) -> None:
        self._begun: dict[str, tuple[str, BegunPut]] = {}
        self._put: dict[str, StoredObject] = {}

    @property
    def urls(self) -> frozenset[str]:
        """Where that goes which is not finished."""
        return frozenset(url for url, _ in self._begun.values())

    def add(self, work_url: str, url: str, put: BegunPut) -> None:
        """Take over what was begun at ``url``, and will be kept at ``work_url`` as well."""
        self._begun[work_url] = (url, put)

    def finish(self, file: PublishedFile, stop: StopCheck) -> bool:
        """Put a recorded file in its place; return whether it was on its way there.

        Raises:
            StorageError: as ``Storage.put`` does.
        """
        url, put = self._begun.get(file.work_url, (None, None))
        if put is None or url != file.url:
            return False
        self._put[url] = put.finish(before=file.before, sha256=file.sha256, stop=stop)
        del self._begun[file.work_url]
        return True

    def put_at(self, url: str) -> StoredObject | None:
        """Return what was put at ``url`` from here, None for nothing."""
        return self._put.get(url)

    def drop(self, work_urls: Iterable[str] | None = None) -> None:
        """Leave nothing of what is not finished, or just of these."""
        for work_url in list(self._begun if work_urls is None else work_urls):
            _, put = self._begun.pop(work_url, ("", None))
            if put is not None:
                put.drop()
