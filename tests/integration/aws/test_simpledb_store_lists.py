"""What lists read: items looked at, against those that are shown."""

from collections.abc import Iterator

import pytest
from tests.simpledb_domains import DOMAIN, clients_of, settings

from media_nommer.adapters.aws.simpledb import SimpleDbStore
from media_nommer.core.jobs import JobId, JobState
from media_nommer.core.nodes import NodeState
from media_nommer.core.ports.store import JobFilter
from media_nommer.testing.clock import START
from media_nommer.testing.samples import MINUTE, a_job, a_node, a_task
from media_nommer.testing.simpledb import Fault, Limits, SimpleDbServer

PAGE = 4


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
def store(server: SimpleDbServer) -> SimpleDbStore:
    return SimpleDbStore(clients_of(), DOMAIN)


@pytest.mark.parametrize(
    "wanted",
    [
        JobFilter(),
        JobFilter(states=(JobState.PENDING,)),
        JobFilter(states=(JobState.PENDING, JobState.CANCELED)),
        JobFilter(tag=("it's", "1")),
        JobFilter(preset="web"),
        JobFilter(since=START + 2 * MINUTE, until=START + 20 * MINUTE),
        JobFilter(states=(JobState.PENDING,), until=START + 16 * MINUTE),
        JobFilter(tag=("it's", "1"), since=START + 3 * MINUTE),
    ],
    ids=str,
)
def test_a_page_reads_little_more_than_it_shows(
    store: SimpleDbStore, server: SimpleDbServer, wanted: JobFilter
) -> None:
    for number in range(24):
        labels = {"tags": {"it's": str(number % 2)}, "presets": ("web", "x")[number % 2 :]}
        job = store.add_job(a_job(number, minutes=number, **labels))
        if number % 3 == 0:
            store.swap_job(job.moved_to(JobState.RUNNING, at=START))
    first = store.list_jobs(wanted, limit=PAGE)
    server.reset_counts()

    second = store.list_jobs(wanted, limit=PAGE, cursor=first.cursor)

    assert len(first.jobs) == len(second.jobs) == PAGE
    assert server.counts.examined <= PAGE + 3


def test_a_job_that_moves_on_while_states_are_read_is_shown_once(
    store: SimpleDbStore, server: SimpleDbServer
) -> None:
    jobs = [store.add_job(a_job(number, minutes=number)) for number in range(4)]
    other = SimpleDbStore(clients_of(), DOMAIN)
    selects = []

    def move_on(action: str, parameters: object) -> Fault | None:
        if action == "Select":
            selects.append(parameters)
            if len(selects) == 2:
                server.on_call = None
                other.swap_job(jobs[2].moved_to(JobState.RUNNING, at=START))
        return None

    server.on_call = move_on
    unfinished = JobFilter(states=(JobState.RUNNING, JobState.PENDING))

    first = store.list_jobs(unfinished, limit=2)
    rest = store.list_jobs(unfinished, cursor=first.cursor)

    shown = [job.id for job in (*first.jobs, *rest.jobs)]
    assert shown == [job.id for job in reversed(jobs)]


def test_the_living_are_found_without_reading_those_gone(
    store: SimpleDbStore, server: SimpleDbServer
) -> None:
    for number in range(10):
        node = store.add_node(a_node(f"node-{number}"))
        if number > 1:
            store.swap_node(node.moved_to(NodeState.GONE, at=START))
    server.reset_counts()

    assert [node.id for node in store.nodes()] == ["node-0", "node-1"]

    assert server.counts.examined == 2


def test_a_few_quiet_tasks_are_found_without_reading_all(
    store: SimpleDbStore, server: SimpleDbServer
) -> None:
    for number in range(40):
        store.add_task(a_task(f"t{number:02}", minutes=number))
        if number < 10:
            store.swap_task(store.get_task(a_task(f"t{number:02}").id).done(at=START))
    server.reset_counts()

    quiet = store.unsettled_tasks(quiet_since=START + 30 * MINUTE, limit=8)

    assert [task.key for task in quiet] == [f"t{number}" for number in range(10, 18)]
    assert server.counts.examined <= 9


def test_the_tasks_of_a_run_are_found_without_reading_others(
    store: SimpleDbStore, server: SimpleDbServer
) -> None:
    for number in range(20):
        store.add_task(a_task(f"t{number}", run=number % 5 + 1))
    server.reset_counts()

    assert len(store.tasks_of(JobId("job-0001"), 2)) == 4

    assert server.counts.examined == 4


def test_a_large_job_is_forgotten_in_few_calls(
    store: SimpleDbStore, server: SimpleDbServer
) -> None:
    job = store.add_job(a_job())
    for number in range(60):
        store.add_task(a_task(f"t{number}"))
    server.reset_counts()

    store.forget_job(job.id, 1)

    assert sum(server.counts.calls.values()) == 1 + 3 + 1
    assert server.items(DOMAIN) == {}


class TestSmallAnswers:
    """A page ends early where an answer is full; what SimpleDB takes a megabyte for."""

    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(select_bytes=4096)

    def test_a_list_is_read_to_its_end(self, store: SimpleDbStore) -> None:
        for number in range(30):
            store.add_job(a_job(number, minutes=number))

        page = store.list_jobs(limit=29)

        assert len(page.jobs) == 29
        assert len(store.list_jobs(limit=29, cursor=page.cursor).jobs) == 1

    def test_all_siblings_are_read(
        self, store: SimpleDbStore, server: SimpleDbServer
    ) -> None:
        for number in range(30):
            store.add_task(a_task(f"t{number}"))
        server.reset_counts()

        assert len(store.tasks_of(JobId("job-0001"), 1)) == 30
        assert server.counts.calls["Select"] > 3


class TestSlowSelects:
    """SimpleDB answers with what it has after five seconds, which may be nothing."""

    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(examined=1)

    def test_a_list_is_read_to_its_end(self, store: SimpleDbStore) -> None:
        for number in range(6):
            store.add_job(a_job(number, minutes=number))

        assert len(store.list_jobs().jobs) == 6
