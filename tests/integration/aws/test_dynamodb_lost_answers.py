"""boto3 tries again what was not answered, and may meet what its first try has done."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from tests.dynamodb_tables import Wire, connected, new_table

from media_nommer.adapters.aws.clients import TRIES
from media_nommer.adapters.aws.dynamodb import DynamoStore
from media_nommer.core.errors import AlreadyExists, Overtaken, ServiceUnavailable
from media_nommer.core.jobs import JobState
from media_nommer.testing.clock import START
from media_nommer.testing.samples import a_duty, a_job, a_node, a_task


@pytest.fixture
def wire(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    no_waiting = SimpleNamespace(sleep=lambda seconds: None)
    monkeypatch.setattr("botocore.endpoint.time", no_waiting)
    _, wire = connected(aws)
    wire.clear()
    yield wire
    wire.clear()


@pytest.fixture
def store(aws: str, wire: Wire) -> DynamoStore:
    clients, _ = connected(aws)
    return DynamoStore(clients, new_table(clients))


def test_a_task_whose_answer_was_lost_is_new(store: DynamoStore, wire: Wire) -> None:
    """Whoever is told that it was not puts no message."""
    wire.lose["PutItem"] = 2

    assert store.add_task(a_task())

    assert len(wire.calls("PutItem")) == 3
    assert not store.add_task(a_task())


def test_a_job_whose_answer_was_lost_is_added(store: DynamoStore, wire: Wire) -> None:
    wire.lose["PutItem"] = 1

    added = store.add_job(a_job())

    assert store.get_job(added.id) == added
    with pytest.raises(AlreadyExists):
        store.add_job(a_job())


def test_a_task_that_was_claimed_before_the_second_try_is_still_new(
    store: DynamoStore, wire: Wire
) -> None:
    wire.lose["PutItem"] = 1

    def claim_before_the_second_try(operation: str) -> None:
        if operation == "PutItem" and wire.calls("PutItem"):
            wire.on_call = lambda operation: None
            store.swap_task(store.get_task(a_task().id).put_again(at=START))

    wire.on_call = claim_before_the_second_try

    assert store.add_task(a_task())
    assert store.get_task(a_task().id).puts == 1


def test_a_swap_whose_answer_was_lost_is_believed(store: DynamoStore, wire: Wire) -> None:
    added = store.add_job(a_job())
    wire.lose["UpdateItem"] = 1

    swapped = store.swap_job(added.moved_to(JobState.RUNNING, at=START))

    assert store.get_job(added.id) == swapped
    assert store.swap_job(replace(swapped, progress=0.5)).revision == swapped.revision + 1


def test_a_duty_whose_answer_was_lost_is_held(store: DynamoStore, wire: Wire) -> None:
    wire.lose["PutItem"] = 1
    taken = store.swap_duty(a_duty())
    wire.lose["UpdateItem"] = 1

    beaten = store.swap_duty(replace(taken, beat=1))

    assert store.get_duty("scaler") == beaten


def test_a_lost_answer_does_not_excuse_who_was_really_late(
    store: DynamoStore, wire: Wire
) -> None:
    read = store.add_node(a_node())
    theirs = store.swap_node(replace(read, host="theirs"))
    wire.lose["UpdateItem"] = 1

    with pytest.raises(Overtaken):
        store.swap_node(replace(read, host="mine"))

    assert store.get_node(read.id) == theirs


def test_a_table_that_never_answers_is_unavailable(store: DynamoStore, wire: Wire) -> None:
    wire.lose["GetItem"] = TRIES

    with pytest.raises(ServiceUnavailable):
        store.get_job(a_job().id)
