"""The verbs behind every API: submit, look, cancel, retry."""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog

from media_nommer import __version__
from media_nommer.core.errors import (
    BadRequest,
    IdempotencyConflict,
    InvalidRecipe,
    JobNotFound,
    NodeNotFound,
    PathNotAllowed,
    SourceNotFound,
    StorageError,
    UnsupportedUrl,
)
from media_nommer.core.jobs import (
    Job,
    JobId,
    JobState,
    Output,
    OutputState,
    Priority,
    PublishedFile,
)
from media_nommer.core.nodes import Node, NodeId
from media_nommer.core.ports.storage import Storage
from media_nommer.core.ports.store import JobFilter, JobPage
from media_nommer.core.presets import Preset, load_presets
from media_nommer.core.recipes import Recipe, parse_recipe, resolve_presets
from media_nommer.core.recipes.codecs import Container, usual_extension
from media_nommer.core.recipes.drawn import images_of
from media_nommer.core.recipes.extra_settling import extension_of
from media_nommer.core.recipes.extras import ExtraOutput
from media_nommer.core.recipes.names import safe_stem
from media_nommer.core.recipes.own import OwnOutput
from media_nommer.core.recipes.own_reading import own_extension
from media_nommer.core.recipes.places import name_of, sources_of
from media_nommer.core.tasks import Attempt, Task
from media_nommer.core.workflow import archiving, sealing, submitting
from media_nommer.core.workflow.changes import change_job
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.costs import CostBook, tasks_of
from media_nommer.feederd.estimating import Estimate, estimate
from media_nommer.feederd.report_views import JobReport
from media_nommer.feederd.scaler import Decided
from media_nommer.feederd.views import Health
from media_nommer.planning.fleet.scaling import NodeKind

log = structlog.get_logger(__name__)

MOST_JOBS_A_PAGE = 200
_LONGEST_KEY = 256

