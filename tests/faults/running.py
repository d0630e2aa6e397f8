"""One run: ten jobs on one engine under the faults of a seed, and what was wrong after."""

import hashlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from typing_extensions import override

from media_nommer.adapters.aws.s3 import S3Storage
from media_nommer.adapters.aws.sqs.queues import UNREADABLE
from media_nommer.conf import load_settings
from media_nommer.conf.settings import Settings
from media_nommer.core.errors import NommerError
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.wiring import work_policy
from tests import postgres_server
from tests.faults.clips import jobs
from tests.faults.crew import Crew
from tests.faults.machines import FEEDERD, ROLES, Machines
from tests.faults.proxy import Proxy

ENGINES = ("dynamodb", "simpledb", "postgresql")
#: How long, in seconds, ten jobs may take under faults, and all to calm down after them.
PATIENCE = 300.0
CALMS_IN = 120.0
#: How long, in seconds, all must have been calm: a call may still be on its way.
CALM_FOR = 1.0
_LOOK_EVERY = 0.1

_runs = itertools.count(1)


@dataclass
class Report:
    """What came of a run; ``wrong`` is empty where all was well."""

    engine: str
    seed: int
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    harmed: Counter[str] = field(default_factory=Counter)
    #: Attempts by how they ended, and more that is no fault but good to know.
    notes: Counter[str] = field(default_factory=Counter)
    again: str = ".venv/bin/python -m tests.faults"
    last: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @override
    def __str__(self) -> str:
        harmed = sum(self.harmed.values())
        head = (
            f"{self.engine} seed {self.seed}: {self.seconds:.1f} s, "
            f"{sum(self.calls.values())} calls, {harmed} faults; "
            + ", ".join(f"{count} {what}" for what, count in sorted(self.notes.items()))
        )
        if not self.wrong:
            return f"{head}: well"
        faults = ", ".join(f"{n} {what}" for what, n in self.harmed.most_common())
        return "\n".join(
            (
                f"{head}: WRONG",
                *(f"  - {each}" for each in self.wrong),
                f"again: {self.again} {self.engine} {self.seed}",
                f"faults: {faults}",
                "the last faults:",
                *(f"  {line}" for line in self.last[-40:]),
                "the last words of the log:",
                *(f"  {line}" for line in self.said[-120:]),
            )
        )


def run(
    machines: Machines,
    engine: str,
    seed: int,
    folder: Path,
    *,
    faults: bool = True,
    count: int | None = None,
) -> Report:
    """Do ten jobs on an engine under the faults of a seed, and look at what there is.

    They are ten, or the first ``count`` of these.
    """
    report, began = Report(engine, seed), time.monotonic()
    with ExitStack() as stack:
        place = Place(machines, engine, seed, folder)
        calm = machines.open_calm(place.settings(), stack)
        stack.enter_context(machines.in_use())
        machines.begin(seed if faults else None)
        crew = Crew({role: place.settings(through=role) for role in ROLES})
        ids: list[JobId] = []
        try:
            ids = _worked(machines, place, calm, crew, report, count)
        finally:
            machines.end()
            crew.stop()
            report.wrong += crew.odd
            report.calls = Counter(machines.proxy.calls)
            report.harmed = machines.harmed
            report.last = list(machines.proxy.last)
            report.said = list(machines.said)
        report.wrong += Findings(machines, place, calm, ids, report).all()
    report.seconds = time.monotonic() - began
    return report


class Place:
    """Fresh names for one run."""

    def __init__(self, machines: Machines, engine: str, seed: int, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.name = f"run-{engine}-{seed}-{next(_runs)}"
        self.out, self.work = f"out-{self.name}", f"work-{self.name}"
        self._machines = machines
        s3 = machines.s3()
        for bucket in (self.out, self.work):
            s3.create_bucket(Bucket=bucket)
        versions = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket=self.out, VersioningConfiguration=versions)
        if engine == "postgresql":
            self._schema = self.name.replace("-", "_")
            with psycopg.connect(self._server(), autocommit=True) as db:
                db.execute(f"CREATE SCHEMA {self._schema}".encode())

    @property
    def on_aws(self) -> bool:
        return self.engine != "postgresql"

    def settings(self, through: str | None = None, **more: object) -> Settings:
        """Return the settings of a role; of nobody, by the straight way."""
        store = f"{self.engine}://{self.name}"
        if self.engine == "postgresql":
            store = self._server(through, self._schema)
        said = {
            "data_dir": self.folder,
            "store": store,
            "work": f"s3://{self.work}/w",
            "fleet": "none",
            "slots": 1,
            "lease": "4s",
            "put_again_after": "3s",
            "backoff": "200ms",
            "max_lost": 12,  # a busy machine may keep a beat from being told
            "idle_timeout": "60s",
            "drain_timeout": "20s",
            **more,
        }
        return load_settings(said, environ={"NOMMER_CONFIG": ""})

    def _server(self, through: str | None = None, schema: str = "public") -> str:
        server = self._machines.postgres
        assert server is not None, "only where there is a PostgreSQL"
        folder = server if through is None else self._machines.lines[through].folder
        return postgres_server.url_of(folder, schema)


