"""Asking a feederd about money."""

import json
from typing import Any

import httpx2
import pytest

from media_nommer.client import NommerClient
from media_nommer.core.errors import BadRequest


def row(key: str | None, jobs: int, nodes: int = 0) -> dict[str, Any]:
    """Return a row in which every number follows from those two."""
    sums = ("boot_seconds", "worked_seconds", "idle_seconds")
    sums += ("boot_cost", "worked_cost", "idle_cost", "cost")
    return {
        "key": key,
        "jobs": jobs,
        "unpriced_jobs": jobs,
        "machine_seconds": jobs * 10.0,
        "cost": jobs * 0.5,
        "nodes": {"nodes": nodes, "unpriced": nodes, **dict.fromkeys(sums, nodes * 1.5)},
    }


def page(rows: list[dict[str, Any]], total: dict[str, Any], cursor: str | None) -> Any:
    return {
        "by": "preset",
        "since": "2026-01-01T00:00:00Z",
        "until": "2026-01-31T00:00:00Z",
        "rows": rows,
        "total": total,
        "cursor": cursor,
    }


def test_pages_are_asked_for_until_there_are_no_more_and_added_up() -> None:
    pages = [
        page([row("web", 2), row(None, 1)], row(None, 3, 4), "c1"),
        page([row("av1", 1), row("web", 5)], row(None, 6), "c2"),
        page([], row(None, 0), None),
    ]
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json=pages[len(asked) - 1])

    with NommerClient(transport=httpx2.MockTransport(answer)) as client:
        found = client.costs(by="preset")

    assert found["rows"] == [row("av1", 1), row("web", 7), row(None, 1)]
    assert found["total"] == row(None, 9, 4)
    assert found["cursor"] is None
    assert dict(asked[0].url.params) == {"by": "preset"}
    assert dict(asked[2].url.params) == {
        "by": "preset",
        "since": "2026-01-01T00:00:00Z",  # as the first page said: now has moved on
        "until": "2026-01-31T00:00:00Z",
        "cursor": "c2",
    }


def test_an_estimate_is_asked_for_with_the_length_of_the_film() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"jobs": 3})

    with NommerClient(transport=httpx2.MockTransport(answer)) as client:
        found = client.estimate({"outputs": []}, duration=12.5)

    assert found["jobs"] == 3
    assert (asked[0].method, asked[0].url.path) == ("POST", "/v1/estimates")
    assert asked[0].url.params["duration"] == "12.5"
    assert json.loads(asked[0].content) == {"outputs": []}


def test_what_feederd_refuses_is_raised() -> None:
    said = {"error": {"code": "BAD_REQUEST", "message": "by is 'week'"}}

    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(400, json=said)

    with (
        NommerClient(transport=httpx2.MockTransport(answer)) as client,
        pytest.raises(BadRequest, match="by is 'week'"),
    ):
        client.costs(by="week")
