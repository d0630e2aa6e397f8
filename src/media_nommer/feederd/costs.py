"""What jobs and nodes cost, from the store and the ledger, a page of jobs at a time."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from media_nommer.core.errors import BadRequest
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.shares import Share
from media_nommer.core.tasks import Task
from media_nommer.core.workflow import archiving
from media_nommer.core.workflow.engine import Engine
from media_nommer.core.workflow.ledger import (
    LedgerEntry,
    entries_of,
    entry_of,
    read_entry,
)
from media_nommer.planning.fleet.costs import Breakdown, Costs, PaidJob, summed

MOST_JOBS_A_PAGE = 200
MOST_DAYS = 366
MOST_NODES = 5_000

#: How far back costs are looked for where nobody says so.
USUAL_TIME = timedelta(days=30)
#: Documents of the ledger that are read at once; on S3 each takes some milliseconds.
_READERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPage:
    """What some of the jobs cost, and on the first page the nodes too.

    ``cursor`` asks for the next page, None on the last: their rows add up.
    """

    breakdown: Breakdown
    since: datetime
    until: datetime
    costs: Costs
    cursor: str | None


class CostBook:
    """Sums what was spent. Documents of the ledger never change: each is read once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._read: dict[str, LedgerEntry] = {}

    def page(
        self,
        *,
        by: str = "day",
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = MOST_JOBS_A_PAGE,
        cursor: str | None = None,
    ) -> CostPage:
        """Return what jobs cost that were created in a time, and nodes that ended in it.

        Nodes that live count as of their last beat. ``since`` (included) is 30 days before
        ``until`` (not), and that is now, where they are not given.

        Raises:
            BadRequest: ``by``, the times or the limit cannot be used, or it is too much.
            InvalidCursor: the cursor is none that this gave.
        """
        breakdown = Breakdown.parse(by)
        now = self._engine.clock.now()
        until = until or now
        since = since or until - USUAL_TIME
        _check(since, until, limit)
        wanted = JobFilter(since=since, until=until)
        page = self._engine.store.list_jobs(wanted, limit=limit, cursor=cursor)
        jobs = [PaidJob(job, self._shares_of(job)) for job in page.jobs]
        entries = self._entries(since, until, now) if cursor is None else ()
        return CostPage(
            breakdown=breakdown,
            since=since,
            until=until,
            costs=summed(jobs, entries, breakdown),
            cursor=page.cursor,
        )

    def _shares_of(self, job: Job) -> tuple[Share | None, ...]:
        return tuple(share for task in tasks_of(self._engine, job) for share in task.shares)

    def _entries(
        self, since: datetime, until: datetime, now: datetime
    ) -> Sequence[LedgerEntry]:
        """Return what each node was paid for that ended in a time, or lives in it.

        The records first: a node's document is put before its record goes. Of what is told
        of one node the latest counts: it may have come back from the dead, and says all.
        """
        records = [entry_of(n, now) for n in self._engine.store.nodes(gone=True)]
        found: dict[NodeId, LedgerEntry] = {e.id: e for e in records if e is not None}
        for entry in self._documents(since, until):
            known = found.get(entry.id)
            if known is None or known.ended_at <= entry.ended_at:
                found[entry.id] = entry
        return [
            entry
            for entry in found.values()
            if since <= entry.ended_at < until or entry.ended_at == until == now
        ]

    def _documents(self, since: datetime, until: datetime) -> Iterator[LedgerEntry]:
        urls = [url for day in _days(since, until) for url in entries_of(self._engine, day)]
        if len(urls) > MOST_NODES:
            raise BadRequest(
                f"{len(urls)} nodes ended from {since.isoformat()} to {until.isoformat()}; "
                f"{MOST_NODES} at most are summed at once",
                advice="Ask for a shorter time.",
            )
        if len(self._read) > 4 * MOST_NODES:
            self._read = {}
        new = [url for url in urls if url not in self._read]
        if new:
            with ThreadPoolExecutor(min(_READERS, len(new))) as readers:
                read = readers.map(lambda url: read_entry(self._engine, url), new)
                found = {url: entry for url, entry in zip(new, read, strict=True) if entry}
            self._read |= found
        return iter([self._read[url] for url in urls if url in self._read])


def tasks_of(engine: Engine, job: Job) -> tuple[Task, ...]:
    """Return the tasks of all runs of a job, none where nobody can have begun it."""
    if job.state is JobState.PENDING and job.run == 1:
        return ()
    if job.archived_at is not None:
        return archiving.whole_job(engine, job.id).tasks
    runs = range(1, job.run + 1)
    return tuple(task for run in runs for task in engine.store.tasks_of(job.id, run))


def _check(since: datetime, until: datetime, limit: int) -> None:
    if not 1 <= limit <= MOST_JOBS_A_PAGE:
        raise BadRequest(f"limit is {limit}; allowed: 1 to {MOST_JOBS_A_PAGE}")
    for name, moment in (("since", since), ("until", until)):
        if moment.tzinfo is None:
            raise BadRequest(
                f"{name} is {moment.isoformat()}, a time without its zone; allowed: one "
                "such as 2026-01-31T12:00:00Z"
            )
    if not timedelta() <= until - since <= timedelta(days=MOST_DAYS):
        raise BadRequest(
            f"from {since.isoformat()} to {until.isoformat()} are "
            f"{(until - since).days} days; allowed: 0 to {MOST_DAYS}"
        )


def _days(since: datetime, until: datetime) -> Iterator[date]:
    day = since.astimezone(UTC).date()
    while day <= until.astimezone(UTC).date():
        yield day
        day += timedelta(days=1)
