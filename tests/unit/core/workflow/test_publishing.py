"""Rules 7 and 8: publication is recorded first; it, cancel and failure meet on a record."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.workshop import FAN_OUT, OUT, Call, Maker, Workshop, bytes_of

from media_nommer.adapters.memory import MemoryStorage
from media_nommer.core.errors import (
    Failure,
    MediaError,
    ServiceUnavailable,
    StorageError,
)
from media_nommer.core.jobs import Job, JobState, OutputState
from media_nommer.core.ports.storage import PLAIN, StoredObject, Traits
from media_nommer.core.workflow.submitting import cancel, retry, submit
from media_nommer.ec2nommerd.nommers.work import Work

STRANGE = b"somebody else's film"
SOME = Failure(code="ENCODE", message="it cannot be made")


def first(shop: Workshop) -> bytes:
    return bytes_of(shop.task(), 1, "0.mp4")


def test_rule_7_what_is_published_is_on_record_before_the_first_byte(
    shop: Workshop,
) -> None:
    seen: list[Job] = []

    def look(call: Call) -> None:
        if call.name == "storage.copy":
            seen.append(shop.job())

    shop.tape.before = look
    shop.submit(outputs=2)
    shop.work()

    assert len(seen) == 2
    for job in seen:
        assert job.publication == f"{shop.task().id}.c1"
        assert [f.url for o in job.outputs for f in o.files] == [
            f"{OUT}/0.mp4",
            f"{OUT}/1.mp4",
        ]
        assert all(len(f.sha256) == 64 and f.size for o in job.outputs for f in o.files)


@pytest.mark.parametrize(
    ("if_exists", "standing", "state"),
    [
        ("fail", None, JobState.FINISHED),
        ("fail", STRANGE, JobState.FAILED),
        ("replace", None, JobState.FINISHED),
        ("replace", STRANGE, JobState.FINISHED),
    ],
)
def test_rule_7_what_stands_there_is_replaced_only_where_that_was_asked_for(
    shop: Workshop, if_exists: str, standing: bytes | None, state: JobState
) -> None:
    if standing:
        shop.place(f"{OUT}/0.mp4", standing)
    shop.submit(if_exists=if_exists)

    shop.work()

    assert shop.job().state is state
    expected = first(shop) if state is JobState.FINISHED else standing
    assert shop.standing(f"{OUT}/0.mp4") == expected


@pytest.mark.parametrize(
    ("if_exists", "code"), [("fail", "OUTPUT_EXISTS"), ("replace", "OUTPUT_CHANGED")]
)
def test_rule_7_what_a_stranger_writes_after_the_record_is_not_written_over(
    shop: Workshop, if_exists: str, code: str
) -> None:
    if if_exists == "replace":
        shop.place(f"{OUT}/0.mp4", b"an older one")

    def meddle(call: Call) -> None:
        if call.name == "storage.copy":
            shop.tape.before = None
            shop.place(f"{OUT}/0.mp4", STRANGE)

    shop.tape.before = meddle
    shop.submit(outputs=2, if_exists=if_exists)
    shop.work()

    job = shop.job()
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == code
    assert [o.state for o in job.outputs] == [OutputState.FAILED, OutputState.FINISHED]
    assert shop.standing(f"{OUT}/0.mp4") == STRANGE
    assert shop.standing(f"{OUT}/1.mp4") is not None


def test_rule_7_a_matching_object_found_there_is_ours(shop: Workshop) -> None:
    """Rule 7: a death after the copy and before its record is no stranger's work."""

    def die(call: Call) -> None:
        if call.name == "storage.copy":
            shop.tape.after = None
            raise RuntimeError("killed")

    shop.tape.after = die
    shop.submit()
    held = shop.claim()
    shop.runner().run(held)  # its failure is written down, and it is tried again
    shop.drain()

    assert shop.job().state is JobState.FINISHED
    assert shop.tape.names.count("storage.copy") == 1


@pytest.mark.parametrize("if_exists", ["fail", "replace"])
@pytest.mark.parametrize("copies", range(4))
def test_rule_7_another_worker_goes_on_with_a_publication_begun(
    shop: Workshop, copies: int, if_exists: str
) -> None:
    """Rule 7: what is in place stays as it is, the rest is put as recorded."""
    if if_exists == "replace":
        shop.place(f"{OUT}/1.mp4", b"an older one")
    done = 0

    def die(call: Call) -> None:
        nonlocal done
        if call.name == "storage.copy":
            if done == copies:
                raise SystemExit("killed")
            done += 1

    shop.submit(outputs=3, if_exists=if_exists)
    shop.tape.before = die
    if copies < 3:
        with pytest.raises(SystemExit):
            shop.runner().run(shop.claim())
    else:
        shop.runner().run(shop.claim())
    shop.tape.before = None
    shop.drain()

    assert shop.job().state is JobState.FINISHED
    assert shop.job().publication == f"{shop.task().id}.c1"
    assert shop.published() == {
        f"{i}.mp4": bytes_of(shop.task(), 1, f"{i}.mp4") for i in range(3)
    }
    assert shop.tape.names.count("storage.copy") == 3


