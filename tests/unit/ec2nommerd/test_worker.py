"""The worker: slots, watching, and beating for what it holds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.workshop import LEASE, SECOND, Call, Maker, Workshop

from media_nommer.core.errors import HandedBack, ServiceUnavailable, TaskNotFound
from media_nommer.core.jobs import JobState
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import TaskState
from media_nommer.core.workflow.submitting import cancel
from media_nommer.ec2nommerd.worker import Worker


class Hands:
    """Slots whose work waits until it is told to begin."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def finish(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


def watching(shop: Workshop, jobs: int, *, slots: int) -> tuple[Worker, Hands]:
    """Return a worker that watches the tasks of an owner that fell silent."""
    for number in range(1, jobs + 1):
        shop.submit(number)
        shop.claim("dead")
    shop.clock.advance(LEASE)
    hands = Hands()
    worker = shop.worker("node-2", slots=slots, spawn=hands)
    while worker.tick():
        pass
    assert worker.busy == 0
    return worker, hands


def test_a_worker_takes_no_more_than_its_slots(shop: Workshop) -> None:
    for number in range(1, 6):
        shop.submit(number)
    hands = Hands()
    worker = shop.worker(slots=2, spawn=hands)

    worker.tick()
    worker.tick()

    assert (worker.busy, len(hands.waiting)) == (2, 2)
    hands.finish()
    worker.tick()
    assert worker.busy == 2


def test_rule_2_a_silent_owners_tasks_fill_no_more_than_the_slots(shop: Workshop) -> None:
    """Rule 2: three watched tasks come due at the same moment, and there is one slot."""
    worker, _hands = watching(shop, 3, slots=1)
    for _ in range(10):
        shop.clock.advance(LEASE / 10)
        worker.beat()

    worker.tick()

    assert worker.busy == 1
    states = [shop.task(number=n).claims for n in (1, 2, 3)]
    assert sorted(states) == [1, 1, 2]


def test_rule_4_what_a_full_worker_watched_goes_to_others_at_once(shop: Workshop) -> None:
    """Rules 2 and 4: a worker with no room hides nothing for as long as it encodes."""
    worker, _hands = watching(shop, 2, slots=1)
    shop.clock.advance(LEASE / 2)
    worker.beat()
    shop.clock.advance(LEASE / 2)
    worker.beat()
    worker.tick()
    assert worker.busy == 1

    assert shop.queue.take(LEASE) is not None


def test_rule_2_a_foreign_claim_is_watched_for_a_lease_and_then_left(
    shop: Workshop,
) -> None:
    shop.submit()
    held = shop.claim("node-1")
    shop.queue.put(held.task.id)
    worker = shop.worker("node-2")
    worker.tick()
    for _ in range(10):
        shop.clock.advance(LEASE / 10)
        held.beat()
        worker.beat()
        worker.tick()
    shop.clock.advance(LEASE - SECOND)
    held.beat()

    assert worker.busy == 0
    assert shop.task().claims == 1
    assert worker.idle_for >= LEASE - SECOND
    worker.beat()  # it hides the message no longer
    shop.clock.advance(2 * SECOND)
    assert shop.queue.take(LEASE) is not None


def test_a_worker_is_idle_since_it_last_had_something_to_do(shop: Workshop) -> None:
    worker = shop.worker()
    shop.clock.advance(SECOND)
    assert worker.idle_for == SECOND
    shop.submit()
    worker.tick()
    assert worker.idle_for == timedelta()
    shop.clock.advance(SECOND)
    assert worker.idle_for == SECOND


def test_a_worker_that_drains_takes_nothing_more(shop: Workshop) -> None:
    shop.submit()
    worker = shop.worker()
    worker.drain()

    assert not worker.tick()
    assert shop.task().state is TaskState.READY


def test_rule_6_what_is_handed_back_is_free_at_once(shop: Workshop) -> None:
    shop.submit()
    hands = Hands()
    worker = shop.worker(spawn=hands)
    worker.tick()
    worker.drain()

    worker.hand_back()
    hands.finish()

    task = shop.task()
    assert (task.state, task.failures, task.losses) == (TaskState.READY, 0, 0)
    assert shop.queue.take(LEASE) is not None


def test_rule_2_trouble_with_one_task_costs_no_other_its_beat(shop: Workshop) -> None:
    """Rule 2: a record that cannot be read is no reason to fall silent for the others."""
    for number in (1, 2):
        shop.submit(number)
    worker = shop.worker(slots=2, spawn=Hands())
    worker.tick()

    def unreadable(call: Call) -> None:
        if call.name == "store.get_job" and call.args == (shop.job(1).id,):
            raise TaskNotFound("or of a newer version")

    shop.tape.before = unreadable
    worker.beat()

    beats = [c.beat for c in (shop.task(number=1).claim, shop.task(number=2).claim) if c]
    assert beats == [1, 1]


def test_rule_2_an_outage_at_a_beat_changes_nothing(shop: Workshop) -> None:
    shop.submit()
    hands = Hands()
    worker = shop.worker(spawn=hands)
    worker.tick()

    def silent(_call: Call) -> None:
        raise ServiceUnavailable("no answer")

    shop.tape.before = silent
    for _ in range(20):
        worker.beat()
        shop.clock.advance(LEASE)
    shop.tape.before = None
    hands.finish()

    assert shop.job().state is JobState.FINISHED
    assert shop.task().claims == 1


def test_rule_8_the_keeper_stops_the_work_of_a_job_that_is_over(shop: Workshop) -> None:
    job = shop.submit()
    hands, maker = Hands(), Maker()
    worker = shop.worker(nommer=maker, spawn=hands)
    worker.tick()
    cancel(shop.engine, job.id)
    worker.beat()

    hands.finish()

    assert maker.made == 0
    assert shop.task().settled


def test_a_slot_is_free_again_whatever_the_work_raised(shop: Workshop) -> None:
    shop.submit()
    freed: list[bool] = []
    worker = Worker(
        shop.engine,
        shop.policy,
        replace(shop.runner(), pause=broken),
        node=NodeId("node-1"),
        slots=1,
        spawn=lambda work: work(),
        on_free=lambda: freed.append(True),
    )
    worker.tick()

    assert (worker.busy, freed) == (0, [True])


def broken(_period: timedelta) -> None:
    raise HandedBack("not here")
