"""What SQLite needs beside its statements: durability, and writers that queue up."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from media_nommer.core.errors import ServiceUnavailable

#: Seconds that a writer waits for the others before SQLite says that it is locked.
BUSY_TIMEOUT = 30.0
#: Seconds between two looks at whether it is our turn; a write takes about one millisecond.
_LOOK_EVERY = 0.0005

#: Seconds that a turn is awaited: longer than a crowd takes, and not as long as a process
#: that was stopped in the middle of its own may keep it.
_LONGEST_TURN = 1.0

_TURN = "media_nommer.turn"
_MISSED = "media_nommer.turn_missed"


def prepare(engine: sa.Engine) -> None:
    """See to it that each connection commits to the disk, and can await its turn."""
    turns = f"{engine.url.database}-turn"

    def configure(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()
        record.info[_TURN] = os.open(turns, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

    def leave(_connection: Any, record: Any) -> None:
        handle = record.info.pop(_TURN, None)
        if handle is not None:
            os.close(handle)

    sa.event.listen(engine, "connect", configure)
    sa.event.listen(engine, "close", leave)


@contextmanager
def turn(db: sa.Connection) -> Iterator[None]:
    """Wait until no other connection writes, of this process or another.

    SQLite waits by itself, but sleeps for up to 100 ms between two tries: eight writers get
    a tenth done of what one does. This lock spares them that and decides nothing: after a
    while we go on without it, and SQLite says whether it is locked. Who missed a turn does
    not wait again before one is free.
    """
    handle = db.info.get(_TURN)
    if handle is None:
        yield
        return
    until = time.monotonic() + (0 if db.info.get(_MISSED) else _LONGEST_TURN)
    while not (taken := _taken(handle)) and time.monotonic() < until:
        time.sleep(_LOOK_EVERY)
    db.info[_MISSED] = not taken
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)


def write_ahead(db: sa.Connection) -> None:
    """Switch the file to WAL, which it stays in: readers and the writer do not wait.

    The switch needs the file for itself and does not wait for it; whoever finds it busy is
    in the company of another who switches, so a transaction of theirs is waited for.
    """
    for _ in range(20):
        if db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal":
            return
        try:
            db.exec_driver_sql("PRAGMA journal_mode=WAL")
        except exc.OperationalError as error:
            if getattr(error.orig, "sqlite_errorname", "") != "SQLITE_BUSY":
                raise
            db.exec_driver_sql("BEGIN IMMEDIATE")
            db.exec_driver_sql("COMMIT")
    raise ServiceUnavailable("the database is busy, and cannot be switched to WAL")


def _taken(handle: int) -> bool:
    """Return whether we have the turn; a file system without locks gives it to all."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
