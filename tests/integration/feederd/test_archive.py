"""Old jobs leave a real database for real files, and are found again by all who ask."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from media_nommer import wiring
from media_nommer.cli import remote
from media_nommer.conf import Settings, load_settings
from media_nommer.core.errors import JobArchived, NommerError
from media_nommer.core.jobs import JobId, JobState
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import Outcome
from media_nommer.core.workflow.archiving import document_url
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.api import create_app
from media_nommer.feederd.archivist import Archivist
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.running import listen
from media_nommer.feederd.server import Server
from media_nommer.feederd.service import JobService
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import FAILURE, MINUTE

KEY = {"Idempotency-Key": "upload-42"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"data_dir": tmp_path / "data"}, environ={"NOMMER_CONFIG": ""})


@pytest.fixture
def engine(settings: Settings, clock: ManualClock) -> Iterator[Engine]:
    settings.data_dir.mkdir()
    with wiring.open_engine(settings, clock=clock) as engine:
        yield engine


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    outside = wiring.open_outside(settings, engine)
    app = create_app(JobService(engine=engine, outside=outside))
    with TestClient(app, "http://localhost:8001") as client:
        yield client


@pytest.fixture
def document(tmp_path: Path) -> dict[str, object]:
    (tmp_path / "in.mov").write_bytes(b"film")
    return {
        "inputs": [{"url": (tmp_path / "in.mov").as_uri()}],
        "destination": (tmp_path / "out").as_uri(),
    }


def fail(engine: Engine, job_id: JobId, log: Path) -> None:
    """Bring a job to its end by one attempt, whose log is kept."""
    at = engine.clock.now()
    (task,) = engine.store.tasks_of(job_id, 1)
    task = task.claimed(NodeId("node-1"), lease=MINUTE, at=at)
    url = engine.log_url(task, 1)
    engine.storage.put(log, url)
    task = task.committed(Outcome.FAILED, at=at, failure=FAILURE, log_url=url)
    engine.store.swap_task(task.done(at=at))
    job = engine.store.get_job(job_id).moved_to(JobState.RUNNING, at=at)
    job = engine.store.swap_job(job)
    engine.store.swap_job(job.moved_to(JobState.FAILED, at=at, failure=FAILURE))


def rows(settings: Settings, table: str) -> int:
    with sqlite3.connect(settings.data_dir / "nommer.db") as db:
        count: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    db.close()
    return count


def test_old_jobs_leave_the_database_and_are_found_in_the_work_area(
    settings: Settings,
    engine: Engine,
    clock: ManualClock,
    client: TestClient,
    document: dict[str, object],
    tmp_path: Path,
) -> None:
    (tmp_path / "log").write_text("$ ffmpeg -i in\nno film\n")
    first = client.post("/v1/jobs", json=document, headers=KEY).json()["id"]
    fail(engine, JobId(first), tmp_path / "log")
    clock.advance(settings.keep_jobs_for)
    second = client.post("/v1/jobs", json=document).json()["id"]
    fail(engine, JobId(second), tmp_path / "log")
    asked = [f"/v1/jobs/{first}", f"/v1/jobs/{first}/logs"]
    before = [client.get(path).json() for path in asked]
    janitor = Janitor(
        engine,
        wiring.work_policy(settings),
        JanitorPolicy(keep_logs_for=settings.keep_jobs_for + timedelta(days=1)),
    )

    assert Archivist(engine, settings.keep_jobs_for).step() == 1
    janitor.tidy()

    assert rows(settings, "jobs") == rows(settings, "tasks") == 1
    assert [job["id"] for job in client.get("/v1/jobs").json()["jobs"]] == [second]
    assert [client.get(path).json() for path in asked] == before
    assert before[1]["attempts"][0]["log"] == "$ ffmpeg -i in\nno film\n"
    assert client.post("/v1/jobs", json=document, headers=KEY).json() == before[0]
    refused = client.post(f"/v1/jobs/{first}/retry").json()["error"]
    assert refused["code"] == "JOB_ARCHIVED"

    clock.advance(timedelta(days=1))
    janitor.tidy()
    assert client.get(asked[1]).json()["attempts"][0]["log"] is None
    assert engine.storage.stat(document_url(engine, JobId(first))) is not None


def test_files_outside_the_folders_of_callers_hold_the_archive(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Rule 13 binds those who submit; feederd itself reaches its work area."""
    (tmp_path / "films").mkdir()
    settings = load_settings(
        {"data_dir": tmp_path / "data", "file_roots": str(tmp_path / "films")},
        environ={"NOMMER_CONFIG": ""},
    )
    settings.data_dir.mkdir()
    (tmp_path / "films/in.mov").write_bytes(b"film")
    with wiring.open_engine(settings, clock=clock) as engine:
        service = JobService(engine=engine, outside=wiring.open_outside(settings, engine))
        job = service.submit(
            {
                "inputs": [{"url": (tmp_path / "films/in.mov").as_uri()}],
                "destination": (tmp_path / "films/out").as_uri(),
            }
        )
        ended = service.cancel(job.id)
        clock.advance(settings.keep_jobs_for)

        assert Archivist(engine, settings.keep_jobs_for).step() == 1

        found = service.get(job.id)
        assert (found.state, found.events) == (ended.state, ended.events)
        document = settings.data_dir / "work/archive" / job.id[:4] / f"{job.id}.json"
        assert document.is_file()


def test_the_command_line_finds_an_archived_job_by_its_whole_id(
    settings: Settings,
    engine: Engine,
    clock: ManualClock,
    document: dict[str, object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    service = JobService(engine=engine, outside=wiring.open_outside(settings, engine))
    job = service.submit(document)
    service.cancel(job.id)
    clock.advance(settings.keep_jobs_for)
    assert Archivist(engine, settings.keep_jobs_for).step() == 1
    with listen("127.0.0.1", 0) as bound:
        server = Server(create_app(service), bound)
        server.start()

        remote.show_job(server.url, job.id, as_json=True)
        remote.show_logs(server.url, job.id, as_json=True)
        with pytest.raises(NommerError) as refused:
            remote.retry_job(server.url, job.id, whole=False, as_json=True)
        server.stop()

    lines = capsys.readouterr().out.splitlines()
    shown, logs = (json.loads(line) for line in lines if line.startswith("{"))
    assert (shown["id"], shown["state"]) == (job.id, "canceled")
    assert logs == {"job": job.id, "attempts": []}
    assert isinstance(refused.value, JobArchived)
    assert "Submit it anew" in refused.value.advice
