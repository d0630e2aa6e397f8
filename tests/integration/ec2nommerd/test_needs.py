"""What a worker tries before its first task, and what is left where it dies meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.conf import load_settings
from media_nommer.conf.settings import Settings
from media_nommer.core.errors import StorageError
from media_nommer.core.nodes import new_node_id
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.daemons.needs import check_needs
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.testing.clock import ManualClock


class Killed(BaseException):
    """The end of a process, which nothing catches."""


class Deadly(MemoryStorage):
    """Kills whoever reads from it."""

    @override
    def read(self, url: str) -> bytes:
        raise Killed


class Forgetful(MemoryStorage):
    """Gives back something else than it was given."""

    @override
    def read(self, url: str) -> bytes:
        return b"something else"


def _engine(storage: MemoryStorage, clock: ManualClock) -> Engine:
    return Engine(MemoryStore(), MemoryQueue(clock), storage, "memory://w", clock)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"data_dir": tmp_path / "data"}, environ={"NOMMER_CONFIG": ""})


def test_a_check_that_passed_leaves_nothing(settings: Settings) -> None:
    clock = ManualClock()
    engine = _engine(MemoryStorage(), clock)

    check_needs(settings, engine, new_node_id(clock.now()))

    assert engine.storage.list(engine.work_url) == ()


def test_a_work_area_that_gives_back_other_bytes_is_found_out(settings: Settings) -> None:
    clock = ManualClock()
    engine = _engine(Forgetful(), clock)

    with pytest.raises(StorageError, match="gives back other bytes"):
        check_needs(settings, engine, new_node_id(clock.now()))


def test_what_a_node_left_that_died_in_its_check_goes_when_its_log_would(
    settings: Settings,
) -> None:
    clock = ManualClock()
    engine = _engine(Deadly(), clock)
    with pytest.raises(Killed):
        check_needs(settings, engine, new_node_id(clock.now()))
    assert len(engine.storage.list(engine.work_url)) == 1
    policy = JanitorPolicy()

    clock.advance(policy.keep_logs_for + timedelta(seconds=1))
    Janitor(engine, WorkPolicy(), policy).tidy()

    assert engine.storage.list(engine.work_url) == ()
