"""Where DynamoDB ends: sizes, throttling, and tables that are not as they should be."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.dynamodb_tables import Wire, connected, new_table

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.dynamodb import DynamoStore, create_table
from media_nommer.adapters.aws.items.packing import LONGEST_KEY
from media_nommer.core.cursors import JobPlace, dump_cursor
from media_nommer.core.errors import (
    BadRequest,
    InvalidCursor,
    InvalidSetting,
    JobNotFound,
    RecordTooLarge,
    ServiceUnavailable,
)
from media_nommer.core.jobs import JobId
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.tasks import TaskId
from media_nommer.testing.concurrency import THREADS, at_once
from media_nommer.testing.samples import a_job, a_node, a_task


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
def waits() -> list[float]:
    return []


@pytest.fixture
def store(clients: AwsClients, waits: list[float]) -> DynamoStore:
    return DynamoStore(clients, new_table(clients), pause=waits.append)


def _noise(size: int) -> str:
    """Return text that hardly gets smaller: each byte of it as two digits."""
    return random.Random(1).randbytes(size).hex()


def test_a_record_that_is_too_large_is_refused_with_advice(store: DynamoStore) -> None:
    job = store.add_job(a_job())

    with pytest.raises(RecordTooLarge) as caught:
        store.swap_job(replace(job, recipe={"pass_through": _noise(410_000)}))

    assert "job-0001" in caught.value.message
    assert "400 KB" in caught.value.message
    assert not caught.value.retryable
    assert caught.value.advice
    assert store.get_job(job.id) == job


def test_a_record_of_a_megabyte_fits_where_it_can_be_compressed(
    store: DynamoStore,
) -> None:
    job = store.add_job(a_job(recipe={"a": ["the same again"] * 70_000}))

    assert store.get_job(job.id) == job


def test_a_record_just_below_the_limit_is_kept(store: DynamoStore) -> None:
    """The limit is on the whole item: with its keys, names, and labels for indexes."""
    job = store.add_job(a_job(recipe={"a": _noise(340_000)}))

    assert store.get_job(job.id) == job


@pytest.mark.parametrize("job_id", ["x" * 3000, "ü" * 500, "\ud800", "%2e", "", "a b#c"])
def test_an_odd_id_that_nobody_has_is_not_found(store: DynamoStore, job_id: str) -> None:
    with pytest.raises(JobNotFound):
        store.get_job(JobId(job_id))


@pytest.mark.parametrize("job_id", ["%2e", "%", "a b#c.1.x", "ü\x00\n"])
def test_an_odd_id_is_kept_and_listed(store: DynamoStore, job_id: str) -> None:
    for number in (1, 2):
        store.add_job(replace(a_job(number), tags={"a": "b"}))
    odd = replace(a_job(3, minutes=0.5), id=JobId(job_id), tags={"a": "b"})

    odd = store.add_job(replace(odd, source=""))
    store.add_task(a_task(job=job_id))

    first = store.list_jobs(JobFilter(tag=("a", "b")), limit=1)
    rest = store.list_jobs(JobFilter(tag=("a", "b")), cursor=first.cursor)
    assert first.jobs == (odd,)
    assert [job.id for job in rest.jobs] == ["job-0002", "job-0001"]
    assert [task.job_id for task in store.tasks_of(odd.id, 1)] == [job_id]


def test_jobs_whose_task_ids_look_alike_are_told_apart(store: DynamoStore) -> None:
    """``a`` may have a task ``2.x`` in run 1, and ``a.1`` a task ``y`` in run 2."""
    store.add_task(a_task("2.x", job="a", run=1))
    store.add_task(a_task("y", job="a.1", run=2))

    assert [task.key for task in store.tasks_of(JobId("a"), 1)] == ["2.x"]
    assert [task.key for task in store.tasks_of(JobId("a.1"), 2)] == ["y"]

    store.forget_job(JobId("a"), 1)

    assert [task.key for task in store.tasks_of(JobId("a.1"), 2)] == ["y"]


def test_the_longest_ids_are_kept(store: DynamoStore) -> None:
    job = store.add_job(replace(a_job(tags={"a": "b"}), id=JobId("j" * LONGEST_KEY)))
    node = store.add_node(a_node("n" * LONGEST_KEY))
    room = LONGEST_KEY - len("job-0001.1.")
    store.add_task(a_task("t" * room))

    assert store.get_job(job.id) == job
    assert store.list_jobs(JobFilter(tag=("a", "b"))).jobs == (job,)
    assert store.list_jobs(JobFilter(states=(job.state,))).jobs == (job,)
    assert store.get_node(node.id) == node
    assert store.get_task(a_task("t" * room).id) in store.unsettled_tasks()


def test_ids_that_cannot_be_kept_are_refused(store: DynamoStore) -> None:
    with pytest.raises(BadRequest, match="longer"):
        store.add_job(replace(a_job(), id=JobId("x" * 3000)))
    with pytest.raises(BadRequest, match="longer"):
        store.add_task(a_task("x" * 3000))
    with pytest.raises(BadRequest, match="not one of"):
        store.add_task(replace(a_task(), id=TaskId("something else")))


def test_a_cursor_with_an_id_that_no_job_can_have_is_refused(store: DynamoStore) -> None:
    with pytest.raises(InvalidCursor):
        store.list_jobs(cursor=dump_cursor(JobPlace(1, JobId("x" * 3000))))


def test_a_tag_longer_than_a_key_finds_its_jobs(store: DynamoStore) -> None:
    long = ("ü" * 256, "\U0001f3ac" * 255)
    first = store.add_job(a_job(1, tags={long[0]: long[1] + "1"}))
    store.add_job(a_job(2, tags={long[0]: long[1] + "2"}))

    assert store.list_jobs(JobFilter(tag=(long[0], long[1] + "1"))).jobs == (first,)


class CutShort:
    """Lets a client's batches come back with only a part of them done."""

    def __init__(self, client: Any, *, times: int) -> None:
        self._client = client
        self.times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, *, RequestItems: Any) -> Any:
        ((table, asked),) = RequestItems.items()
        if self.times <= 0:
            return self._client.batch_get_item(RequestItems=RequestItems)
        self.times -= 1
        done, left = asked["Keys"][:1], asked["Keys"][1:]
        answer = self._client.batch_get_item(RequestItems={table: {"Keys": done}})
        return {**answer, "UnprocessedKeys": {table: {"Keys": left}} if left else {}}

    def batch_write_item(self, *, RequestItems: Any) -> Any:
        ((table, asked),) = RequestItems.items()
        if self.times <= 0:
            return self._client.batch_write_item(RequestItems=RequestItems)
        self.times -= 1
        done, left = asked[:1], asked[1:]
        answer = self._client.batch_write_item(RequestItems={table: done})
        return {**answer, "UnprocessedItems": {table: left} if left else {}}


