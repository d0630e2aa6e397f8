"""Opening what a daemon works with, while a part of it may still be away."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import TypeVar

import structlog

from media_nommer import wiring
from media_nommer.conf.settings import Settings
from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.workflow.engine import Engine

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

#: How long a daemon waits at its start for a store or a queue that does not answer.
PATIENCE = timedelta(minutes=15)

#: Seconds between two tries; they double up to the last, and each is cut by chance, so
#: that a fleet that waits does not come all at once.
_FIRST_REST = 1.0
_LAST_REST = 20.0

#: How often, in seconds, one who waits looks whether it was asked to stop.
_LOOK_EVERY = 0.2


class AskedToStop(BaseException):
    """The daemon was asked to stop before it had begun.

    Like KeyboardInterrupt it is no error, and nobody on the way may take it for one.
    """


@contextmanager
def stopping_at_once() -> Iterator[None]:
    """Raise AskedToStop at SIGTERM and SIGINT: there is nothing to be ended well yet."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise AskedToStop

    before = {s: signal.signal(s, stop) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _nobody_asks() -> bool:
    return False


def patiently(
    step: Callable[[], Answer],
    *,
    asked_to_stop: Callable[[], bool] = _nobody_asks,
    patience: timedelta = PATIENCE,
    pause: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
    dice: Callable[[float, float], float] = random.uniform,
) -> Answer:
    """Return what ``step`` answers, once what it needs is there.

    Raises:
        AskedToStop: somebody wants us to stop; it is seen between two tries.
        ServiceUnavailable: it was away for too long.
    """
    until, rest = now() + patience.total_seconds(), _FIRST_REST
    while True:
        if asked_to_stop():
            raise AskedToStop
        try:
            return step()
        except ServiceUnavailable as error:
            again = now() + dice(rest / 2, rest)
            if again > until:
                raise
            log.warning("service_awaited", code=error.code, message=error.message)
        while now() < again and not asked_to_stop():
            pause(_LOOK_EVERY)
        rest = min(2 * rest, _LAST_REST)


@contextmanager
def opened_engine(
    settings: Settings,
    *,
    asked_to_stop: Callable[[], bool] = _nobody_asks,
    scratch: Path | None = None,
) -> Iterator[Engine]:
    """Open the store, the queue and the storages, once they answer.

    Raises:
        AskedToStop: somebody wants us to stop.
        InvalidSetting: no adapter serves one of them.
        ServiceUnavailable: one of them was away for too long.
    """
    with ExitStack() as stack:
        yield patiently(
            lambda: stack.enter_context(wiring.open_engine(settings, scratch=scratch)),
            asked_to_stop=asked_to_stop,
        )


__all__ = ["AskedToStop", "opened_engine", "patiently", "stopping_at_once"]
