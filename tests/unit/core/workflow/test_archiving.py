"""Rules 3 and 8: how a job leaves the store, and that neither death nor haste loses it."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.workshop import FAN_OUT, Call, Maker, Workshop
from typing_extensions import override

from media_nommer.adapters.memory import MemoryStorage, MemoryStore
from media_nommer.core.errors import (
    JobArchived,
    JobNotFound,
    ServiceUnavailable,
    StorageError,
)
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.tasks import Outcome
from media_nommer.core.wire import WIRE_VERSION, UnknownVersion
from media_nommer.core.workflow import archiving
from media_nommer.core.workflow.archiving import (
    JobArchive,
    archive_job,
    find_archived,
    look_up,
    whole_job,
)
from media_nommer.core.workflow.submitting import cancel, resume, retry, submit
from media_nommer.testing.samples import a_full_job, a_full_task, a_job, a_task

ID = JobId("job-0001")
DOCUMENT = "memory://work/w/archive/job-/job-0001.json"
DAY = timedelta(days=1)
EFFECTS = ("store.swap_job", "storage.put", "store.forget_job")


def archive(shop: Workshop) -> bool:
    return archive_job(shop.engine, ID, ended_by=shop.clock.now())


def two_runs(shop: Workshop) -> JobArchive:
    """Let a job come to its second end; return all that is to be kept of it."""
    shop.submit(outputs=2)
    shop.work(nommer=Maker(plan=FAN_OUT))
    retry(shop.engine, ID, whole=True)
    shop.work(nommer=Maker(plan=FAN_OUT))
    before = whole_job(shop.engine, ID)
    assert len(before.tasks) == 8
    shop.tape.calls.clear()
    return before


def check_archived(shop: Workshop, before: JobArchive) -> None:
    """Check that the archive has it all, and the store nothing."""
    found = find_archived(shop.engine, ID)
    assert found is not None
    assert found.tasks == before.tasks
    mark = {"archived_at": None, "revision": before.job.revision}
    assert replace(found.job, **mark) == before.job  # type: ignore[arg-type]
    assert found.job.archived_at is not None
    assert ID not in shop.store._jobs
    assert not shop.store._tasks


def test_rule_3_a_job_is_marked_then_its_document_put_then_its_record_forgotten(
    shop: Workshop,
) -> None:
    before = two_runs(shop)

    assert archive(shop)

    assert [name for name in shop.tape.names if name in EFFECTS] == list(EFFECTS)
    check_archived(shop, before)


def test_every_field_of_a_job_and_its_tasks_is_kept(shop: Workshop) -> None:
    job = shop.store.add_job(replace(a_full_job(), archived_at=None))
    shop.store.add_task(a_full_task().done(at=shop.clock.now()))
    (task,) = shop.store.tasks_of(job.id, 1)

    archive_job(shop.engine, job.id, ended_by=shop.clock.now() + DAY)

    found = find_archived(shop.engine, job.id)
    assert found is not None
    mark = {"archived_at": None, "revision": job.revision}
    assert replace(found.job, **mark) == job  # type: ignore[arg-type]
    assert found.tasks == (task,)


def a_running_job(shop: Workshop) -> None:
    shop.submit()
    shop.claim()


def a_young_job(shop: Workshop) -> None:
    shop.submit()
    cancel(shop.engine, ID)
    shop.changed(finished_at=shop.clock.now() + DAY)


def a_job_that_somebody_still_works_on(shop: Workshop) -> None:
    shop.submit()
    shop.claim()
    cancel(shop.engine, ID)


def no_job(shop: Workshop) -> None:
    """Leave the store empty."""


@pytest.mark.parametrize(
    "made", [a_running_job, a_young_job, a_job_that_somebody_still_works_on, no_job]
)
def test_what_is_not_over_for_long_enough_stays(
    shop: Workshop, made: Callable[[Workshop], None]
) -> None:
    made(shop)
    shop.tape.calls.clear()

    assert not archive(shop)

    assert not set(shop.tape.names) & set(EFFECTS)


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("late", [False, True])
def test_rule_3_a_death_at_any_point_is_made_good_by_the_next_round(
    shop: Workshop, effect: str, late: bool
) -> None:
    before = two_runs(shop)

    def die(call: Call) -> None:
        if call.name == effect:
            raise ServiceUnavailable("it dies here")

    setattr(shop.tape, "after" if late else "before", die)
    with pytest.raises(ServiceUnavailable):
        archive(shop)
    shop.tape.before = shop.tape.after = None
    assert whole_job(shop.engine, ID).tasks == before.tasks
    archive(shop)

    check_archived(shop, before)


def test_a_store_that_fails_half_way_through_forgetting_costs_no_task(
    shop: Workshop,
) -> None:
    """The tasks go before their job: what is left then must not become the document."""
    before = two_runs(shop)

    def half(call: Call) -> None:
        if call.name == "store.forget_job":
            mark = shop.job()
            MemoryStore.forget_job(shop.store, ID, 1)
            shop.store._jobs[ID] = mark
            raise ServiceUnavailable("it dies here")

    shop.tape.before = half
    with pytest.raises(ServiceUnavailable):
        archive(shop)
    shop.tape.before = None

    assert len(shop.store._tasks) == 4
    assert whole_job(shop.engine, ID).tasks == before.tasks
    archive(shop)
    check_archived(shop, before)


@pytest.mark.parametrize("moment", range(1, 12))
def test_two_who_archive_at_once_do_no_more_than_one(shop: Workshop, moment: int) -> None:
    before = two_runs(shop)
    calls = 0

    def meanwhile(_call: Call) -> None:
        nonlocal calls
        calls += 1
        if calls == moment:
            archive(shop)

    shop.tape.before = meanwhile
    archive(shop)
    shop.tape.before = None

    assert calls >= min(moment, 7)
    check_archived(shop, before)


@pytest.mark.parametrize("moment", range(1, 12))
def test_rule_8_a_retry_comes_before_the_archive_or_is_refused(
    shop: Workshop, moment: int
) -> None:
    """At each call of whoever archives: never is a job forgotten that runs again."""
    before = two_runs(shop)
    calls, retried = 0, False

    def meanwhile(_call: Call) -> None:
        nonlocal calls, retried
        calls += 1
        if calls == moment:
            with suppress(JobArchived):
                retried = retry(shop.engine, ID, whole=True).run == 3

    shop.tape.before = meanwhile
    went = archive(shop)
    shop.tape.before = None

    assert went is not retried
    if retried:
        assert shop.job().state is JobState.PENDING
        assert len(shop.store._tasks) == 9
        assert find_archived(shop.engine, ID) is None
    else:
        check_archived(shop, before)
        with pytest.raises(JobArchived, match="in the archive") as refused:
            retry(shop.engine, ID)
        assert "Submit it anew" in refused.value.advice


def test_a_reader_beside_whoever_archives_sees_the_whole_job(shop: Workshop) -> None:
    before = two_runs(shop)

    def meanwhile(call: Call) -> None:
        if call.name == "store.tasks_of" and call.args == (ID, 2):
            archive(shop)

    shop.tape.before = meanwhile

    assert whole_job(shop.engine, ID).tasks == before.tasks


def test_a_retry_is_refused_as_soon_as_the_job_is_marked(shop: Workshop) -> None:
    two_runs(shop)
    shop.store.swap_job(shop.job().archived(at=shop.clock.now()))

    with pytest.raises(JobArchived):
        retry(shop.engine, ID, whole=True)


def test_to_cancel_an_archived_job_changes_nothing(shop: Workshop) -> None:
    two_runs(shop)
    archive(shop)

    assert cancel(shop.engine, ID) == look_up(shop.engine, ID)

    assert ID not in shop.store._jobs


def test_rule_1_the_same_submission_beside_whoever_archives_is_the_same_job(
    shop: Workshop,
) -> None:
    two_runs(shop)

    def meanwhile(call: Call) -> None:
        if call.name == "store.get_job":
            archive(shop)

    shop.tape.before = meanwhile
    again = submit(shop.engine, shop.job_to_submit(outputs=2))
    shop.tape.before = None

    assert again.state is JobState.FINISHED
    assert not shop.store.list_jobs(JobFilter()).jobs


def test_a_job_that_was_seen_pending_and_is_archived_by_now_is_not_done_again(
    shop: Workshop,
) -> None:
    """Its task comes to life without a job: who takes it settles it and drops it."""
    pending = shop.submit()
    shop.work()
    archive(shop)

    resume(shop.engine, pending)
    assert shop.receive(shop.take()) is None

    assert shop.queue.depth() == 0
    assert shop.task().settled
    assert shop.task().outcome is Outcome.CANCELED
    assert ID not in shop.store._jobs


def test_a_job_of_a_restored_store_takes_the_place_of_its_older_document(
    shop: Workshop,
) -> None:
    """The store decides: it went back to before the job was archived, and ran again."""
    two_runs(shop)
    jobs, tasks = dict(shop.store._jobs), dict(shop.store._tasks)
    runs = {run: list(ids) for run, ids in shop.store._runs.items()}
    archive(shop)
    shop.store._jobs, shop.store._tasks, shop.store._runs = jobs, tasks, runs
    shop.clock.advance(DAY)
    retry(shop.engine, ID, whole=True)
    shop.work()
    before = whole_job(shop.engine, ID)

    archive(shop)

    check_archived(shop, before)
    assert before.job.run == 3


@pytest.mark.parametrize(
    "job_id", ["", "..", "../job-0001", "a/b", "%2e%2e", "x" * 200, "job 1", "jöb"]
)
def test_an_id_that_is_none_of_ours_is_never_looked_for_in_the_work_area(
    shop: Workshop, job_id: str
) -> None:
    class Unread(MemoryStorage):
        @override
        def read(self, url: str) -> bytes:
            raise AssertionError(f"{url} was read")

    engine = replace(shop.engine, storage=Unread())

    with pytest.raises(JobNotFound):
        look_up(engine, JobId(job_id))


def test_a_job_whose_id_may_not_stand_in_a_url_stays_in_the_store(shop: Workshop) -> None:
    ended = a_job().moved_to(JobState.CANCELED, at=shop.clock.now())
    job = shop.store.add_job(replace(ended, id=JobId("../x")))

    assert not archive_job(shop.engine, job.id, ended_by=shop.clock.now())


def test_a_document_of_a_newer_version_is_neither_read_nor_replaced(
    shop: Workshop,
) -> None:
    two_runs(shop)
    newer = json.dumps({"v": WIRE_VERSION + 1, "r": {}}).encode()
    shop.place(DOCUMENT, newer)

    with pytest.raises(UnknownVersion):
        archive(shop)

    assert shop.standing(DOCUMENT) == newer
    assert shop.job().run == 2


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"v":1,"r":{}}', b"\xff"])
def test_a_damaged_document_is_an_error_that_names_it(shop: Workshop, data: bytes) -> None:
    shop.place(DOCUMENT, data)

    with pytest.raises(StorageError, match="job-0001") as caught:
        look_up(shop.engine, ID)

    assert caught.value.advice


def test_a_machine_without_room_for_the_document_forgets_nothing(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_runs(shop)
    monkeypatch.setattr(archiving, "TemporaryDirectory", _no_room)

    with pytest.raises(StorageError, match="No space left"):
        archive(shop)

    assert shop.job().run == 2


def _no_room(*, prefix: str) -> object:
    raise OSError(28, "No space left on device", prefix)


def test_a_store_whose_list_lags_behind_is_no_trouble(shop: Workshop) -> None:
    """It names a job that is gone already."""
    two_runs(shop)
    archive(shop)

    assert not archive(shop)


class Lagging(MemoryStore):
    """A store in which somebody else changes the job right before each swap."""

    @override
    def swap_job(self, job: Job) -> Job:
        super().swap_job(replace(self.get_job(job.id), progress=0.5))
        return super().swap_job(job)


def test_a_job_that_changes_while_it_is_looked_at_stays(shop: Workshop) -> None:
    store = Lagging()
    ended = a_job().moved_to(JobState.CANCELED, at=shop.clock.now())
    store.add_job(ended)
    store.add_task(a_task().done(at=shop.clock.now()))

    engine = replace(shop.engine, store=store)

    assert not archive_job(engine, ended.id, ended_by=shop.clock.now())
    assert store.get_job(ended.id).archived_at is None
