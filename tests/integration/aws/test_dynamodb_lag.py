"""Indexes lag behind the table. moto's do not, so here they are made to say what was."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.dynamodb_tables import Wire, connected, new_table

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.dynamodb import DynamoStore
from media_nommer.adapters.aws.items.job_pages import ROUNDS
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.ports.store import JobFilter
from media_nommer.testing.clock import START
from media_nommer.testing.samples import MINUTE, a_job, a_task

PENDING = JobFilter(states=(JobState.PENDING,))


@pytest.fixture
def wire(aws: str) -> Iterator[Wire]:
    _, wire = connected(aws)
    wire.clear()
    yield wire
    wire.clear()


@pytest.fixture
def clients(aws: str, wire: Wire) -> AwsClients:
    return connected(aws)[0]


@pytest.fixture
def table(clients: AwsClients) -> str:
    return new_table(clients)


@pytest.fixture
def store(clients: AwsClients, table: str) -> DynamoStore:
    return DynamoStore(clients, table)


def _show(clients: AwsClients, table: str, pk: str, **shown: dict[str, str]) -> None:
    """Let the indexes show something of the items of a partition."""
    client = clients.client("dynamodb")
    for item in client.scan(TableName=table)["Items"]:
        if item["pk"]["S"].startswith(pk):
            changed: dict[str, Any] = {**item, **shown}
            client.put_item(TableName=table, Item=changed)


def _started(store: DynamoStore, clients: AwsClients, table: str, number: int) -> Job:
    """Start a job of which the index does not know yet."""
    job = store.add_job(a_job(number, minutes=number))
    job = store.swap_job(job.moved_to(JobState.RUNNING, at=START))
    _show(clients, table, f"job {job.id}", state={"S": "pending"})
    return job


def test_a_list_shows_no_job_in_a_state_that_it_has_left(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    waiting = store.add_job(a_job(0))
    _started(store, clients, table, 1)

    assert store.list_jobs(PENDING).jobs == (waiting,)


def test_a_page_that_lag_has_emptied_still_leads_on(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    waiting = store.add_job(a_job(0))
    for number in range(1, ROUNDS + 2):
        _started(store, clients, table, number)

    page = store.list_jobs(PENDING, limit=1)

    assert page.jobs == ()
    assert store.list_jobs(PENDING, limit=1, cursor=page.cursor).jobs == (waiting,)


def test_a_task_that_was_touched_is_not_quiet(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    store.add_task(a_task("quiet"))
    store.add_task(a_task("touched", minutes=9))
    _show(clients, table, "tasks", minute={"N": "0"})

    quiet = store.unsettled_tasks(quiet_since=START + MINUTE, limit=1)

    assert [task.key for task in quiet] == ["quiet"]


def test_a_task_that_was_settled_is_not_listed(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    for key in ("open", "settled"):
        store.add_task(a_task(key))
    store.swap_task(store.get_task(a_task("settled").id).done(at=START))
    _show(clients, table, "tasks", minute={"N": "0"}, open={"S": "2"})

    assert [task.key for task in store.unsettled_tasks()] == ["open"]
