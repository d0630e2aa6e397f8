"""The queues of SQS."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.setup.parts.part import (
    FINE,
    NOTHING,
    Look,
    Part,
    Standing,
    judged,
)
from media_nommer.adapters.aws.setup.site import OURS, Site
from media_nommer.adapters.aws.sqs.queues import create_queues

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


_ABSENT = frozenset({"NonExistentQueue", "QueueDoesNotExist"})


class QueuesPart(Part):
    """The queues that serve as one; lost messages come back from the store."""

    kind = "queues"

    def __init__(self, clients: AwsClients, site: Site) -> None:
        self._clients = clients
        self._site = site
        self._sqs: SQSClient = clients.client("sqs")

    @property
    @override
    def name(self) -> str:
        return f"{self._site.queue}-high, -normal, -low, -unreadable"

    @override
    def look(self) -> Look:
        found = dict(self._found())
        missing = [name for name in self._site.queues if name not in found]
        if len(missing) == len(self._site.queues):
            return NOTHING
        if missing:
            return judged([f"{name} is not there" for name in missing])
        return FINE if all(map(self._is_ours, found.values())) else Look(Standing.NOT_OURS)

    @override
    def make(self) -> None:
        create_queues(self._clients, self._site.queue, tags=self._site.tags)

    @override
    def remove(self) -> None:
        for url in dict(self._found()).values():
            if self._is_ours(url):
                with answering("sqs"):
                    self._sqs.delete_queue(QueueUrl=url)

    def _found(self) -> Iterator[tuple[str, str]]:
        for name in self._site.queues:
            with answering("sqs"):
                try:
                    yield name, self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
                except ClientError as error:
                    if code_of(error).rpartition(".")[2] not in _ABSENT:
                        raise

    def _is_ours(self, url: str) -> bool:
        with answering("sqs"):
            tags = self._sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
        return tags.get(OURS) == self._site.installation
