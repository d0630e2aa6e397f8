"""Waking those who wait for work: PostgreSQL's LISTEN and NOTIFY.

A word is sent when a message becomes free at once. What becomes free by the clock sends
none, so who waits looks by themselves now and then, too; a word that is lost costs that
long and no more.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from media_nommer.adapters.sql.engine import answering, writing
from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.ports.queue import GiveUp

Insert: TypeAlias = sqlite.Insert | postgresql.Insert

#: One channel for each schema, since channels belong to the whole database.
_CHANNEL = sa.literal("nommer_") + sa.func.md5(sa.func.current_schema())

#: How often, in seconds, one who waits is asked whether to give up.
_ASK_EVERY = 0.2

#: Waits for a word for at most so many seconds, or until it is told to give up.
Woken = Callable[[float, GiveUp], None]


def and_wake(insert: Insert) -> sa.Executable:
    """Return a statement that does the insert and wakes all who wait."""
    done = insert.returning(sa.literal(1)).cte("done")
    return sa.select(sa.func.pg_notify(_CHANNEL, "")).select_from(done)


class Waking:
    """The connection on which this process listens, opened when somebody first waits."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._one_at_a_time = threading.Lock()
        self._listening: sa.Connection | None = None
        self._cut: type[Exception] = engine.dialect.loaded_dbapi.Error

    def wake(self) -> None:
        """Wake all who wait, in every process."""
        with writing(self._engine) as db:
            db.execute(sa.select(sa.func.pg_notify(_CHANNEL, "")))

    @contextmanager
    def listening(self) -> Iterator[Woken]:
        """Give what waits for a word; none that is sent from now on is missed.

        One thread listens; others who wait at the same time just let the time pass.
        """
        if not self._one_at_a_time.acquire(blocking=False):
            yield _pass_time
            return
        try:
            with answering():
                self._open()
            yield self._hear
        except BaseException:
            self._drop()
            raise
        finally:
            self._one_at_a_time.release()

    def close(self) -> None:
        """Stop listening."""
        with self._one_at_a_time:
            self._drop()

    def _open(self) -> None:
        if self._listening is None:
            db = self._engine.connect()
            self._listening = db
            db.detach()
            channel = db.execute(sa.select(_CHANNEL)).scalar_one()
            db.exec_driver_sql(f'LISTEN "{channel}"')

    def _hear(self, seconds: float, give_up: GiveUp) -> None:
        assert self._listening is not None, "only one who listens hears"
        connection: Any = self._listening.connection.dbapi_connection
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not give_up():
            try:
                for _ in connection.notifies(timeout=min(left, _ASK_EVERY), stop_after=1):
                    return
            except self._cut as error:
                raise ServiceUnavailable("the database has hung up") from error

    def _drop(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            raw: Any = listening.connection.dbapi_connection
            raw.close()
            listening.invalidate()  # no farewell is said on a line that may be cut
            listening.close()


def _pass_time(seconds: float, give_up: GiveUp) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not give_up():
        time.sleep(min(left, _ASK_EVERY))
