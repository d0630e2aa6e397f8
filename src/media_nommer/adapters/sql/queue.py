"""Deliveries in an SQL database: one row a task, hidden until a time that it holds."""

import secrets
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from typing_extensions import override

from media_nommer.adapters.sql.engine import reading, writing
from media_nommer.adapters.sql.schema import messages
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.cursors import microseconds
from media_nommer.core.errors import LeaseLost
from media_nommer.core.ports.queue import Delivery, TaskQueue
from media_nommer.core.tasks import TaskId
from media_nommer.core.wire import WIRE_VERSION

#: PostgreSQL's own clock, in our unit: when the statement began, so that an index serves.
_SERVER_NOW = sa.literal_column(
    "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)", sa.BigInteger
)
_MICROSECOND = timedelta(microseconds=1)


class SqlQueue(TaskQueue):
    """Keeps one message a task, in the database that ``open_engine`` has opened.

    Leases are timed on the clock that all takers share: with PostgreSQL the server's, with
    SQLite this machine's wall clock. A given ``clock`` replaces either; tests give one.
    """

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._looks_first = engine.dialect.name == "sqlite"
        if clock is None and engine.dialect.name == "sqlite":
            clock = system_clock
        self._clock = clock
        now: sa.ColumnElement[int] = (
            sa.bindparam("now", type_=sa.BigInteger) if clock else _SERVER_NOW
        )
        later = now + sa.bindparam("span", type_=sa.BigInteger)
        self._put = _put(engine, later)
        self._look = _free(now)
        self._take = _take(now, later)
        self._keep = sa.update(messages).where(*_held()).values(free_at=later)
        self._done = sa.delete(messages).where(*_held())
        self._count = sa.select(sa.func.count()).select_from(messages)

    @override
    def put(self, task_id: TaskId, *, delay: timedelta = timedelta()) -> None:
        """Make a task available after ``delay``; a hand-over of it is void."""
        self._execute(self._put, {"task": task_id, **self._times(delay)})

    @override
    def take(self, lease: timedelta) -> Delivery | None:
        """Take the next message and hide it for ``lease``, or return None at once."""
        values = {"new_token": secrets.token_hex(8), **self._times(lease)}
        # On SQLite an update locks the others out even if it finds nothing to do.
        if self._looks_first:
            with reading(self._engine) as db:
                if db.execute(self._look, values).first() is None:
                    return None
        with writing(self._engine) as db:
            row = db.execute(self._take, values).one_or_none()
        if row is None:
            return None
        return Delivery(task_id=TaskId(row.task_id), token=row.token, times=row.times)

    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        """Hide a message for ``lease`` from now; zero hands it to the next taker."""
        self._held(self._keep, delivery, self._times(lease))

    @override
    def done(self, delivery: Delivery) -> None:
        """Remove a message for good."""
        self._held(self._done, delivery, {})

    @override
    def depth(self) -> int:
        """Count messages, waiting or hidden."""
        with reading(self._engine) as db:
            return db.execute(self._count).scalar_one()

    def _held(self, statement: sa.Executable, delivery: Delivery, values: Any) -> None:
        holder = {"task": delivery.task_id, "held_token": delivery.token}
        if not self._execute(statement, {**holder, **values}):
            raise LeaseLost(f"task {delivery.task_id} is done, or was handed to another")

    def _execute(self, statement: sa.Executable, values: dict[str, object]) -> int:
        with writing(self._engine) as db:
            return db.execute(statement, values).rowcount

    def _times(self, span: timedelta) -> dict[str, object]:
        times: dict[str, object] = {"span": span // _MICROSECOND}
        if self._clock is not None:
            times["now"] = microseconds(self._clock.now())
        return times


def _put(engine: sa.Engine, later: sa.ColumnElement[int]) -> sa.Insert:
    """Return the insert that lets a waiting message come no later and voids a held one."""
    dialect = sqlite if engine.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(messages).values(
        task_id=sa.bindparam("task"),
        version=WIRE_VERSION,
        free_at=later,
        token="",
        times=0,
    )
    new = insert.excluded.free_at
    waits_less = (messages.c.token == "") & (messages.c.free_at < new)
    statement: sa.Insert = insert.on_conflict_do_update(
        index_elements=[messages.c.task_id],
        set_={
            "version": WIRE_VERSION,
            "token": "",
            "free_at": sa.case((waits_less, messages.c.free_at), else_=new),
        },
    ).inline()
    return statement


def _free(now: sa.ColumnElement[int]) -> sa.Select[tuple[str]]:
    """Return what finds the next message that nobody holds."""
    return (
        sa.select(messages.c.task_id)
        .where(messages.c.version == WIRE_VERSION, messages.c.free_at <= now)
        .order_by(messages.c.free_at, messages.c.task_id)
        .limit(1)
    )


def _take(now: sa.ColumnElement[int], later: sa.ColumnElement[int]) -> sa.Executable:
    #: Skipping is for PostgreSQL, where takers meet; SQLite has one writer at a time.
    free = _free(now).with_for_update(skip_locked=True).scalar_subquery()
    return (
        sa.update(messages)
        .where(messages.c.task_id == free)
        .values(token=sa.bindparam("new_token"), free_at=later, times=messages.c.times + 1)
        .returning(messages.c.task_id, messages.c.token, messages.c.times)
    )


def _held() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return (
        messages.c.task_id == sa.bindparam("task"),
        messages.c.token == sa.bindparam("held_token"),
    )
