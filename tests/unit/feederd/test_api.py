import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs
from typing_extensions import override

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.adapters.objects import FileStorage, RoutedStorage, file_url
from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.nodes import NodeId
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.api import create_app
from media_nommer.feederd.scaler import Decided
from media_nommer.feederd.service import JobService
from media_nommer.planning.fleet.scaling import Decision
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import MINUTE, a_full_job, a_node

JSON = {"Content-Type": "application/json"}


class Store(MemoryStore):
    """A store that can be made not to answer, or to fail in a way that nobody expects."""

    trouble: Exception | None = None

    @override
    def get_job(self, job_id: JobId) -> Job:
        if self.trouble is not None:
            raise self.trouble
        return super().get_job(job_id)


@pytest.fixture
def engine() -> Engine:
    clock = ManualClock()
    return Engine(Store(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


@pytest.fixture
def service(engine: Engine) -> JobService:
    return JobService(engine=engine, outside=RoutedStorage({"file": FileStorage}))


@pytest.fixture
def client(service: JobService) -> Iterator[TestClient]:
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
        "pass_through": {"any": [1, None]},
    }


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    found: dict[str, Any] = answer.json()["error"]
    assert list(found) == ["code", "message", "advice", "retryable"]
    assert found["message"]
    return found


def test_a_submitted_job_is_answered_with_its_place(
    client: TestClient, document: dict[str, Any]
) -> None:
    answer = client.post("/v1/jobs", json=document)

    job = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["phase"], job["progress"], job["run"]) == (
        "pending",
        None,
        0.0,
        1,
    )
    assert [(o["name"], o["state"]) for o in job["outputs"]] == [("in.mp4", "pending")]
    assert job["tags"] == {"show": "42"}
    assert job["pass_through"] == {"any": [1, None]}
    assert client.get(answer.headers["location"]).json() == job


def test_an_idempotency_key_makes_a_repeat_the_same_job(
    client: TestClient, document: dict[str, Any]
) -> None:
    key = {"Idempotency-Key": "k1"}

    first, again = (client.post("/v1/jobs", json=document, headers=key) for _ in "ab")
    other = client.post("/v1/jobs", json=document | {"tags": {}}, headers=key)

    assert again.json()["id"] == first.json()["id"]
    assert problem(other, 409)["code"] == "IDEMPOTENCY_CONFLICT"


def test_jobs_are_listed_in_pages_newest_first_and_by_state(
    client: TestClient, engine: Engine, document: dict[str, Any]
) -> None:
    ids = []
    for _ in range(5):
        ids.append(client.post("/v1/jobs", json=document).json()["id"])
        assert isinstance(engine.clock, ManualClock)
        engine.clock.advance(MINUTE)
    client.post(f"/v1/jobs/{ids[0]}/cancel")

    first = client.get("/v1/jobs?limit=3").json()
    second = client.get("/v1/jobs", params={"limit": 3, "cursor": first["cursor"]}).json()
    some = client.get("/v1/jobs?state=canceled&state=running").json()

    assert [job["id"] for job in first["jobs"] + second["jobs"]] == ids[::-1]
    assert second["cursor"] is None
    assert [job["id"] for job in some["jobs"]] == [ids[0]]


def test_a_job_can_be_canceled_and_retried(
    client: TestClient, document: dict[str, Any]
) -> None:
    job = client.post("/v1/jobs", json=document).json()
    own = f"/v1/jobs/{job['id']}"

    assert problem(client.post(f"{own}/retry"), 409)["code"] == "ILLEGAL_TRANSITION"
    assert client.post(f"{own}/cancel").json()["state"] == "canceled"
    again = client.post(f"{own}/retry", json={"whole": True})

    assert (again.status_code, again.json()["run"]) == (200, 2)


def test_what_happened_to_a_job_is_told_in_order(
    client: TestClient, document: dict[str, Any]
) -> None:
    job = client.post("/v1/jobs", json=document).json()
    client.post(f"/v1/jobs/{job['id']}/cancel")

    told = client.get(job["links"]["events"]).json()

    assert told["job"] == job["id"]
    assert [(e["number"], e["run"]) for e in told["events"]] == [
        (number, 1) for number in range(1, 1 + len(told["events"]))
    ]
    assert told["events"][-1]["kind"] == "job.canceled"


def test_a_report_can_be_had_before_anything_was_found(
    client: TestClient, document: dict[str, Any]
) -> None:
    job = client.post("/v1/jobs", json=document).json()

    report = client.get(job["links"]["report"]).json()

    assert (report["version"], report["job"], report["state"]) == (1, job["id"], "pending")
    assert report["source"] == {"url": job["source"], "found": None}
    assert report["outputs"][0]["gates"] == []
    assert report["attempts"] == []