#: What may stand in the path of a node's log.
_NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """An attempt at a task and its whole log, None where none is kept (any more)."""

    task: Task
    attempt: Attempt
    text: str | None


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file that is in place, and a link by which anybody may read it for a time."""

    output: str
    file: PublishedFile
    link: str | None


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
        images = {url: place for place, url in images_of(recipe)}
        for url, place in {**sources_of(wanted.recipe), **images}.items():
            self._check_source(place, url)
        self._check_destination(recipe.destination)
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
        if not 1 <= limit <= MOST_JOBS_A_PAGE:
            raise BadRequest(f"limit is {limit}; allowed: 1 to {MOST_JOBS_A_PAGE}")
        wanted = JobFilter(
            states=tuple(_state(name) for name in states),
            tag=None if tag is None else _tag(tag),
            preset=preset,
            since=_zoned("since", since),
            until=_zoned("until", until),
        )
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
        found = [
            AttemptLog(task, attempt, self._log_text(attempt))
            for task in whole.tasks
            for attempt in task.attempts
        ]
        return tuple(sorted(found, key=lambda each: each.attempt.started_at))

    def report(self, job_id: str) -> JobReport:
        """Return all that is known of a job in one document, also once it was archived.

        Raises:
            JobNotFound: no job has this id.
        """
        whole = archiving.whole_job(self.engine, JobId(job_id))
        attempts = [
            (task, attempt, self._log_text(attempt))
            for task in whole.tasks
            for attempt in task.attempts
        ]
        attempts.sort(key=lambda each: each[1].started_at)
        return JobReport.of(whole.job, whole.tasks, attempts)

    def links(self, job_id: str, lasting: timedelta) -> tuple[FileLink, ...]:
        """Return a link to each file that is in place, where its storage gives any.

        Raises:
            JobNotFound: no job has this id.
            BadRequest: ``lasting`` is not from a minute to a week.
        """
        if not timedelta(minutes=1) <= lasting <= timedelta(days=7):
            raise BadRequest(
                f"lasting is {lasting.total_seconds():.0f}; allowed: 60 to 604800 seconds"
            )
        return tuple(
            FileLink(output.name, file, self.engine.storage.link(file.url, lasting))
            for output in self.get(job_id).outputs
            if output.state is OutputState.FINISHED
            for file in output.files
        )

    def nodes(self, *, gone: bool = False) -> tuple[Node, ...]:
        """Return the nodes, the oldest first; those that are gone only if asked for."""
        return self.engine.store.nodes(gone=gone)

    def node_log(self, node_id: str) -> str:
        """Return the log that a node on EC2 keeps, also when its machine is gone.

        Raises:
            NodeNotFound: there is no log of a node with this id.
        """
        missing = NodeNotFound(
            f"no log of a node {node_id} is kept",
            advice="Nodes on EC2 keep theirs, within a minute and when they end; those of "
            "this machine write to `logs` in the data directory.",
        )
        if not _NODE_ID.fullmatch(node_id):
            raise missing
        url = self.engine.node_log_url(NodeId(node_id))
        try:
            return self.engine.storage.read(url).decode("utf-8", "replace")
        except SourceNotFound as error:
            raise missing from error

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
        now = self.engine.clock.now()
        return _derived_id(key, caller) if key is not None else new_job_id(now)

    def _job(self, job_id: JobId, recipe: Recipe) -> Job:
        now = self.engine.clock.now()
        source = recipe.inputs[0].url
        return Job(
            id=job_id,
            recipe=recipe.model_dump(mode="json"),
            source=source,
            priority=Priority(recipe.priority),
            group=recipe.group or "",
            tags=recipe.tags,
            presets=_presets_of(recipe),
            outputs=tuple(Output(name=name) for name in output_names(recipe)),
            created_at=now,
            changed_at=now,
            deadline=self._deadline() if self.job_timeout is not None else None,
        )

    def _deadline(self) -> datetime | None:
        timeout = self.job_timeout
        return None if timeout is None else self.engine.clock.now() + timeout

    def _read(self, document: object) -> Recipe:
        """Return the recipe that a document is, its presets resolved.

        Raises:
            InvalidRecipe: it does not say what can be done, or may be.
            UnknownPreset: no preset has that name.
        """
        recipe = parse_recipe(document)
        if self.royalty_free:
            recipe = recipe.model_copy(update={"royalty_free": True})
        return resolve_presets(recipe, self.presets)

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

    def _check_source(self, place: str, url: str) -> None:
        """Check what can be checked at once: that we may read it, and that a file exists.

        What is not on this machine is looked at by the worker, who has the time.
        """
        if "://" not in url:
            raise UnsupportedUrl(
                f"{place}: {url!r} is not a URL; allowed: one such as "
                "file:///films/film.mov"
            )
        self._check_not_ours(place, url)
        self.outside.check(url)
        if urlsplit(url).scheme == "file" and self.outside.stat(url) is None:
            raise SourceNotFound(f"there is no file at {url}")

    def _check_destination(self, url: str) -> None:
        """Check that a file could be put below the destination, as far as its URL tells."""
        if "://" not in url:
            raise UnsupportedUrl(
                f"destination: {url!r} is not a URL; allowed: that of a folder, "
                "such as file:///films/out/"
            )
        self._check_not_ours("destination", url)
        self.outside.check(f"{url.rstrip('/')}/output", to_write=True)

    def _check_not_ours(self, what: str, url: str) -> None:
        """Check that a caller does not reach into the work area of an object store.

        Whether its files may be reached, ``file_roots`` says.
        """
        work = f"{unquote(self.engine.work_url)}/"
        inside = f"{unquote(url).rstrip('/')}/".startswith(work)
        if inside and urlsplit(work).scheme not in {"file", "memory"}:
            raise PathNotAllowed(
                f"{what}: {url} is in the work area",
                advice="Choose a place outside it: what is in it comes and goes.",
            )

    def _log_text(self, attempt: Attempt) -> str | None:
        if attempt.log_url is None:
            return None
        try:
            return self.engine.storage.read(attempt.log_url).decode("utf-8", "replace")
        except StorageError:
            return None


def new_job_id(now: datetime) -> JobId:
    """Return an id that nobody else has, and that sorts by ``now`` to the millisecond."""
    return JobId(f"{int(now.timestamp() * 1000):011x}{secrets.token_hex(7)}")


def output_names(recipe: Recipe) -> tuple[str, ...]:
    """Return how each output is called before the source was looked at.

    What only the source can tell (its height, the number of a picture) stays in braces.
    """
    stem = safe_stem(PurePosixPath(name_of(recipe.inputs[0].url)).stem)
    names = []
    for output in recipe.outputs:
        name: str = getattr(output, "name", None) or "{stem}"
        container: Container | None = getattr(output, "container", None)
        sound = getattr(getattr(output, "audio", None), "codec", None)
        extension = usual_extension(container, sound) if container else "jpg"
        if isinstance(output, ExtraOutput):
            extension = extension_of(output)
        elif isinstance(output, OwnOutput):
            extension = own_extension(output)
        filled = name.replace("{preset}", getattr(output, "from_preset", None) or "")
        names.append(filled.replace("{ext}", extension).replace("{stem}", stem))
    return tuple(names)


def _derived_id(key: str, caller: str) -> JobId:
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise BadRequest(f"an Idempotency-Key has 1 to {_LONGEST_KEY} characters")
    digest = hashlib.sha256(json.dumps([caller, key]).encode()).hexdigest()
    return JobId(f"k{digest[:31]}")


def _canonical(recipe: Mapping[str, Any]) -> str:
    return json.dumps(recipe, sort_keys=True)


def _presets_of(recipe: Recipe) -> tuple[str, ...]:
    named = (getattr(output, "from_preset", None) for output in recipe.outputs)
    return tuple(sorted({name for name in named if name}))


def _tag(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise BadRequest(f"tag is {text!r}; allowed: NAME=VALUE")
    return name, value


def _zoned(name: str, moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise BadRequest(
            f"{name} is {moment.isoformat()}, a time without its zone; allowed: one such "
            "as 2026-01-31T12:00:00Z"
        )
    return moment


def _state(name: str) -> JobState:
    try:
        return JobState(name)
    except ValueError:
        known = ", ".join(JobState)
        raise BadRequest(f"there is no job state {name!r}; known: {known}") from None
