"""One object on its way, over as many connections as it takes."""

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import BinaryIO

import httpx2
from typing_extensions import override

from media_nommer.adapters.http import answers
from media_nommer.adapters.http.asking import Answer, Web
from media_nommer.adapters.http.decoding import decoded
from media_nommer.adapters.http.links import shown
from media_nommer.adapters.http.trouble import Interrupted
from media_nommer.core.errors import SourceRefused
from media_nommer.core.ports.storage import StopCheck


class Sink(ABC):
    """Where the bytes go; it may have to forget them all, when they turn out to be old."""

    @abstractmethod
    def write(self, piece: bytes) -> None:
        """Take the next bytes."""

    @abstractmethod
    def restart(self) -> None:
        """Forget everything."""


class FileSink(Sink):
    """Writes into an open file."""

    def __init__(self, file: BinaryIO | io.BytesIO) -> None:
        self._file = file

    @override
    def write(self, piece: bytes) -> None:
        """Write the next bytes."""
        self._file.write(piece)

    @override
    def restart(self) -> None:
        """Make the file empty."""
        self._file.seek(0)
        self._file.truncate()


class Download:
    """Takes an object up where the last connection left it, as long as it is the same one.

    That is asked of the server (If-Range) and checked in its answer. Where it cannot be
    known, or the server has no ranges, everything begins anew.
    """

    def __init__(
        self, web: Web, link: httpx2.URL, sink: Sink, *, max_bytes: int, stop: StopCheck
    ) -> None:
        self._web = web
        self._link = link
        self._sink = sink
        self._max_bytes = max_bytes
        self._stop = stop
        self._mark: str | None = None
        self._total: int | None = None
        self._done = 0
        self._furthest = 0

    def furthest(self) -> int:
        """Return how many bytes of the object were ever here at once."""
        return self._furthest

    def once(self) -> None:
        """Bring the rest of the object over one connection.

        Raises:
            Interrupted: something is missing still.
        """
        if self._done and self._mark is None:
            self._restart()
        with self._web.ask("GET", self._link, self._headers(), self._stop) as answer:
            self._begin(answer)
            for piece in decoded(answer.pieces, answers.encodings(answer.headers)):
                self._take(piece)
        if self._total is not None and self._done < self._total:
            raise Interrupted(
                f"{shown(self._link)} ended after {self._done} of {self._total} bytes"
            )

    def _headers(self) -> Mapping[str, str]:
        if not self._done or self._mark is None:
            return {}
        return {"Range": f"bytes={self._done}-", "If-Range": self._mark}

    def _begin(self, answer: Answer) -> None:
        """Look at what comes, before its first byte."""
        if answer.status == answers.OUT_OF_RANGE and self._done:
            self._restart()
            raise Interrupted(f"{shown(self._link)} has become another file")
        trouble = answers.trouble(
            answer.status, answer.headers, answer.link, self._web.clock.now()
        )
        if trouble is not None:
            raise trouble
        if answer.status == answers.PART:
            self._check_part(answer.headers)
            return
        self._restart()
        self._total = answers.length(answer.headers)
        if not answers.encodings(answer.headers):
            self._mark = answers.validator(answer.headers)
        self._check_size(self._total or 0)

    def _check_part(self, headers: httpx2.Headers) -> None:
        part = answers.span(headers)
        fits = (
            part is not None
            and self._mark is not None
            and part.start == self._done < part.end
            and (self._total is None or part.total in {None, self._total})
            and not answers.encodings(headers)
            and answers.same(headers, self._mark)
        )
        if part is None or not fits:
            self._restart()
            raise Interrupted(f"{shown(self._link)} came in a part that was not asked for")
        self._total = part.total if self._total is None else self._total
        self._check_size(self._total or 0)

    def _take(self, piece: bytes) -> None:
        self._check_size(self._done + len(piece))
        self._sink.write(piece)
        self._done += len(piece)
        self._furthest = max(self._furthest, self._done)

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise SourceRefused(
                f"{shown(self._link)} is larger than {self._max_bytes} bytes, the limit",
                advice="Give a smaller file.",
            )

    def _restart(self) -> None:
        if self._done:
            self._sink.restart()
        self._done, self._mark, self._total = 0, None, None
