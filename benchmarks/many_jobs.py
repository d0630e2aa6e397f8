"""A store full of jobs as a busy year leaves them, made quickly and the same every time."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path

from benchmarks.films import cache as cache_folder
from media_nommer.adapters.sql import open_engine, sqlite_url
from media_nommer.adapters.sql import store as sql_store
from media_nommer.adapters.sql.migrate import HEAD
from media_nommer.core.jobs import (
    Event,
    Job,
    JobId,
    JobState,
    Output,
    OutputState,
    PublishedFile,
)
from media_nommer.core.wire import dump

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=31.5)

#: What lists ask for: things that many jobs have, and things that few have.
COMMON_STATE, RARE_STATE = JobState.FINISHED, JobState.ABANDONED
COMMON_TAG = ("customer", "large")
COMMON_PRESET, RARE_PRESET = "web", "archive"
#: So many jobs have the same rare tag.
_A_SHOW = 20

#: Goes up when other jobs are made here, so that none of before are found in the cache.
_VERSION = 1
_AT_ONCE = 20_000
#: Times in a pattern of a document, which stand for others.
_CREATED, _STARTED, _ENDED = (datetime(2000, 1, day, tzinfo=UTC) for day in (1, 2, 3))
_ID, _TAGS = "an-id", {"a": "tag"}


@dataclass(frozen=True, slots=True)
class ManyJobs:
    """So many jobs, numbered by their creation."""

    count: int

    def job(self, number: int) -> Job:
        """Return a job as its last change has left it."""
        pattern = _pattern(self._state(number), _preset(number))
        created = FIRST + number * APART
        return replace(
            pattern, id=_id(number, created), created_at=created, tags=self._tags(number)
        )

    def rare_tag(self, number: int) -> tuple[str, str]:
        """Return a tag that some 20 jobs have, one of them being that of this number."""
        return "show", self._tags(number)["show"]

    def rows(self) -> Iterator[tuple[tuple[object, ...], list[tuple[object, ...]]]]:
        """Yield each job's row, and its rows of labels, in the columns of their tables."""
        for number in range(self.count):
            job = self.job(number)
            columns = sql_store._job_columns(job)
            document = _document(job)
            labels = [tuple(line.values()) for line in sql_store._labels_of(job)]
            yield (job.id, columns["state"], columns["created"], 1, document), labels

    def _state(self, number: int) -> JobState:
        if number >= self.count - 40:
            return JobState.PENDING if number % 2 else JobState.RUNNING
        if number % 5_000 == 17:
            return RARE_STATE
        return JobState.FAILED if number % 50 == 3 else COMMON_STATE

    def _tags(self, number: int) -> dict[str, str]:
        shows = max(1, self.count // _A_SHOW)
        tags = {"show": f"show-{number * 7919 % shows}", "title": f"title-{number}"}
        if number % 3 == 0:
            tags[COMMON_TAG[0]] = COMMON_TAG[1]
        return tags


def sqlite_file(jobs: ManyJobs) -> Path:
    """Return a database of these jobs, kept in the cache between two benchmarks."""
    kept = cache_folder() / f"jobs-{jobs.count}-of-{HEAD}-{_VERSION}.db"
    if not kept.exists():
        print(f"making {jobs.count} jobs in {kept}", flush=True)
        part = kept.with_suffix(".part")
        for leftover in kept.parent.glob(f"{part.name}*"):
            leftover.unlink()
        open_engine(sqlite_url(part)).dispose()
        with closing(sqlite3.connect(part, isolation_level=None)) as db:
            _fill(db, jobs)
        part.rename(kept)
        part.with_name(f"{part.name}-turn").unlink(missing_ok=True)
    return kept


def copy_to_postgres(source: Path, url: str) -> None:
    """Copy the jobs of such a file to a new database, and have it look at what it has."""
    import psycopg  # noqa: PLC0415 - not every machine has it

    open_engine(url).dispose()
    with (
        closing(sqlite3.connect(source)) as db,
        psycopg.connect(url, autocommit=True) as server,
        server.cursor() as cursor,
    ):
        for table in ("jobs", "labels"):
            columns = [line[1] for line in db.execute(f"PRAGMA table_info({table})")]
            names = ", ".join(columns)
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in db.execute(f"SELECT {names} FROM {table}"):
                    copy.write_row(row)
            cursor.execute(f"VACUUM ANALYZE {table}")  # as autovacuum does in time


def _fill(db: sqlite3.Connection, jobs: ManyJobs) -> None:
    for pragma in ("synchronous=OFF", "cache_size=-2000000"):
        db.execute(f"PRAGMA {pragma}")
    rows = jobs.rows()
    db.execute("BEGIN")
    labels: list[tuple[object, ...]] = []
    while batch := list(islice(rows, _AT_ONCE)):
        db.executemany(
            "INSERT INTO jobs (id, state, created, revision, document) "
            "VALUES (?, ?, ?, ?, ?)",
            [row for row, _ in batch],
        )
        labels += [line for _, lines in batch for line in lines]
    labels.sort()  # an index that is filled in its order is filled many times as fast
    db.executemany("INSERT INTO labels (label, created, job_id) VALUES (?, ?, ?)", labels)
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _document(job: Job) -> str:
    """Return what ``dump`` makes of a job, by way of its pattern: that is quicker."""
    text = _dumped(job.state, job.presets[0])
    times = (_CREATED, job.created_at), (_STARTED, _started(job)), (_ENDED, _ended(job))
    for stands_for, time in times:
        text = text.replace(_text(stands_for), _text(time))
    tags = json.dumps(job.tags, separators=(",", ":"))
    text = text.replace(json.dumps(_TAGS, separators=(",", ":")), tags)
    return text.replace(_ID, job.id)


@cache
def _dumped(state: JobState, preset: str) -> str:
    return dump(replace(_pattern(state, preset), revision=1))


def _started(job: Job) -> datetime:
    return job.created_at + timedelta(seconds=2)


def _ended(job: Job) -> datetime:
    return job.created_at + timedelta(minutes=3)


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _id(number: int, created: datetime) -> JobId:
    digest = hashlib.blake2b(str(number).encode(), digest_size=7).hexdigest()
    return JobId(f"{int(created.timestamp() * 1000):011x}{digest}")


def _preset(number: int) -> str:
    if number % 5_000 == 29:
        return RARE_PRESET
    return "hls" if number % 4 == 0 else COMMON_PRESET


@cache
def _pattern(state: JobState, preset: str) -> Job:
    """Return a job of one output, whose id, tags and times stand for those of others."""
    made = PublishedFile(
        url=f"s3://films-out/customer/{_ID}/{preset}.mp4",
        size=734_003_200,
        sha256=hashlib.sha256(b"a film").hexdigest(),
        work_url=f"s3://films-work/jobs/{_ID}/r1/encode-0/c1/{preset}.mp4",
    )
    facts = {"width": 1920, "height": 1080, "seconds": 5400.04, "video": "h264"}
    finished = state is JobState.FINISHED
    output = Output(
        name=preset,
        state=OutputState.FINISHED if finished else OutputState.PENDING,
        files=(made,) if finished else (),
        facts=facts if finished else {},
    )
    video = {"codec": "h264", "preset": "medium", "crf": 21, "height": 1080}
    recipe = {
        "inputs": [{"url": f"s3://films-in/customer/{_ID}.mov"}],
        "destination": f"s3://films-out/customer/{_ID}",
        "outputs": [{"name": preset, "video": video, "audio": {"codec": "aac"}}],
    }
    states = [JobState.RUNNING, state] if state.final else [JobState.RUNNING]
    times = [_STARTED, _ENDED]
    events = [
        Event(number=number, at=at, kind=f"job.{to}", run=1)
        for number, (to, at) in enumerate(zip(states, times, strict=False), start=1)
    ]
    return Job(
        id=JobId(_ID),
        recipe=recipe,
        source=f"s3://films-in/customer/{_ID}.mov",
        outputs=(output,),
        created_at=_CREATED,
        changed_at=_ENDED,
        state=state,
        progress=float(finished),
        group="customer",
        tags=_TAGS,
        presets=(preset,),
        publication="publication" if finished else None,
        started_at=_STARTED,
        finished_at=_ENDED if state.final else None,
        events=tuple(events),
    )
