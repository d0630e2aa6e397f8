"""What a page of jobs reads in stores that are paid by what is read: items, not seconds."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.dynamodb_tables import Wire, connected

from benchmarks import tables
from benchmarks.amazon import amazon
from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.dynamodb import DynamoStore, create_table
from media_nommer.adapters.aws.simpledb import SimpleDbStore, create_domain
from media_nommer.core.jobs import JobState
from media_nommer.core.ports.store import JobFilter, JobStore
from media_nommer.testing.clock import START
from media_nommer.testing.samples import a_job
from media_nommer.testing.simpledb import SimpleDbServer

JOBS, PAGE = 240, 20
_HOUR = timedelta(hours=1)
_RARE = 12

_LISTS = {
    "the first of all": JobFilter(),
    "state, rare": JobFilter(states=(JobState.CANCELED,)),
    "state, common": JobFilter(states=(JobState.PENDING,)),
    "two states": JobFilter(states=(JobState.PENDING, JobState.CANCELED)),
    "tag, rare": JobFilter(tag=("show", "rare")),
    "tag, common": JobFilter(tag=("show", "common")),
    "preset, common": JobFilter(preset="web"),
    "ten hours": JobFilter(since=START + 100 * _HOUR, until=START + 110 * _HOUR),
    "tag common, state rare": JobFilter(
        tag=("show", "common"), states=(JobState.CANCELED,)
    ),
    "tag common, preset common": JobFilter(tag=("show", "common"), preset="web"),
}


#: What a list has read so far: calls, entries of an index or labels, and records.
Reads = tuple[int, int, int]


def measure() -> None:
    """Print the table."""
    with amazon() as services:
        clients, wire = connected(services.environment["AWS_ENDPOINT_URL"])
        create_table(clients, "lists")
        rows = _rows(DynamoStore(clients, "lists"), wire.clear, lambda: _by_dynamodb(wire))
    with amazon(), SimpleDbServer() as server:
        os.environ["AWS_ENDPOINT_URL_SIMPLEDB"] = server.url
        create_domain(AwsClients(), "lists")
        store = SimpleDbStore(AwsClients(), "lists")
        others = _rows(store, server.reset_counts, lambda: _by_simpledb(server))
    tables.show(
        f"(f) what pages of {PAGE} jobs read, of {JOBS} jobs",
        ("", "shown", "DynamoDB calls", "entries", "jobs", "SimpleDB calls", "jobs"),
        [[*row, other[2], other[4]] for row, other in zip(rows, others, strict=True)],
    )
    tables.note("entries, of an index or labels, are small: some 40 cost as much as a job")


def _rows(
    store: JobStore, forget: Callable[[], object], read: Callable[[], Reads]
) -> list[list[str]]:
    """Return for each list, its first page and the next: what is shown, what was read."""
    for number in range(JOBS):
        _add(store, number)
    rows = []
    for name, wanted in _LISTS.items():
        cursor: str | None = None
        for place in ("first", "next"):
            forget()
            page = store.list_jobs(wanted, limit=PAGE, cursor=cursor)
            shown = str(len(page.jobs))
            rows.append([f"{name}, {place} page", shown, *map(str, read())])
            if (cursor := page.cursor) is None:
                break
    return rows


def _add(store: JobStore, number: int) -> None:
    rare = number % (JOBS // _RARE) == 0
    tags = {"show": "rare" if number % (JOBS // _RARE) == 1 else "common"}
    presets = ("web",) if number % 2 else ("hls",)
    job = store.add_job(a_job(number, minutes=60 * number, tags=tags, presets=presets))
    if rare:
        store.swap_job(job.moved_to(JobState.CANCELED, at=job.created_at + _HOUR))


def _by_dynamodb(wire: Wire) -> Reads:
    entries = sum(said["Count"] for _, said in wire.calls("Query"))
    asked: list[Any] = [asked["RequestItems"] for asked, _ in wire.calls("BatchGetItem")]
    records = sum(len(each["Keys"]) for batch in asked for each in batch.values())
    return len(wire.seen), entries, records


def _by_simpledb(server: SimpleDbServer) -> Reads:
    counts = server.counts
    return sum(counts.calls.values()), counts.examined, counts.examined