def test_rule_7_a_second_run_replaces_what_the_first_one_put_there(shop: Workshop) -> None:
    job = shop.submit()
    shop.work()
    retry(shop.engine, job.id, whole=True)

    shop.work()

    assert shop.job().state is JobState.FINISHED
    assert shop.published() == {"0.mp4": bytes_of(shop.task(run=2), 1, "0.mp4")}


def test_rule_7_a_second_run_leaves_what_a_stranger_put_in_place_of_ours(
    shop: Workshop,
) -> None:
    job = shop.submit()
    shop.work()
    shop.place(f"{OUT}/0.mp4", STRANGE)
    retry(shop.engine, job.id, whole=True)

    shop.work()

    assert shop.job().state is JobState.FAILED
    assert shop.published() == {"0.mp4": STRANGE}


def test_rule_7_ours_is_known_after_a_run_that_was_stopped_before_it_replaced_it(
    shop: Workshop,
) -> None:
    """Rule 7: run 2 recorded what it would replace, and was canceled; run 3 may go on."""
    job = shop.submit()
    shop.work()
    retry(shop.engine, job.id, whole=True)

    def stop(call: Call) -> None:
        if call.name == "storage.copy":
            shop.tape.before = None
            cancel(shop.engine, job.id)

    shop.tape.before = stop
    shop.work()
    assert shop.published() == {"0.mp4": bytes_of(shop.task(run=1), 1, "0.mp4")}
    retry(shop.engine, job.id)

    shop.work()

    assert shop.job().state is JobState.FINISHED
    assert shop.published() == {"0.mp4": bytes_of(shop.task(run=3), 1, "0.mp4")}


def test_rule_7_a_retry_leaves_alone_what_is_in_place(shop: Workshop) -> None:
    job = shop.submit(outputs=2)
    shop.work(nommer=Maker(failures={1: SOME}))
    assert [o.state for o in shop.job().outputs] == [
        OutputState.FINISHED,
        OutputState.FAILED,
    ]
    before = shop.job().outputs[0]
    retry(shop.engine, job.id)

    shop.work()

    assert shop.job().state is JobState.FINISHED
    assert shop.job().outputs[0] == before
    assert shop.published()["0.mp4"] == bytes_of(shop.task(run=1), 1, "0.mp4")


def test_rule_7_a_destination_that_fails_for_now_is_tried_again_without_encoding_again(
    shop: Workshop,
) -> None:
    def fail(call: Call) -> None:
        if call.name == "storage.copy":
            shop.tape.before = None
            raise StorageError("the disk is away")

    shop.tape.before = fail
    maker = Maker()
    shop.submit()
    shop.work(nommer=maker)
    assert shop.job().state is JobState.RUNNING
    shop.drain(maker)

    assert shop.job().state is JobState.FINISHED
    assert maker.made == 1
    assert shop.job().publication == f"{shop.task().id}.c1"


def stopped(shop: Workshop) -> None:
    cancel(shop.engine, shop.job().id)


def run_with(shop: Workshop, moment: int, act: Callable[[Workshop], None]) -> bool:
    """Work on a job of two outputs; ``act`` before one of the calls. Return if it came."""
    count = 0

    def meanwhile(_call: Call) -> None:
        nonlocal count
        count += 1
        if count == moment:
            act(shop)

    shop.submit(outputs=2)
    shop.tape.before = meanwhile
    shop.work(nommer=Maker())
    shop.tape.before = None
    return count >= moment


@pytest.mark.parametrize("moment", range(1, 46))
def test_rule_8_a_job_canceled_before_any_call_ends_once_and_tells_what_is_there(
    shop: Workshop, moment: int
) -> None:
    """Rule 8: whoever swaps first decides; a file that slid into place is on record."""
    came = run_with(shop, moment, stopped)
    shop.drain()

    job = shop.job()
    ends = [e.kind for e in job.events if e.kind not in {"job.running", "job.pending"}]
    assert ends == [f"job.{job.state}"]
    assert job.state in {JobState.CANCELED, JobState.FINISHED}
    assert came or job.state is JobState.FINISHED
    there = {o.name for o in job.outputs if o.state is OutputState.FINISHED}
    assert set(shop.published()) == there
    assert (job.progress == 1.0) == (job.state is JobState.FINISHED)
    assert shop.task().settled
    assert shop.queue.depth() == 0


