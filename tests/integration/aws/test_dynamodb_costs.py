"""What the calls cost: counted in items and keys asked for, as DynamoDB bills them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.dynamodb_tables import Wire, connected, new_table

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.dynamodb import DynamoStore
from media_nommer.adapters.aws.dynamodb.table import SHARDS
from media_nommer.core.jobs import JobId, JobState, Phase
from media_nommer.core.nodes import NodeId, NodeState
from media_nommer.core.ports.store import JobFilter
from media_nommer.testing.clock import START
from media_nommer.testing.samples import MINUTE, a_job, a_node, a_task

PAGE = 4


@pytest.fixture
def wire(aws: str) -> Iterator[Wire]:
    _, wire = connected(aws)
    wire.clear()
    yield wire
    assert not wire.calls("Scan")
    wire.clear()


@pytest.fixture
def clients(aws: str) -> AwsClients:
    return connected(aws)[0]


@pytest.fixture
def table(clients: AwsClients, wire: Wire) -> str:
    return new_table(clients)


@pytest.fixture
def store(clients: AwsClients, table: str) -> DynamoStore:
    return DynamoStore(clients, table)


def _items(clients: AwsClients, table: str) -> list[dict[str, dict[str, str]]]:
    scanned = clients.client("dynamodb").scan(TableName=table)["Items"]
    return list(scanned)


def _found(wire: Wire) -> int:
    return sum(said["Count"] for _, said in wire.calls("Query"))


def _asked_for(wire: Wire) -> int:
    """Count the keys of which whole items were asked for."""
    requests = (asked["RequestItems"] for asked, _ in wire.calls("BatchGetItem"))
    return sum(len(each["Keys"]) for tables in requests for each in tables.values())


@pytest.mark.parametrize(
    "wanted",
    [
        JobFilter(),
        JobFilter(states=(JobState.PENDING,)),
        JobFilter(tag=("show", "1")),
        JobFilter(preset="web"),
        JobFilter(since=START + 2 * MINUTE, until=START + 20 * MINUTE),
        JobFilter(states=(JobState.PENDING,), until=START + 16 * MINUTE),
        JobFilter(tag=("show", "1"), since=START + 3 * MINUTE),
    ],
    ids=str,
)
def test_a_page_reads_little_more_than_it_shows(
    store: DynamoStore, wire: Wire, wanted: JobFilter
) -> None:
    for number in range(24):
        labels = {"tags": {"show": str(number % 2)}, "presets": ("web", "x")[number % 2 :]}
        job = store.add_job(a_job(number, minutes=number, **labels))
        if number % 3 == 0:
            store.swap_job(job.moved_to(JobState.RUNNING, at=START))
    first = store.list_jobs(wanted, limit=PAGE)
    wire.clear()

    second = store.list_jobs(wanted, limit=PAGE, cursor=first.cursor)

    assert len(first.jobs) == len(second.jobs) == PAGE
    assert _asked_for(wire) == PAGE
    assert _found(wire) <= PAGE + 2


def test_two_conditions_read_what_the_narrower_one_leaves(
    store: DynamoStore, wire: Wire
) -> None:
    for number in range(12):
        tags = {"show": "mine"} if number == 5 else {"show": "other"}
        store.add_job(a_job(number, minutes=number, tags=tags))
    wire.clear()

    page = store.list_jobs(JobFilter(states=(JobState.PENDING,), tag=("show", "mine")))

    assert [job.id for job in page.jobs] == [a_job(5).id]
    assert _asked_for(wire) == 1


def test_progress_writes_one_item_and_no_index(
    store: DynamoStore, wire: Wire, clients: AwsClients, table: str
) -> None:
    tags = {f"tag-{number}": "x" for number in range(30)}
    job = store.add_job(a_job(tags=tags)).in_phase(Phase.ENCODING, at=START)
    job = store.swap_job(job)
    before = _shown(clients, table, "place", "state", "jobs")
    wire.clear()

    store.swap_job(replace(job, progress=0.5, changed_at=START + MINUTE))

    assert [name for name, _, _ in wire.seen] == ["UpdateItem"]
    assert _shown(clients, table, "place", "state", "jobs") == before
    wire.clear()


def test_beats_write_to_the_index_once_a_minute(
    store: DynamoStore, clients: AwsClients, table: str, wire: Wire
) -> None:
    store.add_task(a_task())
    task = store.get_task(a_task().id).claimed(NodeId("n"), lease=MINUTE, at=START)
    task = store.swap_task(task)
    minutes = []
    for number in range(30):
        at = START + number * timedelta(seconds=4)
        task = store.swap_task(task.beaten(progress=0, at=at))
        minutes += _shown(clients, table, "minute")

    assert len(Counter(map(str, minutes))) == 2
    wire.clear()


def test_a_few_quiet_tasks_are_found_without_reading_all(
    store: DynamoStore, wire: Wire
) -> None:
    for number in range(40):
        store.add_task(a_task(f"t{number}", minutes=number))
    wire.clear()

    quiet = store.unsettled_tasks(quiet_since=START + 30 * MINUTE, limit=8)

    assert len(quiet) == 8
    assert _asked_for(wire) == 8
    assert _found(wire) <= 8 + 2 * SHARDS


def test_tasks_that_beat_are_not_read_to_find_the_quiet_ones(
    store: DynamoStore, wire: Wire
) -> None:
    for number in range(20):
        store.add_task(a_task(f"t{number}", minutes=10))
    store.add_task(a_task("quiet", minutes=1))
    wire.clear()

    quiet = store.unsettled_tasks(quiet_since=START + 8 * MINUTE)

    assert [task.key for task in quiet] == ["quiet"]
    assert _asked_for(wire) == 1


def test_the_edge_of_a_minute_hides_no_quiet_task(store: DynamoStore) -> None:
    for number in range(50):
        store.add_task(a_task(f"t{number}", minutes=number / 10))
    for at in (0, 9, 10, 11, 25, 49):
        quiet = store.unsettled_tasks(quiet_since=START + at / 10 * MINUTE)

        assert [task.key for task in quiet] == [f"t{number}" for number in range(at + 1)]


def test_one_large_job_is_spread_over_partitions(
    clients: AwsClients, table: str, store: DynamoStore, wire: Wire
) -> None:
    """Of the table, and of the index of what is not settled."""
    for number in range(120):
        store.add_task(a_task(f"encode-{number}"))

    for attribute in ("pk", "open"):
        spread = Counter(map(str, _shown(clients, table, attribute)))
        assert len(spread) == SHARDS
        assert max(spread.values()) < 120 / SHARDS * 1.5
    wire.clear()


def test_a_large_fleet_is_spread_over_partitions(
    clients: AwsClients, table: str, store: DynamoStore, wire: Wire
) -> None:
    for number in range(60):
        store.add_node(a_node(f"node-{number}"))

    assert len(Counter(map(str, _shown(clients, table, "pk")))) == SHARDS
    wire.clear()


def test_the_living_are_found_without_reading_those_gone(
    store: DynamoStore, wire: Wire
) -> None:
    for number in range(10):
        node = store.add_node(a_node(f"node-{number}"))
        if number > 1:
            store.swap_node(node.moved_to(NodeState.GONE, at=START))
    wire.clear()

    assert [node.id for node in store.nodes()] == ["node-0", "node-1"]

    assert _found(wire) == 2
    assert len(store.nodes(gone=True)) == 10


def test_the_tasks_of_a_run_are_read_as_they_are_now(
    store: DynamoStore, wire: Wire
) -> None:
    """Rule 3, which an index could not hold."""
    store.add_task(a_task())
    wire.clear()

    assert store.tasks_of(JobId("job-0001"), 1)

    asked = [asked for asked, _ in wire.calls("Query")]
    assert len(asked) == len(wire.seen) == SHARDS
    assert all(each["ConsistentRead"] and "IndexName" not in each for each in asked)


def _shown(clients: AwsClients, table: str, *names: str) -> list[object]:
    """Return what the items show of some attributes, those that have any."""
    shown = ([item.get(name) for name in names] for item in _items(clients, table))
    return [each for each in shown if any(each)]
