"""Each second of a node is split evenly among its attempts, or is nobody's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.workshop import Call, Maker, Workshop

from media_nommer.core.errors import EncoderCrashed
from media_nommer.core.nodes import Node, NodeId, NodeState
from media_nommer.core.shares import Share, spent_on
from media_nommer.core.tasks import AttemptEnd
from media_nommer.core.workflow.ledger import entry_of
from media_nommer.core.workflow.submitting import cancel
from media_nommer.ec2nommerd.node import NodeLife
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.testing.samples import SPOT, a_node

IDLE = timedelta(seconds=60)


class Hands:
    """Slots whose work is done when it is asked for."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def finish_one(self) -> None:
        self.waiting.pop(0)()


def pass_(shop: Workshop, seconds: float) -> None:
    shop.clock.advance(timedelta(seconds=seconds))


def seconds_of(shop: Workshop, number: int = 1) -> float:
    return spent_on(shop.task(number=number).shares).seconds


def test_two_attempts_share_the_seconds_in_which_both_run(shop: Workshop) -> None:
    hands = Hands()
    worker = shop.worker(slots=2, spawn=hands)
    shop.submit(1)
    worker.tick()
    pass_(shop, 10)
    shop.submit(2)
    worker.tick()
    pass_(shop, 6)

    hands.finish_one()
    pass_(shop, 4)
    hands.finish_one()
    pass_(shop, 100)

    assert (seconds_of(shop, 1), seconds_of(shop, 2)) == (13, 7)
    assert worker.worked == 20


def test_an_attempt_says_what_it_ran_on_as_it_was_known_at_its_end(shop: Workshop) -> None:
    hands = Hands()
    worker = shop.worker(spawn=hands)
    shop.submit()
    worker.tick()
    claim = shop.task().claim
    assert claim is not None
    assert claim.share == Share()

    worker.runs_on(SPOT, kind="ec2")
    pass_(shop, 3)
    hands.finish_one()

    (attempt,) = shop.task().attempts
    assert attempt.share == Share(seconds=3, kind="ec2", machine=SPOT)


def test_publication_is_part_of_an_attempt_and_what_is_tidied_is_not(
    shop: Workshop,
) -> None:
    """The last second that counts is the one in which its claim ends."""

    def take_time(call: Call) -> None:
        if call.name == "storage.copy":
            pass_(shop, 2)
        if call.name == "storage.delete_below":
            pass_(shop, 50)

    worker = shop.worker(nommer=Maker(trouble=lambda _work: pass_(shop, 5)))
    shop.submit(outputs=2)
    shop.tape.after = take_time

    worker.tick()

    (attempt,) = shop.task().attempts
    assert attempt.end is AttemptEnd.COMMITTED
    assert shop.task().settled
    assert seconds_of(shop) == 5 + 2 * 2
    assert worker.worked == 9


def test_an_attempt_whose_worker_died_keeps_its_share_up_to_the_last_beat(
    shop: Workshop,
) -> None:
    shop.submit()
    dying = shop.worker("node-1", spawn=Hands())
    dying.runs_on(SPOT, kind="ec2")
    dying.tick()
    pass_(shop, 6)
    dying.beat()
    pass_(shop, 3)

    shop.drain()

    lost, committed = shop.task().attempts
    assert (lost.end, committed.end) == (AttemptEnd.LOST, AttemptEnd.COMMITTED)
    assert lost.share == Share(seconds=6, kind="ec2", machine=SPOT)
    assert dying.worked == 6


def test_what_a_fenced_worker_goes_on_doing_is_nobodys(shop: Workshop) -> None:
    shop.submit()
    hands = Hands()
    late = shop.worker("node-1", spawn=hands)
    late.tick()
    pass_(shop, 2)
    late.beat()
    shop.drain()
    before = seconds_of(shop)

    pass_(shop, 1000)
    hands.finish_one()

    assert seconds_of(shop) == before
    assert late.worked == 2


def test_while_one_tidies_the_others_have_the_node_for_themselves(shop: Workshop) -> None:
    hands = Hands()
    worker = shop.worker(slots=2, spawn=hands)
    for number in (1, 2):
        shop.submit(number)
    worker.tick()
    pass_(shop, 4)

    def take_time(call: Call) -> None:
        if call.name == "storage.delete_below":
            shop.tape.after = None
            pass_(shop, 50)

    shop.tape.after = take_time
    hands.finish_one()
    hands.finish_one()

    assert sorted([seconds_of(shop, 1), seconds_of(shop, 2)]) == [2, 52]