@pytest.mark.parametrize("moment", range(1, 46))
def test_rule_8_a_retry_in_mid_publication_is_not_disturbed_by_the_run_before(
    shop: Workshop, moment: int
) -> None:
    def start_again(shop: Workshop) -> None:
        job = cancel(shop.engine, shop.job().id)
        if job.state is JobState.CANCELED:
            retry(shop.engine, job.id)

    run_with(shop, moment, start_again)
    shop.drain()

    job = shop.job()
    assert job.state in {JobState.FINISHED, JobState.FAILED}
    for output in job.outputs:
        for file in output.files if output.state is OutputState.FINISHED else ():
            assert shop.storage.holds(file.url, size=file.size, sha256=file.sha256)
    failures = [o.failure.code for o in job.outputs if o.failure]
    assert failures in ([], ["OUTPUT_EXISTS"])  # a put of the old run slid in: it stays


def test_rule_8_canceled_while_a_put_slides_in_is_recorded_truthfully(
    shop: Workshop,
) -> None:
    def slide(call: Call) -> None:
        if call.name == "storage.copy":
            shop.tape.after = None
            cancel(shop.engine, shop.job().id)

    shop.tape.after = slide
    shop.submit(outputs=2)
    shop.work()

    job = shop.job()
    assert job.state is JobState.CANCELED
    assert [o.state for o in job.outputs] == [OutputState.FINISHED, OutputState.CANCELED]
    assert list(shop.published()) == ["0.mp4"]
    assert job.progress < 1


def test_rule_8_a_failure_and_a_cancel_meet_on_one_revision(shop: Workshop) -> None:
    def meanwhile(call: Call) -> None:
        if call.name == "store.swap_job" and call.args[0].state is JobState.FAILED:
            shop.tape.before = None
            cancel(shop.engine, shop.job().id)

    def damaged(_work: Work) -> None:
        raise MediaError("it is no film")

    shop.tape.before = meanwhile
    shop.submit()
    shop.work(nommer=Maker(trouble=damaged))

    assert shop.job().state is JobState.CANCELED
    assert shop.job().failure is None
    assert [e.kind for e in shop.job().events] == ["job.canceled"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_rule_8_nothing_is_fanned_out_from_a_final_job(shop: Workshop, when: str) -> None:
    job = shop.submit(outputs=2)

    def end(work: Work) -> None:
        cancel(shop.engine, job.id)

    maker = Maker(plan=FAN_OUT, trouble=end if when == "after" else lambda _w: None)
    if when == "before":
        delivery = shop.take()
        cancel(shop.engine, job.id)
        assert shop.receive(delivery) is None
    else:
        shop.work(nommer=maker)

    assert [t.key for t in shop.store.tasks_of(job.id, 1)] == ["inspect"]
    assert shop.task().settled
    assert shop.queue.depth() == 0


def test_rule_8_a_job_is_looked_at_right_before_each_put(shop: Workshop) -> None:
    """Rule 8: the storage asks between its pieces, and finds the job canceled."""

    def stop(call: Call) -> None:
        if call.name == "storage.copy":
            cancel(shop.engine, shop.job().id)

    shop.submit(outputs=2)
    shop.tape.before = stop
    shop.work()

    assert shop.job().state is JobState.CANCELED
    assert shop.published() == {}


def test_rule_7_an_outage_in_mid_publication_is_waited_for(shop: Workshop) -> None:
    """Rules 2 and 7: a ten-minute outage is harmless; nothing is encoded again."""
    ends = 600.0

    def silent(call: Call) -> None:
        began = "storage.copy" in shop.tape.names
        if began and call.port == "store" and shop.clock.monotonic() < ends:
            raise ServiceUnavailable("the store does not answer")

    shop.tape.before = silent
    maker = Maker()
    shop.submit(outputs=2)
    shop.work(nommer=maker)

    assert shop.job().state is JobState.FINISHED
    assert (maker.made, shop.task().losses, shop.task().claims) == (1, 0, 1)
    assert shop.clock.monotonic() >= ends


def test_objects_are_published_as_their_output_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Traits] = {}
    copy = MemoryStorage.copy

    def remembering(self: MemoryStorage, source: str, url: str, **how: Any) -> StoredObject:
        seen[url] = how["traits"]
        return copy(self, source, url, **how)

    monkeypatch.setattr(MemoryStorage, "copy", remembering)
    shop = Workshop(tmp_path)
    wanted = {"cache_control": "max-age=60", "content_type": None, "kms_key": None}
    job = shop.job_to_submit(outputs=2)
    outputs = [{"object": wanted}, {"object": None}]
    submit(shop.engine, replace(job, recipe={**job.recipe, "outputs": outputs}))
    shop.work()

    assert seen == {
        f"{OUT}/0.mp4": Traits(cache_control="max-age=60"),
        f"{OUT}/1.mp4": PLAIN,
    }
