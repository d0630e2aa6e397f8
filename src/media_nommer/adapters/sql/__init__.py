"""The store and the queue on SQLite and PostgreSQL, through SQLAlchemy Core."""

from media_nommer.adapters.sql.engine import open_engine, sqlite_url
from media_nommer.adapters.sql.migrate import migrate
from media_nommer.adapters.sql.queue import SqlQueue
from media_nommer.adapters.sql.store import SqlStore

__all__ = ["SqlQueue", "SqlStore", "migrate", "open_engine", "sqlite_url"]