@pytest.fixture
def cut_short(
    store: DynamoStore, clients: AwsClients, monkeypatch: pytest.MonkeyPatch
) -> CutShort:
    cut = CutShort(clients.client("dynamodb"), times=0)
    monkeypatch.setattr(type(store._table), "_client", property(lambda table: cut))
    return cut


def test_a_throttled_batch_is_read_to_its_end_with_growing_waits(
    store: DynamoStore, cut_short: CutShort, waits: list[float]
) -> None:
    for number in range(6):
        store.add_job(a_job(number))
    cut_short.times = 3

    assert len(store.list_jobs().jobs) == 6
    assert len(waits) == 3
    assert waits == sorted(set(waits))


def test_throttled_labels_are_all_written(store: DynamoStore, cut_short: CutShort) -> None:
    tags = {f"tag {number}": "x" for number in range(50)}
    cut_short.times = 7

    job = store.add_job(a_job(tags=tags))

    found = [store.list_jobs(JobFilter(tag=(name, "x"))).jobs for name in tags]
    assert found == [(job,)] * 50


def test_a_batch_that_never_gets_through_is_unavailable(
    store: DynamoStore, cut_short: CutShort
) -> None:
    for number in range(20):
        store.add_job(a_job(number))
    cut_short.times = 1000

    with pytest.raises(ServiceUnavailable):
        store.list_jobs()


def test_a_missing_table_is_told_with_advice(clients: AwsClients) -> None:
    with pytest.raises(InvalidSetting) as caught:
        DynamoStore(clients, "not-there").get_job(JobId("x"))

    assert "not-there" in caught.value.message
    assert "nommer aws up" in caught.value.advice


def test_the_table_is_paid_by_the_request_and_lets_items_expire(
    clients: AwsClients,
) -> None:
    table, client = new_table(clients), clients.client("dynamodb")

    made = client.describe_table(TableName=table)["Table"]
    expiry = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert (expiry["TimeToLiveStatus"], expiry["AttributeName"]) == ("ENABLED", "expires")
    projected = [i["Projection"] for i in made["GlobalSecondaryIndexes"]]
    assert projected == [{"ProjectionType": "KEYS_ONLY"}] * 3


def test_making_a_table_again_changes_nothing(
    store: DynamoStore, clients: AwsClients
) -> None:
    job = store.add_job(a_job())

    create_table(clients, store._table._table)

    assert store.get_job(job.id) == job


def test_a_table_that_is_there_is_not_made_nor_changed(
    clients: AwsClients, wire: Wire
) -> None:
    """A worker that may only look is enough for that."""
    table = new_table(clients)
    wire.clear()

    create_table(clients, table)

    assert {name[:8] for name, _, _ in wire.seen} == {"Describe"}


def test_many_may_make_one_table_at_once(clients: AwsClients) -> None:
    made = at_once(lambda number: create_table(clients, "shared-table"))

    assert made == [None] * THREADS
    DynamoStore(clients, "shared-table").add_job(a_job())


def test_somebody_elses_table_is_refused(clients: AwsClients) -> None:
    clients.client("dynamodb").create_table(
        TableName="theirs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )

    with pytest.raises(InvalidSetting, match="theirs"):
        create_table(clients, "theirs")
