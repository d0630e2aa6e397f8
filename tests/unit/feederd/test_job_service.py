from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.adapters.objects import FileStorage, RoutedStorage, file_url
from media_nommer.core.errors import (
    BadRequest,
    IdempotencyConflict,
    IllegalTransition,
    InvalidRecipe,
    JobNotFound,
    NommerError,
    PathNotAllowed,
    SourceNotFound,
    UnknownPreset,
    UnsupportedUrl,
)
from media_nommer.core.jobs import Job, JobState, Phase
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import Outcome, PlannedTask, Result, Task, TaskKind
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.new_jobs import new_job_id
from media_nommer.feederd.progress import ALMOST, progress_of
from media_nommer.feederd.service import JobService
from media_nommer.feederd.views import JobView
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import MINUTE, a_full_job, a_job, a_task

NODE = NodeId("node-1")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "in.mov").write_bytes(b"film")
    return folder


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    return Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


@pytest.fixture
def service(engine: Engine, films: Path) -> JobService:
    outside = RoutedStorage({"file": lambda: FileStorage([films])})
    return JobService(engine=engine, outside=outside)


@pytest.fixture
def document(films: Path) -> dict[str, object]:
    return {
        "inputs": [{"url": file_url(films / "in.mov")}],
        "destination": file_url(films / "out"),
    }


def test_an_accepted_job_is_on_record_and_on_the_queue(
    service: JobService, engine: Engine, document: dict[str, object]
) -> None:
    """Rule 1."""
    job = service.submit(document)

    assert engine.store.get_job(job.id).state is JobState.PENDING
    assert engine.queue.take(MINUTE) is not None


def test_presets_are_resolved_when_a_job_is_accepted(
    service: JobService, document: dict[str, object]
) -> None:
    """A preset that changes later changes no job that was accepted."""
    outputs = [{"preset": "web-small"}, {"preset": "mp3"}]

    job = service.submit(document | {"outputs": outputs})

    assert [output.name for output in job.outputs] == ["in-small.mp4", "in.mp3"]
    assert "'preset':" not in str(job.recipe)


def test_whoever_starts_nodes_hears_of_a_new_job(
    service: JobService, document: dict[str, object]
) -> None:
    heard: list[str] = []
    service = replace(service, on_new_work=lambda: heard.append("job"))

    service.submit(document)

    assert heard == ["job"]


@pytest.mark.parametrize(
    ("changes", "error", "word"),
    [
        ({"destination": None}, InvalidRecipe, "destination"),
        ({"destination": "gopher://x/"}, UnsupportedUrl, "gopher"),
        ({"destination": "file:///elsewhere"}, PathNotAllowed, "/elsewhere"),
        ({"inputs": [{"url": "http2://x"}]}, UnsupportedUrl, "http2"),
        ({"inputs": [{"url": "in.mov"}]}, UnsupportedUrl, "in.mov"),
        ({"inputs": [{"url": "file:///etc/passwd"}]}, PathNotAllowed, "/etc/passwd"),
        ({"outputs": [{"preset": "wob"}]}, UnknownPreset, "web"),
        ({"outputs": [{"kind": "file", "video": {"hight": 1}}]}, InvalidRecipe, "height"),
        ({"oops": 1}, InvalidRecipe, "oops"),
    ],
)
def test_a_job_that_cannot_be_done_is_refused_and_leaves_nothing(
    service: JobService,
    engine: Engine,
    document: dict[str, object],
    changes: dict[str, object],
    error: type[NommerError],
    word: str,
) -> None:
    with pytest.raises(error, match=word):
        service.submit(document | changes)

    assert engine.store.list_jobs().jobs == ()
    assert engine.queue.depth() == 0


def test_a_file_that_is_not_there_is_told_at_once(
    service: JobService, document: dict[str, object], films: Path
) -> None:
    (films / "in.mov").unlink()

    with pytest.raises(SourceNotFound, match=r"in\.mov"):
        service.submit(document)


