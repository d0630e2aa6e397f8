"""Every way that an attempt can end (rules 2, 6 and 10), and outages at each call."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.workshop import FAN_OUT, LEASE, OUT, POLICY, Call, Maker, Workshop

from media_nommer.core.errors import (
    EncodeError,
    EncoderCrashed,
    HandedBack,
    NommerError,
    NoSpace,
    Reclaimed,
    ServiceUnavailable,
    SourceNotFound,
)
from media_nommer.core.jobs import JobState, OutputState, Phase
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import AttemptEnd, Outcome, TaskState
from media_nommer.core.workflow.lost import LostWork, let_go_of
from media_nommer.core.workflow.submitting import cancel
from media_nommer.ec2nommerd.nommers.work import Work


def raising(error: BaseException, *, times: int = 1_000_000) -> Maker:
    left = times

    def trouble(_work: Work) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise error

    return Maker(trouble=trouble)


def ends(shop: Workshop) -> list[AttemptEnd]:
    return [attempt.end for attempt in shop.task().attempts]


def test_rule_6_a_failure_worth_another_try_is_tried_up_to_the_limit(
    shop: Workshop,
) -> None:
    shop.submit()
    shop.drain(raising(EncoderCrashed("it died")))

    job = shop.job()
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == "ENCODER_CRASHED"
    assert ends(shop) == [AttemptEnd.FAILED] * POLICY.max_attempts
    assert (shop.task().failures, shop.task().losses) == (POLICY.max_attempts, 0)


def test_rule_6_a_failure_that_stays_one_ends_the_job_at_once(shop: Workshop) -> None:
    shop.submit()
    shop.work(nommer=raising(SourceNotFound("there is nothing")))

    assert shop.job().state is JobState.FAILED
    assert ends(shop) == [AttemptEnd.FAILED]


def test_rule_6_a_failed_task_rests_ever_longer(shop: Workshop) -> None:
    shop.submit()
    rests = []
    runner = shop.runner(raising(EncoderCrashed("it died")))
    for _ in range(POLICY.max_attempts - 1):
        runner.run(shop.claim())
        rests.append(shop.task().ready_at - shop.clock.now())
        shop.clock.advance(rests[-1])

    assert rests == [POLICY.backoff, 2 * POLICY.backoff]
    assert [POLICY.wait_after(n) for n in (50, 10_000)] == [POLICY.backoff_limit] * 2


def test_rule_6_what_nobody_expected_is_a_failure_and_is_tried_again(
    shop: Workshop,
) -> None:
    shop.submit()
    shop.drain(raising(ZeroDivisionError("oops")))

    job = shop.job()
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert (job.failure.code, job.failure.retryable) == ("INTERNAL", True)
    assert "oops" in job.failure.message
    assert ends(shop) == [AttemptEnd.FAILED] * POLICY.max_attempts


def test_rule_6_what_was_unexpected_once_does_not_cost_the_job(shop: Workshop) -> None:
    shop.submit()
    shop.drain(raising(ZeroDivisionError("oops"), times=2))

    assert shop.job().state is JobState.FINISHED


RECLAIMED = Reclaimed("node n1: its machine is taken back at 12:00:00 UTC")


def test_rule_6_a_noticed_reclaim_counts_as_nothing_and_the_job_tells_of_it(
    shop: Workshop,
) -> None:
    job = shop.submit()
    shop.runner(raising(RECLAIMED)).run(shop.claim())

    task, event = shop.task(), shop.job().events[-1]
    assert (task.failures, task.losses, task.state) == (0, 0, TaskState.READY)
    assert ends(shop) == [AttemptEnd.HANDED_BACK]
    assert (event.kind, event.run) == ("task.handed_back", job.run)
    assert event.detail == f"inspect: {RECLAIMED.message}"
    assert [e.number for e in shop.job().events] == list(range(1, event.number + 1))


def test_an_ordinary_hand_back_is_no_event_of_the_job(shop: Workshop) -> None:
    shop.submit()
    before = shop.job().events

    shop.runner(raising(HandedBack("the worker is leaving"))).run(shop.claim())

    assert shop.job().events == before


def test_a_task_is_free_before_its_job_is_told_of_the_reclaim(shop: Workshop) -> None:
    """Rule 3: what dies with the machine in between is no more than the event."""
    shop.submit()
    held = shop.claim()
    swaps_before = shop.tape.names.count("store.swap_job")

    def dead(call: Call) -> None:
        if call.name == "store.swap_job":
            raise ServiceUnavailable("the machine is gone")

    shop.tape.before = dead
    shop.runner(raising(RECLAIMED)).run(held)
    shop.tape.before = None

    assert shop.tape.names.count("store.swap_job") == swaps_before
    assert shop.task().state is TaskState.READY
    shop.drain()
    assert shop.job().state is JobState.FINISHED


def test_a_job_that_is_over_is_told_of_no_reclaim(shop: Workshop) -> None:
    job = shop.submit()
    held = shop.claim()
    runner = shop.runner(raising(RECLAIMED))

    def canceled(call: Call) -> None:
        if call.name == "store.swap_task":
            shop.tape.after = None
            cancel(shop.engine, job.id)

    shop.tape.after = canceled
    runner.run(held)

    assert shop.job().events[-1].kind == "job.canceled"


def test_who_listens_is_told_of_each_end_of_an_attempt(shop: Workshop) -> None:
    shop.submit()
    told: list[AttemptEnd] = []
    runner = replace(
        shop.runner(raising(EncoderCrashed("it died"), times=1)),
        on_end=lambda held: told.append(held.task.attempts[-1].end),
    )

    runner.run(shop.claim())
    shop.clock.advance(LEASE)
    runner.run(shop.claim())

    assert told == [AttemptEnd.FAILED, AttemptEnd.COMMITTED]


def test_rule_6_hand_backs_count_as_nothing(shop: Workshop) -> None:
    shop.submit()
    runner = shop.runner(raising(HandedBack("the worker is leaving")))
    for _ in range(20):
        runner.run(shop.claim())

    task = shop.task()
    assert (task.failures, task.losses, task.state) == (0, 0, TaskState.READY)
    shop.drain()
    assert shop.job().state is JobState.FINISHED


def test_rule_6_a_task_whose_workers_die_is_abandoned_after_the_limit(
    shop: Workshop,
) -> None:
    shop.submit()
    for _ in range(POLICY.max_lost):
        assert shop.job().state is JobState.PENDING
        shop.claim("node-1")
        let_go_of(shop.engine, NodeId("node-1"))
    maker = Maker()
    shop.work(nommer=maker)

    job, task = shop.job(), shop.task()
    assert (job.state, maker.made) == (JobState.ABANDONED, 0)
    assert job.failure is not None
    assert job.failure.code == "WORKERS_DIED"
    assert job.failure.advice
    assert (task.failures, task.losses) == (0, POLICY.max_lost)
    assert ends(shop) == [AttemptEnd.LOST] * POLICY.max_lost


def test_rule_6_losses_and_failures_are_not_added_up(shop: Workshop) -> None:
    """Rule 6: two of each are under both limits, though four are over either."""
    shop.submit()
    crash = shop.runner(raising(EncoderCrashed("it died")))
    for _ in range(POLICY.max_lost - 1):
        shop.claim("node-1")
        let_go_of(shop.engine, NodeId("node-1"))
    for _ in range(POLICY.max_attempts - 1):
        crash.run(shop.claim())
        shop.clock.advance(shop.task().ready_at - shop.clock.now())
    shop.work()

    assert shop.job().state is JobState.FINISHED


def test_rule_6_a_disk_without_room_for_scratch_is_a_failure_not_a_death(
    shop: Workshop,
) -> None:
    @contextmanager
    def full(_name: str) -> Iterator[Path]:
        raise NoSpace("the scratch folder cannot be made")
        yield Path()

    shop.submit()
    runner = replace(shop.runner(), scratch=full)
    runner.run(shop.claim())

    task = shop.task()
    assert (task.state, task.failures, task.losses) == (TaskState.READY, 1, 0)
    assert task.attempts[0].failure is not None
    assert task.attempts[0].failure.code == "NO_SPACE"


def test_rule_2_a_fenced_worker_drops_its_work_quietly(shop: Workshop) -> None:
    def lose(work: Work) -> None:
        let_go_of(shop.engine, NodeId("node-1"))

    shop.submit()
    shop.runner(Maker(trouble=lose)).run(shop.claim("node-1"))

    assert shop.task().outcome is None
    assert shop.published() == {}
    assert shop.job().state is JobState.RUNNING
    shop.drain()
    assert shop.job().state is JobState.FINISHED
    assert ends(shop) == [AttemptEnd.LOST, AttemptEnd.COMMITTED]


def test_rule_2_who_comes_too_late_for_a_job_that_others_finished_leaves_quietly(
    shop: Workshop,
) -> None:
    shop.submit()
    held = shop.claim("node-1")

    def be_overtaken(work: Work) -> None:
        let_go_of(shop.engine, NodeId("node-1"))
        shop.drain()
        held.beat()
        work.enter(Phase.ENCODING)

    with capture_logs() as said:
        shop.runner(Maker(trouble=be_overtaken)).run(held)

    assert said[-1]["event"] == "attempt_fenced"
    assert ends(shop) == [AttemptEnd.LOST, AttemptEnd.COMMITTED]


def logs(shop: Workshop) -> list[str]:
    return [
        (shop.standing(a.log_url) or b"").decode() if a.log_url else "none"
        for a in shop.task().attempts
    ]


def test_rule_10_the_log_of_each_attempt_is_kept_after_the_job_is_final(
    shop: Workshop,
) -> None:
    shop.submit()
    shop.drain(raising(EncoderCrashed("it died"), times=2))

    assert shop.job().state is JobState.FINISHED
    assert logs(shop) == [f"$ maker {shop.task().id}.c{n}\n" for n in (1, 2, 3)]
    assert not [u for u in shop.storage.list("memory://work/w") if "/logs/" not in u]


def test_rule_10_the_log_of_what_was_handed_back_is_kept(shop: Workshop) -> None:
    shop.submit()
    shop.runner(raising(HandedBack("leaving"))).run(shop.claim())

    assert logs(shop) == [f"$ maker {shop.task().id}.c1\n"]


def test_rule_10_the_log_of_what_was_canceled_is_kept(shop: Workshop) -> None:
    job = shop.submit()

    def stop(_work: Work) -> None:
        cancel(shop.engine, job.id)

    shop.work(nommer=Maker(trouble=stop))

    assert shop.job().state is JobState.CANCELED
    assert ends(shop) == [AttemptEnd.CANCELED]
    assert logs(shop) == [f"$ maker {shop.task().id}.c1\n"]


def test_rule_10_a_hand_back_in_mid_publication_keeps_what_the_attempt_was(
    shop: Workshop,
) -> None:
    """Rule 10: it had committed; its log and its processor time stay on record."""
    shop.submit(outputs=2)
    held = shop.claim()

    def leave(call: Call) -> None:
        if call.name == "storage.copy":
            held.stop(HandedBack("leaving"))

    shop.tape.before = leave
    shop.runner().run(held)
    shop.tape.before = None

    task = shop.task()
    assert (task.state, task.claim) == (TaskState.COMMITTED, None)
    assert ends(shop) == [AttemptEnd.COMMITTED]
    assert logs(shop) == [f"$ maker {task.id}.c1\n"]
    assert task.attempts[0].cpu_seconds is not None
    shop.drain()
    assert shop.job().state is JobState.FINISHED


def test_rule_10_a_log_that_cannot_be_kept_costs_no_job(shop: Workshop) -> None:
    def full(call: Call) -> None:
        if call.name == "storage.put" and call.args[1].endswith(".log"):
            raise NoSpace("no room")

    shop.tape.before = full
    shop.submit()
    shop.work()

    assert shop.job().state is JobState.FINISHED
    assert logs(shop) == ["none"]


def test_rule_10_a_name_that_is_no_unicode_can_be_told(shop: Workshop) -> None:
    shop.submit()
    shop.work(nommer=raising(SourceNotFound("there is no caf\udce9.mp4")))

    failure = shop.job().failure
    assert failure is not None
    assert failure.message == "there is no caf\\udce9.mp4"


class Outage:
    """The ``number``-th call to any port fails, before its effect or after it."""

    def __init__(self, shop: Workshop, number: int, moment: str) -> None:
        self.number, self.count = number, 0
        setattr(shop.tape, moment, self._meet)

    def _meet(self, call: Call) -> None:
        self.count += 1
        if self.count == self.number:
            raise ServiceUnavailable(f"no answer to {call.name}")

    @property
    def came(self) -> bool:
        return self.count >= self.number


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fan_out", [False, True])
def test_rule_1_an_outage_at_any_call_leaves_a_job_that_another_worker_finishes(
    tmp_path: Path, fan_out: bool, moment: str
) -> None:
    """Rules 1, 2 and 7: finished, published once, and nobody counted as dead for it."""
    number, came = 0, True
    while came:
        number += 1
        folder = tmp_path / f"{number}"
        folder.mkdir()
        shop = Workshop(folder)
        shop.submit(outputs=2)
        outage = Outage(shop, number, moment)
        maker = Maker(plan=FAN_OUT if fan_out else ())
        worker = shop.worker(nommer=maker)
        try:
            while worker.tick():
                pass
        except NommerError as error:
            assert error.code == "SERVICE_UNAVAILABLE"  # noqa: PT017
        came = outage.came
        shop.tape.before = shop.tape.after = None
        lost = LostWork(shop.engine, POLICY)
        for _ in range(6):
            shop.clock.advance(POLICY.put_again_after)
            lost.put_again()
            shop.drain(maker, for_leases=3)
            if shop.job().state.final:
                break

        assert shop.job().state is JobState.FINISHED, (number, shop.job())
        copies = [c.args[1] for c in shop.tape.calls if c.name == "storage.copy"]
        assert sorted(copies) == [f"{OUT}/0.mp4", f"{OUT}/1.mp4"], number
    assert number > 20


@pytest.mark.parametrize("fan_out", [False, True])
def test_rule_1_a_death_before_any_call_leaves_a_job_that_another_worker_finishes(
    tmp_path: Path, fan_out: bool
) -> None:
    """Rule 1: killed, so that not even the way out is taken."""
    number, came = 0, True
    while came:
        number, count = number + 1, 0
        folder = tmp_path / f"{number}"
        folder.mkdir()
        shop = Workshop(folder)
        shop.submit(outputs=2)

        def die(_call: Call, shop: Workshop = shop, number: int = number) -> None:
            nonlocal count
            count += 1
            if count >= number:
                raise SystemExit("killed")

        shop.tape.before = die
        maker = Maker(plan=FAN_OUT if fan_out else ())
        worker = shop.worker(nommer=maker)
        try:
            while worker.tick():
                pass
        except SystemExit:
            pass
        came = count >= number
        shop.tape.before = None
        lost = LostWork(shop.engine, POLICY)
        for _ in range(6):
            if shop.job().state.final:
                break
            shop.clock.advance(POLICY.put_again_after)
            lost.put_again()
            shop.drain(maker, for_leases=3)

        assert shop.job().state is JobState.FINISHED, (number, shop.job())
        assert all(o.state is OutputState.FINISHED for o in shop.job().outputs)
        assert len(shop.published()) == 2
    assert number > 20


def test_rule_2_an_outage_at_the_commit_throws_no_work_away(shop: Workshop) -> None:
    """Rule 2: ten minutes without a store; what was encoded is committed afterwards."""

    def silent(call: Call) -> None:
        swap = call.name == "store.swap_task" and call.args[0].outcome is Outcome.SUCCEEDED
        if swap and shop.clock.monotonic() < 600:
            raise ServiceUnavailable("the store does not answer")

    maker = Maker()
    shop.tape.before = silent
    shop.submit()
    shop.work(nommer=maker)

    assert shop.job().state is JobState.FINISHED
    assert (maker.made, shop.task().claims, shop.task().losses) == (1, 1, 0)


def test_rule_6_an_outage_in_mid_work_is_nobodys_failure(shop: Workshop) -> None:
    """Ten minutes without S3 must not cost a job that would have been done after."""
    shop.submit()
    away = raising(ServiceUnavailable("the storage does not answer"), times=20)

    while not shop.job().state.final:
        shop.work(nommer=away)
        shop.clock.advance(LEASE)

    task = shop.task()
    assert shop.job().state is JobState.FINISHED
    assert (task.failures, task.losses, task.claims) == (0, 0, 21)
    assert set(ends(shop)) == {AttemptEnd.HANDED_BACK, AttemptEnd.COMMITTED}


def test_rule_2_who_waits_for_a_store_lets_go_when_the_worker_leaves(
    shop: Workshop,
) -> None:
    shop.submit()
    held = shop.claim()

    def silent(call: Call) -> None:
        if call.name == "store.swap_task":
            raise ServiceUnavailable("the store does not answer")

    shop.tape.before = silent
    runner = shop.runner(pause=lambda _p: held.stop(HandedBack("leaving")))
    runner.run(held)
    shop.tape.before = None
    shop.clock.advance(LEASE)
    shop.drain()

    assert shop.job().state is JobState.FINISHED


@pytest.mark.parametrize("ending", [HandedBack("leaving"), ServiceUnavailable("no S3")])
def test_rule_6_a_hand_back_that_a_store_did_not_hear_is_tried_again(
    shop: Workshop, ending: NommerError
) -> None:
    """Else who leaves in good order would count as one that died."""
    shop.submit()
    held = shop.claim()
    silent = 5

    def fail(call: Call) -> None:
        nonlocal silent
        if call.name == "store.swap_task" and silent:
            silent -= 1
            raise ServiceUnavailable("the store does not answer")

    shop.tape.before = fail
    held.stop(HandedBack("leaving"))
    shop.runner(raising(ending)).run(held)

    assert ends(shop) == [AttemptEnd.HANDED_BACK]
    assert (shop.task().state, shop.task().losses) == (TaskState.READY, 0)


def test_rule_10_each_failure_of_one_output_has_its_own_reason(shop: Workshop) -> None:
    failure = EncodeError("too small", advice="Choose a larger one.")
    shop.submit(outputs=2)
    shop.work(nommer=raising(failure))

    assert [o.failure.advice if o.failure else "" for o in shop.job().outputs] == [
        "Choose a larger one."
    ] * 2
