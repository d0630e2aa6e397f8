"""What the API tells of money, of jobs that workers really did."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.workshop import OUT, Maker, Workshop

from media_nommer.core.errors import StorageError
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.nodes import Machine, NodeId, NodeState
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.presets import load_presets
from media_nommer.core.recipes import parse_recipe
from media_nommer.core.workflow import submitting
from media_nommer.core.workflow.archiving import archive_job
from media_nommer.core.workflow.ledger import entries_of
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.feederd.api import create_app
from media_nommer.feederd.costs import MOST_JOBS_A_PAGE
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.service import JobService
from media_nommer.planning.fleet.scaling import NodeKind
from media_nommer.testing.clock import START
from media_nommer.testing.samples import SPOT, a_node

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
#: A machine of which a second costs a dollar.
DOLLAR = replace(SPOT, price=3600.0)
KIND = NodeKind(name="ec2", slots=2, price=3.6, boot=timedelta(seconds=90))


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def client(shop: Workshop) -> Iterator[TestClient]:
    service = JobService(engine=shop.engine, outside=shop.storage, kinds=lambda: [KIND])
    with TestClient(create_app(service), "http://localhost:8001") as client:
        yield client


def submit(shop: Workshop, number: int, **changes: Any) -> Job:
    """Submit a job with tags or presets of its own."""
    return submitting.submit(shop.engine, replace(shop.job_to_submit(number), **changes))


def do(
    shop: Workshop, seconds: float, machine: Machine = DOLLAR, kind: str = "ec2"
) -> None:
    """Let a worker on a machine do all there is, so many seconds a task."""

    def take_time(_work: Work) -> None:
        shop.clock.advance(timedelta(seconds=seconds))

    worker = shop.worker("node-1", Maker(trouble=take_time))
    worker.runs_on(machine, kind=kind)
    while worker.tick():
        pass


def add_node(shop: Workshop, name: str, **changes: Any) -> None:
    """Add a node that booted for ten of its hundred seconds and worked for forty."""
    now = shop.clock.now()
    node = replace(
        a_node(name),
        kind="ec2",
        slots=1,
        worked=40.0,
        machine=replace(DOLLAR, started_at=now - timedelta(seconds=100)),
        joined_at=now - timedelta(seconds=90),
    )
    shop.store.add_node(replace(node.moved_to(NodeState.GONE, at=now), **changes))


def costs(client: TestClient, **params: Any) -> dict[str, Any]:
    answer = client.get("/v1/costs", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def keys(found: dict[str, Any]) -> dict[str | None, tuple[int, float, float]]:
    return {
        row["key"]: (row["jobs"], row["machine_seconds"], row["cost"])
        for row in found["rows"]
    }


def test_a_job_shows_what_all_its_runs_cost(shop: Workshop, client: TestClient) -> None:
    job = submit(shop, 1)
    pending = client.get(f"/v1/jobs/{job.id}").json()
    do(shop, 5)
    finished = client.get(f"/v1/jobs/{job.id}").json()
    submitting.retry(shop.engine, job.id, whole=True)
    do(shop, 2)

    again = client.get(f"/v1/jobs/{job.id}").json()

    assert (pending["machine_seconds"], pending["cost"]) == (0, 0)
    assert (finished["machine_seconds"], finished["cost"]) == (5, 5)
    assert (again["run"], again["machine_seconds"], again["cost"]) == (2, 7, 7)


def test_a_job_that_runs_shows_what_it_cost_so_far(
    shop: Workshop, client: TestClient
) -> None:
    submit(shop, 1)
    worker = shop.worker(spawn=lambda _work: None)
    worker.runs_on(DOLLAR, kind="ec2")
    worker.tick()
    shop.clock.advance(timedelta(seconds=4))
    worker.beat()
    shop.changed(state=JobState.RUNNING)

    assert client.get("/v1/jobs/job-0001").json()["cost"] == 4


def test_where_a_price_is_not_known_the_cost_is_not(
    shop: Workshop, client: TestClient
) -> None:
    submit(shop, 1)
    do(shop, 5, Machine(), "hand")

    job = client.get("/v1/jobs/job-0001").json()

    assert (job["machine_seconds"], job["cost"]) == (5, None)


def test_lists_read_no_more_than_before(shop: Workshop, client: TestClient) -> None:
    submit(shop, 1)
    do(shop, 5)
    shop.tape.calls.clear()

    (job,) = client.get("/v1/jobs").json()["jobs"]

    assert (job["machine_seconds"], job["cost"]) == (None, None)
    assert "store.tasks_of" not in shop.tape.names


def test_an_attempt_shows_its_machine_and_its_share(
    shop: Workshop, client: TestClient
) -> None:
    submit(shop, 1)
    do(shop, 5)

    (attempt,) = client.get("/v1/jobs/job-0001/logs").json()["attempts"]

    assert (attempt["machine_seconds"], attempt["cost"]) == (5, 5)
    machine = attempt["machine"]
    assert (machine["type"], machine["market"]) == ("c7i.xlarge", "spot")
    assert (machine["zone"], machine["price"]) == ("us-east-1a", 3600)


def test_a_job_in_the_archive_shows_what_it_cost(
    shop: Workshop, client: TestClient
) -> None:
    job = submit(shop, 1)
    do(shop, 5)
    assert archive_job(shop.engine, job.id, ended_by=shop.clock.now() + DAY)

    assert client.get(f"/v1/jobs/{job.id}").json()["cost"] == 5
    assert costs(client)["total"]["jobs"] == 0


def test_costs_by_tag_preset_kind_and_machine(shop: Workshop, client: TestClient) -> None:
    submit(shop, 1, tags={"show": "42"}, presets=("web",))
    do(shop, 6)
    submit(shop, 2, presets=("web", "webm"))
    do(shop, 4, Machine(price=0.0), "local")
    shop.clock.advance(HOUR)

    assert keys(costs(client, by="tag:show")) == {"42": (1, 6, 6), None: (1, 4, 0)}
    assert keys(costs(client, by="preset")) == {"web": (2, 8, 6), "webm": (1, 2, 0)}
    assert keys(costs(client, by="kind")) == {"ec2": (1, 6, 6), "local": (1, 4, 0)}
    assert keys(costs(client, by="machine")) == {
        "c7i.xlarge spot": (1, 6, 6),
        "own": (1, 4, 0),
    }
    assert costs(client, by="tag:show")["by"] == "tag:show"


def test_nodes_come_from_records_and_from_the_ledger_each_once(
    shop: Workshop, client: TestClient
) -> None:
    shop.clock.advance(HOUR)
    add_node(shop, "old")
    node = shop.store.get_node(NodeId("old"))
    shop.clock.advance(HOUR)
    Janitor(shop.engine, shop.policy, JanitorPolicy()).tidy()
    assert entries_of(shop.engine, START.date())
    add_node(shop, "new")
    shop.store.add_node(node)  # as between a document and the end of its record
    shop.clock.advance(HOUR)

    found = costs(client, by="kind")

    assert found["total"]["nodes"] == {
        "nodes": 2,
        "unpriced": 0,
        "boot_seconds": 20,
        "worked_seconds": 80,
        "idle_seconds": 100,
        "boot_cost": 20,
        "worked_cost": 80,
        "idle_cost": 100,
        "cost": 200,
    }
    assert [(row["key"], row["nodes"]["nodes"]) for row in found["rows"]] == [("ec2", 2)]


def test_a_node_that_came_back_counts_as_of_its_last_beat_and_not_as_of_its_document(
    shop: Workshop, client: TestClient
) -> None:
    shop.clock.advance(HOUR)
    add_node(shop, "back")
    node = shop.store.get_node(NodeId("back"))
    shop.clock.advance(HOUR)
    Janitor(shop.engine, shop.policy, JanitorPolicy()).tidy()
    machine = replace(node.machine, ended_at=None)
    shop.store.add_node(replace(node, machine=machine, changed_at=shop.clock.now()))
    shop.clock.advance(HOUR)

    found = costs(client, by="kind")["total"]["nodes"]

    assert found["nodes"] == 1
    seconds = found["boot_seconds"] + found["worked_seconds"] + found["idle_seconds"]
    assert seconds > HOUR.total_seconds()


def test_since_and_until_say_which_jobs_and_nodes_count(
    shop: Workshop, client: TestClient
) -> None:
    for day in range(3):
        submit(shop, day + 1)
        do(shop, 10**day)
        add_node(shop, f"node-{day}")
        shop.clock.advance(START + (day + 1) * DAY - shop.clock.now())

    found = costs(
        client, since=(START + DAY).isoformat(), until=(START + 2 * DAY).isoformat()
    )

    day = (START + DAY).date().isoformat()
    assert keys(found) == {day: (1, 10, 10)}
    assert found["total"]["nodes"]["nodes"] == 1
    assert costs(client)["total"]["machine_seconds"] == 111


def test_without_since_it_is_the_last_thirty_days(
    shop: Workshop, client: TestClient
) -> None:
    submit(shop, 1)
    do(shop, 1)
    shop.clock.advance(31 * DAY)

    found = costs(client)

    assert found["total"]["jobs"] == 0
    assert found["since"].startswith((START + DAY).date().isoformat())


def test_pages_add_up_and_nodes_are_in_the_first(
    shop: Workshop, client: TestClient
) -> None:
    for number in range(1, 6):
        submit(shop, number)
        do(shop, 1)
    add_node(shop, "node-1")
    shop.clock.advance(HOUR)

    pages = [costs(client, limit=2)]
    while pages[-1]["cursor"] is not None:
        pages.append(costs(client, limit=2, cursor=pages[-1]["cursor"]))

    assert sum(page["total"]["machine_seconds"] for page in pages) == 5
    assert [page["total"]["nodes"]["nodes"] for page in pages[:2]] == [1, 0]
    assert len(pages) >= 3


def test_a_document_of_the_ledger_is_read_once(shop: Workshop, client: TestClient) -> None:
    shop.clock.advance(HOUR)
    add_node(shop, "node-1")
    shop.clock.advance(HOUR)
    Janitor(shop.engine, shop.policy, JanitorPolicy()).tidy()
    first = costs(client)

    def gone(_url: str) -> bytes:
        raise StorageError("it is not read again")

    shop.storage.read = gone  # type: ignore[method-assign]

    assert costs(client)["total"] == first["total"]


def test_jobs_without_a_known_price_are_counted_and_said(
    shop: Workshop, client: TestClient
) -> None:
    submit(shop, 1)
    do(shop, 1)
    submit(shop, 2)
    do(shop, 2, Machine(), "hand")
    shop.clock.advance(HOUR)

    total = costs(client)["total"]

    assert (total["jobs"], total["unpriced_jobs"]) == (2, 1)
    assert (total["machine_seconds"], total["cost"]) == (3, 1)


@pytest.mark.parametrize(
    "params",
    [
        {"by": "week"},
        {"since": "2026-01-01T00:00:00"},
        {"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"since": "2020-01-01T00:00:00Z"},
        {"limit": 0},
        {"limit": MOST_JOBS_A_PAGE + 1},
        {"cursor": "nonsense"},
        {"since": "yesterday"},
    ],
)
def test_what_cannot_be_summed_is_refused(
    client: TestClient, params: dict[str, Any]
) -> None:
    answer = client.get("/v1/costs", params=params)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


RECIPE = {
    "inputs": [{"url": "file:///films/in.mov"}],
    "outputs": [{"preset": "web"}],
}


def test_an_estimate_creates_nothing_and_says_on_what_it_rests(
    shop: Workshop, client: TestClient
) -> None:
    answer = client.post("/v1/estimates?duration=600", json=RECIPE)

    found = answer.json()
    assert answer.status_code == 200
    assert (found["jobs"], found["film_seconds"]) == (0, 600)
    assert "nothing learned yet" in found["basis"]
    work, wall = found["work_seconds"], found["wall_seconds"]
    assert 0 < work["low"] < work["likely"] < work["high"]
    assert wall["likely"] == pytest.approx(work["likely"] + 90)  # a node has to boot
    (cost,) = found["costs"]
    assert (cost["kind"], cost["price"]) == ("ec2", 3.6)
    assert 0 < cost["low"] < cost["high"]
    assert shop.store.list_jobs(JobFilter()).jobs == ()


def test_an_estimate_learns_from_jobs_that_finished(
    shop: Workshop, client: TestClient
) -> None:
    recipe = parse_recipe(RECIPE, load_presets())
    document = {**recipe.model_dump(mode="json"), "destination": OUT}
    submit(shop, 1, recipe=document, presets=("web",), source="file:///films/b.mov")
    do(shop, 50)
    (finished,) = shop.store.list_jobs(JobFilter()).jobs
    output = replace(finished.outputs[0], facts={"duration": 25.0})
    shop.store.swap_job(replace(finished, outputs=(output,)))
    add_node(shop, "node-1", state=NodeState.RUNNING, busy=0)

    found = client.post("/v1/estimates?duration=100", json=RECIPE).json()

    assert found["jobs"] == 1
    assert found["basis"] == "1 past job of the same outputs and folder"
    assert found["work_seconds"]["likely"] == pytest.approx(200)
    assert found["wall_seconds"]["likely"] == pytest.approx(200)  # a slot is free


@pytest.mark.parametrize(
    ("query", "document", "status"),
    [
        ("?duration=0", RECIPE, 400),
        ("?duration=-5", RECIPE, 400),
        ("?duration=nan", RECIPE, 400),
        ("?duration=1e9", RECIPE, 400),
        ("", {**RECIPE, "outputs": [{"preset": "nope"}]}, 422),
        ("", {"outputs": []}, 422),
        ("", [], 422),
    ],
)
def test_an_estimate_of_what_cannot_be_is_refused(
    client: TestClient, query: str, document: object, status: int
) -> None:
    answer = client.post(f"/v1/estimates{query}", json=document)

    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]


def test_the_description_knows_the_routes(client: TestClient) -> None:
    described = client.get("/v1/openapi.json").json()

    assert {"/v1/costs", "/v1/estimates"} <= set(described["paths"])
    assert "CostsView" in described["components"]["schemas"]
