"""Statements of the queue: who is next, and how groups share what is taken.

Each message has a turn, in the manner of start-time fair queueing: a group's turns follow
one another, and none begins before the turn that its class has come to. So a group with one
message meets a thousand of another's at their first that waits, not behind their last. What
is handed out again keeps its turn. Some takes go by age instead: of new groups there may be
no end.

A message is on one of three stages, so that finding the next to go never reads past those
that are held. Who is due again is put among those who wait from time to time.
"""

from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from media_nommer.adapters.sql.schema import messages
from media_nommer.adapters.sql.waking import Insert
from media_nommer.core.wire import WIRE_VERSION

#: The stages of a message. A version that knew none leaves each on ``WAITS``, and its
#: ``free_at`` says whether that is true.
WAITS, HELD, DELAYED = 0, 1, 2

#: The parameters that stand for the ranks asked for first, second and last.
ASKED = ("first", "second", "last")

#: How many messages are put among those who wait at once.
AT_ONCE = 1000

_OURS = messages.c.version == WIRE_VERSION
_HIDDEN = sa.text("stage > 0")  # as the index says it: no parameter would do


def put_statement(engine: sa.Engine, later: sa.ColumnElement[int]) -> Insert:
    """Return the insert that lets a waiting message come no later and voids a held one."""
    on_sqlite = engine.dialect.name == "sqlite"
    insert = (sqlite if on_sqlite else postgresql).insert(messages)
    insert = insert.values(
        task_id=sa.bindparam("task"),
        version=WIRE_VERSION,
        free_at=later,
        token="",
        times=0,
        rank=sa.bindparam("rank"),
        stage=sa.bindparam("stage"),
        group_id=sa.bindparam("group"),
        turn=_greatest(on_sqlite, _turns_so_far()),
    )
    new, old = insert.excluded, messages.c
    unheld = old.token == ""
    same_line = unheld & (old.rank == new.rank) & (old.group_id == new.group_id)
    statement: Insert = insert.on_conflict_do_update(
        index_elements=[old.task_id],
        set_={
            "version": WIRE_VERSION,
            "token": "",
            "rank": new.rank,
            "group_id": new.group_id,
            "turn": sa.case((same_line, old.turn), else_=new.turn),
            "stage": sa.case((unheld & (old.stage == WAITS), WAITS), else_=new.stage),
            "free_at": sa.case(
                (unheld & (old.free_at < new.free_at), old.free_at), else_=new.free_at
            ),
        },
    ).inline()
    return statement


def take_by_turn(now: sa.ColumnElement[int], later: sa.ColumnElement[int]) -> sa.Update:
    """Return what takes the message whose turn it is; ranks go in the order asked for."""
    return _take(
        now, later, messages.c.stage == WAITS, order=(messages.c.turn, messages.c.free_at)
    )


def take_by_age(now: sa.ColumnElement[int], later: sa.ColumnElement[int]) -> sa.Update:
    """Return what takes the message that has been free for longest, likewise."""
    return _take(now, later, order=(messages.c.free_at,))


def _take(
    now: sa.ColumnElement[int],
    later: sa.ColumnElement[int],
    *which: sa.ColumnElement[bool],
    order: tuple[sa.ColumnElement[int], ...],
) -> sa.Update:
    # Skipping is for PostgreSQL, where takers meet; SQLite has one writer at a time.
    next_up = [
        sa.select(messages.c.task_id)
        .where(_OURS, messages.c.rank == sa.bindparam(name), *which)
        .where(messages.c.free_at <= now)
        .order_by(*order, messages.c.task_id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
        for name in ASKED
    ]
    return (
        sa.update(messages)
        .where(messages.c.task_id == sa.func.coalesce(*next_up))
        .values(token=sa.bindparam("new_token"), free_at=later, stage=HELD)
        .values(times=messages.c.times + 1)
    )


def any_free(now: sa.ColumnElement[int]) -> sa.Select[tuple[str]]:
    """Return what finds a message that nobody holds, of whatever rank, or else null."""
    found = [
        sa.select(messages.c.task_id)
        .where(_OURS, messages.c.rank == sa.bindparam(name), messages.c.free_at <= now)
        .order_by(messages.c.free_at, messages.c.task_id)
        .limit(1)
        .scalar_subquery()
        for name in ASKED
    ]
    return sa.select(sa.func.coalesce(*found))


def any_due(now: sa.ColumnElement[int]) -> sa.Select[tuple[str]]:
    """Return what finds a hidden message whose time has come."""
    return (
        sa.select(messages.c.task_id)
        .where(_OURS, _HIDDEN, messages.c.free_at <= now)
        .order_by(messages.c.free_at)
        .limit(1)
    )


def let_wait(now: sa.ColumnElement[int]) -> sa.Update:
    """Return what puts hidden messages whose time has come among those who wait."""
    due = any_due(now).limit(AT_ONCE).with_for_update(skip_locked=True)
    return sa.update(messages).where(messages.c.task_id.in_(due)).values(stage=WAITS)


def _turns_so_far() -> Iterator[sa.ColumnElement[int]]:
    """Yield what a new turn must reach: its class's, twice, and the next of its group."""
    of_class = sa.select(messages.c.turn).where(
        _OURS, messages.c.rank == sa.bindparam("rank")
    )
    yield _first(of_class.where(messages.c.stage == WAITS), messages.c.turn.asc())
    yield _first(of_class.where(messages.c.stage == HELD), messages.c.turn.desc())
    of_group = (
        sa.select(messages.c.turn + 1)
        .where(messages.c.rank == sa.bindparam("rank"))
        .where(messages.c.group_id == sa.bindparam("group"))
    )
    yield _first(of_group, messages.c.turn.desc())


def _first(
    found: sa.Select[tuple[int]], order: sa.UnaryExpression[int]
) -> sa.ColumnElement[int]:
    return sa.func.coalesce(found.order_by(order).limit(1).scalar_subquery(), 0)


def _greatest(
    on_sqlite: bool, turns: Iterable[sa.ColumnElement[int]]
) -> sa.ColumnElement[int]:
    return (
        sa.func.max(*turns) if on_sqlite else sa.func.greatest(*turns, type_=sa.BigInteger)
    )