def test_a_link_does_not_lead_out_of_the_roots(
    service: JobService, document: dict[str, object], films: Path
) -> None:
    """Rule 13."""
    (films / "in.mov").unlink()
    (films / "in.mov").symlink_to("/etc/passwd")

    with pytest.raises(PathNotAllowed):
        service.submit(document)


def test_the_same_key_and_caller_are_the_same_job(
    service: JobService, engine: Engine, document: dict[str, object], films: Path
) -> None:
    first = service.submit(document, idempotency_key="k", caller="me")
    (films / "in.mov").unlink()  # it is not looked at a second time

    again = service.submit(document, idempotency_key="k", caller="me")

    assert again.id == first.id
    assert len(engine.store.list_jobs().jobs) == 1


def test_another_caller_or_key_is_another_job(
    service: JobService, document: dict[str, object]
) -> None:
    keys = [("k", "me"), ("k", "you"), ("l", "me"), (None, "me"), (None, "me")]

    ids = {
        service.submit(document, idempotency_key=key, caller=caller).id
        for key, caller in keys
    }

    assert len(ids) == len(keys)


def test_a_key_that_stands_for_another_job_is_refused(
    service: JobService, document: dict[str, object]
) -> None:
    service.submit(document, idempotency_key="k")

    with pytest.raises(IdempotencyConflict):
        service.submit(document | {"tags": {"a": "b"}}, idempotency_key="k")


def test_a_repeat_begins_the_job_whose_submitter_died(
    service: JobService, engine: Engine, document: dict[str, object]
) -> None:
    job = service.submit(document, idempotency_key="k")
    delivery = engine.queue.take(MINUTE)
    assert delivery is not None
    engine.store.swap_task(
        engine.store.get_task(delivery.task_id).done(at=engine.clock.now())
    )
    assert isinstance(engine.store, MemoryStore)
    forgetful = replace(engine, store=MemoryStore())
    forgetful.store.add_job(job)

    replace(service, engine=forgetful).submit(document, idempotency_key="k")

    assert len(forgetful.store.tasks_of(job.id, 1)) == 1


def test_later_ids_are_larger(clock: ManualClock) -> None:
    first = new_job_id(clock.now())
    clock.advance(timedelta(milliseconds=1))

    assert new_job_id(clock.now()) > first


def test_a_job_has_a_deadline_where_there_is_a_timeout_also_in_its_next_run(
    service: JobService, clock: ManualClock, document: dict[str, object]
) -> None:
    service = replace(service, job_timeout=MINUTE)
    job = service.submit(document)
    assert job.deadline == clock.now() + MINUTE

    service.cancel(job.id)
    clock.advance(MINUTE)

    assert service.retry(job.id).deadline == clock.now() + MINUTE


def test_a_canceled_job_is_final_and_canceling_it_again_changes_nothing(
    service: JobService, document: dict[str, object]
) -> None:
    job = service.submit(document)

    first, second = service.cancel(job.id), service.cancel(job.id)

    assert first.state is JobState.CANCELED
    assert second == first


def test_a_job_that_runs_cannot_be_retried(
    service: JobService, document: dict[str, object]
) -> None:
    job = service.submit(document)

    with pytest.raises(IllegalTransition):
        service.retry(job.id)


def test_what_is_not_known_is_said_to_be_so(service: JobService) -> None:
    with pytest.raises(JobNotFound):
        service.get("nope")
    with pytest.raises(BadRequest, match="known: pending"):
        service.list(states=["runing"])
    with pytest.raises(BadRequest, match="1 to 200"):
        service.list(limit=201)


def test_the_logs_of_all_attempts_are_there_in_order_also_without_a_log(
    service: JobService, engine: Engine, document: dict[str, object], tmp_path: Path
) -> None:
    """Rule 10."""
    job = service.submit(document)
    (task,) = engine.store.tasks_of(job.id, 1)
    task = engine.store.swap_task(task.claimed(NODE, lease=MINUTE, at=engine.clock.now()))
    path = tmp_path / "log"
    path.write_text("$ ffmpeg -i source\nError\n")
    engine.storage.put(path, engine.log_url(task, 1))
    at = engine.clock.now()
    task = engine.store.swap_task(
        task.set_back(at=at, ready_at=at, log_url=engine.log_url(task, 1))
    )
    task = engine.store.swap_task(task.claimed(NODE, lease=MINUTE, at=at + MINUTE))
    engine.store.swap_task(task.set_back(at=at + 2 * MINUTE, ready_at=at))

    first, second = service.logs(job.id)

    assert first.text == "$ ffmpeg -i source\nError\n"
    assert (second.attempt.number, second.text) == (2, None)


