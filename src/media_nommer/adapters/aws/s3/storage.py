"""Objects of Amazon S3, or of a server that speaks it, at ``s3://bucket/key``."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.s3 import download, keys
from media_nommer.adapters.aws.s3.calls import ConditionFailed, S3Calls
from media_nommer.adapters.aws.s3.copy import Copying
from media_nommer.adapters.aws.s3.growing import S3BegunPut
from media_nommer.adapters.aws.s3.names import Place, folder_of, place_of
from media_nommer.adapters.aws.s3.put import put_file
from media_nommer.adapters.aws.s3.sums import PIECE
from media_nommer.adapters.aws.s3.transfer import Transfer
from media_nommer.adapters.aws.s3.upload import SHA256, Goal, kept_as, version_of
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.content_types import content_type_of
from media_nommer.core.disk import disk_errors
from media_nommer.core.errors import (
    BadRequest,
    SourceNotFound,
)
from media_nommer.core.ports.storage import (
    PLAIN,
    BegunPut,
    StopCheck,
    Storage,
    StoredObject,
    Traits,
    never_stop,
)

#: How long a fetch, put or copy waits for an S3 that does not answer.
PATIENCE = timedelta(minutes=15)

#: The longest that a link can last.
LONGEST_LINK = timedelta(days=7)

#: What S3 itself says of an object of which nobody told it.
_UNKNOWN = "binary/octet-stream"


class S3Storage(Storage):
    """Puts whole objects by one conditional step, and reads them by ranges at once.

    Buckets of other accounts are used as the roles that ``roles`` names for them. Where
    ``endpoint`` is given, it is the URL of another server that speaks S3, and nothing is
    asked of it that such servers tend not to know. A fetch, put or copy waits as long as
    ``patience`` for an S3 that is away, and goes on where it was; other calls raise
    ServiceUnavailable, which is a StorageError too.
    """

    def __init__(
        self,
        clients: AwsClients,
        *,
        endpoint: str | None = None,
        roles: Mapping[str, str] | None = None,
        patience: timedelta = PATIENCE,
        scratch: Path | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._calls = S3Calls(clients, endpoint=endpoint, roles=roles or {})
        self._patience = patience
        self._scratch = scratch
        self._clock = clock

    @override
    def check(self, url: str, *, to_write: bool = False) -> None:
        """Check that a URL names an object; S3 is not asked."""
        place_of(url)

    @override
    def stat(self, url: str) -> StoredObject | None:
        """Return what stands at ``url``, None for nothing; the version is its ETag."""
        seen = self._calls.head(place_of(url))
        if seen is None:
            return None
        return StoredObject(
            size=int(seen["ContentLength"]), version=version_of(str(seen["ETag"]))
        )

    @override
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        """Write the bytes of ``url`` to ``path``, all of one version, checked by CRC-32.

        An object that changes meanwhile is read again, a few times.
        """
        place = place_of(url)
        with disk_errors(path):
            download.fetch(self._calls, place, path, self._transfer(stop))

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
        """Put the bytes of ``path`` at ``url`` in one step, if the place is as expected.

        A put whose answer was lost finds its own object by an id in the metadata, and is a
        success; another's object with the same bytes is not ours.
        """
        goal = _goal(url, before, traits)
        with disk_errors(path):
            return put_file(self._calls, path, goal, self._transfer(stop), sha256)

    @override
    def begin(
        self,
        path: Path,
        url: str,
        *,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> BegunPut:
        """Begin to put a file that is still written to: parts of it go ahead.

        An object that parts went ahead of does not tell its SHA-256: nobody knew it yet.
        """
        goal = _goal(url, None, traits)
        return S3BegunPut(self._calls, path, goal, stop=stop, patience=self._patience)

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
        """Put the bytes that stand at ``source`` at ``url``; they stay within S3.

        Metadata and the headers of the source come along unless ``traits`` says otherwise.
        Between buckets that are used as different roles the bytes go through this machine,
        a few parts at a time.
        """
        copying = Copying(
            calls=self._calls,
            source=place_of(source),
            target=place_of(url),
            before=before,
            sha256=sha256,
            traits=traits,
            transfer=self._transfer(stop),
            scratch=self._scratch,
        )
        with disk_errors(self._scratch or Path("the folder for temporary files")):
            return copying.run()

    @override
    def holds(self, url: str, *, size: int, sha256: str) -> bool:
        """Return whether exactly these bytes stand at ``url``.

        An object that does not tell its SHA-256 is read, if it is as long.
        """
        place = place_of(url)
        seen = self._calls.head(place)
        if seen is None or int(seen["ContentLength"]) != size:
            return False
        told = seen.get("Metadata", {}).get(SHA256)
        if told is not None:
            return str(told) == sha256
        try:
            return self._hashed(place, str(seen["ETag"])) == sha256
        except (ConditionFailed, SourceNotFound):
            return False

    @override
    def read(self, url: str) -> bytes:
        """Return an object whole."""
        place = place_of(url)
        body = self._calls.call("get_object", place)["Body"]
        with self._calls.asking("get_object", place):
            return bytes(body.read())

    @override
    def delete(self, url: str) -> None:
        """Remove what stands at ``url``; a bucket with versions keeps the old one."""
        self._calls.call("delete_object", place_of(url))

    @override
    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the URLs of all objects below ``prefix``, sorted, but no folder marks."""
        folder = folder_of(prefix)
        return tuple(
            sorted(
                Place(folder.bucket, key).url
                for page in keys.pages(self._calls, folder)
                for key in page
                if not key.endswith("/")
            )
        )

    @override
    def delete_below(self, prefix: str) -> None:
        """Remove all objects below ``prefix``."""
        folder = folder_of(prefix)
        for page in keys.pages(self._calls, folder):
            keys.delete_all(self._calls, folder, page)

    @override
    def link(self, url: str, lasting: timedelta) -> str | None:
        """Return a link by which anybody may read the object, None for nothing there.

        It ends with the credentials that signed it, which of a role last some hours.

        Raises:
            BadRequest: S3 gives no link that lasts so long.
        """
        if lasting > LONGEST_LINK:
            raise BadRequest(
                f"S3 gives no link that lasts {lasting}",
                advice="A link can last 7 days at most.",
            )
        place = place_of(url)
        if self._calls.head(place) is None:
            return None
        with self._calls.asking("get_object", place):
            signed = self._calls.client(place.bucket).generate_presigned_url(
                "get_object",
                Params={"Bucket": place.bucket, "Key": place.key},
                ExpiresIn=int(lasting.total_seconds()),
            )
        return str(signed)

    @override
    def sweep(self, prefix: str, older_than: timedelta) -> int:
        """Abort the uploads below ``prefix`` that began so long ago; return how many.

        A worker that was killed in the middle of a put leaves one, and its parts cost money
        without being seen. Choose more than the longest put takes.
        """
        limit = self._clock.now() - older_than
        return keys.abort_unfinished(self._calls, folder_of(prefix), limit)

    @override
    def drop_unfinished(
        self, urls: Sequence[str], *, since: datetime, until: datetime
    ) -> int:
        """Abort the uploads to just these keys that began between these times; count them.

        A few lists tell of them, however many keys there are; in a folder with ten thousand
        uploads of others some of ours may stay.
        """
        places = [place_of(url) for url in urls]
        return sum(
            keys.abort_begun(
                self._calls,
                bucket,
                {place.key for place in places if place.bucket == bucket},
                (since, until),
            )
            for bucket in sorted({place.bucket for place in places})
        )

    def _transfer(self, stop: StopCheck) -> Transfer:
        return Transfer(stop, self._patience)

    def _hashed(self, place: Place, etag: str) -> str:
        """Return the SHA-256 of an object by reading it."""
        digest = hashlib.sha256()
        body = self._calls.call("get_object", place, IfMatch=etag)["Body"]
        with self._calls.asking("get_object", place):
            while piece := body.read(PIECE):
                digest.update(piece)
        return digest.hexdigest()


def _goal(url: str, before: str | None, traits: Traits) -> Goal:
    """Return what is to be put, of the type that its name tells."""
    place = place_of(url)
    headers = {"ContentType": content_type_of(place.key) or _UNKNOWN, **kept_as(traits)}
    return Goal(place=place, before=before, headers=headers)
