"""What goes by itself when its time has come, and what stays."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.dynamodb_tables import Wire, connected, new_table

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.dynamodb import DynamoStore
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.ports.store import JobFilter
from media_nommer.testing.clock import START
from media_nommer.testing.samples import MINUTE, a_job, a_task

KEPT = timedelta(days=30)
DONE = START + 5 * MINUTE
TAGS = {"show": "42", "season": "1"}


@pytest.fixture
def clients(aws: str) -> AwsClients:
    return connected(aws)[0]


@pytest.fixture
def wire(aws: str) -> Iterator[Wire]:
    _, wire = connected(aws)
    wire.clear()
    yield wire
    wire.clear()


@pytest.fixture
def table(clients: AwsClients) -> str:
    return new_table(clients)


@pytest.fixture
def store(clients: AwsClients, table: str) -> DynamoStore:
    return DynamoStore(clients, table, keep_jobs_for=KEPT)


def _expiries(clients: AwsClients, table: str) -> dict[str, str | None]:
    """Return when each item expires, by where it lies."""
    items = clients.client("dynamodb").scan(TableName=table)["Items"]
    return {
        f"{item['pk']['S']} {item['sk']['S']}": item.get("expires", {}).get("N")
        for item in items
    }


def _failed(store: DynamoStore) -> Job:
    job = store.add_job(a_job(tags=TAGS, presets=("web",)))
    for run in (1, 2):
        store.add_task(a_task(run=run))
    job = store.swap_job(replace(job, run=2).moved_to(JobState.RUNNING, at=START))
    return store.swap_job(job.moved_to(JobState.FAILED, at=DONE))


def test_nothing_of_an_unfinished_job_expires(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    job = store.add_job(a_job(tags=TAGS))
    store.add_task(a_task())
    store.swap_job(job.moved_to(JobState.RUNNING, at=START))
    store.swap_task(store.get_task(a_task().id).done(at=DONE))

    assert set(_expiries(clients, table).values()) == {None}


def test_all_that_belongs_to_a_final_job_expires_with_it(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    """Its labels, and the tasks of all its runs."""
    other = store.add_job(a_job(2, tags=TAGS))
    store.add_task(a_task(job=other.id))

    _failed(store)

    expiries = _expiries(clients, table)
    mine = {place: at for place, at in expiries.items() if "job-0001" in place}
    assert len(mine) == 1 + 2 + 3
    assert set(mine.values()) == {str(int((DONE + KEPT).timestamp()))}
    assert {at for place, at in expiries.items() if place not in mine} == {None}


def test_a_task_that_settles_after_its_job_expires_with_it_all_the_same(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    _failed(store)

    store.swap_task(store.get_task(a_task().id).done(at=DONE))

    assert None not in _expiries(clients, table).values()


def test_a_retry_keeps_everything(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    failed = _failed(store)

    store.swap_job(failed.retried(at=DONE))

    assert set(_expiries(clients, table).values()) == {None}
    assert store.list_jobs(JobFilter(tag=("show", "42"))).jobs


def test_a_second_end_counts_anew(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    again = store.swap_job(_failed(store).retried(at=DONE))

    store.swap_job(again.moved_to(JobState.CANCELED, at=DONE + MINUTE))

    expires = str(int((DONE + MINUTE + KEPT).timestamp()))
    assert set(_expiries(clients, table).values()) == {expires}


def test_a_change_of_a_final_job_writes_one_item(store: DynamoStore, wire: Wire) -> None:
    failed = _failed(store)
    wire.clear()

    store.swap_job(replace(failed, changed_at=DONE + MINUTE))

    assert [name for name, _, _ in wire.seen] == ["UpdateItem"]


def test_jobs_are_kept_for_ever_where_nothing_else_is_said(
    clients: AwsClients, table: str
) -> None:
    _failed(DynamoStore(clients, table))

    assert set(_expiries(clients, table).values()) == {None}


def test_labels_whose_job_has_gone_are_passed_over(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    """DynamoDB removes in no order what expires."""
    jobs = [store.add_job(a_job(n, minutes=n, tags=TAGS)) for n in range(5)]
    for job in (jobs[4], jobs[2]):
        key = {"pk": {"S": f"job {job.id}"}, "sk": {"S": "="}}
        clients.client("dynamodb").delete_item(TableName=table, Key=key)

    page = store.list_jobs(JobFilter(tag=("show", "42")), limit=3)

    assert page.jobs == (jobs[3], jobs[1], jobs[0])


def test_a_label_of_another_try_to_add_a_job_is_removed(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    """A repeated submission comes with a time of its own, and is refused."""
    job = store.add_job(a_job(tags=TAGS))
    before = _expiries(clients, table)

    with pytest.raises(Exception, match="already"):
        store.add_job(a_job(minutes=1, tags={"show": "42", "else": "x"}))

    assert _expiries(clients, table) == before
    assert store.list_jobs(JobFilter(tag=("show", "42"))).jobs == (job,)


def test_nothing_is_left_of_a_forgotten_job(
    store: DynamoStore, clients: AwsClients, table: str
) -> None:
    store.forget_job(_failed(store).id, 2)

    assert _expiries(clients, table) == {}
