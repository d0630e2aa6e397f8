"""Running the migrations; loaded only where there is one to run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from media_nommer.adapters.sql.migrate import HEAD
from media_nommer.core.wire import UnknownVersion

#: Any number that nobody else uses for a lock in the same PostgreSQL database.
_LOCK = 0x6E6F6D


def upgrade(engine: sa.Engine, to: str = "head") -> None:
    """Run the migrations that the database lacks, all or none.

    Raises:
        UnknownVersion: it holds one that we do not know.
    """
    settings = config()
    with _alone(engine) as db:
        _refuse_newer(db, settings)
        settings.attributes["connection"] = db
        command.upgrade(settings, to)


def config() -> Config:
    """Return the settings that Alembic needs to find the migrations."""
    settings = Config()
    folder = Path(__file__).parent / "migrations"
    settings.set_main_option("script_location", str(folder).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that others who migrate wait for."""
    with engine.connect() as db:
        if engine.dialect.name == "sqlite":
            db.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            db = db.execution_options(isolation_level="READ COMMITTED")
            db.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        try:
            yield db
        except BaseException:
            db.rollback()
            raise
        db.commit()


def _refuse_newer(db: sa.Connection, settings: Config) -> None:
    scripts = ScriptDirectory.from_config(settings)
    known = {script.revision for script in scripts.walk_revisions()}
    for head in MigrationContext.configure(db).get_current_heads():
        if head not in known:
            raise UnknownVersion(
                f"the database's tables are of version {head}, made by a newer "
                f"media-nommer, and this one knows them up to {HEAD}"
            )
