"""SimpleDB that fails: answers that are lost, throttling, and calls that take too long."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from tests.simpledb_domains import DOMAIN, clients_of, settings

from media_nommer.adapters.aws.clients import TRIES
from media_nommer.adapters.aws.simpledb import SimpleDbStore
from media_nommer.core.errors import AlreadyExists, Overtaken, ServiceUnavailable
from media_nommer.core.jobs import JobState
from media_nommer.testing.clock import START
from media_nommer.testing.samples import a_duty, a_job, a_node, a_task
from media_nommer.testing.simpledb import (
    DROPPED,
    DROPPED_AFTER,
    INTERNAL_ERROR_AFTER,
    THROTTLED,
    Fault,
    SimpleDbServer,
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleDbServer]:
    no_waiting = SimpleNamespace(sleep=lambda seconds: None)
    monkeypatch.setattr("botocore.endpoint.time", no_waiting)
    with SimpleDbServer() as server:
        for name, value in settings(server).items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def store(server: SimpleDbServer) -> SimpleDbStore:
    return SimpleDbStore(clients_of(), DOMAIN)


@pytest.mark.parametrize("fault", [DROPPED_AFTER, INTERNAL_ERROR_AFTER], ids=str)
def test_a_task_whose_answer_was_lost_is_new(
    store: SimpleDbStore, server: SimpleDbServer, fault: Fault
) -> None:
    """Whoever is told that it was not puts no message."""
    server.fail_next(fault, action="PutAttributes", times=2)

    assert store.add_task(a_task())

    assert server.counts.calls["PutAttributes"] == 3
    assert not store.add_task(a_task())


def test_a_job_whose_answer_was_lost_is_added(
    store: SimpleDbStore, server: SimpleDbServer
) -> None:
    server.fail_next(DROPPED_AFTER, action="PutAttributes")

    added = store.add_job(a_job())

    assert store.get_job(added.id) == added
    with pytest.raises(AlreadyExists):
        store.add_job(a_job())


def test_a_task_that_was_changed_before_the_second_try_is_still_new(
    store: SimpleDbStore, server: SimpleDbServer
) -> None:
    other = SimpleDbStore(clients_of(), DOMAIN)
    server.fail_next(DROPPED_AFTER, action="PutAttributes")

    def change_before_the_second_try(action: str, _: object) -> Fault | None:
        if action == "GetAttributes":
            server.on_call = None
            other.swap_task(other.get_task(a_task().id).put_again(at=START))
        return None

    server.on_call = change_before_the_second_try

    assert store.add_task(a_task())
    assert store.get_task(a_task().id).puts == 1


@pytest.mark.parametrize("fault", [DROPPED_AFTER, INTERNAL_ERROR_AFTER], ids=str)
def test_a_swap_whose_answer_was_lost_is_believed(
    store: SimpleDbStore, server: SimpleDbServer, fault: Fault
) -> None:
    added = store.add_job(a_job())
    server.fail_next(fault, action="PutAttributes")

    swapped = store.swap_job(added.moved_to(JobState.RUNNING, at=START))

    assert store.get_job(added.id) == swapped
    assert store.swap_job(replace(swapped, progress=0.5)).revision == swapped.revision + 1


def test_a_duty_whose_answer_was_lost_is_held(
    store: SimpleDbStore, server: SimpleDbServer
) -> None:
    server.fail_next(DROPPED_AFTER, action="PutAttributes")

    taken = store.swap_duty(a_duty())

    assert store.get_duty("scaler") == taken


def test_a_lost_answer_does_not_excuse_who_was_really_late(
    store: SimpleDbStore, server: SimpleDbServer
) -> None:
    read = store.add_node(a_node())
    theirs = store.swap_node(replace(read, host="theirs"))
    server.fail_next(DROPPED_AFTER, action="PutAttributes")

    with pytest.raises(Overtaken):
        store.swap_node(replace(read, host="mine"))

    assert store.get_node(read.id) == theirs


@pytest.mark.parametrize("fault", [THROTTLED, DROPPED], ids=str)
def test_a_domain_that_is_throttled_for_a_while_does_its_work(
    store: SimpleDbStore, server: SimpleDbServer, fault: Fault
) -> None:
    server.fail_next(fault, times=TRIES - 1)
    job = store.add_job(a_job())
    server.fail_next(fault, times=TRIES - 1)

    assert store.list_jobs().jobs == (job,)


@pytest.mark.parametrize(
    "fault", [THROTTLED, DROPPED, Fault(applied=False, error="QueryTimeout")], ids=str
)
def test_a_domain_that_does_not_answer_is_unavailable(
    store: SimpleDbStore, server: SimpleDbServer, fault: Fault
) -> None:
    server.fail_next(fault, times=TRIES)

    with pytest.raises(ServiceUnavailable):
        store.list_jobs()
