"""What a worker that died had half-put at a destination goes, and nobody else's does."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import structlog
from tests.workshop import OUT, Call, Workshop

from media_nommer.core.errors import AccessDenied, NommerError, ServiceUnavailable
from media_nommer.core.jobs import JobState
from media_nommer.core.workflow.archiving import archive_job
from media_nommer.core.workflow.submitting import cancel, retry
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.testing.samples import MINUTE

Asked = list[tuple[tuple[str, ...], datetime, datetime]]
POLICY = JanitorPolicy()
SKEW = timedelta(minutes=15)


@pytest.fixture
def asked(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the storage was asked to drop: where, and begun from when to when."""
    asked: Asked = []

    def drop(urls: Sequence[str], *, since: datetime, until: datetime) -> int:
        asked.append((tuple(urls), since, until))
        return 1

    monkeypatch.setattr(shop.storage, "drop_unfinished", drop)
    return asked


def die_at_the_first_copy(shop: Workshop) -> None:
    def die(call: Call) -> None:
        if call.name == "storage.copy":
            raise SystemExit("killed")

    shop.tape.before = die
    with pytest.raises(SystemExit):
        shop.runner().run(shop.claim())
    shop.tape.before = None


def leave_a_run_behind(shop: Workshop) -> None:
    """Have a worker die while it publishes, and the job end without another one."""
    job = shop.submit()
    die_at_the_first_copy(shop)
    shop.place(f"memory://work/w/jobs/{job.id}/r1/inspect/c1/out.mp4", b"x")
    cancel(shop.engine, job.id)


def test_a_worker_alone_on_a_job_looks_for_nothing(shop: Workshop, asked: Asked) -> None:
    shop.submit()

    shop.work()

    assert shop.job().state is JobState.FINISHED
    assert asked == []


def test_the_next_worker_drops_what_the_last_one_had_begun(
    shop: Workshop, asked: Asked
) -> None:
    job = shop.submit(outputs=2)
    die_at_the_first_copy(shop)

    shop.drain()

    assert shop.job().state is JobState.FINISHED
    ((urls, since, until),) = asked
    assert urls == (f"{OUT}/0.mp4", f"{OUT}/1.mp4")
    assert since == job.created_at - SKEW
    assert until <= shop.clock.now() + SKEW


def test_the_next_worker_drops_what_the_last_one_was_sending_to_the_work_area(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only of the same task: others of the run may be at work."""
    swept: list[tuple[str, timedelta]] = []
    monkeypatch.setattr(
        shop.storage, "sweep", lambda url, age: swept.append((url, age)) or 1
    )
    job = shop.submit()
    die_at_the_first_copy(shop)
    before = list(swept)

    shop.drain()

    assert before == []
    assert swept == [(f"memory://work/w/jobs/{job.id}/r1/inspect", -SKEW)]


def test_a_work_area_that_cannot_be_swept_keeps_nobody_from_work(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_url: str, _age: timedelta) -> int:
        raise AccessDenied("no")

    monkeypatch.setattr(shop.storage, "sweep", refused)
    shop.submit()
    die_at_the_first_copy(shop)

    shop.drain()

    assert shop.job().state is JobState.FINISHED


def test_the_next_run_drops_what_the_last_one_had_begun(
    shop: Workshop, asked: Asked
) -> None:
    job = shop.submit()
    die_at_the_first_copy(shop)
    cancel(shop.engine, job.id)
    retry(shop.engine, job.id, whole=True)

    shop.work()

    assert shop.job().state is JobState.FINISHED
    assert asked[0][0] == (f"{OUT}/0.mp4",)


def test_what_nobody_came_for_goes_with_the_rest_of_the_run(
    shop: Workshop, asked: Asked
) -> None:
    leave_a_run_behind(shop)
    shop.clock.advance(POLICY.keep_runs_for)

    Janitor(shop.engine, shop.policy, POLICY).tidy()

    job = shop.job()
    assert job.finished_at is not None
    assert asked == [
        ((f"{OUT}/0.mp4",), job.created_at - SKEW, job.finished_at + SKEW),
    ]
    Janitor(shop.engine, shop.policy, POLICY).tidy()
    assert len(asked) == 1


def test_a_job_in_the_archive_is_tidied_up_after_as_well(
    shop: Workshop, asked: Asked
) -> None:
    leave_a_run_behind(shop)
    shop.clock.advance(POLICY.keep_runs_for)
    task = shop.task()
    shop.store.swap_task(replace(task, claim=None).done(at=shop.clock.now()))
    assert archive_job(shop.engine, task.job_id, ended_by=shop.clock.now())

    Janitor(shop.engine, shop.policy, POLICY).tidy()

    assert [urls for urls, _, _ in asked] == [(f"{OUT}/0.mp4",)]


@pytest.mark.parametrize(
    ("trouble", "left"),
    [
        pytest.param(AccessDenied("may not list"), False, id="never allowed"),
        pytest.param(ServiceUnavailable("no answer"), True, id="away for now"),
    ],
)
def test_where_it_may_not_be_looked_for_that_is_said_and_holds_up_nothing(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, trouble: NommerError, left: bool
) -> None:
    leave_a_run_behind(shop)
    shop.clock.advance(POLICY.keep_runs_for + MINUTE)

    def refuse(*_urls: object, **_times: object) -> int:
        raise trouble

    monkeypatch.setattr(shop.storage, "drop_unfinished", refuse)
    with structlog.testing.capture_logs() as said:
        Janitor(shop.engine, shop.policy, POLICY).tidy()

    (warning,) = [line for line in said if line["event"] == "uploads_left"]
    assert warning["log_level"] == "warning"
    runs = [url for url in shop.storage.list("memory://work/w/jobs") if "/r1/" in url]
    assert bool(runs) is left
