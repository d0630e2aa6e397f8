"""Rule 5: who may leave, and who stays."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.workshop import LEASE, POLICY, SECOND, Workshop

from media_nommer.core.jobs import JobState
from media_nommer.core.nodes import Machine, Market, NodeId, NodeState
from media_nommer.core.workflow.changes import change_node
from media_nommer.ec2nommerd.node import NodeLife, give_up
from media_nommer.testing.samples import MINUTE, a_node

IDLE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Other:
    """Another node: does its beat move, and in which state is it?"""

    name: str
    lives: bool = True
    state: NodeState = NodeState.RUNNING


def a_life(shop: Workshop, name: str = "node-5") -> NodeLife:
    life = NodeLife(shop.engine, POLICY, NodeId(name), idle_timeout=IDLE)
    life.join(kind="hand", host="here", pid=1, slots=1)
    return life


def join(shop: Workshop, machine: Machine) -> None:
    life = NodeLife(shop.engine, POLICY, NodeId("node-5"), idle_timeout=IDLE)
    life.join(kind="ec2", host="here", pid=1, slots=1, machine=machine)


def add(shop: Workshop, other: Other) -> None:
    node = a_node(other.name)
    if other.state is not NodeState.LAUNCHING:
        node = node.moved_to(NodeState.RUNNING, at=shop.clock.now())
    if other.state not in {NodeState.LAUNCHING, NodeState.RUNNING}:
        node = node.moved_to(other.state, at=shop.clock.now())
    shop.store.add_node(node)


def live_on(shop: Workshop, life: NodeLife, *others: Other) -> None:
    """Let a lease pass in which everybody who lives beats, and we look."""
    for _ in range(5):
        for other in others:
            if other.lives:
                change_node(
                    shop.store,
                    NodeId(other.name),
                    lambda n: n.beaten(busy=0, at=shop.clock.now()),
                )
        life.may_leave(timedelta())
        shop.clock.advance(LEASE / 10)


@pytest.mark.parametrize(
    ("unfinished", "others", "leaves"),
    [
        (False, (), True),
        (True, (), False),
        (True, (Other("node-1"),), True),
        (True, (Other("node-1", lives=False),), False),
        (True, (Other("node-1", state=NodeState.DRAINING),), False),
        (True, (Other("node-1", state=NodeState.GONE),), False),
        (True, (Other("node-1", state=NodeState.LAUNCHING),), False),
        (True, (Other("node-9"),), False),
        (True, (Other("node-9"), Other("node-3")), True),
        (False, (Other("node-9"),), True),
        (False, (Other("node-1", lives=False),), True),
    ],
)
def test_rule_5_of_the_living_the_smallest_stays_while_a_job_is_unfinished(
    shop: Workshop, unfinished: bool, others: tuple[Other, ...], leaves: bool
) -> None:
    if unfinished:
        shop.submit()
    life = a_life(shop)
    for other in others:
        add(shop, other)
    live_on(shop, life, *others)

    assert life.may_leave(IDLE) is leaves


@pytest.mark.parametrize("state", list(JobState))
def test_rule_5_any_job_that_is_not_final_keeps_the_last_node(
    shop: Workshop, state: JobState
) -> None:
    shop.store.add_job(replace(shop.job_to_submit(), state=state))

    assert a_life(shop).may_leave(IDLE) is state.final


def test_rule_5_nobody_leaves_before_the_idle_timeout(shop: Workshop) -> None:
    life = a_life(shop)

    assert not life.may_leave(IDLE - SECOND)
    assert life.may_leave(IDLE)


def test_rule_5_a_kept_node_never_leaves_for_idleness(shop: Workshop) -> None:
    life = a_life(shop)
    change_node(shop.store, NodeId("node-5"), lambda n: replace(n, kept=True))
    life.beat(0)

    assert not life.may_leave(100 * IDLE)
    change_node(shop.store, NodeId("node-5"), lambda n: replace(n, kept=False))
    life.beat(0)
    assert life.may_leave(IDLE)


def test_rule_5_a_smaller_one_that_fell_silent_is_no_reason_to_leave(
    shop: Workshop,
) -> None:
    shop.submit()
    life, other = a_life(shop), Other("node-1")
    add(shop, other)
    live_on(shop, life, other)
    assert life.may_leave(IDLE)

    shop.clock.advance(LEASE)

    assert not life.may_leave(IDLE)


def test_rule_5_a_smaller_one_seen_once_is_not_known_to_live(shop: Workshop) -> None:
    shop.submit()
    life = a_life(shop)
    add(shop, Other("node-1"))

    assert not life.may_leave(IDLE)
    assert not life.may_leave(IDLE)


def test_rule_5_what_was_lost_is_put_again_before_anyone_leaves(shop: Workshop) -> None:
    shop.submit()
    shop.queue.done(shop.take())
    life, other = a_life(shop), Other("node-1")
    add(shop, other)
    live_on(shop, life, other)
    shop.clock.advance(POLICY.put_again_after)
    live_on(shop, life, other)

    assert not life.may_leave(IDLE)
    assert shop.queue.depth() == 1
    assert life.may_leave(IDLE)


def test_rule_5_a_wall_clock_that_jumps_makes_nobody_leave(shop: Workshop) -> None:
    shop.submit()
    life = a_life(shop)
    add(shop, Other("node-1", lives=False))
    life.may_leave(timedelta())
    shop.clock.jump(timedelta(seconds=50))

    assert not life.may_leave(IDLE)


def test_a_node_takes_up_the_intent_of_who_started_it(shop: Workshop) -> None:
    shop.store.add_node(replace(a_node("node-5"), kept=True))
    life = a_life(shop)

    node = shop.store.get_node(NodeId("node-5"))
    assert (node.state, node.host, node.kept) == (NodeState.RUNNING, "here", True)
    assert not life.may_leave(IDLE)


def test_a_node_says_what_it_runs_on_and_since_when_it_takes_tasks(
    shop: Workshop,
) -> None:
    asked_for = Machine(name="i-1", type="c7i.xlarge", price=0.07)
    shop.store.add_node(replace(a_node("node-5"), machine=asked_for))
    shop.clock.advance(SECOND)
    own = Machine(name="i-1", type="c7a.xlarge", market=Market.SPOT, zone="eu-central-1b")

    join(shop, own)

    node = shop.store.get_node(NodeId("node-5"))
    assert node.machine == replace(own, price=0.07)
    assert node.joined_at == shop.clock.now()


def test_a_node_that_knows_nothing_of_its_machine_changes_nothing_of_it(
    shop: Workshop,
) -> None:
    on_record = Machine(name="i-1", price=0.0)
    shop.store.add_node(replace(a_node("node-5"), machine=on_record))

    a_life(shop)

    assert shop.store.get_node(NodeId("node-5")).machine == on_record


def test_a_node_that_joins_again_joined_when_it_did_first(shop: Workshop) -> None:
    a_life(shop)
    joined_at = shop.store.get_node(NodeId("node-5")).joined_at
    shop.clock.advance(SECOND)

    a_life(shop)

    assert shop.store.get_node(NodeId("node-5")).joined_at == joined_at


@pytest.mark.parametrize("planned", [True, False])
def test_a_node_that_can_never_work_is_gone_and_says_why(
    shop: Workshop, planned: bool
) -> None:
    if planned:
        shop.store.add_node(a_node("node-5"))
    own = Machine(name="i-1")

    for why in ("there is no FFmpeg", "again"):
        give_up(shop.engine, NodeId("node-5"), why, kind="ec2", machine=own)

    node = shop.store.get_node(NodeId("node-5"))
    assert (node.state, node.detail) == (NodeState.GONE, "there is no FFmpeg")
    assert (node.machine, node.slots, node.joined_at) == (own, 0, None)


def test_a_node_that_left_stays_gone(shop: Workshop) -> None:
    life = a_life(shop)
    life.leave(NodeState.GONE, "idle")

    assert life.beat(1) is NodeState.GONE
    life.leave(NodeState.DRAINING, "late")
    node = shop.store.get_node(NodeId("node-5"))
    assert (node.state, node.detail, node.beat) == (NodeState.GONE, "idle", 0)


def test_a_node_whose_record_was_forgotten_is_on_record_when_it_leaves(
    shop: Workshop,
) -> None:
    """Else the ledger would lack what it was paid for since."""
    life = a_life(shop)
    life.beat(1)
    shop.store.forget_node(NodeId("node-5"))
    shop.clock.advance(60 * MINUTE)

    life.leave(NodeState.GONE, "idle")

    (node,) = shop.store.nodes(gone=True)
    assert (node.state, node.detail) == (NodeState.GONE, "idle")
    assert node.changed_at == shop.clock.now()


def test_a_node_that_never_had_a_record_leaves_quietly(shop: Workshop) -> None:
    life = NodeLife(shop.engine, shop.policy, NodeId("node-5"), idle_timeout=MINUTE)

    life.leave(NodeState.GONE, "idle")

    assert shop.store.nodes(gone=True) == ()


def test_a_node_at_work_whose_record_was_forgotten_is_on_record_again(
    shop: Workshop,
) -> None:
    """Else its machine would be taken for one that nobody knows, and be ended."""
    life = a_life(shop)
    life.beat(1)
    known = shop.store.get_node(NodeId("node-5"))
    shop.store.forget_node(known.id)

    assert life.beat(1) is NodeState.RUNNING
    assert life.beat(1) is NodeState.RUNNING

    again = shop.store.get_node(known.id)
    assert again == replace(known, beat=known.beat + 2, revision=again.revision)


@pytest.mark.parametrize(
    ("told", "left"),
    [(NodeState.DRAINING, [NodeState.DRAINING]), (NodeState.GONE, [])],
)
def test_a_node_on_its_way_out_does_not_come_back_into_service(
    shop: Workshop, told: NodeState, left: list[NodeState]
) -> None:
    life = a_life(shop)
    life.leave(told, "it was asked to leave")
    shop.store.forget_node(NodeId("node-5"))

    assert life.beat(0) is told

    assert [node.state for node in shop.store.nodes(gone=True)] == left


def test_a_node_that_nobody_else_writes_to_beats_without_reading(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SimpleDB each read of an idle day is paid for."""
    life = a_life(shop)
    before = shop.store.get_node(NodeId("node-5")).beat
    monkeypatch.setattr(shop.store, "get_node", None)

    for _ in range(3):
        assert life.beat(0) is NodeState.RUNNING

    monkeypatch.undo()
    assert shop.store.get_node(NodeId("node-5")).beat == before + 3


def test_an_idle_node_beats_three_times_a_lease_and_a_busy_one_each_time(
    shop: Workshop,
) -> None:
    life = a_life(shop)

    shown = [life.is_shown(0), life.is_shown(1)]
    shop.clock.advance(LEASE / 3)

    assert [*shown, life.is_shown(0)] == [True, False, False]


def test_a_node_that_ended_its_work_shows_it_at_once(shop: Workshop) -> None:
    life = a_life(shop)

    life.beat(1)

    assert not life.is_shown(0)
    life.beat(0)
    assert life.is_shown(0)
