"""S3 that fails as told: answers that are lost, refusals, and what happens in between."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

#: What is done instead of, or before, sending a request; None sends it.
Fault = Callable[[Any], AWSResponse | None]


@dataclass
class Faults:
    """Stands between boto3 and S3, and knows each request by its operation's name."""

    session: boto3.Session
    sent: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    _plans: list[tuple[str, Fault]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.session.events.register("before-send.s3", self._meet)

    def plan(self, operation: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next requests of an operation meet a fault."""
        self._plans.extend([(operation, fault)] * times)

    def _meet(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        with self._lock:
            self.sent.append(operation)
            self.requests.append(request)
            found = next((plan for plan in self._plans if plan[0] == operation), None)
            if found is not None:
                self._plans.remove(found)
        return found[1](request) if found else None


def lost_answer(request: Any) -> AWSResponse:
    """Send the request, and break the connection before its answer comes."""
    URLLib3Session().send(request)
    raise ConnectionClosedError(endpoint_url=request.url)


def answer(status: int, code: str, message: str = "", **headers: str) -> Fault:
    """Answer with an error, without asking S3."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def fault(request: Any) -> AWSResponse:
        content = b"" if request.method == "HEAD" else body.encode()
        return AWSResponse(request.url, status, named, _Raw(content))

    return fault


def meanwhile(action: Callable[[], object]) -> Fault:
    """Do something right before the request is sent."""

    def fault(request: Any) -> None:
        action()

    return fault


class _Raw:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content
