"""Objects of Google Cloud Storage and Azure, at ``gs://bucket/key`` and ``az://box/key``."""

import hashlib
import mmap
import os
import secrets
import tempfile
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import obstore
from obstore import store as stores
from typing_extensions import Buffer, override

from media_nommer.adapters.objects.cloud_calls import (
    attributes_of,
    split,
    stored,
    translated,
    update_of,
    version_of,
)
from media_nommer.adapters.objects.copying import go_on, sha256_of
from media_nommer.core.errors import (
    BadRequest,
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

Bucket: TypeAlias = stores.ObjectStore

#: The longest that a link can last, of either service.
LONGEST_LINK = timedelta(days=7)

_PLAIN = "/-._~!$&'()*+,;=:@"
_SHA256 = "sha256"
_PUT_ID = "nommer_put"  # Azure takes names of metadata that C# would
#: What is fetched at once, in so many ranges.
_RANGE, _RANGES = 8 << 20, 4
_PIECE = 1 << 20
_RESTARTS = 3
#: A whole file goes up in one request, which may take long; silence may not.
_TIMES = {"timeout": "12h", "connect_timeout": "10s", "read_timeout": "120s"}

#: Where obstore is told of another server than the service's own.
_SERVERS = {"gs": "GOOGLE_BASE_URL", "az": "AZURE_STORAGE_ENDPOINT"}


def open_bucket(root: str) -> Bucket:
    """Return obstore's store for ``gs://bucket`` or ``az://box``.

    Credentials come from where obstore looks for them: Google's application default, and
    Azure's variables (``AZURE_STORAGE_ACCOUNT_NAME`` and a key, or an identity). Where such
    a variable names a server without TLS, such as an emulator, that is what is used.
    """
    scheme, _, name = root.partition("://")
    options: Any = _TIMES
    if os.environ.get(_SERVERS[scheme], "").startswith("http://"):
        options = {**_TIMES, "allow_http": True}
    if scheme == "gs":
        return stores.GCSStore(name, client_options=options)
    return stores.AzureStore(name, client_options=options)


class CloudStorage(Storage):
    """Puts a file by one conditional request, and reads ranges side by side.

    obstore's conditional requests are never in parts, so a put that fails is sent again
    whole, and ``stop`` is not asked while it is under way; Azure takes 5,000 MiB at most.
    The file is mapped, not read, into memory: it must not be cut short meanwhile.
    """

    def __init__(
        self,
        open_bucket: Callable[[str], Bucket] = open_bucket,
        *,
        scratch: Path | None = None,
    ) -> None:
        self._open = open_bucket
        self._scratch = scratch
        self._lock = threading.Lock()
        self._buckets: dict[str, Bucket] = {}

    @override
    def check(self, url: str, *, to_write: bool = False) -> None:
        """Check that a URL names an object; its service is not asked."""
        self._place(url)

    @override
    def stat(self, url: str) -> StoredObject | None:
        """Return what stands at ``url``, None for nothing."""
        bucket, key = self._place(url)
        try:
            with translated(url):
                return stored(obstore.head(bucket, key))
        except SourceNotFound:
            return None

    @override
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        """Write the bytes of ``url`` to ``path``, all of one version."""
        bucket, key = self._place(url)
        with translated(url), path.open("xb") as file:
            try:
                for _ in range(_RESTARTS):
                    before = stored(obstore.head(bucket, key))
                    _fetch(bucket, key, before.size, file.fileno(), stop)
                    if stored(obstore.head(bucket, key)) == before:
                        return
                _raise_unsteady(url)
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
        bucket, key = self._place(url)
        go_on(stop)
        with translated(str(path)):
            digest, data = sha256 or sha256_of(path), _mapped(path)
        attributes = {**attributes_of(key, traits), _SHA256: digest}
        go_on(stop)
        return self._put(bucket, key, url, data, before, attributes)

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
        """Put the bytes that stand at ``source`` at ``url``, through this machine.

        obstore's own copies know no version to replace, and Azure's may be seen unfinished.
        """
        self._place(url)
        with tempfile.TemporaryDirectory(prefix="copy-", dir=self._scratch) as folder:
            path = Path(folder, "object")
            self.fetch(source, path, stop=stop)
            return self.put(
                path, url, before=before, sha256=sha256, traits=traits, stop=stop
            )

    @override
    def holds(self, url: str, *, size: int, sha256: str) -> bool:
        """Return whether exactly these bytes stand at ``url``, at worst by reading it."""
        bucket, key = self._place(url)
        try:
            with translated(url):
                seen = obstore.get(bucket, key, options={"head": True})
                if seen.meta["size"] != size:
                    return False
                told = seen.attributes.get(_SHA256)
                if told is not None:
                    return told == sha256
                digest = hashlib.sha256()
                for piece in obstore.get(bucket, key).stream(min_chunk_size=_PIECE):
                    digest.update(piece)
                return digest.hexdigest() == sha256
        except SourceNotFound:
            return False

    @override
    def read(self, url: str) -> bytes:
        """Return an object whole."""
        bucket, key = self._place(url)
        with translated(url):
            return bytes(obstore.get(bucket, key).bytes())

    @override
    def delete(self, url: str) -> None:
        """Remove what stands at ``url``; nothing happens where nothing does."""
        bucket, key = self._place(url)
        try:
            with translated(url):
                obstore.delete(bucket, key)
        except SourceNotFound:
            return

    @override
    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the URLs of all objects below ``prefix``, sorted."""
        root, _ = split(prefix)
        bucket, keys = self._below(prefix)
        del bucket
        return tuple(sorted(f"{root}/{quote(key, safe=_PLAIN)}" for key in keys))

    @override
    def delete_below(self, prefix: str) -> None:
        """Remove all objects below ``prefix``."""
        bucket, keys = self._below(prefix)
        with translated(prefix):
            if keys:
                obstore.delete(bucket, keys)

    @override
    def link(self, url: str, lasting: timedelta) -> str | None:
        """Return a link by which anybody may read the object for so long.

        None where nothing stands there, or our credentials cannot sign; and on Azure where
        a URL cannot hold the name as it is, which obstore signs as the URL has it.

        Raises:
            BadRequest: no link lasts so long.
        """
        if lasting > LONGEST_LINK:
            raise BadRequest(
                f"no link lasts {lasting}", advice="A link can last 7 days at most."
            )
        bucket, key = self._place(url)
        if not isinstance(bucket, stores.GCSStore | stores.AzureStore):
            return None
        is_azure = isinstance(bucket, stores.AzureStore)
        if (is_azure and quote(key, safe=_PLAIN) != key) or self.stat(url) is None:
            return None
        with translated(url):
            return obstore.sign(bucket, "GET", key, lasting)

    def _put(
        self,
        bucket: Bucket,
        key: str,
        url: str,
        data: Buffer,
        before: str | None,
        attributes: dict[str, str],
    ) -> StoredObject:
        """Send a conditional request; one whose answer was lost knows its own object."""
        ours = secrets.token_hex(8)
        mode: Any = "create" if before is None else update_of(before)
        try:
            with translated(url):
                put = obstore.put(
                    bucket, key, data, mode=mode, attributes={**attributes, _PUT_ID: ours}
                )
                size = memoryview(data).nbytes
                return StoredObject(size=size, version=version_of(put))
        except (OutputExists, OutputChanged, SourceNotFound) as error:
            seen = self._seen(bucket, key, url)
            if seen is not None and seen.attributes.get(_PUT_ID) == ours:
                return stored(seen.meta)
            if before is None:
                raise OutputExists(f"something stands at {url} already") from error
            raise OutputChanged(f"{url} was changed by somebody else meanwhile") from error

    def _seen(self, bucket: Bucket, key: str, url: str) -> "obstore.GetResult | None":
        try:
            with translated(url):
                return obstore.get(bucket, key, options={"head": True})
        except SourceNotFound:
            return None

    def _below(self, prefix: str) -> tuple[Bucket, "Keys"]:
        root, folder = split(prefix)
        bucket = self._bucket(root)
        with translated(prefix):
            pages = obstore.list(bucket, prefix=folder.rstrip("/") or None)
            return bucket, [found["path"] for page in pages for found in page]

    def _place(self, url: str) -> tuple[Bucket, str]:
        root, key = split(url)
        if not key or key.endswith("/"):
            raise UnsupportedUrl(f"{url} does not name an object")
        if {"", ".", ".."} & set(key.split("/")):
            raise UnsupportedUrl(f"{url} has an empty step in it, or one of dots")
        if root.startswith("az:") and "\\" in key:
            raise UnsupportedUrl(
                f"{url} has a backslash in it, which Azure takes for a slash",
                advice="Choose another name.",
            )
        return self._bucket(root), key

    def _bucket(self, root: str) -> Bucket:
        with self._lock:
            if root not in self._buckets:
                with translated(root):
                    self._buckets[root] = self._open(root)
            return self._buckets[root]


Keys: TypeAlias = list[str]  # within the class, that name is a method's


def _fetch(bucket: Bucket, key: str, size: int, handle: int, stop: StopCheck) -> None:
    os.ftruncate(handle, size)
    go_on(stop)
    for start in range(0, size, _RANGE * _RANGES):
        end = min(size, start + _RANGE * _RANGES)
        starts = list(range(start, end, _RANGE))
        ends = [min(end, at + _RANGE) for at in starts]
        pieces = obstore.get_ranges(bucket, key, starts=starts, ends=ends, coalesce=0)
        for at, piece in zip(starts, pieces, strict=True):
            _write(handle, piece, at)
        go_on(stop)


def _write(handle: int, piece: Buffer, at: int) -> None:
    view = memoryview(piece)
    while view:
        count = os.pwrite(handle, view, at)
        view, at = view[count:], at + count


def _mapped(path: Path) -> Buffer:
    """Map a file: its pages may leave the memory again whenever room is needed."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _raise_unsteady(url: str) -> None:
    raise StorageError(f"{url} changed each time that it was being read")
