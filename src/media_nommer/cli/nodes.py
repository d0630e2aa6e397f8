"""Workers of a running feederd, before people: a table of them, and the log of one."""

import json
from datetime import UTC, datetime

import typer

from media_nommer.cli.tables import show_table
from media_nommer.cli.words import ago_text
from media_nommer.client import NodeDocument, NommerClient


def list_nodes(url: str, *, gone: bool, as_json: bool) -> None:
    """Print the nodes, the oldest first."""
    with NommerClient(url) as client:
        found = client.nodes(gone=gone)
    if as_json:
        typer.echo(json.dumps({"nodes": found}))
        return
    if not found:
        typer.echo("no nodes")
        return
    now = datetime.now(UTC)
    heads = ("id", "kind", "state", ">busy", "machine", ">started", "why")
    show_table(heads, [_row(node, now) for node in found])


def show_node_log(url: str, node_id: str, *, as_json: bool) -> None:
    """Print what a node has logged.

    Raises:
        NodeNotFound: there is no such log.
    """
    with NommerClient(url) as client:
        found = client.node_log(node_id)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo(found["log"].rstrip("\n"))


def _row(node: NodeDocument, now: datetime) -> tuple[str, ...]:
    return (
        node["id"],
        node["kind"],
        node["state"] + (", kept" if node["kept"] else ""),
        f"{node['busy']}/{node['slots']}",
        _machine_text(node),
        ago_text(datetime.fromisoformat(node["created_at"]), now),
        node["detail"],
    )


def _machine_text(node: NodeDocument) -> str:
    """Return what a node runs on: its host where nobody rents it out."""
    machine = node["machine"]
    if not machine["type"]:
        return node["host"]
    return " ".join((machine["type"], machine["market"], machine["zone"], machine["name"]))
