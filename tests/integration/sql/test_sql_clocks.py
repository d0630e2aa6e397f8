"""The clocks that leases are timed on where no test gives one."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from media_nommer.adapters.sql import SqlQueue, open_engine, sqlite_url
from media_nommer.core.tasks import TaskId
from media_nommer.testing.samples import MINUTE


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_leases_run_on_the_clock_that_all_takers_share(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = sqlite_url(tmp_path / "nommer.db")
    if kind == "postgresql":
        new: Callable[[], str] = request.getfixturevalue("postgres_url")
        url = new()
    engine = open_engine(url)
    queue = SqlQueue(engine)
    queue.put(TaskId("later"), delay=MINUTE)
    queue.put(TaskId("now"))

    delivery = queue.take(MINUTE)

    assert delivery is not None
    assert delivery.task_id == "now"
    assert queue.take(MINUTE) is None
    queue.keep(delivery, timedelta())
    assert queue.take(MINUTE) is not None
    engine.dispose()


def test_a_machine_whose_clock_is_wrong_does_not_take_what_others_hold(
    postgres_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(postgres_url())
    queue = SqlQueue(engine)
    queue.put(TaskId("task"))
    assert queue.take(MINUTE) is not None

    monkeypatch.setattr("time.time", lambda: 4e9)

    assert queue.take(MINUTE) is None
    engine.dispose()
