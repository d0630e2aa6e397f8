"""Bringing a database's tables to the version that this media-nommer works with."""

import sqlalchemy as sa

#: The newest revision in ``migrations/versions``; a test compares the two. It stands here
#: so that Alembic, which takes a while to load, is not needed when nothing is to be done.
HEAD = "0003"


def migrate(engine: sa.Engine) -> None:
    """Bring the tables to ``HEAD``; of many processes that do so at once one does it.

    Raises:
        UnknownVersion: a newer media-nommer has changed the tables.
    """
    with engine.connect() as db:
        at_head = _version(db) == HEAD
    if not at_head:
        from media_nommer.adapters.sql.upgrade import upgrade  # noqa: PLC0415 - see HEAD

        upgrade(engine)


def _version(db: sa.Connection) -> str | None:
    if not sa.inspect(db).has_table("alembic_version"):
        return None
    version: str | None = db.exec_driver_sql(
        "SELECT version_num FROM alembic_version"
    ).scalar()
    return version
