"""What jobs and nodes cost, summed by day, tag, preset, kind of node or kind of machine."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from media_nommer.core.errors import BadRequest
from media_nommer.core.jobs import Job
from media_nommer.core.nodes import Machine
from media_nommer.core.shares import Share, Spent, cost_of, spent_on
from media_nommer.core.workflow.ledger import LedgerEntry


class By(StrEnum):
    """What rows stand for."""

    #: Of a job the day of its creation, of a node that of its end; in UTC.
    DAY = "day"
    #: The value of one tag.
    TAG = "tag"
    PRESET = "preset"
    #: Who started the node, and how: local, ec2, hand.
    KIND = "kind"
    #: Type and market, such as ``c7g.xlarge spot``.
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What to sum by; ``tag`` is the name of the tag."""

    by: By
    tag: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what ``day``, ``tag:NAME``, ``preset``, ``kind`` or ``machine`` says.

        Raises:
            BadRequest: it is none of them.
        """
        word, mark, tag = text.partition(":")
        known = (
            word in set(By) and (word == By.TAG) == bool(tag) and bool(mark) == bool(tag)
        )
        if not known:
            raise BadRequest(
                f"by is {text!r}; allowed: day, tag:NAME, preset, kind, machine"
            )
        return cls(By(word), tag)


@dataclass(frozen=True, slots=True)
class PaidJob:
    """A job and what the attempts of all its runs have had of nodes."""

    job: Job
    shares: tuple[Share | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSums:
    """What nodes were paid for: seconds, and US dollars of those whose price is known."""

    nodes: int = 0
    unpriced: int = 0
    boot: float = 0.0
    worked: float = 0.0
    idle: float = 0.0
    boot_cost: float = 0.0
    worked_cost: float = 0.0
    idle_cost: float = 0.0

    @property
    def cost(self) -> float:
        """Return US dollars for all of it."""
        return self.boot_cost + self.worked_cost + self.idle_cost

    def with_entry(self, entry: LedgerEntry) -> "NodeSums":
        """Return these sums with one more node."""
        price = entry.machine.price
        return NodeSums(
            nodes=self.nodes + 1,
            unpriced=self.unpriced + (price is None and entry.total > 0),
            boot=self.boot + entry.boot,
            worked=self.worked + entry.worked,
            idle=self.idle + entry.idle,
            boot_cost=self.boot_cost + (cost_of(entry.boot, price) or 0.0),
            worked_cost=self.worked_cost + (cost_of(entry.worked, price) or 0.0),
            idle_cost=self.idle_cost + (cost_of(entry.idle, price) or 0.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """The sums of one key; None is the key of what has none.

    ``unpriced_jobs`` are those some of whose cost is not known, and not in ``cost``.
    """

    key: str | None = None
    jobs: int = 0
    unpriced_jobs: int = 0
    seconds: float = 0.0
    cost: float = 0.0
    nodes: NodeSums = NodeSums()

    def with_job(self, spent: Spent) -> "CostRow":
        """Return this row with one more job, or its part in it."""
        return replace(
            self,
            jobs=self.jobs + 1,
            unpriced_jobs=self.unpriced_jobs + bool(spent.unpriced),
            seconds=self.seconds + spent.seconds,
            cost=self.cost + spent.priced,
        )


@dataclass(frozen=True, slots=True)
class Costs:
    """Rows, and the sum of all jobs and nodes, each counted once."""

    rows: tuple[CostRow, ...]
    total: CostRow


def summed(
    jobs: Iterable[PaidJob], entries: Iterable[LedgerEntry], breakdown: Breakdown
) -> Costs:
    """Return what jobs and nodes cost.

    The seconds and the cost of the rows come to those of all jobs: a job of several presets
    counts for each of them, and its cost is split evenly. Nodes are told apart by day, kind
    and machine; by tag and preset only their total is known.
    """
    rows: dict[str | None, CostRow] = {}
    total = CostRow()
    for paid in jobs:
        total = total.with_job(spent_on(paid.shares))
        for key, spent in _parts(paid, breakdown):
            rows[key] = rows.get(key, CostRow(key=key)).with_job(spent)
    for entry in entries:
        total = replace(total, nodes=total.nodes.with_entry(entry))
        for key in _keys_of_node(entry, breakdown):
            row = rows.get(key, CostRow(key=key))
            rows[key] = replace(row, nodes=row.nodes.with_entry(entry))
    return Costs(tuple(sorted(rows.values(), key=_order)), total)


def machine_name(machine: Machine) -> str:
    """Return what machines are called that cost alike."""
    return f"{machine.type} {machine.market}".strip()


def _parts(paid: PaidJob, breakdown: Breakdown) -> Iterator[tuple[str | None, Spent]]:
    """Yield under which keys a job counts, and with what."""
    job, whole = paid.job, spent_on(paid.shares)
    if breakdown.by is By.DAY:
        yield job.created_at.date().isoformat(), whole
    elif breakdown.by is By.TAG:
        yield job.tags.get(breakdown.tag), whole
    elif breakdown.by is By.PRESET:
        for preset in job.presets or (None,):
            yield preset, _portion(whole, max(len(job.presets), 1))
    else:
        yield from _by_node(paid.shares, breakdown.by)


def _portion(spent: Spent, count: int) -> Spent:
    return replace(spent, seconds=spent.seconds / count, priced=spent.priced / count)


def _by_node(shares: Iterable[Share | None], by: By) -> Iterator[tuple[str | None, Spent]]:
    sums: dict[str | None, Spent] = {}
    for share in shares:
        key = None
        if share is not None:
            name = share.kind if by is By.KIND else machine_name(share.machine)
            key = name or None
        sums[key] = sums.get(key, Spent()) + spent_on([share])
    yield from sums.items()


def _keys_of_node(entry: LedgerEntry, breakdown: Breakdown) -> tuple[str | None, ...]:
    if breakdown.by is By.DAY:
        return (entry.day.isoformat(),)
    if breakdown.by is By.KIND:
        return (entry.kind or None,)
    if breakdown.by is By.MACHINE:
        return (machine_name(entry.machine),)
    return ()


def _order(row: CostRow) -> tuple[bool, str]:
    return (row.key is None, row.key or "")
