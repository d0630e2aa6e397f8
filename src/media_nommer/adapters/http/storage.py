"""Files on the web, at ``http://`` and ``https://``: read, never written."""

import hashlib
import io
import random
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import httpx2
from typing_extensions import override

from media_nommer.adapters.http import answers
from media_nommer.adapters.http.addresses import Resolve, look_up
from media_nommer.adapters.http.asking import Answer, Web
from media_nommer.adapters.http.download import Download, FileSink, Sink
from media_nommer.adapters.http.links import parse, shown
from media_nommer.adapters.http.patience import Patience, Persistence, go_on
from media_nommer.adapters.http.trouble import Interrupted
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.disk import disk_errors
from media_nommer.core.errors import (
    SourceNotFound,
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

#: The largest file that is fetched, unless told otherwise: 1 TiB.
MAX_BYTES = 1 << 40

#: The largest object that is read into memory: 64 MiB.
MAX_READ = 64 << 20


class HttpStorage(Storage):
    """Reads what everybody may read who has the URL, and keeps out of networks of ours.

    A host is looked up once for each connection, all its addresses are checked, and the
    connection goes to one of those. Only ``private_networks`` opens loopback and private
    ranges; link-local, multicast and reserved ones stay closed. Environment variables for
    proxies are ignored. ``tls`` says whom to trust, None means whom this machine trusts.

    Errors name URLs without their query, which is a secret in a presigned link.
    """

    def __init__(
        self,
        *,
        private_networks: bool = False,
        max_bytes: int = MAX_BYTES,
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = look_up,
        clock: Clock = system_clock,
        sleep: Callable[[float], None] = time.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        """Take what differs between deployments, and time and chance.

        Raises:
            ValueError: ``tls`` would accept any certificate.
        """
        if tls is not None and not (tls.check_hostname and tls.verify_mode):
            raise ValueError("certificates are always verified")
        patience = Patience() if patience is None else patience
        self._max_bytes = max_bytes
        self._web = Web(
            private_networks=private_networks,
            patience=patience,
            tls=tls,
            resolve=resolve,
            clock=clock,
        )
        self._persistence = Persistence(patience=patience, sleep=sleep, dice=dice)

    @override
    def check(self, url: str, *, to_write: bool = False) -> None:
        """Check that a URL is one of the web, and not to be written to."""
        parse(url)
        if to_write:
            _refuse_to_write(url)

    @override
    def stat(self, url: str) -> StoredObject | None:
        """Return what stands at ``url``, None for nothing.

        Its size is 0 where the server does not tell it: such a file can be fetched still.
        """
        link = parse(url)
        try:
            with self._web.ask("HEAD", link, {}, never_stop) as answer:
                if answer.status in answers.GONE:
                    return None
                size = answers.length(answer.headers)
                if answer.status in answers.WHOLE and size is not None:
                    return answers.stored(answer.headers, size)
        except Interrupted:
            pass  # many servers know no HEAD, and say so in many ways
        return self._persistence.until_done(
            lambda: self._seen(link), what=shown(link), stop=never_stop
        )

    @override
    def fetch(self, url: str, path: Path, *, stop: StopCheck = never_stop) -> None:
        """Download to ``path``; a broken connection is taken up where it was."""
        link = parse(url)
        with _new_file(path) as sink:
            self._download(link, sink, self._max_bytes, stop)
            go_on(stop)

    @override
    def holds(self, url: str, *, size: int, sha256: str) -> bool:
        """Return whether exactly these bytes stand at ``url``."""
        seen = self.stat(url)
        if seen is None or (seen.size and seen.size != size):
            return False
        digest = _Digest()
        try:
            self._download(parse(url), digest, self._max_bytes, never_stop)
        except SourceNotFound:
            return False
        return digest.size == size and digest.hex() == sha256

    @override
    def read(self, url: str) -> bytes:
        """Return an object of up to 64 MiB whole."""
        whole = io.BytesIO()
        limit = min(MAX_READ, self._max_bytes)
        self._download(parse(url), FileSink(whole), limit, never_stop)
        return whole.getvalue()

    @override
    def link(self, url: str, lasting: timedelta) -> str | None:
        """Return None: whether the URL lets others in is not ours to say."""
        return None

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
        """Refuse: there is no one way to write to the web."""
        _refuse_to_write(url)

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
        """Refuse, as ``put`` does."""
        _refuse_to_write(url)

    @override
    def delete(self, url: str) -> None:
        """Refuse, as ``put`` does."""
        _refuse_to_write(url)

    @override
    def delete_below(self, prefix: str) -> None:
        """Refuse, as ``put`` does."""
        _refuse_to_write(prefix)

    @override
    def list(self, prefix: str) -> tuple[str, ...]:
        """Refuse: the web has no folders."""
        raise UnsupportedUrl(
            f"what is below {shown(parse(prefix))} cannot be listed",
            advice="Name each file by its own URL.",
        )

    def _download(
        self, link: httpx2.URL, sink: Sink, max_bytes: int, stop: StopCheck
    ) -> None:
        go_on(stop)
        download = Download(self._web, link, sink, max_bytes=max_bytes, stop=stop)
        self._persistence.until_done(
            download.once, what=shown(link), stop=stop, brought=download.furthest
        )

    def _seen(self, link: httpx2.URL) -> StoredObject | None:
        """Ask for the first byte only; what stands around it tells the rest."""
        one_byte = {"Range": "bytes=0-0"}
        with self._web.ask("GET", link, one_byte, never_stop) as answer:
            if answer.status in answers.GONE:
                return None
            if answer.status in {answers.PART, answers.OUT_OF_RANGE}:
                return answers.stored(answer.headers, _total(answer))
            trouble = answers.trouble(
                answer.status, answer.headers, answer.link, self._web.clock.now()
            )
            if trouble is not None:
                raise trouble
            return answers.stored(answer.headers, answers.length(answer.headers))


class _Digest(Sink):
    """Counts and hashes the bytes, and keeps none."""

    def __init__(self) -> None:
        self.restart()

    @override
    def write(self, piece: bytes) -> None:
        self.size += len(piece)
        self._sha256.update(piece)

    @override
    def restart(self) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()

    def hex(self) -> str:
        return self._sha256.hexdigest()


def _total(answer: Answer) -> int | None:
    part = answers.span(answer.headers)
    encoded = answers.encodings(answer.headers)
    return None if part is None or encoded else part.total


def _refuse_to_write(url: str) -> NoReturn:
    raise UnsupportedUrl(
        f"{shown(parse(url))} can be read, not written",
        advice="file:// and s3:// URLs can be written.",
    )


@contextmanager
def _new_file(path: Path) -> Iterator[Sink]:
    """Make a file that stays only if the block ends well."""
    with disk_errors(path):
        file = path.open("xb")
        try:
            with file:
                yield FileSink(file)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
