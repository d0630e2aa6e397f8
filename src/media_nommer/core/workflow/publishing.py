"""Putting outputs in their places: recorded first, one condition a file (rules 7 and 8)."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from media_nommer.core.errors import (
    Failure,
    JobOver,
    OutputChanged,
    OutputExists,
    StorageError,
    WorkStopped,
)
from media_nommer.core.jobs import Job, JobState, Output, OutputState, PublishedFile
from media_nommer.core.ports.storage import Storage, Traits
from media_nommer.core.recipes.places import sources_of
from media_nommer.core.tasks import Result, ResultFile
from media_nommer.core.workflow.changes import change_job
from media_nommer.core.workflow.claims import HeldTask
from media_nommer.core.workflow.destinations import Destination, traits_of
from media_nommer.core.workflow.engine import Engine
from media_nommer.core.workflow.stranded import drop_stranded
from media_nommer.core.workflow.together import each_of

log = structlog.get_logger(__name__)


def publish(engine: Engine, held: HeldTask, result: Result) -> Job:
    """Bring the job of a committed result to its end: every output in place, or failed.

    May be called again, by anyone, after a death at any point: what is on record is put as
    recorded, and what is in place already is left as it is. Files whose names are their
    attempt's own come first, several at once: nobody knows of them yet. Then the others
    are put one after another in the order of the result, so that what names others may
    come last.

    Raises:
        JobOver: the job became final, or began another run, meanwhile.
        StorageError: the destination does not take bytes now; worth another try.
    """
    job = record_publication(engine, held, result)
    ours = held.outgoing.urls
    again = held.number > 1 or job.run > 1  # whoever was before us may have died at a put
    if again:
        drop_stranded(engine, job, until=engine.clock.now(), but=ours)
    for index, output in enumerate(job.outputs):
        if output.state is not OutputState.PENDING:
            continue
        try:
            _put_all(engine, held, output.files, traits_of(job, index))
        except (OutputExists, OutputChanged) as error:
            ended = replace(output, state=OutputState.FAILED, failure=Failure.of(error))
        else:
            _remove_stale(engine, job, output)
            ended = replace(output, state=OutputState.FINISHED, stale=())
        job = _record_output(engine, job, index, ended)
    if again and ours:  # which stand by now, or are refused
        drop_stranded(engine, job, until=engine.clock.now())
    return _finish(engine, job)


def record_publication(engine: Engine, held: HeldTask, result: Result) -> Job:
    """Write into the job what will be published, before the first byte is (rule 7).

    The first record of a run stands: who comes later publishes what it says.
    """
    publication = f"{held.task.id}.c{held.number}"

    def recorded(job: Job) -> Job | None:
        if job.state.final or job.run != held.task.run:
            raise JobOver(f"job {job.id} is {job.state}")
        if job.publication is not None:
            return None
        outputs = tuple(
            _intended(engine, job, index, result) for index in range(len(job.outputs))
        )
        return job.publishing(publication, outputs, at=engine.clock.now())

    return change_job(engine.store, held.task.job_id, recorded)


def look_for_strangers(
    storage: Storage, job: Job, output: Output, keys: tuple[str, ...]
) -> None:
    """Check that an output's places are free, or ours, or may be taken.

    Raises:
        OutputExists: something that is not ours stands in one of them.
    """
    goal = Destination.of(job)
    sources = {job.source, *sources_of(job.recipe)}
    for key in keys:
        if (url := goal.url_of(key)) in sources:
            raise OutputExists(
                f"{url} is the source itself",
                advice="Choose another destination or name: a source is never replaced.",
            )
        _standing(storage, goal, output, url)


def _intended(engine: Engine, job: Job, index: int, result: Result) -> Output:
    """Return an output with the files on it that are to be published, or its failure."""
    output = job.outputs[index]
    if output.state is not OutputState.PENDING:
        return output
    if index in result.failures:
        facts = result.facts.get(index, output.facts)  # of what was made and not wanted
        failure = result.failures[index]
        return replace(output, state=OutputState.FAILED, failure=failure, facts=facts)
    goal = Destination.of(job)
    made = [file for file in result.files if file.output == index]
    try:
        files = tuple(
            each_of(
                made,
                lambda file: _intended_file(engine.storage, goal, output, file),
                at_once=engine.at_once,
            )
        )
    except OutputExists as error:
        return replace(output, state=OutputState.FAILED, failure=Failure.of(error))
    facts = result.facts.get(index, {})
    return replace(output, files=files, facts=facts, stale=_stale(output, files))


def _stale(output: Output, files: tuple[PublishedFile, ...]) -> tuple[str, ...]:
    """Return what earlier runs put there, or were about to, that is in nobody's way.

    Only what was their own goes: another name might be a stranger's by now.
    """
    wanted = {file.url for file in files}
    old = (*output.stale, *(file.url for file in output.files if file.own))
    return tuple(url for url in dict.fromkeys(old) if url not in wanted)


def _intended_file(
    storage: Storage, goal: Destination, output: Output, file: ResultFile
) -> PublishedFile:
    url = goal.url_of(file.key)
    return PublishedFile(
        url=url,
        size=file.size,
        sha256=file.sha256,
        work_url=file.work_url,
        before=_standing(storage, goal, output, url),
        own=file.own,
    )


def _standing(storage: Storage, goal: Destination, output: Output, url: str) -> str | None:
    """Return the version of what stands at ``url`` and may be replaced, None for nothing.

    What an earlier run of the job put there is ours to replace, and so is what an earlier
    run was about to replace and did not.
    """
    found = storage.stat(url)
    if found is None:
        return None
    ours = any(
        file.before == found.version
        or storage.holds(url, size=file.size, sha256=file.sha256)
        for file in output.files
        if file.url == url
    )
    if not (goal.replace or ours):
        raise OutputExists(f"{url} exists already")
    return found.version


def _put_all(
    engine: Engine, held: HeldTask, files: Sequence[PublishedFile], traits: Traits
) -> None:
    """Put the recorded files of one output in their places (rule 7)."""
    own = [file for file in files if file.own]
    each_of(own, lambda file: _put(engine, held, file, traits), at_once=engine.at_once)
    for file in files:
        if not file.own:
            _put(engine, held, file, traits)


def _put(engine: Engine, held: HeldTask, file: PublishedFile, traits: Traits) -> None:
    """Put one recorded file in its place, unless it is there."""

    def stop() -> WorkStopped | None:
        try:
            held.look()
        except WorkStopped as why:
            return why
        return None

    if _stands(engine.storage, held, file):
        return
    try:
        if not held.outgoing.finish(file, stop):
            engine.storage.copy(
                file.work_url,
                file.url,
                before=file.before,
                sha256=file.sha256,
                traits=traits,
                stop=stop,
            )
    except (OutputExists, OutputChanged):
        if not _stands(engine.storage, held, file):
            raise


def _stands(storage: Storage, held: HeldTask, file: PublishedFile) -> bool:
    """Return whether a recorded file is in its place.

    One that we put there ourselves is known by its version: it may not tell its sum.
    """
    ours = held.outgoing.put_at(file.url)
    if ours is not None and storage.stat(file.url) == ours:
        return True
    return storage.holds(file.url, size=file.size, sha256=file.sha256)


def _remove_stale(engine: Engine, job: Job, output: Output) -> None:
    """Remove the segments of manifests that were replaced; what cannot go, stays."""

    def remove(url: str) -> None:
        try:
            engine.storage.delete(url)
        except StorageError as error:
            log.warning("stale_file_left", job=job.id, url=url, message=error.message)
            if error.retryable:
                raise

    each_of(output.stale, remove, at_once=engine.at_once)


def _record_output(engine: Engine, job: Job, index: int, output: Output) -> Job:
    """Write down that one output is in place, or failed; with the last one the job ends.

    A job that was canceled while a file of it slid into place says so too: a record tells
    what is there.
    """

    def recorded(latest: Job) -> Job | None:
        if latest.run != job.run:
            raise JobOver(f"job {job.id} has begun another run")
        known = latest.outputs[index]
        in_place = output.state is OutputState.FINISHED
        if known.state is output.state or (latest.state.final and not in_place):
            return None
        return _ended(latest.with_output(index, output, at=engine.clock.now()), engine)

    return change_job(engine.store, job.id, recorded)


def _finish(engine: Engine, job: Job) -> Job:
    """End a job none of whose outputs is pending any more."""
    if job.state.final:
        return job
    return change_job(
        engine.store, job.id, lambda job: None if job.state.final else _ended(job, engine)
    )


def _ended(job: Job, engine: Engine) -> Job:
    """Return the job finished or failed if every output of it has ended, else as it is."""
    if job.state.final or any(o.state is OutputState.PENDING for o in job.outputs):
        return job
    failed = next((o for o in job.outputs if o.state is OutputState.FAILED), None)
    state = JobState.FAILED if failed else JobState.FINISHED
    failure = failed.failure if failed else None
    return job.moved_to(state, at=engine.clock.now(), failure=failure)
