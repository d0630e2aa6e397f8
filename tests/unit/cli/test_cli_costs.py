"""`nommer costs`, on what a feederd answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from media_nommer.cli.main import app
from media_nommer.cli.words import dollars_text
from media_nommer.client import NommerClient

Asked = list[dict[str, Any]]


def a_row(key: str | None, *, unpriced: int = 0, nodes: int = 1) -> dict[str, Any]:
    return {
        "key": key,
        "jobs": 3,
        "unpriced_jobs": unpriced,
        "machine_seconds": 3723.0,
        "cost": 0.0745,
        "nodes": {
            "nodes": nodes,
            "unpriced": unpriced,
            "boot_seconds": 95.0 * nodes,
            "worked_seconds": 3723.0 * nodes,
            "idle_seconds": 61.0 * nodes,
            "boot_cost": 0.0019,
            "worked_cost": 0.0745,
            "idle_cost": 0.0012,
            "cost": 1.5,
        },
    }


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Asked]:
    """Makes a feederd answer with rows and a total; gives what it is asked."""

    def with_(by: str, rows: list[dict[str, Any]], total: dict[str, Any]) -> Asked:
        asked: Asked = []

        def costs(_self: NommerClient, **said: Any) -> dict[str, Any]:
            asked.append(said)
            times = {"since": "a", "until": "b", "cursor": None}
            return {"by": by, "rows": rows, "total": total, **times}

        monkeypatch.setattr(NommerClient, "costs", costs)
        return asked

    return with_


def test_costs_by_day_tell_boot_work_and_idle_time_apart(
    answers: Callable[..., Asked],
) -> None:
    answers("day", [a_row("2026-11-22")], a_row(None))

    said = CliRunner().invoke(app, ["costs"])

    head, first, total, nodes = said.output.splitlines()
    assert head.split() == [
        *("DAY", "JOBS", "MACHINE", "TIME", "COST"),
        *("NODES", "BOOT", "WORK", "IDLE", "NODES'", "COST"),
    ]
    cells = ["3", "1:02:03", "$0.0745", "1", "1:35", "1:02:03", "1:01", "$1.50"]
    assert first.split() == ["2026-11-22", *cells]
    assert total.split() == ["total", *cells]
    assert nodes == (
        "1 node: boot 1:35 ($0.0019), work 1:02:03 ($0.0745), idle 1:01 ($0.0012)"
    )


def test_costs_by_tag_tell_of_jobs_and_of_all_nodes_below(
    answers: Callable[..., Asked],
) -> None:
    asked = answers("tag:show", [a_row("42"), a_row(None)], a_row(None, nodes=2))

    said = CliRunner().invoke(app, ["costs", "--by", "tag:show", "--since", "2026-01-31"])

    lines = said.output.splitlines()
    assert lines[0].split() == ["TAG:SHOW", "JOBS", "MACHINE", "TIME", "COST"]
    assert [line.split()[0] for line in lines[1:4]] == ["42", "(none)", "total"]
    assert lines[4].startswith("2 nodes: boot 3:10")
    assert asked == [
        {"by": "tag:show", "since": "2026-01-31T00:00:00+00:00", "until": None}
    ]


def test_what_is_not_known_is_marked_and_said(answers: Callable[..., Asked]) -> None:
    answers("kind", [a_row("hand", unpriced=1)], a_row(None, unpriced=1))

    said = CliRunner().invoke(app, ["costs", "--by", "kind"])

    assert "$0.0745+?" in said.output
    assert "1 job ran on machines whose price is not known" in said.output
    assert "1 node had no known price" in said.output


def test_where_there_was_nothing_it_says_so(answers: Callable[..., Asked]) -> None:
    answers("day", [], {**a_row(None, nodes=0), "jobs": 0})

    said = CliRunner().invoke(app, ["costs"])

    assert said.output == "no jobs and no nodes in that time\n"


def test_json_is_what_feederd_said(answers: Callable[..., Asked]) -> None:
    answers("day", [a_row("2026-11-22")], a_row(None))

    said = CliRunner().invoke(app, ["costs", "--json"])

    assert json.loads(said.output)["total"] == a_row(None)


def test_a_time_that_is_none_is_refused_before_anything_is_asked(
    answers: Callable[..., Asked],
) -> None:
    asked = answers("day", [], a_row(None))

    said = CliRunner().invoke(app, ["costs", "--until", "yesterday"])

    assert said.exit_code == 2
    assert "--until is 'yesterday'" in said.output
    assert asked == []


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        pytest.param(0.0, "$0.00", id="nothing"),
        pytest.param(0.00001, "<$0.0001", id="too little to tell"),
        pytest.param(0.0123, "$0.0123", id="below a dollar"),
        pytest.param(1.0, "$1.00", id="a dollar"),
        pytest.param(12345.678, "$12,345.68", id="thousands"),
    ],
)
def test_dollars_have_as_many_digits_as_matter(cost: float, text: str) -> None:
    assert dollars_text(cost) == text