def test_an_attempt_that_lost_its_claim_takes_nothing_of_those_after_it(
    shop: Workshop,
) -> None:
    shop.submit(1)
    hands = Hands()
    worker = shop.worker("node-1", spawn=hands)
    worker.tick()
    shop.drain()
    hands.finish_one()
    shop.submit(2)
    worker.tick()
    pass_(shop, 8)

    hands.finish_one()

    assert seconds_of(shop, 2) == 8


@pytest.mark.parametrize("how", ["failed", "handed back", "canceled"])
def test_an_attempt_that_makes_nothing_is_paid_all_the_same(
    shop: Workshop, how: str
) -> None:
    def fail(_work: Work) -> None:
        pass_(shop, 4)
        if how == "failed":
            raise EncoderCrashed("exit status 139")

    job = shop.submit()
    hands = Hands()
    worker = shop.worker(nommer=Maker(trouble=fail), spawn=hands)
    worker.tick()
    if how == "handed back":
        worker.hand_back()
    if how == "canceled":
        cancel(shop.engine, job.id)
        worker.beat()
    pass_(shop, 1)

    hands.finish_one()

    assert seconds_of(shop) == {"failed": 5, "handed back": 1, "canceled": 1}[how]
    assert worker.worked == seconds_of(shop)
    assert len(shop.task().attempts) == 1


def test_shares_boot_and_idle_time_come_to_the_seconds_of_the_machine(
    shop: Workshop,
) -> None:
    """The sum rule, on a node with two slots from its launch to its end."""
    hands = Hands()
    worker = shop.worker("node-7", slots=2, spawn=hands)
    life = NodeLife(
        shop.engine,
        shop.policy,
        NodeId("node-7"),
        idle_timeout=IDLE,
        worked=lambda: worker.worked,
        on_seen=lambda node: worker.runs_on(node.machine, kind=node.kind),
    )
    started = shop.clock.now()
    machine = replace(SPOT, started_at=started)
    shop.store.add_node(replace(a_node("node-7"), kind="ec2", machine=machine))
    pass_(shop, 45)
    life.join(kind="ec2", host="here", pid=1, slots=2)
    joined(shop, "node-7")
    for number in (1, 2, 3):
        shop.submit(number)
        worker.tick()
        pass_(shop, 7.25)
        worker.beat()
        life.beat(worker.busy)
    hands.finish_one()
    worker.tick()
    pass_(shop, 11)
    while hands.waiting:
        hands.finish_one()
    pass_(shop, 60)
    life.leave(NodeState.GONE, "idle")

    entry = entry_of(shop.store.get_node(NodeId("node-7")), shop.clock.now())

    assert entry is not None
    shares = sum(seconds_of(shop, number) for number in (1, 2, 3))
    total = (shop.clock.now() - started).total_seconds()
    assert entry.total == pytest.approx(total)
    assert shares + entry.boot + entry.idle == pytest.approx(total)
    assert (entry.boot, entry.idle) == pytest.approx((45, 60))
    for number in (1, 2, 3):
        assert shop.task(number=number).attempts[0].share is not None
        spent = spent_on(shop.task(number=number).shares)
        assert spent.cost == pytest.approx(spent.seconds * 0.072 / 3600)


def joined(shop: Workshop, name: str) -> Node:
    node = shop.store.get_node(NodeId(name))
    if node.joined_at is None:
        node = shop.store.swap_node(replace(node, joined_at=shop.clock.now()))
    return node


def test_a_node_whose_process_starts_anew_goes_on_counting(shop: Workshop) -> None:
    def life(worked: float) -> NodeLife:
        return NodeLife(
            shop.engine,
            shop.policy,
            NodeId("node-7"),
            idle_timeout=IDLE,
            worked=lambda: worked,
        )

    first = life(30.0)
    first.join(kind="hand", host="here", pid=1, slots=1)
    first.beat(0)
    second = life(12.0)
    second.join(kind="hand", host="here", pid=2, slots=1)
    second.beat(0)

    assert shop.store.get_node(NodeId("node-7")).worked == 42


def test_rule_2_counting_costs_no_call_more(shop: Workshop) -> None:
    """What attempts have had goes with the writes that there are."""
    shop.submit()

    shop.work()

    assert shop.tape.names.count("store.swap_task") == 3  # claim, commit, settle
