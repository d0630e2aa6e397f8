"""The verbs behind every API: submit, look, cancel, retry."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from media_nommer import __version__
from media_nommer.core.errors import IdempotencyConflict, InvalidRecipe, JobNotFound
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.nodes import Node
from media_nommer.core.ports.storage import Storage
from media_nommer.core.ports.store import JobPage
from media_nommer.core.presets import Preset, load_presets
from media_nommer.core.recipes import Recipe, parse_recipe
from media_nommer.core.recipes.drawn import images_of
from media_nommer.core.recipes.places import sources_of
from media_nommer.core.tasks import Task
from media_nommer.core.workflow import archiving, sealing, submitting
from media_nommer.core.workflow.changes import change_job
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.costs import CostBook, tasks_of
from media_nommer.feederd.estimating import Estimate, estimate
from media_nommer.feederd.kept_logs import AttemptLog, attempt_logs, node_log
from media_nommer.feederd.links import FileLink, check_lasting, file_links
from media_nommer.feederd.listing import check_limit, job_filter
from media_nommer.feederd.new_jobs import job_id_for, new_job
from media_nommer.feederd.places import check_destination, check_source
from media_nommer.feederd.report_views import JobReport
from media_nommer.feederd.scaler import Decided
from media_nommer.feederd.views import Health
from media_nommer.planning.fleet.scaling import NodeKind

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobService:
    """What callers may ask for, whatever API they come through.

    ``outside`` is the storage as far as callers may reach into it (rule 13); the engine's
    own reaches the work area too. ``kinds`` tells the nodes on offer, for estimates.
    ``on_new_work`` is called when there is something to do. ``decided`` tells what this
    feederd last decided on its fleet, None where it does not. With ``royalty_free`` every
    recipe is taken as one that says so.
    """

    engine: Engine
    outside: Storage
    job_timeout: timedelta | None = None
    royalty_free: bool = False
    presets: Mapping[str, Preset] = field(default_factory=load_presets)
    kinds: Callable[[], Sequence[NodeKind]] = tuple
    on_new_work: Callable[[], None] = lambda: None
    decided: Callable[[], Decided | None] = lambda: None
    costs: CostBook = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "costs", CostBook(self.engine))

    def submit(
        self, document: object, *, idempotency_key: str | None = None, caller: str = ""
    ) -> Job:
        """Accept a job; once this has returned, it ends in a final state (rule 1).

        The same ``idempotency_key`` of the same ``caller`` is the same job.

        Raises:
            InvalidRecipe: the document does not say what can be done.
            UnknownPreset: no preset has that name.
            UnsupportedUrl: no storage serves a source or the destination.
            PathNotAllowed: one of them is a file that callers may not touch.
            SourceNotFound: a source is a file that is not there.
            IdempotencyConflict: the key stands for a job with other content.
            NoSealingKey: it has secrets, and they could only be kept in the clear.
        """
        recipe = self._read(document)
        if recipe.destination is None:
            raise InvalidRecipe(
                "destination: is missing; allowed: the URL of a folder, "
                "such as file:///films/out/"
            )
        job_id = self._id(idempotency_key, caller)
        sealed = sealing.sealed_recipe(self.engine, job_id, recipe)
        wanted = self._job(job_id, sealed.recipe)
        if idempotency_key is not None:
            known = self._known(wanted)
            if known is not None:
                submitting.resume(self.engine, known)
                return known
        self._check_places(wanted, recipe, recipe.destination)
        sealing.keep_seals(self.engine, job_id, sealed)
        job = self._same(submitting.submit(self.engine, wanted), wanted)
        log.info("job_accepted", job=job.id, outputs=len(job.outputs))
        self.on_new_work()
        return job

    def get(self, job_id: str) -> Job:
        """Return a job, one that has gone to the archive too.

        Raises:
            JobNotFound: no job has this id.
        """
        return archiving.look_up(self.engine, JobId(job_id))

    def list(
        self,
        *,
        states: Sequence[str] = (),
        tag: str | None = None,
        preset: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Return some of the jobs that match all that is given, newest first; at most 200.

        Jobs that have gone to the archive are not among them.
        ``tag`` is ``NAME=VALUE``; ``since`` and ``until`` are times of creation.

        Raises:
            BadRequest: a state that does not exist, a tag without a value, a time without
                its zone, or a limit out of range.
            InvalidCursor: the cursor is none that this gave.
        """
        check_limit(limit)
        wanted = job_filter(states=states, tag=tag, preset=preset, since=since, until=until)
        return self.engine.store.list_jobs(wanted, limit=limit, cursor=cursor)

    def cancel(self, job_id: str) -> Job:
        """Make a job final now; one that is final already stays as it is.

        Raises:
            JobNotFound: no job has this id.
        """
        job = submitting.cancel(self.engine, JobId(job_id))
        log.info("job_canceled", job=job.id, state=job.state)
        return job

    def retry(self, job_id: str, *, whole: bool = False) -> Job:
        """Begin a new run of a final job: of what is not in place, or of the whole.

        Raises:
            JobNotFound: no job has this id.
            JobArchived: it has gone to the archive.
            IllegalTransition: it is not final, or every output of it is in place.
            SecretsGone: it had keys, which nobody has any more.
        """
        job = submitting.retry(self.engine, JobId(job_id), whole=whole)
        if self.job_timeout is not None:
            deadline = self._deadline()
            job = change_job(
                self.engine.store,
                job.id,
                lambda latest: (
                    replace(latest, deadline=deadline)
                    if latest.run == job.run and not latest.state.final
                    else None
                ),
            )
        log.info("job_retried", job=job.id, run=job.run)
        self.on_new_work()
        return job

    def tasks(self, job: Job) -> tuple[Task, ...]:
        """Return the tasks of a job's present run, none where they tell nothing."""
        if job.state in {JobState.PENDING, JobState.FINISHED}:
            return ()
        if job.archived_at is None:
            return self.engine.store.tasks_of(job.id, job.run)
        whole = archiving.whole_job(self.engine, job.id)
        return tuple(task for task in whole.tasks if task.run == job.run)

    def all_tasks(self, job: Job) -> tuple[Task, ...]:
        """Return the tasks of all runs of a job, none where nobody can have begun it."""
        return tasks_of(self.engine, job)

    def estimate(self, document: object, *, film_seconds: float | None = None) -> Estimate:
        """Return what a job would take and cost; nothing is created or read for it.

        ``film_seconds`` is how long its film is, where that is known.

        Raises:
            InvalidRecipe: the document does not say what can be done.
            UnknownPreset: no preset has that name.
            BadRequest: no film is so long.
        """
        recipe = self._read(document)
        job = self._job(self._id(None, ""), recipe)  # on no record, ever
        return estimate(self.engine, job, recipe, self.kinds(), film_seconds)

    def logs(self, job_id: str) -> tuple[AttemptLog, ...]:
        """Return every attempt at a job that is on record, the oldest first (rule 10).

        Raises:
            JobNotFound: no job has this id.
        """
        whole = archiving.whole_job(self.engine, JobId(job_id))
        return attempt_logs(self.engine, whole.tasks)

    def report(self, job_id: str) -> JobReport:
        """Return all that is known of a job in one document, also once it was archived.

        Raises:
            JobNotFound: no job has this id.
        """
        whole = archiving.whole_job(self.engine, JobId(job_id))
        logs = attempt_logs(self.engine, whole.tasks)
        attempts = [(each.task, each.attempt, each.text) for each in logs]
        return JobReport.of(whole.job, whole.tasks, attempts)

    def links(self, job_id: str, lasting: timedelta) -> tuple[FileLink, ...]:
        """Return a link to each file that is in place, where its storage gives any.

        Raises:
            JobNotFound: no job has this id.
            BadRequest: ``lasting`` is not from a minute to a week.
        """
        check_lasting(lasting)
        return file_links(self.engine.storage, self.get(job_id), lasting)

    def nodes(self, *, gone: bool = False) -> tuple[Node, ...]:
        """Return the nodes, the oldest first; those that are gone only if asked for."""
        return self.engine.store.nodes(gone=gone)

    def node_log(self, node_id: str) -> str:
        """Return the log that a node on EC2 keeps, also when its machine is gone.

        Raises:
            NodeNotFound: there is no log of a node with this id.
        """
        return node_log(self.engine, node_id)

    def health(self) -> Health:
        """Return that all is well, having asked the store and the queue.

        Raises:
            ServiceUnavailable: one of them does not answer.
        """
        return Health(
            version=__version__,
            nodes=len(self.engine.store.nodes()),
            queued=self.engine.queue.depth(),
        )

    def _id(self, key: str | None, caller: str) -> JobId:
        return job_id_for(key, caller, self.engine.clock.now())

    def _job(self, job_id: JobId, recipe: Recipe) -> Job:
        now = self.engine.clock.now()
        return new_job(job_id, recipe, now, deadline=self._deadline())

    def _deadline(self) -> datetime | None:
        timeout = self.job_timeout
        return None if timeout is None else self.engine.clock.now() + timeout

    def _read(self, document: object) -> Recipe:
        return parse_recipe(document, self.presets, royalty_free=self.royalty_free)

    def _check_places(self, wanted: Job, recipe: Recipe, destination: str) -> None:
        work = self.engine.work_url
        images = {url: place for place, url in images_of(recipe)}
        for url, place in {**sources_of(wanted.recipe), **images}.items():
            check_source(self.outside, place, url, work_url=work)
        check_destination(self.outside, destination, work_url=work)

    def _known(self, wanted: Job) -> Job | None:
        """Return the job that a repeated submission stands for, None for a first one.

        A key is remembered for as long as the document of its job is in the archive.
        """
        try:
            return self._same(archiving.look_up(self.engine, wanted.id), wanted)
        except JobNotFound:
            return None

    def _same(self, kept: Job, wanted: Job) -> Job:
        if _canonical(kept.recipe) != _canonical(wanted.recipe):
            raise IdempotencyConflict(
                f"this Idempotency-Key stands for job {kept.id}, whose content is another"
            )
        return kept


def _canonical(recipe: Mapping[str, Any]) -> str:
    return json.dumps(recipe, sort_keys=True)
