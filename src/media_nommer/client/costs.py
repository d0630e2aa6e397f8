"""Adding up what came in pages."""

from collections.abc import Sequence

from media_nommer.client.documents import CostRowDocument, CostsDocument, NodeSumsDocument


def added_up(pages: Sequence[CostsDocument]) -> CostsDocument:
    """Return the pages of one question as one: rows of one key become one."""
    rows: dict[str | None, CostRowDocument] = {}
    for row in (row for page in pages for row in page["rows"]):
        known = rows.get(row["key"])
        rows[row["key"]] = row if known is None else _sum([known, row])
    ordered = sorted(rows.values(), key=lambda row: (row["key"] is None, row["key"] or ""))
    total = _sum([page["total"] for page in pages])
    return {**pages[0], "rows": ordered, "total": total, "cursor": pages[-1]["cursor"]}


def _sum(rows: Sequence[CostRowDocument]) -> CostRowDocument:
    return {
        "key": rows[0]["key"],
        "jobs": sum(row["jobs"] for row in rows),
        "unpriced_jobs": sum(row["unpriced_jobs"] for row in rows),
        "machine_seconds": sum(row["machine_seconds"] for row in rows),
        "cost": sum(row["cost"] for row in rows),
        "nodes": _nodes([row["nodes"] for row in rows]),
    }


def _nodes(sums: Sequence[NodeSumsDocument]) -> NodeSumsDocument:
    return {
        "nodes": sum(each["nodes"] for each in sums),
        "unpriced": sum(each["unpriced"] for each in sums),
        "boot_seconds": sum(each["boot_seconds"] for each in sums),
        "worked_seconds": sum(each["worked_seconds"] for each in sums),
        "idle_seconds": sum(each["idle_seconds"] for each in sums),
        "boot_cost": sum(each["boot_cost"] for each in sums),
        "worked_cost": sum(each["worked_cost"] for each in sums),
        "idle_cost": sum(each["idle_cost"] for each in sums),
        "cost": sum(each["cost"] for each in sums),
    }