def test_logs_are_json_or_text_as_asked_for(
    client: TestClient, engine: Engine, document: dict[str, Any], tmp_path: Path
) -> None:
    job = client.post("/v1/jobs", json=document).json()
    (task,) = engine.store.tasks_of(job["id"], 1)
    now = engine.clock.now()
    task = engine.store.swap_task(task.claimed(NodeId("node-1"), lease=MINUTE, at=now))
    (tmp_path / "log").write_text("$ ffmpeg -i source\nboom\n")
    url = engine.log_url(task, 1)
    engine.storage.put(tmp_path / "log", url)
    engine.store.swap_task(task.set_back(at=now, ready_at=now, log_url=url))

    as_json = client.get(job["links"]["logs"]).json()
    as_text = client.get(job["links"]["logs"], headers={"Accept": "text/plain"})

    (attempt,) = as_json["attempts"]
    assert attempt["commands"] == ["ffmpeg -i source"]
    assert attempt["log"].endswith("boom\n")
    assert as_text.headers["content-type"].startswith("text/plain")
    assert "attempt 1 on node-1" in as_text.text
    assert "boom" in as_text.text
    assert "memory://" not in json.dumps(as_json)


def test_nodes_presets_and_health_are_told(client: TestClient, engine: Engine) -> None:
    engine.store.add_node(a_node())

    assert [node["id"] for node in client.get("/v1/nodes").json()["nodes"]] == ["node-1"]
    assert "web" in [p["name"] for p in client.get("/v1/presets").json()["presets"]]
    assert client.get("/healthz").json()["status"] == "ok"


def test_what_was_decided_on_the_fleet_is_told(service: JobService) -> None:
    at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    made = Decision(("ec2", "ec2"), "2 ec2: waiting: 3, about 60 s of work", "max_nodes")
    told = replace(service, decided=lambda: Decided(at, made))

    with TestClient(create_app(told), "http://localhost:8001") as client:
        found = client.get("/v1/fleet").json()

    assert found["decision"] == {
        "at": "2026-11-22T12:00:00Z",
        "launches": ["ec2", "ec2"],
        "reason": "2 ec2: waiting: 3, about 60 s of work",
        "held_back_by": "max_nodes",
    }


def test_where_another_feederd_decides_nothing_is_told(client: TestClient) -> None:
    assert client.get("/v1/fleet").json() == {"decision": None}


def test_the_schema_of_recipes_is_published(client: TestClient) -> None:
    answer = client.get("/v1/schema")

    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json()["required"] == ["inputs", "destination"]
    assert "web" in answer.json()["$defs"]["PresetOutput"]["properties"]["preset"]["enum"]


def test_the_description_tells_the_recipe(client: TestClient) -> None:
    found = client.get("/v1/openapi.json").json()

    body = found["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["$ref"] == "#/components/schemas/Recipe"
    known = found["components"]["schemas"]
    refs = {part.split('"')[0] for part in json.dumps(found).split("#/components/schemas/")}
    assert {"Recipe", "Video", "JobView", "Problem", "RetryRequest"} <= set(known)
    assert refs - {next(iter(refs - set(known)))} <= set(known)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/jobs/nope", 404, "JOB_NOT_FOUND"),
        ("POST", "/v1/jobs/nope/cancel", 404, "JOB_NOT_FOUND"),
        ("GET", "/v1/jobs/nope/logs", 404, "JOB_NOT_FOUND"),
        ("GET", "/v1/jobs/nope/report", 404, "JOB_NOT_FOUND"),
        ("GET", "/nope", 404, "NOT_FOUND"),
        ("GET", "/v1/jobs/", 404, "NOT_FOUND"),
        ("DELETE", "/v1/jobs", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v1/jobs?limit=201", 400, "BAD_REQUEST"),
        ("GET", "/v1/jobs?limit=0", 400, "BAD_REQUEST"),
        ("GET", "/v1/jobs?limit=many", 400, "BAD_REQUEST"),
        ("GET", "/v1/jobs?state=runing", 400, "BAD_REQUEST"),
        ("GET", "/v1/jobs?cursor=x", 400, "INVALID_CURSOR"),
    ],
)
def test_every_error_is_one_kind_of_document(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    assert problem(client.request(method, path), status)["code"] == code


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "INVALID_RECIPE"),
        (b"null", 422, "INVALID_RECIPE"),
        (b"[]", 422, "INVALID_RECIPE"),
        (b"{}", 422, "INVALID_RECIPE"),
        (b"{", 400, "BAD_REQUEST"),
        (b'{"pass_through": NaN}', 400, "BAD_REQUEST"),
        (b"\xff\xfe", 400, "BAD_REQUEST"),
        (b"[" * 100_000, 400, "BAD_REQUEST"),
        (b" " * ((1 << 20) + 1), 413, "TOO_LARGE"),
    ],
)
def test_a_body_that_is_no_recipe_is_told_why(
    client: TestClient, body: bytes, status: int, code: str
) -> None:
    answer = client.post("/v1/jobs", content=body, headers=JSON)

    assert problem(answer, status)["code"] == code


