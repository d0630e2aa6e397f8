"""Thousands of schedules of crashes, freezes, and lost, late and repeated messages."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from media_nommer.core.jobs import Job
from media_nommer.core.tasks import Result, Task
from media_nommer.core.workflow import following, publishing
from media_nommer.core.workflow.claims import HeldTask
from media_nommer.core.workflow.engine import Engine
from media_nommer.core.workflow.lost import LostWork
from media_nommer.sim.ports import SimStore
from media_nommer.sim.simulation import Report, simulate
from media_nommer.sim.world import CALM

SCHEDULES = int(os.environ.get("NOMMER_SOAK", "600"))
BATCHES = 10

#: How many schedules a mutant may survive before its rule counts as not tested.
MUTANT_SCHEDULES = 400


def reports(count: int, start: int = 0) -> Iterator[Report]:
    for seed in range(start, start + count):
        yield simulate(seed)


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.timeout(7200)
def test_no_job_is_lost_or_stuck_or_published_twice(batch: int) -> None:
    each = max(1, SCHEDULES // BATCHES)

    bad = [r for r in reports(each, batch * each) if r.violations]

    assert bad == []


def test_the_same_seed_is_the_same_run() -> None:
    assert simulate(7) == simulate(7)


def test_nothing_goes_wrong_in_a_calm_world() -> None:
    report = simulate(1, CALM)

    assert (report.violations, report.crashes) == ((), 0)


def found_out() -> bool:
    return any(report.violations for report in reports(MUTANT_SCHEDULES))


def test_without_the_fence_the_simulation_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 2: the claim changes by compare-and-swap, and a late commit is refused."""
    swap = SimStore.swap_task

    def unfenced(self: SimStore, task: Task) -> Task:
        return swap(self, replace(task, revision=self._tasks[task.id].revision))

    monkeypatch.setattr(SimStore, "swap_task", unfenced)

    assert found_out()


def test_without_the_order_of_rule_3_the_simulation_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rule 3: records, then the message, then the old message's deletion."""

    def settle_first(engine: Engine, held: HeldTask) -> None:
        task, number = held.task, held.number
        following.settle(engine, held)
        held.task, held.number = task, number
        following.draw_consequences(engine, held)

    monkeypatch.setattr("media_nommer.ec2nommerd.attempts.follow_up", settle_first)

    assert found_out()


def test_without_the_re_put_of_rule_4_the_simulation_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rule 4: lost messages come back."""
    monkeypatch.setattr(LostWork, "put_again", lambda _self: 0)

    assert found_out()


def test_without_the_record_of_rule_7_the_simulation_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rule 7: what will be published is recorded before its first byte is."""

    def unrecorded(engine: Engine, held: HeldTask, result: Result) -> Job:
        job = engine.store.get_job(held.task.job_id)
        held.check(job)
        outputs = tuple(
            publishing._intended(engine.storage, job, index, result)
            for index in range(len(job.outputs))
        )
        return replace(job, outputs=outputs)

    monkeypatch.setattr(publishing, "record_publication", unrecorded)

    assert found_out()
