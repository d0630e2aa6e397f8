"""`nommer costs`: what was spent, as a table."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import typer

from media_nommer.cli.tables import show_table
from media_nommer.cli.words import clock_text, count_text, dollars_text
from media_nommer.client import CostRowDocument, CostsDocument, NommerClient
from media_nommer.core.errors import BadRequest

#: What rows are of that nodes can be told apart by.
_OF_NODES = frozenset({"day", "kind", "machine"})


def show_costs(
    url: str, *, by: str, since: str | None, until: str | None, as_json: bool
) -> None:
    """Print what jobs and nodes cost.

    Raises:
        BadRequest: a time is none.
    """
    begin, end = _moment("since", since), _moment("until", until)
    with NommerClient(url) as client:
        costs = client.costs(by=by, since=begin, until=end)
    if as_json:
        typer.echo(json.dumps(costs))
    elif not costs["total"]["jobs"] and not costs["total"]["nodes"]["nodes"]:
        typer.echo("no jobs and no nodes in that time")
    else:
        _show(costs)


def _moment(name: str, text: str | None) -> str | None:
    """Return a day or a time as the API takes it; without a zone it is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(
            f"--{name} is {text!r}, which is no day and no time",
            advice="Write it as 2026-01-31, or 2026-01-31T12:00Z.",
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _show(costs: CostsDocument) -> None:
    word = costs["by"]
    rows = [_jobs_cells(row, row["key"] or "(none)") for row in costs["rows"]]
    rows.append(_jobs_cells(costs["total"], "total"))
    columns = [word, ">jobs", ">machine time", ">cost"]
    if word in _OF_NODES:
        columns += [">nodes", ">boot", ">work", ">idle", ">nodes' cost"]
        every = (*costs["rows"], costs["total"])
        rows = [
            [*cells, *_nodes_cells(row)] for cells, row in zip(rows, every, strict=True)
        ]
    show_table(columns, rows)
    for line in _remarks(costs["total"]):
        typer.echo(line)


def _jobs_cells(row: CostRowDocument, name: str) -> list[str]:
    unknown = "+?" if row["unpriced_jobs"] else ""
    return [
        name,
        f"{row['jobs']:,}",
        clock_text(row["machine_seconds"]),
        dollars_text(row["cost"]) + unknown,
    ]


def _nodes_cells(row: CostRowDocument) -> list[str]:
    nodes = row["nodes"]
    spans = (nodes["boot_seconds"], nodes["worked_seconds"], nodes["idle_seconds"])
    unknown = "+?" if nodes["unpriced"] else ""
    return [
        f"{nodes['nodes']:,}",
        *map(clock_text, spans),
        dollars_text(nodes["cost"]) + unknown,
    ]


def _remarks(total: CostRowDocument) -> Iterable[str]:
    nodes = total["nodes"]
    if nodes["nodes"]:
        parts = ", ".join(
            f"{name} {clock_text(seconds)} ({dollars_text(cost)})"
            for name, seconds, cost in (
                ("boot", nodes["boot_seconds"], nodes["boot_cost"]),
                ("work", nodes["worked_seconds"], nodes["worked_cost"]),
                ("idle", nodes["idle_seconds"], nodes["idle_cost"]),
            )
        )
        yield f"{count_text(nodes['nodes'], 'node')}: {parts}"
    if total["unpriced_jobs"]:
        jobs = count_text(total["unpriced_jobs"], "job")
        yield f"+? {jobs} ran on machines whose price is not known, which is not in the sum"
    if nodes["unpriced"]:
        unknown = count_text(nodes["unpriced"], "node")
        yield f"+? {unknown} had no known price, and is not in the sum of costs"
