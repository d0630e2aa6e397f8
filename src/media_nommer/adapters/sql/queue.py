"""Deliveries in an SQL database: one row a task, hidden until a time that it holds."""

import secrets
import time
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

from media_nommer.adapters.sql.engine import reading, writing
from media_nommer.adapters.sql.schema import messages
from media_nommer.adapters.sql.turns import (
    ASKED,
    AT_ONCE,
    DELAYED,
    HELD,
    WAITS,
    any_due,
    any_free,
    let_wait,
    put_statement,
    take_by_age,
    take_by_turn,
)
from media_nommer.adapters.sql.waking import Waking, and_wake
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.cursors import microseconds
from media_nommer.core.errors import LeaseLost
from media_nommer.core.jobs import Priority
from media_nommer.core.ports.queue import (
    Delivery,
    GiveUp,
    TaskQueue,
    goes_by_age,
    never_give_up,
    priorities_at,
)
from media_nommer.core.tasks import TaskId

#: PostgreSQL's own clock, in our unit: when the statement began, so that an index serves.
_SERVER_NOW = sa.literal_column(
    "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)", sa.BigInteger
)
_MICROSECOND = timedelta(microseconds=1)

_RANKS = {Priority.HIGH: 0, Priority.NORMAL: 1, Priority.LOW: 2}

#: How often, in seconds, a taker who is never at a loss looks for what became due again.
_LET_WAIT_EVERY = 1.0

#: How often one who waits looks for what nobody tells of: a delay or a lease that ran out.
_LOOK_EVERY = 2.0


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
        self._ticker = clock or system_clock
        self._let_wait_at = self._ticker.monotonic()
        self._takes = 0
        self._waking = None if self._looks_first else Waking(engine)
        now: sa.ColumnElement[int] = (
            sa.bindparam("now", type_=sa.BigInteger) if clock else _SERVER_NOW
        )
        later = now + sa.bindparam("span", type_=sa.BigInteger)
        self._put = put_statement(engine, later)
        self._put_now = self._put if self._looks_first else and_wake(self._put)
        self._look = any_free(now)
        taken = (messages.c.task_id, messages.c.token, messages.c.times)
        self._take_by_turn = take_by_turn(now, later).returning(*taken)
        self._take_by_age = take_by_age(now, later).returning(*taken)
        self._any_due, self._let_wait = any_due(now), let_wait(now)
        self._keep = (
            sa.update(messages)
            .where(*_held())
            .values(free_at=later, stage=sa.bindparam("stage"))
        )
        self._done = sa.delete(messages).where(*_held())
        self._count = sa.select(sa.func.count()).select_from(messages)

    @override
    def put(
        self,
        task_id: TaskId,
        *,
        delay: timedelta = timedelta(),
        priority: Priority = Priority.NORMAL,
        group: str = "",
    ) -> None:
        """Make a task available after ``delay``; a hand-over of it is void."""
        values = {
            "task": task_id,
            "rank": _RANKS[priority],
            "group": group,
            "stage": DELAYED if delay else WAITS,
            **self._times(delay),
        }
        self._execute(self._put if delay else self._put_now, values)

    @override
    def take(
        self,
        lease: timedelta,
        *,
        wait: timedelta = timedelta(),
        give_up: GiveUp = never_give_up,
    ) -> Delivery | None:
        """Take the next message; on PostgreSQL, wait for one to come."""
        delivery = self._take_now(lease)
        if delivery is not None or self._waking is None or not wait:
            return delivery
        with self._waking.listening() as woken:
            until = time.monotonic() + wait.total_seconds()
            while True:
                delivery = self._take_now(lease)
                left = until - time.monotonic()
                if delivery is not None or left <= 0 or give_up():
                    return delivery
                woken(min(left, _LOOK_EVERY), give_up)

    def close(self) -> None:
        """Close the connection that waits for news; the queue may go on being used."""
        if self._waking is not None:
            self._waking.close()

    def _take_now(self, lease: timedelta) -> Delivery | None:
        self._takes += 1
        values: dict[str, object] = {"new_token": secrets.token_hex(8)}
        values |= self._times(lease) | _ranks_at(self._takes)
        # On SQLite an update locks the others out even if it finds nothing to do.
        if self._looks_first:
            with reading(self._engine) as db:
                if db.execute(self._look, values).scalar() is None:
                    return None
        if self._ticker.monotonic() >= self._let_wait_at:
            self._let_due_wait(values)
        row = self._taken(values)
        if row is None and self._let_due_wait(values):
            row = self._taken(values)
        if row is None:
            return None
        return Delivery(task_id=TaskId(row.task_id), token=row.token, times=row.times)

    def _taken(self, values: dict[str, object]) -> sa.Row[Any] | None:
        take = self._take_by_age if goes_by_age(self._takes) else self._take_by_turn
        with writing(self._engine) as db:
            return db.execute(take, values).one_or_none()

    def _let_due_wait(self, values: dict[str, object]) -> int:
        """Put what is due again among those who wait; return how many that were."""
        with reading(self._engine) as db:
            any_due = db.execute(self._any_due, values).first() is not None
        moved = self._execute(self._let_wait, values) if any_due else 0
        if moved < AT_ONCE:
            self._let_wait_at = self._ticker.monotonic() + _LET_WAIT_EVERY
        return moved

    @override
    def keep(self, delivery: Delivery, lease: timedelta) -> None:
        """Hide a message for ``lease`` from now; zero hands it to the next taker."""
        stage = {"stage": HELD if lease else WAITS}
        self._held(self._keep, delivery, {**stage, **self._times(lease)})
        if not lease and self._waking is not None:
            self._waking.wake()

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


def _ranks_at(take: int) -> dict[str, object]:
    """Return the ranks in the order in which this take asks for them."""
    return {
        place: _RANKS[priority]
        for place, priority in zip(ASKED, priorities_at(take), strict=True)
    }


def _held() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return (
        messages.c.task_id == sa.bindparam("task"),
        messages.c.token == sa.bindparam("held_token"),
    )
