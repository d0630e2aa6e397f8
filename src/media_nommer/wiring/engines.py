"""The engine: store, queue, storages and sealer of the settings, opened together."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from media_nommer.conf.settings import Settings
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.ports.storage import Storage
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.wiring.ciphers import open_sealer
from media_nommer.wiring.storages import open_places
from media_nommer.wiring.stores import Opened, open_queue, open_store
from media_nommer.wiring.urls import scheme_of

#: So many of an output's files are moved at a time: segments are small and far away.
FILES_AT_ONCE = 8


@contextmanager
def open_engine(
    settings: Settings, *, clock: Clock = system_clock, scratch: Path | None = None
) -> Iterator[Engine]:
    """Open the store, the queue and the storages that the settings name.

    What is published from one storage to another passes ``scratch``, where that is given.

    Raises:
        InvalidSetting: no adapter serves one of them.
        ServiceUnavailable: one of them does not answer.
    """
    with ExitStack() as stack:
        opened = Opened(settings, stack)
        yield Engine(
            store=open_store(settings, opened),
            queue=open_queue(settings, clock, opened, stack),
            storage=open_places(settings, work_too=True, scratch=scratch),
            work_url=settings.work.rstrip("/"),
            clock=clock,
            sealer=open_sealer(settings, clock),
            at_once=FILES_AT_ONCE,
        )


def open_outside(settings: Settings, engine: Engine) -> Storage:
    """Return the storage as far as callers may reach into it (rule 13)."""
    if scheme_of(settings.work) == "memory":
        return engine.storage  # its objects are nowhere else
    return open_places(settings, work_too=False)


def open_work_area(settings: Settings) -> Storage:
    """Return the storage of the work area alone, without the store and the queue.

    Raises:
        InvalidSetting: no adapter serves it.
    """
    return open_places(settings, work_too=True)


def work_policy(settings: Settings) -> WorkPolicy:
    """Return the limits on how work is tried."""
    return WorkPolicy(
        lease=settings.lease,
        max_attempts=settings.max_attempts,
        max_lost=settings.max_lost,
        backoff=settings.backoff,
        put_again_after=settings.put_again_after,
    )
