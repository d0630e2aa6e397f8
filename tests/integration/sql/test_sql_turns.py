"""The turns that writers of SQLite take: they spare work, and nobody depends on them."""

import fcntl
import time
from pathlib import Path

from media_nommer.adapters.sql import SqlStore, open_engine, sqlite_url
from media_nommer.testing.samples import a_job


def test_a_turn_that_is_never_given_up_holds_up_no_writer_for_long(tmp_path: Path) -> None:
    """A process may be stopped in the middle of its turn, for hours."""
    database = tmp_path / "nommer.db"
    engine = open_engine(sqlite_url(database))
    store = SqlStore(engine)
    with Path(f"{database}-turn").open("wb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        began = time.monotonic()

        for number in range(5):
            store.add_job(a_job(f"job-{number}"))

    assert time.monotonic() - began < 120
    engine.dispose()
