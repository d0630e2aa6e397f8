from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.core.errors import BadRequest
from media_nommer.core.nodes import Machine, Market, NodeId
from media_nommer.core.shares import Share
from media_nommer.core.workflow.ledger import LedgerEntry
from media_nommer.planning.fleet.costs import (
    Breakdown,
    By,
    CostRow,
    Costs,
    PaidJob,
    machine_name,
    summed,
)
from media_nommer.testing.clock import START
from media_nommer.testing.samples import SPOT, a_job

DAY = timedelta(days=1)
DEAR = Machine(type="c7i.xlarge", market=Market.ON_DEMAND, price=3600.0)
UNKNOWN = Machine(type="odd")


def had(seconds: float, machine: Machine = DEAR, kind: str = "ec2") -> Share:
    return Share(seconds=seconds, kind=kind, machine=machine)


def paid(number: int, *shares: Share | None, **changes: object) -> PaidJob:
    return PaidJob(a_job(number, **changes), tuple(shares))  # type: ignore[arg-type]


def node(name: str, machine: Machine = DEAR, **changes: object) -> LedgerEntry:
    entry = LedgerEntry(
        id=NodeId(name),
        kind="ec2",
        machine=machine,
        started_at=START,
        ended_at=START + timedelta(seconds=60),
        boot=10,
        worked=30,
        idle=20,
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


def by(text: str, jobs: list[PaidJob], nodes: list[LedgerEntry] | None = None) -> Costs:
    return summed(jobs, nodes or [], Breakdown.parse(text))


def told(costs: Costs) -> dict[str | None, tuple[int, float, float]]:
    return {row.key: (row.jobs, row.seconds, row.cost) for row in costs.rows}


def test_by_day_a_job_counts_where_it_was_created_and_a_node_where_it_ended() -> None:
    jobs = [paid(1, had(2)), paid(2, had(3)), paid(3, had(5), created_at=START + DAY)]
    nodes = [node("a"), node("b", ended_at=START + 2 * DAY, idle=100)]

    costs = by("day", jobs, nodes)

    first, second, third = ((START + n * DAY).date().isoformat() for n in range(3))
    assert told(costs) == {first: (2, 5, 5), second: (1, 5, 5), third: (0, 0, 0)}
    assert [row.nodes.nodes for row in costs.rows] == [1, 0, 1]
    assert [row.nodes.idle_cost for row in costs.rows] == [20, 0, 100]
    assert (costs.total.jobs, costs.total.nodes.cost) == (3, 60 + 140)


def test_by_tag_jobs_without_it_are_a_row_of_their_own_and_the_last() -> None:
    jobs = [
        paid(1, had(1)),
        paid(2, had(2), tags={"show": "z"}),
        paid(3, had(4), tags={"show": "a", "other": "b"}),
    ]

    costs = by("tag:show", jobs, [node("a")])

    assert [row.key for row in costs.rows] == ["a", "z", None]
    assert told(costs) == {"a": (1, 4, 4), "z": (1, 2, 2), None: (1, 1, 1)}
    assert [row.nodes.nodes for row in costs.rows] == [0, 0, 0]
    assert costs.total.nodes.nodes == 1


def test_by_preset_a_job_of_several_is_split_evenly() -> None:
    jobs = [paid(1, had(9), presets=("a", "b", "c")), paid(2, had(1), presets=("a",))]

    costs = by("preset", [*jobs, paid(3, had(7))])

    assert told(costs) == {
        "a": (2, 4, 4),
        "b": (1, 3, 3),
        "c": (1, 3, 3),
        None: (1, 7, 7),
    }
    assert costs.total.jobs == 3


def test_by_kind_and_by_machine_a_job_counts_where_its_attempts_ran() -> None:
    local = had(4, Machine(price=0.0), "local")
    jobs = [paid(1, had(1), had(2, SPOT), local), paid(2, had(5))]

    kinds = by("kind", jobs, [node("a"), node("b", kind="local")])
    machines = by("machine", jobs)

    assert {row.key: (row.jobs, row.seconds) for row in kinds.rows} == {
        "ec2": (2, 8),
        "local": (1, 4),
    }
    assert [row.nodes.nodes for row in kinds.rows] == [1, 1]
    assert {row.key: row.seconds for row in machines.rows} == {
        "c7i.xlarge on-demand": 6,
        "c7i.xlarge spot": 2,
        "own": 4,
    }


def test_what_has_no_known_price_is_counted_and_not_summed() -> None:
    jobs = [paid(1, had(1), had(2, UNKNOWN)), paid(2, None), paid(3, had(4))]

    costs = by("day", jobs, [node("a"), node("b", UNKNOWN)])

    assert (costs.total.jobs, costs.total.unpriced_jobs) == (3, 2)
    assert (costs.total.seconds, costs.total.cost) == (7, 5)
    assert (costs.total.nodes.unpriced, costs.total.nodes.cost) == (1, 60)
    assert costs.total.nodes.idle == 40


def test_own_machines_that_cost_nothing_cost_nothing() -> None:
    costs = by("kind", [paid(1, had(9, Machine(price=0.0), "local"))])

    assert (costs.total.cost, costs.total.unpriced_jobs) == (0, 0)


@pytest.mark.parametrize(
    "text", ["", "tag", "tag:", "day:", "day:x", "preset:web", "week", "Day", ":x"]
)
def test_what_cannot_be_summed_by_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="allowed: day, tag:NAME, preset, kind"):
        Breakdown.parse(text)


def test_the_name_of_a_tag_may_hold_anything() -> None:
    assert Breakdown.parse("tag:a:b=c ü") == Breakdown(By.TAG, "a:b=c ü")


def test_machines_are_called_by_type_and_market() -> None:
    assert machine_name(SPOT) == "c7i.xlarge spot"
    assert machine_name(Machine()) == "own"


SHARES = st.one_of(
    st.none(),
    st.builds(
        had,
        st.floats(0, 1e6),
        st.sampled_from([DEAR, SPOT, UNKNOWN, Machine(price=0.0)]),
        st.sampled_from(["ec2", "local", ""]),
    ),
)
JOBS = st.lists(
    st.tuples(
        st.lists(SHARES, max_size=4),
        st.sets(st.sampled_from("abc")),
        st.dictionaries(st.just("t"), st.sampled_from("xy")),
        st.integers(0, 3),
    ),
    max_size=8,
)


@given(JOBS, st.sampled_from(["day", "tag:t", "preset", "kind", "machine"]))
def test_the_rows_come_to_the_total_whatever_they_stand_for(
    drawn: list[tuple[list[Share | None], set[str], dict[str, str], int]], text: str
) -> None:
    jobs = [
        paid(
            number,
            *shares,
            presets=tuple(sorted(presets)),
            tags=tags,
            created_at=START + days * DAY,
        )
        for number, (shares, presets, tags, days) in enumerate(drawn)
    ]
    nodes = [node(f"n{n}", machine, ended_at=START + n * DAY) for n, machine in NODES]

    costs = by(text, jobs, nodes)

    assert sum(row.seconds for row in costs.rows) == pytest.approx(costs.total.seconds)
    assert sum(row.cost for row in costs.rows) == pytest.approx(costs.total.cost)
    assert costs.total.jobs == len(jobs)
    if text in {"day", "kind", "machine"}:
        assert sum(row.nodes.nodes for row in costs.rows) == 3
        assert sum(row.nodes.cost for row in costs.rows) == pytest.approx(
            costs.total.nodes.cost
        )
    assert all(isinstance(row, CostRow) for row in costs.rows)


NODES = [(0, DEAR), (1, SPOT), (2, UNKNOWN)]
