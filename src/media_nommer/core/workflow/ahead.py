"""Beginning to publish what is still being encoded: on record first, and seen by nobody.

Parts of a file may lie at its destination before anybody knows its size and sum, as long as
nobody can see them: the step that makes them an object is the publication's (rule 7).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from media_nommer.core.errors import JobOver, OutputExists
from media_nommer.core.jobs import Job
from media_nommer.core.ports.storage import BegunPut, StopCheck
from media_nommer.core.workflow.changes import change_job
from media_nommer.core.workflow.claims import HeldTask
from media_nommer.core.workflow.destinations import Destination, traits_of
from media_nommer.core.workflow.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A file that is being made at ``path``, and will be published as ``key``.

    ``output`` is the index of its output, ``work_url`` where it will be kept until then.
    """

    output: int
    key: str
    path: Path
    work_url: str


@contextmanager
def begun_ahead(
    engine: Engine, held: HeldTask, files: Sequence[Bound], stop: StopCheck
) -> Iterator[Mapping[Path, BegunPut]]:
    """Begin to put files at their destination; the publication finishes them.

    Where all is sent in the end, or the destination is near, there are none. If this ends
    early, nothing is left of them.

    Raises:
        JobOver: the job became final, or began another run, meanwhile.
    """
    begun = _begun(engine, held.job, files, stop)
    if not begun:
        yield {}
        return
    _leave_note(engine, held, begun[0][0].path.with_name("begun"))
    held.job = _recorded(engine, held, [url for _, url, _ in begun])
    for file, url, put in begun:
        held.outgoing.add(file.work_url, url, put)
    try:
        yield {file.path: put for file, _, put in begun}
    except BaseException:
        held.outgoing.drop([file.work_url for file, _, _ in begun])
        raise


def _begun(
    engine: Engine, job: Job, files: Sequence[Bound], stop: StopCheck
) -> list[tuple[Bound, str, BegunPut]]:
    """Return the puts of files, with where they go, of which something may go ahead."""
    goal = Destination.of(job)
    if not files or engine.storage.is_near(goal.url):
        return []
    begun = []
    for file in files:
        url, traits = goal.url_of(file.key), traits_of(job, file.output)
        put = engine.storage.begin(file.path, url, traits=traits, stop=stop)
        begun.append((file, url, put))
    return [each for each in begun if each[2].goes_ahead]


def _leave_note(engine: Engine, held: HeldTask, path: Path) -> None:
    """Put something into the run's folder, for feederd to come by if nobody else does.

    It looks after jobs that are over for as long as they have left anything there.
    """
    path.touch()
    with suppress(OutputExists):
        engine.storage.put(
            path, f"{engine.attempt_url(held.task, held.number)}/{path.name}"
        )


def _recorded(engine: Engine, held: HeldTask, urls: Sequence[str]) -> Job:
    """Write into the job where something is begun, before anything is sent there."""

    def recorded(job: Job) -> Job | None:
        if job.state.final or job.run != held.task.run:
            raise JobOver(f"job {job.id} is {job.state}")
        if set(urls) <= set(job.begun):
            return None
        return job.beginning(urls, at=engine.clock.now())

    return change_job(engine.store, held.task.job_id, recorded)
