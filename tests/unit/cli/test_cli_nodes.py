"""`nommer nodes` and `nommer node-log` before a feederd that answers by heart."""

import json
from functools import partial
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from media_nommer.cli import nodes
from media_nommer.cli.main import app
from media_nommer.client import NommerClient

MACHINE = {
    "name": "i-0123",
    "type": "c7i.xlarge",
    "market": "spot",
    "zone": "eu-central-1b",
    "price": 0.07,
    "started_at": None,
    "ended_at": None,
}
OWN = dict.fromkeys(MACHINE, None) | {"name": "", "type": "", "market": "own", "zone": ""}
ASIDE = "it was set aside: task after task failed on it (NO_SPACE)"
LOG = '{"event": "node_joined"}\n{"event": "node_left"}\n'


def a_node(name: str, **changes: object) -> dict[str, Any]:
    return {
        "id": name,
        "kind": "local",
        "state": "running",
        "host": "tower",
        "slots": 2,
        "busy": 1,
        "kept": False,
        "detail": "",
        "machine": OWN,
        "created_at": "2026-01-01T00:00:00Z",
        **changes,
    }


NODES = [
    a_node("n1", kept=True),
    a_node("n2", kind="ec2", state="gone", busy=0, machine=MACHINE, detail=ASIDE),
]


def answer(request: httpx2.Request) -> httpx2.Response:
    if request.url.path == "/v1/nodes":
        everything = request.url.params.get("gone") == "true"
        return httpx2.Response(200, json={"nodes": NODES if everything else NODES[:1]})
    if request.url.path == "/v1/nodes/n2/log":
        return httpx2.Response(200, json={"node": "n2", "log": LOG})
    failure = {"code": "NODE_NOT_FOUND", "message": "no log of a node n9 is kept"}
    return httpx2.Response(404, json={"error": failure})


@pytest.fixture(autouse=True)
def _feederd_by_heart(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = httpx2.MockTransport(answer)
    monkeypatch.setattr(nodes, "NommerClient", partial(NommerClient, transport=transport))


def said(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_workers_are_listed_with_what_they_run_on() -> None:
    lines = said("nodes").splitlines()

    assert len(lines) == 2
    assert lines[1].split()[:6] == ["n1", "local", "running,", "kept", "1/2", "tower"]


def test_those_that_ended_are_listed_with_why_when_asked_for() -> None:
    last = said("nodes", "--all").splitlines()[-1]

    assert "c7i.xlarge spot eu-central-1b i-0123" in last
    assert last.endswith(ASIDE)


def test_the_log_of_a_worker_is_printed_as_it_is() -> None:
    assert said("node-log", "n2") == LOG
    assert json.loads(said("node-log", "n2", "--json")) == {"node": "n2", "log": LOG}


def test_workers_can_be_had_as_json() -> None:
    assert json.loads(said("nodes", "--all", "--json")) == {"nodes": NODES}


def test_a_log_that_is_not_kept_is_an_error() -> None:
    result = CliRunner().invoke(app, ["node-log", "n9"])

    assert result.exit_code == 1
    assert "no log of a node n9 is kept" in result.stderr
