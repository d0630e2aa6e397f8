"""Rules 1, 3 and 9: in which order effects happen, and that each may happen twice."""

import itertools

import pytest
from tests.workshop import FAN_OUT, POLICY, SECOND, Call, Maker, Workshop

from media_nommer.core.errors import HandedBack, IllegalTransition, ServiceUnavailable
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import Outcome, Result, TaskState
from media_nommer.core.workflow.claims import HeldTask
from media_nommer.core.workflow.following import follow_up, next_tasks
from media_nommer.core.workflow.lost import LostWork, let_go_of
from media_nommer.core.workflow.submitting import begin_run, cancel, retry, submit
from media_nommer.ec2nommerd.nommers.work import Work


def commit(held: HeldTask, result: Result) -> None:
    held.change(
        lambda task: task.committed(Outcome.SUCCEEDED, at=task.changed_at, result=result)
    )


def planned(shop: Workshop) -> None:
    """Bring a job to where its encode and its audio task are free."""
    shop.submit(outputs=2)
    held = shop.claim()
    commit(held, Result(plan=FAN_OUT))
    follow_up(shop.engine, held)


def test_rule_3_a_submission_is_the_job_then_its_task_then_the_message(
    shop: Workshop,
) -> None:
    shop.submit()

    assert shop.tape.names == ["store.add_job", "store.add_task", "queue.put"]


def test_rule_3_what_follows_is_recorded_then_put_then_settled_then_removed(
    shop: Workshop,
) -> None:
    shop.submit(outputs=2)
    held = shop.claim()
    commit(held, Result(plan=FAN_OUT))
    shop.tape.calls.clear()

    follow_up(shop.engine, held)

    writes = [n for n in shop.tape.names if n not in {"store.get_job", "store.tasks_of"}]
    assert writes == [
        *("store.add_task", "queue.put", "store.add_task", "queue.put"),
        *("store.swap_task", "queue.done"),
    ]
    assert shop.tape.calls[-2].args[0].state is TaskState.SETTLED


def test_rule_3_a_publication_is_over_before_its_task_is_settled(shop: Workshop) -> None:
    shop.submit()
    shop.work()

    last_job = shop.tape.last("store.swap_job")
    settled = shop.tape.last("store.swap_task")
    assert shop.tape.calls[last_job].args[0].state is JobState.FINISHED
    assert shop.tape.calls[settled].args[0].state is TaskState.SETTLED
    assert last_job < settled < shop.tape.last("queue.done")


def test_rule_3_a_hand_back_is_recorded_before_the_message_is_put(shop: Workshop) -> None:
    shop.submit()

    def leave(work: Work) -> None:
        raise HandedBack("the worker is leaving")

    shop.runner(Maker(trouble=leave)).run(shop.claim())

    put = shop.tape.last("queue.put")
    assert shop.tape.names[put - 1] == "store.swap_task"
    assert shop.tape.calls[put - 1].args[0].state is TaskState.READY
    assert shop.queue.depth() == 1


def test_rule_3_a_re_put_is_recorded_before_the_message_is_put(shop: Workshop) -> None:
    shop.submit()
    shop.clock.advance(POLICY.put_again_after)
    shop.tape.calls.clear()

    LostWork(shop.engine, POLICY).put_again()

    assert shop.tape.first("store.swap_task") < shop.tape.first("queue.put")


def test_rule_3_a_dead_nodes_task_is_set_free_before_the_message_is_put(
    shop: Workshop,
) -> None:
    shop.submit()
    shop.claim("node-1")
    shop.tape.calls.clear()

    let_go_of(shop.engine, NodeId("node-1"))

    assert shop.tape.first("store.swap_task") < shop.tape.first("queue.put")


def test_rule_3_to_follow_up_twice_is_to_follow_up_once(shop: Workshop) -> None:
    shop.submit(outputs=2)
    held = shop.claim()
    commit(held, Result(plan=FAN_OUT))

    def die(call: Call) -> None:
        if call.name == "store.swap_task":
            raise ServiceUnavailable("it dies before its task is settled")

    shop.tape.before = die
    with pytest.raises(ServiceUnavailable):
        follow_up(shop.engine, held)
    shop.tape.before = None
    before = {task.id: task for task in shop.store.tasks_of(held.task.job_id, 1)}
    follow_up(shop.engine, held)

    after = {task.id: task for task in shop.store.tasks_of(held.task.job_id, 1)}
    first = held.task.id
    assert set(before) == {first, shop.task_id("encode-0"), shop.task_id("audio-0")}
    assert {**after, first: None} == {**before, first: None}
    assert shop.tape.names.count("queue.put") == 3  # of the job's first task, and of two
    assert shop.queue.depth() == 2


