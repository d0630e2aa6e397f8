"""`nommer show` and `nommer watch` before a feederd that answers by heart."""

from functools import partial
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

from media_nommer.cli import remote
from media_nommer.cli.main import app
from media_nommer.client import NommerClient

TOO_SOFT = "its sound: loudness cannot be had"
WARNED = f"warning: clicks.m4a: {TOO_SOFT}"


def an_output(name: str, **changes: object) -> dict[str, Any]:
    said = {"name": name, "state": "finished", "files": [], "facts": {}, "failure": None}
    return said | {"warnings": []} | changes


JOB = {
    "id": "kbd936aca1f3452e553b7da3c",
    "state": "finished",
    "phase": None,
    "progress": 1.0,
    "run": 1,
    "source": "file:///films/clicks.wav",
    "destination": "file:///films/served/",
    "outputs": [an_output("clicks.m4a", warnings=[TOO_SOFT]), an_output("clicks.flac")],
    "tags": {},
    "pass_through": None,
    "failure": None,
    "created_at": "2026-01-01T00:00:00Z",
    "started_at": "2026-01-01T00:00:01Z",
    "finished_at": "2026-01-01T00:00:02Z",
    "deadline": None,
    "machine_seconds": 1.0,
    "cost": 0.0,
}
#: As a feederd says it that does not know of warnings yet.
OLD = JOB | {"outputs": [{"name": "a", "state": "pending", "files": [], "facts": {}}]}


def run(monkeypatch: pytest.MonkeyPatch, job: dict[str, Any], *words: str) -> Result:
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, json=job))
    monkeypatch.setattr(remote, "NommerClient", partial(NommerClient, transport=transport))
    return CliRunner().invoke(app, words)


def test_show_tells_what_an_output_does_not_come_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = run(monkeypatch, JOB, "show", "kbd936aca1f3452e553b7da3c")

    assert shown.exit_code == 0, shown.output
    assert [line for line in shown.stdout.splitlines() if "warning" in line] == [WARNED]


def test_watch_tells_it_beside_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = run(monkeypatch, JOB, "watch", "kbd936aca1f3452e553b7da3c")

    assert watched.exit_code == 0, watched.output
    assert WARNED in watched.stderr.splitlines()
    assert "warning" not in watched.stdout


def test_a_job_of_an_older_feederd_is_shown_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = run(monkeypatch, OLD, "show", "kbd936aca1f3452e553b7da3c")

    assert shown.exit_code == 0, shown.output
    assert "warning" not in shown.output
