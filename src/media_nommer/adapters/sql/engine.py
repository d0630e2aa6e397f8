"""Connections: how a database is opened, and what its errors mean to us."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from media_nommer.adapters.sql import sqlite
from media_nommer.adapters.sql.migrate import migrate
from media_nommer.core.errors import (
    AccessDenied,
    BadRequest,
    InvalidSetting,
    NoSpace,
    ServiceUnavailable,
)

#: Connections that stay open; more are made when more threads ask at once.
POOL_SIZE = 8


def sqlite_url(path: Path) -> str:
    """Return the URL of the SQLite database in the file ``path``."""
    url = sa.URL.create("sqlite", database=str(path.absolute()))
    return url.render_as_string(hide_password=False)


def open_engine(url: str) -> sa.Engine:
    """Open a database, making its file and tables where they are not there yet.

    ``url`` is ``sqlite:////absolute/path`` (``sqlite_url`` makes one) or
    ``postgresql://user@host/name``. Whoever opens an engine disposes of it. Statements run
    in autocommit: each is a transaction of its own, which is all that the ports ask for.

    Raises:
        InvalidSetting: the URL is not one of these, or its file is not a database.
        AccessDenied: the file may not be read or written.
        UnknownVersion: a newer media-nommer has changed the tables.
        ServiceUnavailable: the database does not answer.
    """
    engine = _engine(_parsed(url))
    try:
        with answering(), engine.connect() as db:
            if engine.dialect.name == "sqlite":
                sqlite.write_ahead(db)
        with answering():
            migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection to read with, whose errors are ours."""
    with answering(), engine.connect() as db:
        yield db


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection to write with, whose errors are ours; on SQLite, await our turn."""
    with answering(), engine.connect() as db, sqlite.turn(db):
        yield db


@contextmanager
def answering() -> Iterator[None]:
    """Raise our errors for those of the database inside."""
    try:
        yield
    except exc.TimeoutError as error:
        raise ServiceUnavailable("all connections to the database are taken") from error
    except exc.DBAPIError as error:
        raise _translated(error) from error
    except UnicodeEncodeError as error:
        raise BadRequest("a text holds half a character and cannot be stored") from error


def _translated(error: exc.DBAPIError) -> Exception:
    said = str(error.orig).strip().partition("\n")[0]
    code = getattr(error.orig, "sqlstate", None) or getattr(
        error.orig, "sqlite_errorname", ""
    )
    if code in {"53100", "SQLITE_FULL"}:
        return NoSpace(f"the database's disk is full: {said}")
    if code in {"SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN", "42501"}:
        return AccessDenied(f"the database may not be used: {said}")
    if code == "SQLITE_NOTADB":
        return InvalidSetting(f"the database's file is something else: {said}")
    if isinstance(error, exc.DataError):
        return BadRequest(f"the database cannot hold this: {said}")
    passing = (exc.OperationalError, exc.InterfaceError, exc.InternalError)
    if isinstance(error, passing) or error.connection_invalidated:
        return ServiceUnavailable(f"the database does not answer: {said}")
    return error


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError as error:
        raise InvalidSetting("a database URL cannot be read") from error
    kind = parsed.drivername.partition("+")[0]
    if kind == "sqlite":
        if parsed.database in {None, "", ":memory:"}:
            raise InvalidSetting('SQLite needs a file; "memory" is what keeps nothing')
        return parsed.set(drivername="sqlite+pysqlite")
    if kind in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    raise InvalidSetting(f"{kind!r} is not a database that we know: sqlite, postgresql")


def _engine(url: sa.URL) -> sa.Engine:
    common: dict[str, Any] = {
        "isolation_level": "AUTOCOMMIT",
        "pool_size": POOL_SIZE,
        "max_overflow": -1,
        "pool_use_lifo": True,
    }
    if url.get_backend_name() == "sqlite":
        _make_folder(Path(str(url.database)))
        engine = sa.create_engine(
            url,
            **common,
            pool_reset_on_return=None,
            connect_args={"timeout": sqlite.BUSY_TIMEOUT, "check_same_thread": False},
        )
        sqlite.prepare(engine)
        return engine
    # Plans are made for the values at hand: one that is kept for all takes a state or a
    # tag that few jobs have for one of average size, and reads a thousand times as much.
    unprepared = {"prepare_threshold": None}
    try:
        return sa.create_engine(url, **common, pool_pre_ping=True, connect_args=unprepared)
    except ModuleNotFoundError as error:
        raise InvalidSetting(
            "PostgreSQL needs a part that is not installed",
            advice="pip install 'media-nommer[postgres]'",
        ) from error


def _make_folder(database: Path) -> None:
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AccessDenied(f"{database.parent} cannot be made: {error.strerror}") from error