def test_a_view_of_any_job_can_be_written_and_tells_nothing_internal() -> None:
    text = JobView.of(a_full_job(), ()).model_dump_json()

    assert '"state":"failed"' in text
    assert "s3://work" not in text
    assert '"before"' not in text


def test_files_are_shown_once_they_are_in_place() -> None:
    finished, failed = JobView.of(a_full_job(), ()).outputs

    assert finished.files
    assert not failed.files
    assert failed.failure is not None


def test_what_an_output_does_not_come_to_is_shown_with_it() -> None:
    job = a_full_job()
    soft = replace(job.outputs[0], facts={"warnings": ["its sound: too soft"]})

    outputs = JobView.of(replace(job, outputs=(soft, *job.outputs[1:])), ()).outputs

    assert [output.warnings for output in outputs] == [("its sound: too soft",), ()]


def running(phase: Phase = Phase.ENCODING, **changes: object) -> Job:
    job = a_job().in_phase(phase, at=a_job().created_at)
    return replace(job, **changes)  # type: ignore[arg-type]


def at(task: Task, progress: float) -> Task:
    return replace(task, progress=progress)


def a_planned_run(*progress: float) -> list[Task]:
    keys = [f"encode-{number}" for number in range(len(progress))]
    plan = tuple(PlannedTask(key=key, kind=TaskKind.ENCODE, weight=0.25) for key in keys)
    assemble = PlannedTask(key="assemble-0", kind=TaskKind.ASSEMBLE, weight=0.5)
    first = replace(
        a_task(),
        outcome=Outcome.SUCCEEDED,
        progress=1.0,
        result=Result(plan=(*plan, assemble)),
    )
    made = [at(a_task(key), p) for key, p in zip(keys, progress, strict=True)]
    others = [replace(task, kind=TaskKind.ENCODE) for task in made]
    return [first, *others]


def test_a_small_job_is_as_far_as_its_one_task() -> None:
    assert progress_of(running(), [at(a_task(), 0.5)]) == 0.5


def test_looking_at_the_source_is_no_progress() -> None:
    """What it finds may be a long plan, and progress never goes back."""
    assert progress_of(running(Phase.INSPECTING), [at(a_task(), 0.9)]) == 0.0


def test_a_planned_job_is_as_far_as_the_weights_of_its_tasks_say() -> None:
    assert progress_of(running(), a_planned_run(1.0, 0.5)) == pytest.approx(0.375)


def test_progress_is_one_only_at_the_end() -> None:
    finished = running().moved_to(JobState.FINISHED, at=a_job().created_at)

    assert progress_of(running(Phase.PUBLISHING), [at(a_task(), 1.0)]) == ALMOST
    assert progress_of(finished, []) == 1.0


def test_a_failed_job_keeps_the_progress_that_it_had() -> None:
    failed = running().moved_to(JobState.FAILED, at=a_job().created_at)

    assert progress_of(failed, [at(a_task(), 0.5)]) == 0.5


def test_rule_13_callers_do_not_reach_into_the_work_area_of_an_object_store(
    engine: Engine, films: Path, document: dict[str, object]
) -> None:
    ours = replace(engine, work_url="s3://bucket/work")
    outside = RoutedStorage(
        {"file": lambda: FileStorage([films]), "s3": lambda: FileStorage()}
    )
    service = JobService(engine=ours, outside=outside)
    urls = ("s3://bucket/work", "s3://bucket/work/jobs/x/r1/film", "s3://bucket/%77ork/x")

    for url in urls:
        for said in ({"inputs": [{"url": url}]}, {"destination": url}):
            with pytest.raises(PathNotAllowed, match="work area"):
                service.submit(document | said)