@pytest.mark.parametrize("moment", range(1, 8))
def test_rule_3_two_siblings_that_commit_at_once_create_what_follows_once(
    shop: Workshop, moment: int
) -> None:
    """Rule 3: one commits and follows up before any one of the other's calls."""
    planned(shop)
    one, two = shop.claim("a"), shop.claim("b")
    calls = 0

    def meanwhile(_call: Call) -> None:
        nonlocal calls
        calls += 1
        if calls == moment:
            commit(two, Result())
            follow_up(shop.engine, two)

    shop.tape.before = meanwhile
    commit(one, Result())
    follow_up(shop.engine, one)
    shop.tape.before = None
    if calls < moment:
        commit(two, Result())
        follow_up(shop.engine, two)

    tasks = shop.store.tasks_of(one.task.job_id, 1)
    assert [t.key for t in tasks].count("assemble-0") == 1
    assert shop.take().task_id == shop.task_id("assemble-0")
    assert shop.queue.depth() == 1


@pytest.mark.parametrize("moment", range(1, 6))
def test_rule_3_two_that_both_see_what_follows_put_one_message_for_it(
    shop: Workshop, moment: int
) -> None:
    """Rule 3: both had committed before either read its siblings."""
    planned(shop)
    shop.queue._duplicates = True  # as on SQS, where a needless put is a second message
    one, two = shop.claim("a"), shop.claim("b")
    commit(one, Result())
    commit(two, Result())
    calls = 0

    def meanwhile(_call: Call) -> None:
        nonlocal calls
        calls += 1
        if calls == moment:
            follow_up(shop.engine, two)

    shop.tape.before = meanwhile
    follow_up(shop.engine, one)

    assert calls >= moment
    assert shop.queue.depth() == 1
    assert shop.take().task_id == shop.task_id("assemble-0")


def test_rule_3_what_needs_others_waits_for_all_of_them(shop: Workshop) -> None:
    planned(shop)
    one, two = shop.claim(), shop.claim()
    commit(one, Result())
    follow_up(shop.engine, one)

    assert next_tasks(FAN_OUT, shop.store.tasks_of(one.task.job_id, 1)) == ()
    commit(two, Result())
    after = next_tasks(FAN_OUT, shop.store.tasks_of(one.task.job_id, 1))
    assert [each.key for each in after] == ["assemble-0"]


def test_rule_1_a_death_between_any_two_effects_of_a_submission_is_made_good(
    shop: Workshop,
) -> None:
    """Rules 1 and 4: what was recorded ends, however far the submitter got."""
    for number, effect in enumerate(("store.add_task", "queue.put"), 1):

        def die(call: Call, effect: str = effect) -> None:
            if call.name == effect:
                raise ServiceUnavailable("it dies here")

        shop.tape.before = die
        with pytest.raises(ServiceUnavailable):
            shop.submit(number)
        shop.tape.before = None
    lost = LostWork(shop.engine, POLICY)

    assert lost.put_again() == 0
    shop.clock.advance(POLICY.put_again_after)
    assert lost.put_again() == 2
    shop.work(nommer=Maker(keys=lambda i: (f"{shop.clock.now():%S}-{i}.mp4",)))

    assert shop.job(2).state.final
    assert shop.job(1).state.final


def test_rule_1_the_same_submission_again_is_the_same_job(shop: Workshop) -> None:
    first = shop.submit()
    shop.clock.advance(SECOND)

    again = submit(shop.engine, shop.job_to_submit())

    assert again.created_at == first.created_at
    assert shop.queue.depth() == 1


def test_rule_1_the_same_submission_of_a_final_job_begins_nothing(shop: Workshop) -> None:
    shop.submit()
    shop.work()

    again = submit(shop.engine, shop.job_to_submit())

    assert again.state is JobState.FINISHED
    assert shop.queue.depth() == 0


def test_a_run_is_begun_once(shop: Workshop) -> None:
    job = shop.submit()

    assert not begin_run(shop.engine, job)
    assert shop.queue.depth() == 1


def test_rule_9_every_change_of_a_jobs_state_is_one_swap_with_its_event(
    shop: Workshop,
) -> None:
    job = shop.submit()
    shop.work()
    retry(shop.engine, job.id, whole=True)
    cancel(shop.engine, job.id)

    versions: list[Job] = [shop.tape.calls[0].args[0]]
    versions += [c.args[0] for c in shop.tape.calls if c.name == "store.swap_job"]
    for before, after in itertools.pairwise(versions):
        new = after.events[len(before.events) :]
        assert after.events[: len(before.events)] == before.events
        if after.state is before.state:
            assert new == ()
        else:
            assert [e.kind for e in new][-1] == f"job.{after.state}"
            assert new[-1].run == after.run
    assert [(e.number, e.kind, e.run) for e in shop.job().events] == [
        (1, "job.running", 1),
        (2, "job.finished", 1),
        (3, "job.pending", 2),
        (4, "job.canceled", 2),
    ]


def test_rule_9_two_retries_at_once_are_one_run(shop: Workshop) -> None:
    job = shop.submit()
    shop.work()
    retried = False

    def meanwhile(call: Call) -> None:
        nonlocal retried
        if call.name == "store.swap_job" and not retried:
            retried = True
            retry(shop.engine, job.id, whole=True)

    shop.tape.before = meanwhile
    with pytest.raises(IllegalTransition, match="does not lead"):
        retry(shop.engine, job.id, whole=True)

    assert shop.job().run == 2
    assert shop.queue.depth() == 1
