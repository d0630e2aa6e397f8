"""The commands that talk to a feederd, against one that was started by `nommer serve`."""

import json
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli_shell import Said, Shell, make_shell

PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Service:
    """A shell whose commands reach a feederd of its own."""

    shell: Shell
    process: subprocess.Popen[str]

    def run(self, *words: str | Path) -> Said:
        return self.shell.run(*words)

    def finished_job(self, film: Path, out: str) -> str:
        """Submit a film, watch it to its end, and return the id."""
        said = self.run("submit", film, "-o", out, "-p", "audio", "--watch", "--json")
        assert said.status == 0, said
        return str(said.document["id"])

    def costs_by_kind(self) -> dict[str, Any]:
        """Return the costs once the node has told, with a beat, that it worked."""
        until = time.monotonic() + PATIENCE
        while True:
            costs: dict[str, Any] = self.run("costs", "--by", "kind", "--json").document
            if any(row["nodes"]["worked_seconds"] for row in costs["rows"]):
                return costs
            assert time.monotonic() < until, costs


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    shell = make_shell(tmp_path_factory.mktemp("service"))
    shell.env["NOMMER_LEASE"] = "20s"  # a worker beats ten times as often
    process = shell.start("serve", "--port", "0", "--data-dir", "data")
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.search(r"feederd listens on (\S+)", said)
    assert found, said
    shell.env["NOMMER_URL"] = found[1]
    yield Service(shell, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "Traceback" not in err


def test_submit_prints_the_id_and_watch_waits_for_the_end(
    service: Service, film: Path
) -> None:
    submitted = service.run("submit", film, "-o", "first", "-p", "audio")
    job_id = submitted.out.split()[0]

    watched = service.run("watch", job_id)

    assert (submitted.status, watched.status) == (0, 0), watched.err
    assert (service.shell.folder / "first/film.m4a").exists()
    assert "first/film.m4a" in watched.out


def test_submit_and_watch_in_one_go(service: Service, film: Path) -> None:
    said = service.run("submit", film, "-o", "second", "-p", "audio", "--watch")

    assert said.status == 0, said.err
    assert "second/film.m4a  finished  AAC" in said.out


def test_the_same_key_is_the_same_job(service: Service, film: Path) -> None:
    words = ("submit", film, "-o", "third", "-p", "audio", "--idempotency-key", "once")

    first, second = service.run(*words), service.run(*words)

    assert (first.status, first.out) == (0, second.out)


def test_one_key_for_several_films_is_refused(
    service: Service, film: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.mkv"
    other.write_bytes(film.read_bytes())

    said = service.run("submit", film, other, "--idempotency-key", "once")

    assert said.status == 2
    assert "--idempotency-key is for one job, and there are 2" in said.err


def test_jobs_lists_and_show_tells(service: Service, film: Path) -> None:
    job_id = service.finished_job(film, "fourth")

    listed = service.run("jobs", "--state", "finished", "--limit", "1")
    shown = service.run("show", job_id)

    assert [line.split()[:2] for line in listed.out.splitlines()] == [
        ["ID", "STATE"],
        [job_id, "finished"],
    ]
    assert f"source       {film}" in shown.out
    assert "fourth/film.m4a" in shown.out


def test_jobs_as_json_has_what_the_api_says(service: Service, film: Path) -> None:
    job_id = service.finished_job(film, "fifth")

    said = service.run("jobs", "--json", "--all")

    assert job_id in [job["id"] for job in said.document["jobs"]]


def test_the_beginning_of_an_id_is_enough(service: Service, film: Path) -> None:
    job_id = service.finished_job(film, "sixth")

    said = service.run("show", job_id[:14], "--json")

    assert said.document["id"] == job_id


def test_logs_and_reports_have_the_exact_command(service: Service, film: Path) -> None:
    job_id = service.finished_job(film, "seventh")

    said = service.run("logs", job_id)
    report = service.run("report", job_id).document
    nowhere = service.run("report", job_id, "-o", "no/such/report.json")

    assert said.out.startswith("== run 1, task inspect, attempt 1: committed after ")
    assert "ffmpeg" in said.out
    assert "-c:a" in said.out
    assert "-c:a" in report["attempts"][0]["commands"][0]
    assert report["outputs"][0]["codecs"] == "mp4a.40.2"
    assert nowhere.status == 2
    assert "no/such/report.json cannot be written" in nowhere.err


def test_a_failed_job_says_why_and_watch_exits_with_1(service: Service, film: Path) -> None:
    (service.shell.folder / "bad.mp4").write_text("a letter")

    said = service.run("submit", "bad.mp4", "-o", "eighth", "--watch")

    assert said.status == 1
    assert "NOT_MEDIA" in said.err
    assert "Send a video" in said.err


def test_retry_does_nothing_over_that_is_in_place_unless_told_to(
    service: Service, film: Path
) -> None:
    job_id = service.finished_job(film, "ninth")

    refused = service.run("retry", job_id)
    again = service.run("retry", job_id, "--whole")
    watched = service.run("watch", job_id, "--json")

    assert refused.status == 1
    assert f"`nommer retry {job_id} --whole`" in refused.err
    assert (again.status, again.out.split()) == (0, [job_id, "pending"])
    assert (watched.status, watched.document["run"]) == (0, 2)


def test_cancel_stops_a_job_and_watch_tells_so(service: Service, long_film: Path) -> None:
    job_id = service.run("submit", long_film, "-o", "tenth").out.split()[0]

    canceled = service.run("cancel", job_id)
    watched = service.run("watch", job_id)

    assert canceled.out.split() == [job_id, "canceled"]
    assert watched.status == 1
    assert "canceled" in watched.err


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["show", "nothing"], 1, "there is no job nothing"),
        (["jobs", "--state", "done"], 2, "there is no job state 'done'; known: pending"),
        (["submit", "no.mov"], 1, "there is no file no.mov"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: list[str], status: int, sentence: str, service: Service
) -> None:
    said = service.run(*words)

    assert said.status == status
    assert f"error: {sentence}" in said.err


def test_the_server_names_the_field_that_is_wrong(service: Service, film: Path) -> None:
    recipe = {"outputs": [{"preset": "webb"}]}
    (service.shell.folder / "recipe.json").write_text(json.dumps(recipe))

    said = service.run("submit", film, "--recipe", "recipe.json")

    assert said.status == 2
    assert "there is no preset 'webb'; did you mean 'web" in said.err


def test_a_second_serve_on_the_same_data_is_refused(service: Service) -> None:
    said = service.run("serve", "--port", "0", "--data-dir", "data")

    assert said.status == 1
    assert said.err.startswith("error: ")
    assert said.err.rstrip().endswith("DATA_DIR_IN_USE")


def test_doctor_looks_at_the_store_that_is_in_use(service: Service) -> None:
    said = service.run("doctor", "--data-dir", "data")

    assert said.status == 0, said.out
    assert re.search(r"ok +store +sqlite://.*nommer.db, \d+ jobs? under way", said.out)


def test_a_plan_tells_the_very_command_that_a_job_runs(
    service: Service, film: Path
) -> None:
    job_id = service.finished_job(film, "planned")

    planned = service.run("plan", film, "-p", "audio", "--json").document
    (attempt,) = service.run("logs", job_id, "--json").document["attempts"]

    assert attempt["commands"] == [shlex.join(planned["tasks"][0]["command"])]


def test_an_estimate_of_a_feederd_rests_on_what_it_learned(
    service: Service, film: Path
) -> None:
    service.finished_job(film, "learned")

    url = service.shell.env["NOMMER_URL"]
    planned = service.run("plan", film, "-p", "audio", "--url", url, "--json").document

    assert planned["estimate"]["jobs"] >= 1
    assert "of the same outputs and folder" in planned["estimate"]["basis"]
    assert planned["estimate"]["costs"][0]["kind"] == "local"


def test_local_workers_are_counted_in_seconds_and_cost_nothing(
    service: Service, film: Path
) -> None:
    job_id = service.finished_job(film, "counted")

    job = service.run("show", job_id, "--json").document
    costs = service.costs_by_kind()
    told = service.run("costs")

    assert job["machine_seconds"] > 0
    assert job["cost"] == 0
    (local,) = costs["rows"]
    assert (local["key"], local["cost"], local["unpriced_jobs"]) == ("local", 0, 0)
    assert local["machine_seconds"] == pytest.approx(
        costs["total"]["machine_seconds"], abs=0.01
    )
    assert told.status == 0, told.err
    assert "total" in told.out