def _worked(
    machines: Machines,
    place: Place,
    calm: Engine,
    crew: Crew,
    report: Report,
    count: int | None,
) -> list[JobId]:
    """Let the jobs be done; return them, once faults are over and all is calm."""
    crew.start()
    ids: list[JobId] = []
    documents = jobs(machines.clips, place.out)[:count]
    submitter = threading.Thread(
        target=lambda: ids.extend(crew.submit(documents)), name=FEEDERD, daemon=True
    )
    submitter.start()
    until = time.monotonic() + PATIENCE
    submitter.join(PATIENCE)
    if len(ids) != len(documents):
        report.wrong.append(f"{len(ids)} of {len(documents)} jobs were accepted in time")
    _wait(until, lambda: all(calm.store.get_job(i).state.final for i in ids))
    machines.end()
    calm_by = time.monotonic() + CALMS_IN
    _wait(calm_by, Calm(calm, machines.proxy))
    return ids


class Calm:
    """Whether there has been no task and no message for a while, and none is to come."""

    def __init__(self, engine: Engine, proxy: Proxy) -> None:
        self._engine = engine
        self._proxy = proxy
        self._since: float | None = None

    def __call__(self) -> bool:
        """Look, and return whether it lasts."""
        now = time.monotonic()
        late = self._proxy.late
        if late or self._engine.store.unsettled_tasks() or self._engine.queue.depth():
            self._since = None
        elif self._since is None:
            self._since = now
        return self._since is not None and now - self._since >= CALM_FOR


def _wait(until: float, happened: Callable[[], bool]) -> None:
    while time.monotonic() < until and not happened():
        time.sleep(_LOOK_EVERY)


@dataclass
class Findings:
    """What is looked at when all has calmed down and nobody works any more."""

    machines: Machines
    place: Place
    calm: Engine
    ids: list[JobId]
    report: Report

    def all(self) -> Iterator[str]:
        """Yield what is wrong, in sentences."""
        found = [self.calm.store.get_job(job_id) for job_id in self.ids]
        for job in found:
            yield from self._of_job(job)
        yield from self._published(found)
        yield from self._messages()
        yield from self._left_in_storage()
        yield from self._left_here()

    def _of_job(self, job: Job) -> Iterator[str]:
        if job.state is not JobState.FINISHED:
            yield f"job {job.id} is {job.state} ({job.phase}): {job.failure}"
        for task in self.calm.store.tasks_of(job.id, job.run):
            if not task.settled:
                yield f"task {task.id} is {task.state}, claimed by {task.claim}"
            self.report.notes["workers believed dead"] += task.losses
            self.report.notes["put again"] += task.puts
            for attempt in task.attempts:
                self.report.notes[f"attempts {attempt.end}"] += 1
                if attempt.failure is not None:
                    self.report.notes[f"failures {attempt.failure.code}"] += 1

    def _published(self, found: list[Job]) -> Iterator[str]:
        wanted = {
            file.url.removeprefix(f"s3://{self.place.out}/"): file
            for job in found
            for output in job.outputs
            for file in output.files
        }
        s3 = self.machines.s3()
        versions: Counter[str] = Counter()
        for page in s3.get_paginator("list_object_versions").paginate(
            Bucket=self.place.out
        ):
            versions.update(version["Key"] for version in page.get("Versions", ()))
            for mark in page.get("DeleteMarkers", ()):
                yield f"{mark['Key']} was deleted at the destination"
        for key, count in versions.items():
            if count != 1:
                yield f"{key} was published {count} times"
            if key not in wanted:
                yield f"{key} was published, and no job says so"
        for key, file in wanted.items():
            if key not in versions:
                yield f"{key} is on record as published, and is not there"
                continue
            data = s3.get_object(Bucket=self.place.out, Key=key)["Body"].read()
            if len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256:
                yield f"{key} is not the file that is on record"
        self.report.notes["files"] = len(versions)

    def _messages(self) -> Iterator[str]:
        if depth := self.calm.queue.depth():
            yield f"{depth} messages were left on the queue"
        if self.place.on_aws:
            sqs = self.machines.sqs()
            url = sqs.get_queue_url(QueueName=f"{self.place.name}-{UNREADABLE}")["QueueUrl"]
            answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            waiting = int(answer["Attributes"]["ApproximateNumberOfMessages"])
            if waiting:
                yield f"{waiting} messages were put away as unreadable"
        unsettled = {task.id for task in self.calm.store.unsettled_tasks()}
        if unsettled:
            yield f"tasks are left unsettled: {sorted(unsettled)}"

    def _left_in_storage(self) -> Iterator[str]:
        storage = S3Storage(self.machines.calm)
        for bucket in (self.place.out, self.place.work):
            url = f"s3://{bucket}"
            swept = storage.sweep(url, timedelta(seconds=-10))
            self.report.notes["uploads swept"] += swept
            left = self.machines.s3().list_multipart_uploads(Bucket=bucket)
            if left.get("Uploads"):
                yield f"uploads are left in {bucket}: {left['Uploads']}"
        at_once = JanitorPolicy(keep_runs_for=timedelta())
        settings = self.place.settings()
        self.report.notes["runs tidied by feederd"] = Janitor(
            self.calm, work_policy(settings), at_once
        ).tidy()
        for url in self.calm.storage.list(self.calm.work_url):
            if "/logs/" not in url and "/nodes/" not in url:
                yield f"{url} is left in the work area"

    def _left_here(self) -> Iterator[str]:
        left: list[Any] = list((self.place.folder / "scratch").rglob("*"))
        if left:
            yield f"scratch is not empty: {[str(path) for path in left[:5]]}"
        try:
            living = [node.id for node in self.calm.store.nodes() if not node.gone]
        except NommerError as error:
            yield f"nodes cannot be listed: {error.message}"
        else:
            self.report.notes["nodes not told as gone"] = len(living)
