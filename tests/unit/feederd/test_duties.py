from datetime import timedelta

import pytest

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.duties import Duties
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.concurrency import at_once

LEASE = timedelta(seconds=15)
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    return Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


def a_feederd(engine: Engine, name: str) -> Duties:
    return Duties(engine, name, lease=LEASE)


def test_of_two_feederds_one_has_a_duty(engine: Engine, clock: ManualClock) -> None:
    """Rule 9."""
    one, two = a_feederd(engine, "one"), a_feederd(engine, "two")

    for _ in range(100):
        assert one.have("scaler")
        assert not two.have("scaler")
        clock.advance(SECOND)


def test_of_many_that_begin_at_once_one_has_a_duty(engine: Engine) -> None:
    had = at_once(lambda number: a_feederd(engine, f"{number}").have("scaler"))

    assert had.count(True) == 1


def test_the_duty_of_a_feederd_that_fell_silent_is_taken_over(
    engine: Engine, clock: ManualClock
) -> None:
    one, two = a_feederd(engine, "one"), a_feederd(engine, "two")
    one.have("scaler")
    assert not two.have("scaler")

    clock.advance(LEASE - SECOND)
    assert not two.have("scaler")
    clock.advance(SECOND)

    assert two.have("scaler")
    assert not one.have("scaler")


def test_it_is_known_without_asking_whether_a_duty_is_held(
    engine: Engine, clock: ManualClock
) -> None:
    one, two = a_feederd(engine, "one"), a_feederd(engine, "two")
    assert not one.holds("scaler")

    for duties in (one, two):
        duties.have("scaler")
    assert (one.holds("scaler"), two.holds("scaler")) == (True, False)
    clock.advance(LEASE)
    for duties in (two, one):
        duties.have("scaler")

    assert (one.holds("scaler"), two.holds("scaler")) == (False, True)


def test_a_wrong_wall_clock_takes_no_duty(engine: Engine, clock: ManualClock) -> None:
    one, two = a_feederd(engine, "one"), a_feederd(engine, "two")
    one.have("scaler")
    two.have("scaler")

    clock.jump(timedelta(days=1))

    assert not two.have("scaler")


def test_a_feederd_that_starts_again_has_at_once_what_it_had(engine: Engine) -> None:
    a_feederd(engine, "one").have("scaler")

    assert a_feederd(engine, "one").have("scaler")


def test_a_duty_that_was_released_is_free(engine: Engine) -> None:
    one, two = a_feederd(engine, "one"), a_feederd(engine, "two")
    one.have("scaler")

    one.release()

    assert two.have("scaler")


def test_a_duty_that_is_had_is_not_written_at_every_step(
    engine: Engine, clock: ManualClock
) -> None:
    """An idle feederd should leave the disk alone."""
    one = a_feederd(engine, "one")

    for _ in range(15):
        one.have("scaler")
        clock.advance(SECOND)

    duty = engine.store.get_duty("scaler")
    assert duty is not None
    assert duty.beat <= 3


def test_as_long_as_nobody_else_wants_a_duty_it_is_kept_without_reading(
    engine: Engine, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SimpleDB each read of an idle day is paid for."""
    one = a_feederd(engine, "one")
    one.have("scaler")
    before = engine.store.get_duty("scaler")
    monkeypatch.setattr(engine.store, "get_duty", None)

    for _ in range(20):
        clock.advance(SECOND)
        assert one.have("scaler")

    monkeypatch.undo()
    after = engine.store.get_duty("scaler")
    assert before is not None
    assert after is not None
    assert after.beat > before.beat


def test_who_was_overtaken_reads_who_has_the_duty_now(
    engine: Engine, clock: ManualClock
) -> None:
    one, two = a_feederd(engine, "one"), a_feederd(engine, "two")
    one.have("scaler")
    two.have("scaler")
    clock.advance(LEASE)
    assert two.have("scaler")

    clock.advance(LEASE - SECOND)

    assert not one.have("scaler")
    assert two.have("scaler")
