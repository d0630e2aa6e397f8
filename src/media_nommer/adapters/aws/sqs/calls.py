"""Single calls of SQS, in our words: each does one thing to one message or queue.

boto3 repeats a call whose answer got lost. A message sent twice is a duplicate, which the
store makes harmless (rule 2). A message received in vain stays hidden until its lease ends:
a delay. A message hidden or deleted twice is as one hidden or deleted once.
"""

import hashlib
import string
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.adapters.aws.sqs.queues import (
    UNREADABLE,
    QueueAbsent,
    meaning,
    open_queues,
)
from media_nommer.core.errors import LeaseLost, NommerError
from media_nommer.core.jobs import Priority

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

#: The longest delay of a message, the longest poll and the longest hiding, in seconds.
MOST_DELAY = 900
LONGEST_POLL = 20
LONGEST_HIDING = 43_200

#: The attribute of a message that says when it is due, in seconds since 1970.
_DUE = "due"
#: The attribute of an unreadable message that says which queue it was on.
_FROM = "from"

_IN_GROUPS = frozenset(string.ascii_letters + string.digits + string.punctuation)
_LONGEST_GROUP = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it was received, and the receipt by which it can be changed."""

    priority: Priority
    receipt: str
    body: str
    times: int
    group: str
    due: datetime | None


class BeyondTheCap(NommerError):
    """SQS hides this message no longer: it may do so for 12 hours from a receive."""


class SqsCalls:
    """Calls on the queues of ``sqs://name``, which are found or made at the first one."""

    def __init__(self, clients: AwsClients, name: str, *, create: bool) -> None:
        self._clients = clients
        self._name = name
        self._create = create
        self._sqs: SQSClient = clients.client("sqs")
        self._lock = threading.Lock()
        self._urls: Mapping[str, str] | None = None

    def send(
        self,
        priority: Priority,
        body: str,
        *,
        delay: int = 0,
        group: str = "",
        due: datetime | None = None,
    ) -> None:
        """Put a message on the queue of a priority."""
        details: dict[str, Any] = {"DelaySeconds": delay}
        if group:
            details["MessageGroupId"] = group_id(group)
        if due is not None:
            number = {"DataType": "Number", "StringValue": str(int(due.timestamp()))}
            details["MessageAttributes"] = {_DUE: number}
        with self._on(priority) as url:
            self._sqs.send_message(QueueUrl=url, MessageBody=body, **details)

    def receive(self, priority: Priority, *, hidden: int, wait: int) -> Message | None:
        """Receive one message, or None; it stays hidden from others for ``hidden`` seconds.

        ``wait`` 0 asks some of the servers that hold the queue, anything more all of them.
        """
        with self._on(priority) as url:
            answer = self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=1,
                VisibilityTimeout=hidden,
                WaitTimeSeconds=wait,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
                MessageAttributeNames=[_DUE],
            )
        for found in answer.get("Messages", ()):
            return _read(priority, found)
        return None

    def hide(self, message: Message, seconds: int) -> None:
        """Hide a message from now on, for so many seconds.

        Raises:
            BeyondTheCap: that would be more than 12 hours from its receive.
            LeaseLost: it is gone, or not hidden any more.
        """
        with self._on(message.priority) as url:
            self._sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )

    def delete(self, message: Message) -> None:
        """Remove a message; with an outdated receipt that may do nothing, silently.

        Raises:
            LeaseLost: SQS says that the receipt is outdated.
        """
        with self._on(message.priority) as url:
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message.receipt)

    def set_aside(self, message: Message) -> None:
        """Move what is no message of ours to the dead-letter queue; never lose it."""
        source = f"{self._name}-{message.priority}"
        with self._on(UNREADABLE) as url:
            self._sqs.send_message(
                QueueUrl=url,
                MessageBody=message.body,
                MessageAttributes={_FROM: {"DataType": "String", "StringValue": source}},
            )
        self.delete(message)

    def count(self, priority: Priority) -> int:
        """Count what waits, is hidden or is delayed on the queue of a priority."""
        with self._on(priority) as url:
            answer = self._sqs.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
        return sum(int(number) for number in answer["Attributes"].values())

    @contextmanager
    def _on(self, part: str) -> Iterator[str]:
        """Give a queue's URL; a queue that turns out to be gone is looked for next time."""
        url = self._url(part)
        try:
            with answering("sqs", _meaning):
                yield url
        except QueueAbsent:
            with self._lock:
                self._urls = None
            raise

    def _url(self, part: str) -> str:
        with self._lock:
            if self._urls is None:
                self._urls = open_queues(self._clients, self._name, create=self._create)
            return self._urls[part]


def group_id(group: str) -> str:
    """Return a group as SQS takes it: 128 printable characters of ASCII at most."""
    if len(group) <= _LONGEST_GROUP and set(group) <= _IN_GROUPS:
        return group
    return hashlib.sha256(group.encode("utf-8", "surrogatepass")).hexdigest()


def _meaning(code: str, said: str) -> NommerError | None:
    """Return what an error of SQS about one message means."""
    name = code.rpartition(".")[2]
    if name == "InvalidParameterValue" and "beyond the limit" in said:
        return BeyondTheCap(said)
    about_receipt = name == "InvalidParameterValue" and "ReceiptHandle" in said
    if about_receipt or name in {"ReceiptHandleIsInvalid", "MessageNotInflight"}:
        return LeaseLost(f"sqs took the message back: {name}")
    return meaning(code, said)


def _read(priority: Priority, found: Mapping[str, Any]) -> Message:
    system = found.get("Attributes", {})
    due = found.get("MessageAttributes", {}).get(_DUE, {}).get("StringValue", "")
    return Message(
        priority=priority,
        receipt=found["ReceiptHandle"],
        body=found["Body"],
        times=int(system.get("ApproximateReceiveCount", 1)),
        group=system.get("MessageGroupId", ""),
        due=datetime.fromtimestamp(int(due), UTC) if due.isdecimal() else None,
    )
