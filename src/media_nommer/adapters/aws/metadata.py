"""What an EC2 machine is told about itself, by the metadata service: IMDSv2 alone.

boto3's own fetcher reads credentials and the region, and nothing else; it falls back to
version 1, and may go through a proxy. So the few requests are made here, on the standard
library's client, which does neither.
"""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit

from typing_extensions import override

from media_nommer.core.errors import InvalidSetting, ServiceUnavailable
from media_nommer.core.nodes import Machine, Market, NodeId
from media_nommer.core.ports.surroundings import (
    Identity,
    Notice,
    NoticeKind,
    Surroundings,
)

#: Where the service is, unless the environment says otherwise, as boto3 has it.
ENDPOINT = "http://169.254.169.254"
ENDPOINT_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"

#: The tag by which a machine knows the node that it was started for.
NODE_TAG = "nommer-node"

_META = "/latest/meta-data"
_DOCUMENT = "/latest/dynamic/instance-identity/document"
_INTERRUPTION = f"{_META}/spot/instance-action"
_REBALANCE = f"{_META}/events/recommendations/rebalance"

#: Seconds: the service is on the same host, and answers in milliseconds or not at all.
_PATIENCE = 2.0
_TOKEN_LASTS = 6 * 3600
#: Seconds before its end at which a token is not used any more.
_TOKEN_SPARE = 60
_MOST_BYTES = 1 << 16


class _Answer(NamedTuple):
    status: int
    text: str


class Ec2Surroundings(Surroundings):
    """Asks the metadata service of the machine that this process runs on.

    Several threads may ask; a token is shared and renewed when it has run out.
    """

    def __init__(
        self,
        endpoint: str = ENDPOINT,
        *,
        patience: float = _PATIENCE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask at ``endpoint``, ``patience`` seconds at most for each step of an answer.

        Raises:
            InvalidSetting: the endpoint is no http:// URL.
        """
        self._host, self._port, self._prefix = _place(endpoint)
        self._patience = patience
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token = ""
        self._token_until = 0.0

    @override
    def who(self) -> Identity:
        """Return the node that the machine is tagged with, and the machine.

        A machine that nobody tagged, or whose tags are not shown, is nobody's.
        """
        document = _read_object(self._get(_DOCUMENT), "identity document")
        life = self._get(f"{_META}/instance-life-cycle")
        node = self._get(f"{_META}/tags/instance/{NODE_TAG}")
        machine = Machine(
            name=_text(document, "instanceId"),
            type=_text(document, "instanceType"),
            market=Market.SPOT if life == "spot" else Market.ON_DEMAND,
            zone=_text(document, "availabilityZone"),
            started_at=_moment(document, "pendingTime"),
        )
        return Identity(NodeId(node) if node else None, machine)

    @override
    def notice(self) -> Notice | None:
        """Return that the machine is taken back, or that this has become likely.

        Whether it would be ended, stopped or put to sleep is the same to a node.
        """
        said = self._get(_INTERRUPTION)
        if said is not None:
            at = _moment(_read_object(said, "interruption"), "time")
            return Notice(NoticeKind.RECLAIM, at)
        said = self._get(_REBALANCE)
        if said is not None:
            at = _moment(_read_object(said, "recommendation"), "noticeTime")
            return Notice(NoticeKind.REBALANCE, at)
        return None

    def _get(self, path: str) -> str | None:
        """Return what stands at a path, None for nothing (404)."""
        answer = self._ask("GET", path, self._fresh_token())
        if answer.status == 401:  # it ran out sooner than we thought
            self._forget_token()
            answer = self._ask("GET", path, self._fresh_token())
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise ServiceUnavailable(
                f"the metadata service answers {answer.status} to {path}"
            )
        return answer.text.strip()

    def _fresh_token(self) -> dict[str, str]:
        """Return the header that carries a token which still lasts."""
        with self._lock:
            if self._monotonic() >= self._token_until:
                lasts = {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_LASTS)}
                asked_at = self._monotonic()
                answer = self._ask("PUT", "/latest/api/token", lasts)
                if answer.status != 200 or not answer.text:
                    raise ServiceUnavailable(
                        f"the metadata service gives no token: it answers {answer.status}"
                    )
                self._token = answer.text.strip()
                self._token_until = asked_at + _TOKEN_LASTS - _TOKEN_SPARE
            return {"X-aws-ec2-metadata-token": self._token}

    def _forget_token(self) -> None:
        with self._lock:
            self._token_until = 0.0

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> _Answer:
        connection = HTTPConnection(self._host, self._port, timeout=self._patience)
        try:
            connection.request(method, self._prefix + path, headers=headers)
            response = connection.getresponse()
            text = response.read(_MOST_BYTES).decode("utf-8", "replace")
            return _Answer(response.status, text)
        except (OSError, HTTPException) as error:
            raise ServiceUnavailable(
                f"the metadata service does not answer: {type(error).__name__}"
            ) from error
        finally:
            connection.close()


def _place(endpoint: str) -> tuple[str, int, str]:
    """Return host, port and path of an endpoint."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host = None
    if host is None or parts.scheme != "http":
        raise InvalidSetting(
            f"{ENDPOINT_VARIABLE} is {endpoint!r}; allowed: a URL such as {ENDPOINT}",
            advice="Leave it unset: the metadata service is at the same place everywhere.",
        )
    return host, port, parts.path.rstrip("/")


def _read_object(text: str | None, what: str) -> dict[str, object]:
    try:
        document = json.loads(text or "")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ServiceUnavailable(f"the metadata service gives no {what} that can be read")
    return document


def _text(document: dict[str, object], name: str) -> str:
    return str(document.get(name) or "")


def _moment(document: dict[str, object], name: str) -> datetime:
    """Return a moment of a document, in UTC as all of them are."""
    try:
        moment = datetime.fromisoformat(_text(document, name))
    except ValueError as error:
        raise ServiceUnavailable(
            f"the metadata service gives a {name} that is no time"
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
