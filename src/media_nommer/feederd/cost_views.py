"""What the API answers about money: sums of what was spent, and estimates beforehand."""

from datetime import datetime

from media_nommer.feederd.costs import CostPage
from media_nommer.feederd.estimating import Estimate
from media_nommer.feederd.views import View, dollars_shown, seconds_shown
from media_nommer.planning.fleet.costs import CostRow, NodeSums
from media_nommer.planning.forecasts import CostRange, Range


class NodeSumsView(View):
    """What nodes were paid for: seconds until they took tasks, with tasks, and without.

    Costs are US dollars of the nodes whose price is known; ``unpriced`` counts the others.
    """

    nodes: int
    unpriced: int
    boot_seconds: float
    worked_seconds: float
    idle_seconds: float
    boot_cost: float
    worked_cost: float
    idle_cost: float
    cost: float

    @classmethod
    def of(cls, sums: NodeSums) -> "NodeSumsView":
        """Return the view of what nodes were paid for."""
        return cls(
            nodes=sums.nodes,
            unpriced=sums.unpriced,
            boot_seconds=seconds_shown(sums.boot),
            worked_seconds=seconds_shown(sums.worked),
            idle_seconds=seconds_shown(sums.idle),
            boot_cost=dollars_shown(sums.boot_cost) or 0.0,
            worked_cost=dollars_shown(sums.worked_cost) or 0.0,
            idle_cost=dollars_shown(sums.idle_cost) or 0.0,
            cost=dollars_shown(sums.cost) or 0.0,
        )


class CostRowView(View):
    """The sums of one ``key``, null for what has none.

    ``cost`` is US dollars, as far as prices are known: of ``unpriced_jobs`` it lacks some.
    """

    key: str | None
    jobs: int
    unpriced_jobs: int
    machine_seconds: float
    cost: float
    nodes: NodeSumsView

    @classmethod
    def of(cls, row: CostRow) -> "CostRowView":
        """Return the view of a row."""
        return cls(
            key=row.key,
            jobs=row.jobs,
            unpriced_jobs=row.unpriced_jobs,
            machine_seconds=seconds_shown(row.seconds),
            cost=dollars_shown(row.cost) or 0.0,
            nodes=NodeSumsView.of(row.nodes),
        )


class CostsView(View):
    """What was spent. Numbers of all pages add up; nodes are in the first alone."""

    by: str
    since: datetime
    until: datetime
    rows: tuple[CostRowView, ...]
    total: CostRowView
    cursor: str | None

    @classmethod
    def of(cls, page: CostPage) -> "CostsView":
        """Return the view of a page."""
        what = page.breakdown
        return cls(
            by=f"{what.by}:{what.tag}" if what.tag else what.by,
            since=page.since,
            until=page.until,
            rows=tuple(map(CostRowView.of, page.costs.rows)),
            total=CostRowView.of(page.costs.total),
            cursor=page.cursor,
        )


class RangeView(View):
    """What it may be, and what it most likely is."""

    low: float
    likely: float
    high: float

    @classmethod
    def of(cls, found: Range) -> "RangeView":
        """Return the view of a range of seconds."""
        return cls(
            low=seconds_shown(found.low),
            likely=seconds_shown(found.likely),
            high=seconds_shown(found.high),
        )


class CostRangeView(View):
    """US dollars on nodes of a kind: beside other jobs, and on one started for it alone.

    All are null where nobody knows the price.
    """

    kind: str
    price: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, found: CostRange) -> "CostRangeView":
        """Return the view of a range of costs."""
        return cls(
            kind=found.kind.name,
            price=found.kind.price if found.kind.priced else None,
            low=dollars_shown(found.low),
            high=dollars_shown(found.high),
        )


class EstimateView(View):
    """What a job will take. ``jobs`` is on how many past ones that rests, ``basis`` how.

    ``work_seconds`` are those of a slot; ``wall_seconds`` go from its begin to its end.
    """

    work_seconds: RangeView
    wall_seconds: RangeView
    costs: tuple[CostRangeView, ...]
    film_seconds: float | None
    jobs: int
    basis: str

    @classmethod
    def of(cls, found: Estimate) -> "EstimateView":
        """Return the view of an estimate."""
        return cls(
            work_seconds=RangeView.of(found.forecast.work),
            wall_seconds=RangeView.of(found.wall),
            costs=tuple(map(CostRangeView.of, found.costs)),
            film_seconds=found.film_seconds,
            jobs=found.forecast.jobs,
            basis=found.forecast.basis,
        )
