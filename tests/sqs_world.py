"""A queue on moto's SQS for each test, and what one needs to look at it from outside."""

import itertools
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.sqs import SqsQueue
from media_nommer.testing.clock import ManualClock
from tests import moto_sqs

#: How long anything here may take before a test gives up.
PATIENCE = 120.0

_numbers = itertools.count(1)


class OnSqs:
    """Gives a test class a ``queue``, on a manual clock that SQS goes by, too."""

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> ManualClock:
        clock = ManualClock()
        moto_sqs.correct(monkeypatch, clock=clock, second=0.02)
        return clock

    @pytest.fixture
    def clients(self, aws: str) -> AwsClients:
        return AwsClients()

    @pytest.fixture
    def name(self) -> str:
        return fresh_name()

    @pytest.fixture
    def queue(
        self, clients: AwsClients, name: str, clock: ManualClock
    ) -> Iterator[SqsQueue]:
        queue = SqsQueue(clients, name, clock)
        yield queue
        queue.close()


def fresh_name() -> str:
    """Return a name that no queue of this session has."""
    return f"test-{os.getpid()}-{next(_numbers)}"


class Calls(Counter[str]):
    """Counts the calls of SQS that a set of clients makes, by their names.

    Long polls are ``polls`` as well, with the seconds that each waits; ``brought`` counts
    the messages that any call was answered with.
    """

    def __init__(self, clients: AwsClients) -> None:
        super().__init__()
        self.polls: list[int] = []
        self.brought = 0
        self._changed = threading.Condition()
        events = clients.client("sqs").meta.events
        events.register("provide-client-params.sqs", self._see)
        events.register("after-call.sqs.ReceiveMessage", self._see_answer)

    @property
    def looks(self) -> int:
        """How many receives there were that did not wait."""
        with self._changed:
            return self["ReceiveMessage"] - len(self.polls)

    def until(self, reached: Callable[["Calls"], bool]) -> None:
        """Wait until the counts are as a test needs them."""
        with self._changed:
            assert self._changed.wait_for(lambda: reached(self), PATIENCE), self

    def _see(self, params: dict[str, Any], model: Any, **_: object) -> None:
        with self._changed:
            self[model.name] += 1
            if params.get("WaitTimeSeconds"):
                self.polls.append(params["WaitTimeSeconds"])
            self._changed.notify_all()

    def _see_answer(self, parsed: dict[str, Any], **_: object) -> None:
        with self._changed:
            self.brought += len(parsed.get("Messages", ()))
            self._changed.notify_all()


def refusing(
    clients: AwsClients, code: str, *, status: int = 400, on: str = ""
) -> Callable[[], None]:
    """Answer every call, or those of one name, with an error; return what ends that."""

    def answer(request: Any, **_: object) -> AWSResponse:
        body = json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "no"})
        headers = {"x-amzn-query-error": f"{code};Sender"}
        return AWSResponse(request.url, status, headers, _Body(body.encode()))

    event = f"before-send.sqs.{on}" if on else "before-send.sqs"
    events = clients.client("sqs").meta.events
    events.register(event, answer)
    return lambda: events.unregister(event, answer)


class _Body:
    """The body of an answer, as botocore reads it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> Iterator[bytes]:
        yield self._data


def url_of(clients: AwsClients, name: str, part: str) -> str:
    """Return the URL of one of the queues of ``sqs://name``."""
    answer = clients.client("sqs").get_queue_url(QueueName=f"{name}-{part}")
    return str(answer["QueueUrl"])


def attributes(clients: AwsClients, name: str, part: str) -> dict[str, str]:
    """Return how a queue is set up."""
    answer = clients.client("sqs").get_queue_attributes(
        QueueUrl=url_of(clients, name, part), AttributeNames=["All"]
    )
    return dict(answer["Attributes"])


def send_raw(clients: AwsClients, name: str, body: str, part: str = "normal") -> None:
    """Put a message of any text on a queue."""
    url = url_of(clients, name, part)
    clients.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def of_version(task: str, version: int) -> str:
    """Return a task's message as another version might write it."""
    return json.dumps({"v": version, "job": {"task": task}})


def waiting(clients: AwsClients, name: str, part: str) -> list[dict[str, Any]]:
    """Return what can be received from a queue now, with all its attributes."""
    answer = clients.client("sqs").receive_message(
        QueueUrl=url_of(clients, name, part),
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return list(answer.get("Messages", []))
