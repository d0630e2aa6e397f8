"""Notices reach who listens, once each, whatever the surroundings do."""

import threading
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from media_nommer.adapters.memory import MemorySurroundings
from media_nommer.core.ports.surroundings import Notice, NoticeKind
from media_nommer.ec2nommerd.notices import NoticeWatch
from media_nommer.testing.clock import START

REBALANCE = Notice(NoticeKind.REBALANCE, START)
RECLAIM = Notice(NoticeKind.RECLAIM, START + timedelta(minutes=2))
SHORT = timedelta(milliseconds=5)


@pytest.fixture
def surroundings() -> MemorySurroundings:
    return MemorySurroundings()


def test_each_notice_is_told_once_to_everybody(surroundings: MemorySurroundings) -> None:
    first: list[Notice] = []
    second: list[Notice] = []
    watch = NoticeWatch(surroundings, [first.append, second.append])

    watch.look()
    for notice in (REBALANCE, RECLAIM):
        surroundings.give(notice)
        watch.look()
        watch.look()

    assert first == second == [REBALANCE, RECLAIM]


def test_surroundings_that_do_not_answer_are_no_notice_and_are_told_of_once(
    surroundings: MemorySurroundings,
) -> None:
    told: list[Notice] = []
    watch = NoticeWatch(surroundings, [told.append])
    surroundings.give(RECLAIM)
    surroundings.fall_silent()

    with capture_logs() as logs:
        watch.look()
        watch.look()
    assert told == []
    assert [entry["event"] for entry in logs] == ["notices_not_seen"]

    surroundings.fall_silent(False)
    watch.look()
    assert told == [RECLAIM]


def test_a_listener_that_breaks_does_not_end_the_watch(
    surroundings: MemorySurroundings,
) -> None:
    told = threading.Event()

    def listen(notice: Notice) -> None:
        if notice is REBALANCE:
            surroundings.give(RECLAIM)
            raise ZeroDivisionError
        told.set()

    surroundings.give(REBALANCE)

    with capture_logs(), NoticeWatch(surroundings, [listen], every=SHORT):
        assert told.wait(120)


def test_it_looks_by_itself_while_the_block_runs(surroundings: MemorySurroundings) -> None:
    told = threading.Event()

    with NoticeWatch(surroundings, [lambda _notice: told.set()], every=SHORT):
        surroundings.give(RECLAIM)

        assert told.wait(120)
