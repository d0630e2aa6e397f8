"""Real daemons, real signals: what holds when feederd dies, stops, or meets another."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.adapters.objects import file_url

PATIENCE = 120.0
FINAL = {"finished", "failed", "canceled", "abandoned"}


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


class Daemon:
    """A feederd in a process of its own, and what it says."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.log = data_dir.parent / f"feederd-{time.monotonic_ns()}.log"
        others = {k: v for k, v in os.environ.items() if not k.startswith("NOMMER_")}
        own = {"config": "", "data_dir": str(data_dir), "port": "0", "lease": "30s"}
        named = {f"NOMMER_{k.upper()}": v for k, v in (own | settings).items()}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "media_nommer.daemons.feederd"],
                env=others | named,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def ready(self) -> "Daemon":
        eventually(
            lambda: "feederd_started" in self.said or self.process.poll() is not None
        )
        line = next(text for text in self.said.splitlines() if "feederd_started" in text)
        url = json.loads(line)["url"]
        self.http = httpx2.Client(base_url=url, timeout=PATIENCE)
        return self

    def submit(self, film: Path, out: Path) -> str:
        document = {"inputs": [{"url": file_url(film)}], "destination": file_url(out)}
        answer = self.http.post("/v1/jobs", json=document)
        assert answer.status_code == 201, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/v1/jobs/{job_id}").json()
        return found

    def wait_for(self, job_id: str) -> dict[str, Any]:
        eventually(lambda: self.job(job_id)["state"] in FINAL)
        return self.job(job_id)

    def workers(self) -> list[psutil.Process]:
        return [p for p in psutil.process_iter() if str(self.data_dir) in _words(p)]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


def _words(process: psutil.Process) -> str:
    """Return the data directory of a worker process, and nothing for any other one."""
    try:
        if "media_nommer.daemons.ec2nommerd" not in process.cmdline():
            return ""
        return process.environ().get("NOMMER_DATA_DIR", "")
    except psutil.Error:
        return ""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def start(data_dir: Path) -> Iterator[Callable[..., Daemon]]:
    started: list[Daemon] = []

    def begin(**settings: str) -> Daemon:
        daemon = Daemon(data_dir, **settings)
        started.append(daemon)
        return daemon

    yield begin
    for daemon in started:
        if hasattr(daemon, "http"):
            daemon.http.close()
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()
    for worker in started[0].workers():
        with contextlib.suppress(psutil.NoSuchProcess):  # it was about to end
            worker.kill()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that takes a second or two to encode."""
    path = tmp_path_factory.mktemp("films") / "in.mp4"
    picture = "testsrc2=duration=6:size=640x360:rate=25"
    subprocess.run(
        [
            *(find_ffmpeg(), "-loglevel", "error", "-f", "lavfi", "-i", picture),
            *("-c:v", "libx264", "-preset", "ultrafast", path),
        ],
        check=True,
    )
    return path


def test_a_job_that_is_old_goes_to_the_archive_and_is_found_there(
    start: Callable[..., Daemon], data_dir: Path, film: Path, tmp_path: Path
) -> None:
    first = start(fleet="none", keep_jobs_for="forever").ready()
    job_id = first.submit(film, tmp_path / "out")
    first.http.post(f"/v1/jobs/{job_id}/cancel")
    canceled = first.job(job_id)
    assert first.stop() == 0
    assert "chore_broken" not in first.said

    second = start(fleet="none", keep_jobs_for="1ms").ready()
    eventually(lambda: second.http.get("/v1/jobs").json()["jobs"] == [])

    assert second.job(job_id) == canceled
    assert list((data_dir / "work/archive").glob("*/*.json"))


def test_a_submitted_film_is_encoded_by_a_worker_that_then_leaves(
    start: Callable[..., Daemon], film: Path, tmp_path: Path
) -> None:
    daemon = start(idle_timeout="0").ready()

    job = daemon.wait_for(daemon.submit(film, tmp_path / "out"))

    assert job["state"] == "finished", job
    assert (tmp_path / "out" / "in.mp4").stat().st_size == job["outputs"][0]["files"][0][
        "size"
    ]
    eventually(lambda: daemon.http.get("/v1/nodes").json() == {"nodes": []})
    eventually(lambda: not daemon.workers())
    assert daemon.stop() == 0


def test_a_second_feederd_on_the_same_data_directory_is_refused(
    start: Callable[..., Daemon], data_dir: Path
) -> None:
    start().ready()

    second = start()

    assert second.process.wait(PATIENCE) == 1
    assert second.said.splitlines()[0] == (
        f"feederd: another feederd already runs on {data_dir}"
    )


def test_a_port_that_is_taken_is_told_in_a_sentence(start: Callable[..., Daemon]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        refused = start(port=str(port))

        assert refused.process.wait(PATIENCE) == 1
    assert f"feederd cannot listen on 127.0.0.1 port {port}" in refused.said


def test_a_started_worker_that_cannot_run_is_not_started_over_and_over(
    start: Callable[..., Daemon], film: Path, tmp_path: Path, data_dir: Path
) -> None:
    began = time.monotonic()
    daemon = start(ffmpeg="/nowhere/ffmpeg").ready()
    daemon.submit(film, tmp_path / "out")

    eventually(lambda: "came to nothing" in daemon.said)

    assert "/nowhere/ffmpeg" in daemon.said
    launches = len(list((data_dir / "nodes").iterdir()))
    # Each waits twice as long as the one before it: one second, two, four.
    assert 2 ** (launches - 1) - 1 <= time.monotonic() - began
    assert daemon.stop() == 0