def test_a_body_that_does_not_tell_its_size_is_cut_off(client: TestClient) -> None:
    pieces = (b" " * 65536 for _ in range(17))

    answer = client.post("/v1/jobs", content=pieces, headers=JSON)

    assert problem(answer, 413)["code"] == "TOO_LARGE"


@pytest.mark.parametrize(
    ("changes", "status", "code", "word"),
    [
        ({"outputs": [{"preset": "wob"}]}, 422, "UNKNOWN_PRESET", "web"),
        ({"inputs": [{"url": "file:///nope.mov"}]}, 422, "SOURCE_NOT_FOUND", "nope"),
        ({"destination": "s4://x/"}, 422, "UNSUPPORTED_URL", "s4"),
        ({"outputs": [{"video": {"hight": 1}}]}, 422, "INVALID_RECIPE", "hight"),
    ],
)
def test_a_recipe_that_cannot_be_done_is_told_why(
    client: TestClient,
    document: dict[str, Any],
    changes: dict[str, Any],
    status: int,
    code: str,
    word: str,
) -> None:
    found = problem(client.post("/v1/jobs", json=document | changes), status)

    assert found["code"] == code
    assert word in found["message"]


def test_a_retry_that_says_something_else_is_refused(client: TestClient) -> None:
    found = problem(client.post("/v1/jobs/x/retry", json={"hole": True}), 400)

    assert "whole" in found["message"]


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_body_must_say_that_it_is_json(client: TestClient, kind: str | None) -> None:
    """These are the types that a page of another site can send without asking."""
    headers = {} if kind is None else {"Content-Type": kind}

    answer = client.post("/v1/jobs", content=b"{}", headers=headers)

    assert problem(answer, 415)["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8001", "127.0.0.1:8001", "[::1]", "[::1]:1"]
)
def test_loopback_answers_to_its_own_names(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8001", "", "[::2]"]
)
def test_loopback_answers_to_no_other_name(client: TestClient, host: str) -> None:
    """Rule 13: a name of somebody else's that leads here is DNS rebinding."""
    answer = client.get("/healthz", headers={"Host": host})

    assert problem(answer, 403)["code"] == "UNKNOWN_HOST"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_other_sites_are_not_answered(
    client: TestClient, headers: dict[str, str]
) -> None:
    """Rule 13."""
    assert problem(client.get("/v1/jobs", headers=headers), 403)["code"] == "CROSS_SITE"
    assert client.post("/v1/jobs/x/cancel", headers=headers).status_code == 403


def test_our_own_pages_are_answered(client: TestClient) -> None:
    headers = {"Origin": "http://localhost:8001", "Sec-Fetch-Site": "same-origin"}

    assert client.get("/v1/jobs", headers=headers).status_code == 200


def test_a_server_for_others_answers_to_any_name(service: JobService) -> None:
    with TestClient(create_app(service, loopback=False), "http://media.example") as client:
        assert client.get("/healthz").status_code == 200


def test_a_store_that_does_not_answer_is_worth_another_try(
    client: TestClient, engine: Engine
) -> None:
    assert isinstance(engine.store, Store)
    engine.store.trouble = ServiceUnavailable("the store does not answer")

    answer = client.get("/v1/jobs/x")

    assert problem(answer, 503)["retryable"] is True
    assert answer.headers["retry-after"]


def test_what_nobody_expected_tells_nothing_of_our_insides(
    client: TestClient, engine: Engine
) -> None:
    assert isinstance(engine.store, Store)
    engine.store.trouble = RuntimeError("secret inside")

    with capture_logs() as logs:
        answer = client.get("/v1/jobs/x")

    assert problem(answer, 500)["code"] == "INTERNAL"
    assert any(line["event"] == "request_broken" for line in logs)
    assert "secret" not in answer.text


def test_links_are_null_where_the_storage_gives_none(
    client: TestClient, engine: Engine
) -> None:
    job = engine.store.add_job(a_full_job())

    answer = client.get(f"/v1/jobs/{job.id}/links")

    file = {"output": "web", "url": job.outputs[0].files[0].url, "link": None}
    assert answer.json() == {"job": job.id, "files": [file]}
    problem(client.get(f"/v1/jobs/{job.id}/links?lasting=5"), 400)
    problem(client.get("/v1/jobs/nobody/links"), 404)


def test_the_list_takes_filters_from_its_query(
    client: TestClient, document: dict[str, Any]
) -> None:
    job = client.post("/v1/jobs", json=document).json()

    def listed(query: str) -> list[str]:
        return [job["id"] for job in client.get(f"/v1/jobs?{query}").json()["jobs"]]

    assert listed("tag=show%3D42") == [job["id"]]
    assert listed("tag=show%3D43") == []
    assert listed("preset=web&since=2000-01-01T00:00:00Z") == [job["id"]]
    assert listed("until=2000-01-01T00:00:00Z") == []
    problem(client.get("/v1/jobs?tag=show"), 400)
    problem(client.get("/v1/jobs?since=yesterday"), 400)
