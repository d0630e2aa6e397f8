"""Stores and queues: which adapter serves which URL."""

from contextlib import ExitStack
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from media_nommer.conf.settings import Settings
from media_nommer.conf.values import FOREVER
from media_nommer.core.clock import Clock
from media_nommer.core.ports.queue import TaskQueue
from media_nommer.core.ports.store import JobStore
from media_nommer.wiring import amazon
from media_nommer.wiring.urls import check_scheme, place_of, scheme_of

if TYPE_CHECKING:
    from media_nommer.adapters.aws.clients import AwsClients

_SQL = ("sqlite", "postgresql")
_STORES = (*_SQL, "dynamodb", "simpledb", "memory")
_QUEUES = (*_SQL, "sqs", "memory")

#: Old jobs go to the archive first; DynamoDB itself removes what no feederd came for.
_TIME_TO_ARCHIVE = timedelta(days=30)


class Opened:
    """What is opened once, however many ports are served from it."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        self._region = settings.aws_region
        self._stack = stack
        self._databases: dict[str, Any] = {}

    def database(self, url: str) -> Any:
        """Return an SQL database."""
        if url not in self._databases:
            from media_nommer.adapters.sql import open_engine

            engine = self._databases[url] = open_engine(url)
            self._stack.callback(engine.dispose)
        return self._databases[url]

    @cached_property
    def aws(self) -> "AwsClients":
        """The clients of Amazon's services.

        Raises:
            InvalidSetting: the part that speaks to them is not installed.
        """
        return amazon.aws_clients(self._region)


def open_store(settings: Settings, opened: Opened) -> JobStore:
    """Return the store of the settings; what it needs there is made.

    Raises:
        InvalidSetting: no adapter serves it.
        ServiceUnavailable: it does not answer.
    """
    url = settings.store
    check_scheme(settings, "store", _STORES)
    if scheme_of(url) in _SQL:
        from media_nommer.adapters.sql import SqlStore

        return SqlStore(opened.database(url))
    if scheme_of(url) == "dynamodb":
        clients = opened.aws
        from media_nommer.adapters.aws.dynamodb import DynamoStore, create_table

        create_table(clients, place_of(url))
        forever = settings.keep_jobs_for == FOREVER
        kept = None if forever else settings.keep_jobs_for + _TIME_TO_ARCHIVE
        return DynamoStore(clients, place_of(url), keep_jobs_for=kept)
    if scheme_of(url) == "simpledb":
        clients = opened.aws
        from media_nommer.adapters.aws.simpledb import SimpleDbStore, create_domain

        create_domain(clients, place_of(url))
        return SimpleDbStore(clients, place_of(url))
    from media_nommer.adapters.memory import MemoryStore

    return MemoryStore()


def open_queue(
    settings: Settings, clock: Clock, opened: Opened, stack: ExitStack
) -> TaskQueue:
    """Return the queue of the settings, which is closed with ``stack``.

    Raises:
        InvalidSetting: no adapter serves it.
        ServiceUnavailable: it does not answer.
    """
    url = settings.queue
    check_scheme(settings, "queue", _QUEUES)
    if scheme_of(url) in _SQL:
        from media_nommer.adapters.sql import SqlQueue

        listening = SqlQueue(opened.database(url))
        stack.callback(listening.close)
        return listening
    if scheme_of(url) == "sqs":
        clients = opened.aws
        from media_nommer.adapters.aws.sqs import SqsQueue

        polling = SqsQueue(clients, place_of(url), clock)
        stack.callback(polling.close)
        return polling
    from media_nommer.adapters.memory import MemoryQueue

    return MemoryQueue(clock)
