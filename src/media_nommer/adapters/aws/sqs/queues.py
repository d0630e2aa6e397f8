"""The four queues of SQS that serve as one: their names, finding them, making them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.core.errors import (
    AccessDenied,
    InvalidSetting,
    NommerError,
    ServiceUnavailable,
)
from media_nommer.core.jobs import Priority

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

#: The queue for what is no message of ours, after the three of the priorities.
UNREADABLE = "unreadable"
PARTS = (*Priority, UNREADABLE)

#: Names of queues have 80 characters at most, and the longest of ours ends "-unreadable".
_NAME = re.compile(r"[A-Za-z0-9_-]{1,69}")

#: As long as SQS keeps messages at all: 14 days.
RETENTION = 14 * 24 * 60 * 60

#: SQS names its errors as the query protocol did, or as its model does.
_OLD_NAMES = "AWS.SimpleQueueService."


class QueueAbsent(ServiceUnavailable):
    """A queue is not there: not yet, or not any more."""


class _QueueDiffers(NommerError):
    """A queue of this name is there, with settings that are not ours."""


def create_queues(
    clients: AwsClients, name: str, *, tags: Mapping[str, str] = MappingProxyType({})
) -> Mapping[str, str]:
    """Make the queues of ``sqs://name`` that are not there; return the URLs of all.

    The URLs go by ``PARTS``. A queue that is there stays as it is, so whoever set it up in
    another way (with a KMS key, say) is not overruled. Many may do this at once.

    Raises:
        InvalidSetting: SQS has no queues of such a name.
        AccessDenied: a queue is absent, and we may not make it.
    """
    _check(name)
    sqs: SQSClient = clients.client("sqs")
    return {part: _created(sqs, f"{name}-{part}", tags) for part in PARTS}


def find_queues(clients: AwsClients, name: str) -> Mapping[str, str]:
    """Return the URLs of the queues of ``sqs://name``, by ``PARTS``.

    Raises:
        InvalidSetting: SQS has no queues of such a name.
        QueueAbsent: one is not there.
    """
    _check(name)
    sqs: SQSClient = clients.client("sqs")
    return {part: _found(sqs, f"{name}-{part}") for part in PARTS}


def open_queues(clients: AwsClients, name: str, *, create: bool) -> Mapping[str, str]:
    """Return the URLs of the queues, made if they are not there and we may.

    Raises:
        InvalidSetting: SQS has no queues of such a name, or they are absent and stay so.
    """
    try:
        return find_queues(clients, name)
    except QueueAbsent as absent:
        if not create:
            raise _stays_absent(clients, name) from absent
    try:
        return create_queues(clients, name)
    except AccessDenied as refused:
        raise _stays_absent(clients, name) from refused


def meaning(code: str, said: str) -> NommerError | None:
    """Return what an error of SQS means, as far as it means something of its own."""
    code = code.removeprefix(_OLD_NAMES)
    if code in {"NonExistentQueue", "QueueDoesNotExist"}:
        return QueueAbsent(
            "a queue on SQS is not there, or is so new that not all of SQS knows it"
        )
    if code in {"QueueAlreadyExists", "QueueNameExists"}:
        return _QueueDiffers(said)
    if code == "QueueDeletedRecently":
        return ServiceUnavailable(
            "a queue on SQS was deleted a moment ago: "
            "it can be made again a minute after that"
        )
    if code == "OverLimit":
        return ServiceUnavailable(
            "a queue on SQS has as many messages in flight as it may have",
            advice="Ask AWS for a higher limit, or divide the work over several fleets.",
        )
    return _meaning_of_key(code, said) if code.lower().startswith("kms") else None


def _meaning_of_key(code: str, said: str) -> NommerError | None:
    """Return what it means that a queue's KMS key does not serve."""
    if "Throttl" in code:
        return ServiceUnavailable(f"sqs waits for KMS: {code}")
    if "AccessDenied" in code:
        return AccessDenied(
            f"KMS refuses the key of a queue on SQS: {said or code}",
            advice="Allow kms:GenerateDataKey and kms:Decrypt on that key to the role or "
            "user that this runs as.",
        )
    return InvalidSetting(
        f"the KMS key of a queue on SQS cannot be used: {said or code}",
        advice="Enable the key, or give the queue another one or none.",
    )


def _created(sqs: "SQSClient", name: str, tags: Mapping[str, str]) -> str:
    # No redrive policy: a task's attempts are counted in the store, not by its receives.
    try:
        with answering("sqs", meaning):
            made = sqs.create_queue(
                QueueName=name,
                Attributes={"MessageRetentionPeriod": str(RETENTION)},
                tags=dict(tags),
            )
    except _QueueDiffers:
        return _found(sqs, name)
    return made["QueueUrl"]


def _found(sqs: "SQSClient", name: str) -> str:
    with answering("sqs", meaning):
        return sqs.get_queue_url(QueueName=name)["QueueUrl"]


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidSetting(
            f"sqs://{name} cannot name queues on SQS",
            advice="Use up to 69 letters, digits, - and _.",
        )


def _stays_absent(clients: AwsClients, name: str) -> InvalidSetting:
    return InvalidSetting(
        f"the queues of sqs://{name} are not there, in {clients.region}",
        advice="Make them with `nommer aws up`, allow sqs:CreateQueue, or correct "
        "`queue` or `aws_region`.",
    )