def test_jobs_are_listed_by_tag_preset_and_time(
    service: JobService, clock: ManualClock, document: dict[str, object]
) -> None:
    first = service.submit(document | {"tags": {"show": "42"}})
    clock.advance(MINUTE)
    second = service.submit(document | {"outputs": [{"preset": "mp3"}]})

    def listed(**wanted: object) -> list[str]:
        return [job.id for job in service.list(**wanted).jobs]  # type: ignore[arg-type]

    assert listed() == [second.id, first.id]
    assert listed(tag="show=42") == [first.id]
    assert listed(preset="mp3") == [second.id]
    assert listed(since=second.created_at) == [second.id]
    assert listed(until=second.created_at) == [first.id]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"tag": "show"}, "NAME=VALUE"),
        ({"since": datetime(2026, 1, 1)}, "a time without its zone"),  # noqa: DTZ001
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    service: JobService, wanted: dict[str, object], said: str
) -> None:
    with pytest.raises(BadRequest, match=said):
        service.list(**wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(("priority", "group"), [("high", "viewers"), ("low", None)])
def test_a_jobs_message_goes_out_with_its_priority_and_group(
    service: JobService,
    engine: Engine,
    document: dict[str, object],
    priority: str,
    group: str | None,
) -> None:
    job = service.submit(document | {"priority": priority, "group": group})

    (task,) = engine.store.tasks_of(job.id, 1)

    assert (task.priority, task.group) == (priority, group or job.id)


class LinkingStorage(MemoryStorage):
    """A storage that gives links."""

    @override
    def link(self, url: str, lasting: timedelta) -> str | None:
        return f"https://links/{url}?for={lasting.total_seconds():.0f}"


def test_there_is_a_link_to_each_file_that_is_in_place_and_to_no_other(
    engine: Engine, films: Path
) -> None:
    job = engine.store.add_job(a_full_job())
    service = JobService(
        engine=replace(engine, storage=LinkingStorage()),
        outside=RoutedStorage({"file": FileStorage}),
    )

    found = service.links(job.id, timedelta(hours=1))

    (file,) = job.outputs[0].files
    assert [(each.output, each.file, each.link) for each in found] == [
        ("web", file, f"https://links/{file.url}?for=3600")
    ]
    for lasting in (timedelta(seconds=59), timedelta(days=8)):
        with pytest.raises(BadRequest, match="60 to 604800"):
            service.links(job.id, lasting)


def test_an_operator_who_wants_no_licences_gets_no_job_that_needs_one(
    service: JobService, document: dict[str, object]
) -> None:
    service = replace(service, royalty_free=True)

    with pytest.raises(InvalidRecipe, match=r"outputs\[0\].video.codec: h264"):
        service.submit(document | {"outputs": [{"preset": "web"}]})

    assert service.submit(document | {"outputs": [{"preset": "webm"}]})


def test_the_name_that_an_output_will_have_goes_by_its_sound(
    service: JobService, document: dict[str, object]
) -> None:
    outputs = [{"kind": "file", "container": "ogg", "audio": {"codec": "vorbis"}}]

    job = service.submit(document | {"outputs": outputs})

    assert [output.name for output in job.outputs] == ["in.ogg"]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"audio": [{"url": "file:///etc/dub.wav"}]}, id="a sound"),
        pytest.param({"subtitles": [{"url": "file:///etc/a.srt"}]}, id="subtitles"),
        pytest.param(None, id="another input"),
    ],
)
def test_every_file_that_a_recipe_names_must_be_one_that_may_be_read(
    service: JobService, films: Path, document: dict[str, object], more: object
) -> None:
    first = {"url": file_url(films / "in.mov"), **(more if isinstance(more, dict) else {})}
    inputs = [first] if more else [first, {"url": "file:///etc/b.mov"}]

    with pytest.raises(PathNotAllowed, match="/etc/"):
        service.submit({**document, "inputs": inputs})
