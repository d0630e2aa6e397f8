"""Talks to feederd over HTTP, and raises what feederd says went wrong."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

import httpx2

from media_nommer.client.answers import error_of
from media_nommer.client.costs import added_up
from media_nommer.client.documents import (
    CostsDocument,
    EstimateDocument,
    HealthDocument,
    JobDocument,
    JobPage,
    LogsDocument,
    NodeDocument,
    NodeLogDocument,
)
from media_nommer.core.errors import BadRequest, ServiceUnavailable

DEFAULT_URL = "http://127.0.0.1:8001"
FINAL_STATES = frozenset({"finished", "failed", "canceled", "abandoned"})
_PAGE = 100
_TIMEOUT = 30.0


class NoService(ServiceUnavailable):
    """Nobody answers at the URL of feederd."""

    code = "NO_SERVICE"
    default_advice = "Start one with `nommer serve`, or say where it is with --url."


class NommerClient:
    """A connection to one feederd; may be used as a context manager, by any thread.

    Every method raises NoService where nobody answers, and otherwise the very error that
    feederd names: a ``JobNotFound`` there is a ``JobNotFound`` here, a code that this
    version does not know is a ``RemoteError`` with that code. ``timeout`` is seconds.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        timeout: float = _TIMEOUT,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        try:
            self._http = httpx2.Client(
                base_url=self.url,
                timeout=timeout,
                transport=transport,
                trust_env=not _on_this_machine(self.url),
            )
        except (httpx2.InvalidURL, ValueError) as error:
            raise BadRequest(f"{url!r} is not the URL of a feederd: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def submit(
        self, document: Mapping[str, object], *, idempotency_key: str | None = None
    ) -> JobDocument:
        """Submit a job; the same ``idempotency_key`` again is the same job."""
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        answer = self._ask("POST", "/v1/jobs", json=dict(document), headers=headers)
        return cast(JobDocument, answer)

    def job(self, job_id: str) -> JobDocument:
        """Return a job."""
        return cast(JobDocument, self._ask("GET", _path(job_id)))

    def jobs(
        self,
        *,
        states: Sequence[str] = (),
        tag: str | None = None,
        preset: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Return a page of the jobs that match all that is given, newest first.

        ``tag`` is ``NAME=VALUE``. A page may be short, or empty, and not the last: the last
        has no cursor.
        """
        params: list[tuple[str, str]] = [("state", state) for state in states]
        named = {"tag": tag, "preset": preset}
        params += [(name, value) for name, value in named.items() if value is not None]
        params.append(("limit", str(limit)))
        if cursor is not None:
            params.append(("cursor", cursor))
        return cast(JobPage, self._ask("GET", "/v1/jobs", params=params))

    def all_jobs(
        self,
        *,
        states: Sequence[str] = (),
        tag: str | None = None,
        preset: str | None = None,
        most: int | None = None,
    ) -> Iterator[JobDocument]:
        """Yield jobs page after page, newest first, at most ``most``."""
        cursor: str | None = None
        left = most
        while left is None or left > 0:
            limit = _PAGE if left is None else min(left, _PAGE)
            page = self.jobs(
                states=states, tag=tag, preset=preset, limit=limit, cursor=cursor
            )
            yield from page["jobs"]
            cursor = page["cursor"]
            if cursor is None:
                return
            left = None if left is None else left - len(page["jobs"])

    def watch(
        self,
        job_id: str,
        *,
        every: float = 0.5,
        patience: float = 60.0,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Iterator[JobDocument]:
        """Yield a job as it is now, and again every ``every`` seconds until it is final.

        A feederd that goes away meanwhile is waited for ``patience`` seconds: the job goes
        on without it.
        """
        seen_at: float | None = None
        while True:
            try:
                job = self.job(job_id)
            except ServiceUnavailable:
                if seen_at is None or clock() - seen_at > patience:
                    raise
            else:
                seen_at = clock()
                yield job
                if job["state"] in FINAL_STATES:
                    return
            wait(every)

    def cancel(self, job_id: str) -> JobDocument:
        """Stop a job; one that is final stays as it is."""
        return cast(JobDocument, self._ask("POST", f"{_path(job_id)}/cancel"))

    def retry(self, job_id: str, *, whole: bool = False) -> JobDocument:
        """Start a new run of a final job: of what is not in place, or of the whole."""
        path = f"{_path(job_id)}/retry"
        return cast(JobDocument, self._ask("POST", path, json={"whole": whole}))

    def links(self, job_id: str, *, lasting: int = 3600) -> Mapping[str, Any]:
        """Return a link to each file of a job that is in place, for so many seconds."""
        params = [("lasting", str(lasting))]
        answer = self._ask("GET", f"{_path(job_id)}/links", params=params)
        return cast(Mapping[str, Any], answer)

    def logs(self, job_id: str) -> LogsDocument:
        """Return every attempt at a job, with the whole of its log."""
        return cast(LogsDocument, self._ask("GET", f"{_path(job_id)}/logs"))

    def report(self, job_id: str) -> Mapping[str, Any]:
        """Return what was found and made, by what commands, and at what cost."""
        answer = self._ask("GET", f"{_path(job_id)}/report")
        return cast(Mapping[str, Any], answer)

    def costs_page(
        self,
        *,
        by: str = "day",
        since: str | None = None,
        until: str | None = None,
        cursor: str | None = None,
    ) -> CostsDocument:
        """Return what some jobs cost, and nodes on the first page; pages add up."""
        named = {"by": by, "since": since, "until": until, "cursor": cursor}
        params = [(name, value) for name, value in named.items() if value is not None]
        return cast(CostsDocument, self._ask("GET", "/v1/costs", params=params))

    def costs(
        self, *, by: str = "day", since: str | None = None, until: str | None = None
    ) -> CostsDocument:
        """Return what jobs and nodes cost, all pages added up.

        ``by`` is ``day``, ``tag:NAME``, ``preset``, ``kind`` or ``machine``. ``since``
        (included) and ``until`` (not) are ISO 8601 texts; without them, the last 30 days.
        """
        pages = [self.costs_page(by=by, since=since, until=until)]
        while (cursor := pages[-1]["cursor"]) is not None:
            first = pages[0]
            pages.append(
                self.costs_page(
                    by=by, since=first["since"], until=first["until"], cursor=cursor
                )
            )
        return added_up(pages)

    def estimate(
        self, document: Mapping[str, object], *, duration: float | None = None
    ) -> EstimateDocument:
        """Return what a job would take; ``duration`` is how many seconds its film lasts."""
        params = [] if duration is None else [("duration", str(duration))]
        answer = self._ask("POST", "/v1/estimates", json=dict(document), params=params)
        return cast(EstimateDocument, answer)

    def nodes(self, *, gone: bool = False) -> list[NodeDocument]:
        """Return the nodes; with ``gone``, those that ended lately too."""
        params = [("gone", "true")] if gone else []
        answer = self._ask("GET", "/v1/nodes", params=params)
        return cast(list[NodeDocument], answer["nodes"])

    def node_log(self, node_id: str) -> NodeLogDocument:
        """Return the log that a node on EC2 keeps, also when its machine is gone."""
        path = f"/v1/nodes/{quote(node_id, safe='')}/log"
        return cast(NodeLogDocument, self._ask("GET", path))

    def health(self) -> HealthDocument:
        """Return that feederd and its store answer."""
        return cast(HealthDocument, self._ask("GET", "/healthz"))

    def _ask(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **what)
        except httpx2.ConnectError as error:
            raise NoService(f"nobody answers at {self.url}") from error
        except httpx2.TimeoutException as error:
            raise NoService(
                f"{self.url} does not answer in time", advice="Try again in a while."
            ) from error
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise BadRequest(
                f"{self.url!r} is not the URL of a feederd",
                advice=f"It looks like {DEFAULT_URL}.",
            ) from error
        except httpx2.TransportError as error:
            raise NoService(
                f"the connection to {self.url} broke off", advice="Try again in a while."
            ) from error
        if not answer.is_success:
            raise error_of(answer.status_code, answer.content, self.url)
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise error_of(answer.status_code, answer.content, self.url)
        return document


def _path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _on_this_machine(url: str) -> bool:
    """Whether a proxy from the environment would only be in the way."""
    return "://127." in url or "://localhost" in url or "://[::1]" in url
