"""What callers see of a job that has gone to the archive."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.adapters.objects import FileStorage, RoutedStorage, file_url
from media_nommer.core.jobs import JobId, JobState
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import Outcome
from media_nommer.core.workflow.archiving import archive_job
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.api import create_app
from media_nommer.feederd.service import JobService
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import FAILURE, MINUTE

KEY = {"Idempotency-Key": "upload-42"}


@pytest.fixture
def engine() -> Engine:
    clock = ManualClock()
    return Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    service = JobService(engine=engine, outside=RoutedStorage({"file": FileStorage}))
    app = create_app(service)
    with TestClient(app, "http://localhost:8001", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "in.mov").write_bytes(b"film")
    return {
        "inputs": [{"url": file_url(tmp_path / "in.mov")}],
        "destination": file_url(tmp_path / "out"),
        "tags": {"show": "42"},
    }


@pytest.fixture
def failed(
    client: TestClient, engine: Engine, document: dict[str, Any], tmp_path: Path
) -> str:
    """Return the id of a job that failed half-way, with one attempt and its log."""
    job_id = JobId(client.post("/v1/jobs", json=document, headers=KEY).json()["id"])
    (tmp_path / "log").write_text("$ ffmpeg -i in\nno film\n")
    (task,) = engine.store.tasks_of(job_id, 1)
    task = task.claimed(NodeId("node-1"), lease=MINUTE, at=engine.clock.now())
    task = task.beaten(progress=0.5, at=engine.clock.now())
    url = engine.log_url(task, 1)
    engine.storage.put(tmp_path / "log", url)
    at = engine.clock.now()
    task = task.committed(Outcome.FAILED, at=at, failure=FAILURE, log_url=url)
    engine.store.swap_task(task.done(at=at))
    job = engine.store.get_job(job_id).moved_to(JobState.RUNNING, at=at)
    job = engine.store.swap_job(job)
    engine.store.swap_job(job.moved_to(JobState.FAILED, at=at, failure=FAILURE))
    return job_id


@pytest.fixture
def archive(engine: Engine, failed: str) -> Callable[[], None]:
    def go() -> None:
        assert archive_job(engine, JobId(failed), ended_by=engine.clock.now())
        assert engine.store.list_jobs().jobs == ()

    return go


def test_an_archived_job_is_shown_as_before(
    client: TestClient, failed: str, archive: Callable[[], None]
) -> None:
    before = client.get(f"/v1/jobs/{failed}").json()

    archive()

    assert client.get(f"/v1/jobs/{failed}").json() == before
    assert before["progress"] == 0.5
    assert before["failure"]["code"] == FAILURE.code


def test_its_attempts_and_their_logs_are_shown_as_before(
    client: TestClient, failed: str, archive: Callable[[], None]
) -> None:
    before = client.get(f"/v1/jobs/{failed}/logs").json()

    archive()

    assert client.get(f"/v1/jobs/{failed}/logs").json() == before
    assert before["attempts"][0]["commands"] == ["ffmpeg -i in"]


def test_its_attempts_stay_when_their_logs_are_gone(
    client: TestClient, engine: Engine, failed: str, archive: Callable[[], None]
) -> None:
    archive()
    engine.storage.delete_below(f"memory://w/jobs/{failed}/logs")

    (attempt,) = client.get(f"/v1/jobs/{failed}/logs").json()["attempts"]

    assert attempt["log"] is None
    assert attempt["failure"]["code"] == FAILURE.code


def test_it_is_in_no_list(client: TestClient, archive: Callable[[], None]) -> None:
    archive()

    assert client.get("/v1/jobs").json() == {"jobs": [], "cursor": None}
    assert client.get("/v1/jobs?tag=show=42").json()["jobs"] == []


def test_to_cancel_it_answers_as_for_any_final_job(
    client: TestClient, failed: str, archive: Callable[[], None]
) -> None:
    before = client.post(f"/v1/jobs/{failed}/cancel").json()

    archive()
    answer = client.post(f"/v1/jobs/{failed}/cancel")

    assert (answer.status_code, answer.json()) == (200, before)


@pytest.mark.parametrize("body", [{}, {"whole": True}])
def test_to_retry_it_is_refused_and_says_what_to_do(
    client: TestClient, failed: str, archive: Callable[[], None], body: dict[str, bool]
) -> None:
    archive()

    answer = client.post(f"/v1/jobs/{failed}/retry", json=body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "JOB_ARCHIVED")
    assert failed in error["message"]
    assert "Submit it anew" in error["advice"]


def test_rule_1_its_idempotency_key_still_stands_for_it(
    client: TestClient,
    engine: Engine,
    failed: str,
    archive: Callable[[], None],
    document: dict[str, Any],
) -> None:
    archive()

    again = client.post("/v1/jobs", json=document, headers=KEY)
    other = client.post("/v1/jobs", json=document | {"tags": {}}, headers=KEY)

    assert again.status_code == 201
    assert (again.json()["id"], again.json()["state"]) == (failed, "failed")
    assert other.json()["error"]["code"] == "IDEMPOTENCY_CONFLICT"
    assert engine.store.list_jobs().jobs == ()


def test_a_key_is_free_again_once_the_document_is_removed(
    client: TestClient,
    engine: Engine,
    failed: str,
    archive: Callable[[], None],
    document: dict[str, Any],
) -> None:
    archive()
    engine.storage.delete_below("memory://w/archive")

    assert client.get(f"/v1/jobs/{failed}").status_code == 404
    assert client.post(f"/v1/jobs/{failed}/cancel").status_code == 404
    assert client.post(f"/v1/jobs/{failed}/retry").status_code == 404
    assert client.get(f"/v1/jobs/{failed}/logs").status_code == 404
    again = client.post("/v1/jobs", json=document, headers=KEY)

    assert (again.json()["id"], again.json()["state"]) == (failed, "pending")


def test_a_document_of_a_newer_version_is_said_to_be_so(
    client: TestClient,
    engine: Engine,
    failed: str,
    archive: Callable[[], None],
    tmp_path: Path,
) -> None:
    archive()
    (url,) = engine.storage.list("memory://w/archive")
    document = json.loads(engine.storage.read(url))
    (tmp_path / "newer").write_text(json.dumps(document | {"v": document["v"] + 1}))
    engine.storage.delete(url)
    engine.storage.put(tmp_path / "newer", url)

    error = client.get(f"/v1/jobs/{failed}").json()["error"]

    assert error["code"] == "UNKNOWN_VERSION"
    assert "Upgrade" in error["advice"]
