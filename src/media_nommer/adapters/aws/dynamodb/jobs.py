"""Jobs in DynamoDB: their records, labels and lists, and how they go by themselves.

A job's item is in the index of all jobs and in that of its state; both hold keys only, so
that a change of progress writes one item and no index. For each tag and preset there is an
item of its own, a *label*, written before the job and never changed: where a job is gone
or was never added, a list passes over its label.
"""

import heapq
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from media_nommer.adapters.aws.dynamodb.table import (
    BY_STATE,
    BY_TIME,
    DynamoTable,
    Key,
    Look,
)
from media_nommer.adapters.aws.items.job_pages import Source, Wanted, page_of_jobs
from media_nommer.adapters.aws.items.packing import (
    job_key_in,
    key_of,
    key_of_job,
    labels_of,
)
from media_nommer.adapters.aws.items.records import Index, Records, Value
from media_nommer.core.errors import AlreadyExists, JobNotFound
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.ports.store import JobFilter, JobPage

#: The one key of the index of all jobs. 1,000 jobs a second may be added under it.
ALL = "all"


class Jobs:
    """The jobs of one table; ``keep_for`` is how long final ones stay, None for ever."""

    def __init__(self, table: DynamoTable, keep_for: timedelta | None) -> None:
        self._table = table
        self._records = Records(table, Job, JobNotFound)
        self._keep_for = keep_for

    def add(self, job: Job) -> Job:
        """Remember a new job: its labels first, so that none is ever missing.

        Raises:
            AlreadyExists: there is a job with this id.
        """
        labels = _labels(job)
        self._table.write(puts=(key._asdict() for key in labels))
        added = self._records.add(job_key(job.id), job, self._index(job))
        if added is None:
            standing = self._records.find(job_key(job.id))
            kept = _labels(standing) if standing is not None else frozenset()
            self._table.write(deletes=labels - kept)
            raise AlreadyExists(f"there is a job {job.id} already")
        return added

    def get(self, job_id: JobId) -> Job:
        """Return the latest version of a job.

        Raises:
            JobNotFound: no job has this id.
        """
        return self._records.get(job_key(job_id), job_id)

    def swap(self, job: Job) -> tuple[Job, bool]:
        """Replace the version that ``job`` was made from; return whether that ended it.

        Raises:
            Overtaken: another version was stored meanwhile.
            JobNotFound: no job has this id.
        """
        key, index = job_key(job.id), self._index(job)
        swapped, old = self._records.swap(key, job, index, job.id)
        return swapped, job.state.final and "expires" not in old

    def expire_labels(self, job: Job, expires: int | None) -> None:
        """Set when the labels of a job go, or that they do not."""
        when: dict[str, Value] = {} if expires is None else {"expires": expires}
        self._table.write(puts=({**key._asdict(), **when} for key in _labels(job)))

    def expires(self, job: Job) -> int | None:
        """Return when a job goes by itself, in seconds since 1970; None for never."""
        if self._keep_for is None or not job.state.final:
            return None
        return int(((job.finished_at or job.changed_at) + self._keep_for).timestamp())

    def forget(self, job_id: JobId) -> None:
        """Remove a job with its labels."""
        job = self._records.find(job_key(job_id))
        if job is not None:
            self._table.write(deletes=_labels(job))
            self._table.write(deletes=[job_key(job_id)])

    def page(self, wanted: JobFilter, limit: int, cursor: str | None) -> JobPage:
        """Return a page of the jobs that a filter admits, newest created first.

        Raises:
            InvalidCursor: ``cursor`` is none of ours.
        """
        return page_of_jobs(wanted, limit, cursor, self._places, self._at_places)

    def _places(self, wanted: Wanted) -> list[str]:
        """Return the newest places of jobs that may be wanted."""
        if wanted.last < wanted.first:
            return []
        found: set[str] = set()
        for source in wanted.sources:
            look = _look(source, wanted.first, wanted.last)
            # One more than asked for: the range holds the place ``last`` itself.
            items = self._table.query(look, page=wanted.count + 1)
            places = (str(item[look.sort]) for item in items)
            found.update(islice((p for p in places if p < wanted.last), wanted.count))
        return heapq.nlargest(wanted.count, found)

    def _at_places(self, places: list[str]) -> Iterator[Job]:
        """Return the jobs that stand at places, in that order."""
        keys = (_at(job_key_in(place)) for place in places)
        jobs = map(self._records.of, self._table.read(keys))
        there = {key_of_job(job): job for job in jobs}
        return (there[place] for place in places if place in there)

    def _index(self, job: Job) -> Index:
        return {
            "jobs": ALL,
            "state": str(job.state),
            "place": key_of_job(job),
            "expires": self.expires(job),
        }


def _look(source: Source, first: str, last: str) -> Look:
    """Return how the places of a source are read, both ends included."""
    if source.label is not None:
        index, of = None, ("pk", source.label)
    elif source.state is not None:
        index, of = BY_STATE, ("state", str(source.state))
    else:
        index, of = BY_TIME, ("jobs", ALL)
    return Look(
        of=of,
        index=index,
        sort="place" if index else "sk",
        where="#s BETWEEN :a AND :b",
        values=(first, last),
        newest_first=True,
    )


def job_key(job_id: JobId) -> Key:
    """Return where a job lies."""
    return _at(key_of(job_id))


def _at(job_key: str) -> Key:
    return Key(f"job {job_key}")


def _labels(job: Job) -> frozenset[Key]:
    """Return where the labels of a job lie."""
    place = key_of_job(job)
    return frozenset(Key(label, place) for label in labels_of(job.tags, job.presets))
