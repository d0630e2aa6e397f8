"""Where SimpleDB ends: values, items, domains, text, and places that have none."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.simpledb_domains import DOMAIN, clients_of, settings

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.items.packing import LONGEST_KEY
from media_nommer.adapters.aws.simpledb import SimpleDbStore, create_domain
from media_nommer.adapters.aws.simpledb.domain import MOST_PIECES, PIECE_BYTES
from media_nommer.core.errors import (
    BadRequest,
    InvalidSetting,
    JobNotFound,
    RecordTooLarge,
    StoreFull,
)
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.tasks import TaskId
from media_nommer.testing.concurrency import THREADS, at_once
from media_nommer.testing.samples import a_job, a_node, a_task
from media_nommer.testing.simpledb import Limits, SimpleDbServer


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> Iterator[SimpleDbServer]:
    with SimpleDbServer(limits=limits) as server:
        for name, value in settings(server).items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def clients(server: SimpleDbServer) -> AwsClients:
    return clients_of()


@pytest.fixture
def store(clients: AwsClients) -> SimpleDbStore:
    return SimpleDbStore(clients, DOMAIN)


def _noise(size: int) -> str:
    """Return text that packs to about this many bytes: each as two digits."""
    return random.Random(1).randbytes(size).hex()


def test_a_record_of_many_values_comes_back_whole(store: SimpleDbStore) -> None:
    """It has the tags that it may have, and takes nearly all the room."""
    tags = {f"tag {number}": "x" for number in range(50)}
    recipe = {"pass_through": _noise(MOST_PIECES * PIECE_BYTES * 3 // 5)}
    job = store.add_job(a_job(tags=tags, presets=("web", "small"), recipe=recipe))

    swapped = store.swap_job(replace(job, progress=0.5))

    assert store.get_job(job.id) == swapped


def test_what_a_longer_version_left_is_not_read(
    store: SimpleDbStore, server: SimpleDbServer
) -> None:
    long = store.add_job(a_job(recipe={"a": _noise(20_000)}))

    short = store.swap_job(replace(long, recipe={}))

    assert store.get_job(long.id) == short
    assert "d010" in server.items(DOMAIN)[f"job {long.id}"]
    assert store.list_jobs().jobs == (short,)


def test_a_record_that_is_too_large_is_refused_with_advice(store: SimpleDbStore) -> None:
    job = store.add_job(a_job())

    with pytest.raises(RecordTooLarge) as caught:
        store.swap_job(replace(job, recipe={"a": _noise(200_000)}))

    assert "job-0001" in caught.value.message
    assert not caught.value.retryable
    assert caught.value.advice
    assert store.get_job(job.id) == job


def test_more_labels_than_an_item_has_room_for_are_refused(store: SimpleDbStore) -> None:
    presets = tuple(f"preset {number}" for number in range(300))

    with pytest.raises(RecordTooLarge):
        store.add_job(a_job(presets=presets))


class TestFullDomain:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(domain_bytes=20_000)

    def test_it_is_told_with_advice_and_waited_for(self, store: SimpleDbStore) -> None:
        for number in range(3):
            store.add_job(a_job(number))

        with pytest.raises(StoreFull) as caught:
            store.add_job(a_job(9, recipe={"a": _noise(20_000)}))

        assert DOMAIN in caught.value.message
        assert caught.value.retryable
        assert "keep_jobs_for" in caught.value.advice

    def test_there_is_room_again_when_jobs_were_forgotten(
        self, store: SimpleDbStore
    ) -> None:
        job = store.add_job(a_job(1, recipe={"a": _noise(9_000)}))
        with pytest.raises(StoreFull):
            store.add_job(a_job(2, recipe={"a": _noise(9_000)}))

        store.forget_job(job.id, 1)

        assert store.add_job(a_job(2, recipe={"a": _noise(9_000)}))


@pytest.mark.parametrize(
    "text",
    ["\x00", "\x0b\x1f\x7f", "\ufffe\uffff", "]]>&<", " a  b ", "ü\U0001f3ac", "%00"],
)
def test_text_that_xml_does_not_take_is_kept_and_found(
    store: SimpleDbStore, text: str
) -> None:
    tags, found = {f"it's {text}": text}, (f"it's {text}", text)
    job = replace(a_job(tags=tags, presets=(text,)), id=JobId(f"job {text}"), source=text)

    job = store.add_job(job)
    store.add_task(a_task(text, job=job.id))

    assert store.get_job(job.id) == job
    for wanted in (JobFilter(), JobFilter(tag=found), JobFilter(preset=text)):
        assert store.list_jobs(wanted).jobs == (job,)
    assert [task.key for task in store.tasks_of(job.id, 1)] == [text]


@pytest.mark.parametrize("job_id", ["x" * 3000, "ü" * 500, "\ud800", "", "'`\""])
def test_an_odd_id_that_nobody_has_is_not_found(store: SimpleDbStore, job_id: str) -> None:
    with pytest.raises(JobNotFound):
        store.get_job(JobId(job_id))


def test_the_longest_ids_are_kept(store: SimpleDbStore) -> None:
    job = store.add_job(replace(a_job(tags={"a": "b"}), id=JobId("j" * LONGEST_KEY)))
    node = store.add_node(a_node("n" * LONGEST_KEY))
    room = LONGEST_KEY - len("job-0001.1.")
    store.add_task(a_task("t" * room))

    assert store.get_job(job.id) == job
    assert store.list_jobs(JobFilter(tag=("a", "b"))).jobs == (job,)
    assert store.list_jobs(JobFilter(states=(job.state,))).jobs == (job,)
    assert store.get_node(node.id) == node
    assert store.get_task(a_task("t" * room).id) in store.unsettled_tasks()


def test_ids_that_cannot_be_kept_are_refused(store: SimpleDbStore) -> None:
    with pytest.raises(BadRequest, match="longer"):
        store.add_job(replace(a_job(), id=JobId("x" * 3000)))
    with pytest.raises(BadRequest, match="longer"):
        store.add_task(a_task("x" * 3000))
    with pytest.raises(BadRequest, match="not one of"):
        store.add_task(replace(a_task(), id=TaskId("something else")))


def test_a_tag_longer_than_a_name_finds_its_jobs(store: SimpleDbStore) -> None:
    long = ("ü" * 256, "\U0001f3ac" * 255)
    first = store.add_job(a_job(1, tags={long[0]: long[1] + "1"}))
    store.add_job(a_job(2, tags={long[0]: long[1] + "2"}))

    assert store.list_jobs(JobFilter(tag=(long[0], long[1] + "1"))).jobs == (first,)


def test_a_missing_domain_is_told_with_advice(clients: AwsClients) -> None:
    with pytest.raises(InvalidSetting) as caught:
        SimpleDbStore(clients, "not-there").get_job(JobId("x"))

    assert "not-there" in caught.value.message
    assert "nommer aws up" in caught.value.advice


def test_a_domain_is_made_once_by_however_many(
    clients: AwsClients, store: SimpleDbStore, server: SimpleDbServer
) -> None:
    job = store.add_job(a_job())
    server.reset_counts()

    made = at_once(lambda number: create_domain(clients, DOMAIN))

    assert made == [None] * THREADS
    assert not server.counts.calls["CreateDomain"]
    assert store.get_job(job.id) == job


def test_a_region_without_simpledb_is_told(
    server: SimpleDbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidSetting, match="eu-central-1") as caught:
        create_domain(AwsClients("eu-central-1"), DOMAIN)

    assert "eu-west-1" in caught.value.advice


def test_a_name_that_no_domain_has_is_refused(clients: AwsClients) -> None:
    with pytest.raises(BadRequest):
        create_domain(clients, "no name")


def test_many_jobs_of_one_moment_are_all_listed(store: SimpleDbStore) -> None:
    jobs: list[Job] = [store.add_job(a_job(number)) for number in range(12)]

    found, cursor = list[Job](), None
    while True:
        page = store.list_jobs(limit=5, cursor=cursor)
        found += page.jobs
        if (cursor := page.cursor) is None:
            break

    assert found == list(reversed(jobs))
