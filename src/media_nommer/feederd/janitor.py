"""What keeps the place in order: dead nodes, lost work, deadlines, leftovers."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from media_nommer.core.errors import JobNotFound, NommerError, StorageError
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.nodes import Machine, Node, NodeId, NodeState, given_at
from media_nommer.core.ports.fleet import Fleet
from media_nommer.core.wire import UnknownVersion
from media_nommer.core.workflow.archiving import archived_job, look_up
from media_nommer.core.workflow.changes import change_node
from media_nommer.core.workflow.engine import SEALS, Engine, WorkPolicy
from media_nommer.core.workflow.ledger import forget_before, keep_entry
from media_nommer.core.workflow.lost import LostWork, abandon_overdue, let_go_of
from media_nommer.core.workflow.sealing import drop_seals
from media_nommer.core.workflow.stranded import drop_stranded
from media_nommer.core.workflow.watch import BeatWatch
from media_nommer.feederd.sweeper import Sweeper

log = structlog.get_logger(__name__)

_RUN = re.compile(r"r[0-9]+")

#: A writer that began so long ago and is not done has died.
_LONG_DEAD = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class JanitorPolicy:
    """How long things are left as they are before they count as left behind."""

    #: How many leases a node may be silent before it counts as dead.
    silent_leases: int = 4
    #: How often somebody looks for the dead; longer without a look tells nothing of them.
    look_every: timedelta = timedelta(seconds=1)
    #: How long a machine that was asked for may take to appear.
    appears_within: timedelta = timedelta(seconds=10)
    #: How long a machine that appeared may take to report.
    reports_within: timedelta = timedelta(minutes=2)
    #: How long a machine that appeared may be missed before it counts as gone.
    missed_for: timedelta = timedelta()
    #: How long the machine of a node that is gone may take to end by itself.
    ends_within: timedelta = timedelta(minutes=2)
    #: How long a machine whose node is on no record is left alone.
    unknown_for: timedelta = timedelta(minutes=10)
    #: How long what a final job made is left for its worker to remove.
    keep_runs_for: timedelta = timedelta(minutes=5)
    keep_logs_for: timedelta = timedelta(days=30)
    keep_nodes_for: timedelta = timedelta(hours=1)
    #: How long the ledger says what a node was paid for; None for ever.
    keep_ledger_for: timedelta | None = None


class Reaper:
    """Finds the nodes that died, and sets the tasks free that they held.

    ``fleet`` tells which of its own nodes have a machine; of all others only the beat
    tells. Its machines that no node needs are ended.
    """

    def __init__(
        self,
        engine: Engine,
        fleet: Fleet | None,
        work: WorkPolicy,
        policy: JanitorPolicy,
        *,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._fleet = fleet
        self._work = work
        self._policy = policy
        self._on_change = on_change
        self._watch = BeatWatch(engine.clock)
        self._missed = BeatWatch(engine.clock)
        self._sweeper = _sweeper(engine, fleet, policy)
        self._last_look = engine.clock.monotonic()
        self.quiet = False

    def step(self) -> int:
        """Record as gone what is gone; return how many nodes that were."""
        # The records first: a node that works and is not there afterwards has died.
        nodes = self._engine.store.nodes()
        machines = self._machines()
        self._forget_what_we_missed()
        self.quiet = not any(n.busy or n.state is NodeState.LAUNCHING for n in nodes)
        buried = 0
        for node in nodes:
            why = self._why_dead(node, machines)
            buried += why is not None and self._bury(node, why)
        if self._sweeper is not None and machines is not None:
            self._sweeper.step(nodes, machines)
        if buried:
            self._on_change()
        return buried

    def _machines(self) -> Mapping[NodeId, Machine] | None:
        """Return the machines there are, None where no fleet says.

        Then only the beat tells of any node.
        """
        try:
            return None if self._fleet is None else self._fleet.machines()
        except NommerError as error:
            log.warning("fleet_not_seen", code=error.code, message=error.message)
            return None

    def _forget_what_we_missed(self) -> None:
        """Begin to watch anew after a time in which we saw no beat at all.

        While the store did not answer us it did not answer the nodes either, and they are
        not dead for that.
        """
        now = self._engine.clock.monotonic()
        if now - self._last_look > self._longest_gap.total_seconds():
            self._watch = BeatWatch(self._engine.clock)
            self._missed = BeatWatch(self._engine.clock)
            self._sweeper = _sweeper(self._engine, self._fleet, self._policy)
        self._last_look = now

    @property
    def _longest_gap(self) -> timedelta:
        return max(self._work.lease, 2 * self._policy.look_every)

    def _why_dead(
        self, node: Node, machines: Mapping[NodeId, Machine] | None
    ) -> str | None:
        ended = missing = False
        if self._fleet and machines is not None and self._fleet.answers_for(node):
            machine = machines.get(node.id)
            missing = machine is None
            ended = machine is not None and machine.ended_at is not None
        still = self._watch.still_for(node.id, (node.state, node.beat))
        missed = self._missed.still_for(node.id, missing)
        if node.state is NodeState.LAUNCHING:
            if ended:
                return "its machine ended before it reported"
            if missing and still >= self._policy.appears_within:
                # The detail of an intent is why its machine could not be started.
                return node.detail or "its machine ended, or never came, before it reported"
            return "it never reported" if still >= self._policy.reports_within else None
        if ended or (missing and missed >= self._policy.missed_for):
            return "its machine is gone"
        if still >= self._work.lease * self._policy.silent_leases:
            return "it fell silent"
        return None

    def _bury(self, node: Node, why: str) -> bool:
        """Record that a node is gone, unless it has left or shown life meanwhile."""
        at, ours = self._engine.clock.now(), False

        def gone(latest: Node) -> Node | None:
            nonlocal ours
            ours = (latest.state, latest.beat) == (node.state, node.beat)
            return latest.moved_to(NodeState.GONE, at=at, detail=why) if ours else None

        change_node(self._engine.store, node.id, gone)
        if not ours:
            return False
        self._watch.forget(node.id)
        self._missed.forget(node.id)
        freed = let_go_of(self._engine, node.id)
        log.warning("node_gone", node=node.id, why=why, tasks_freed=freed)
        return True


def _sweeper(engine: Engine, fleet: Fleet | None, policy: JanitorPolicy) -> Sweeper | None:
    if fleet is None:
        return None
    return Sweeper(
        engine, fleet, ends_within=policy.ends_within, unknown_for=policy.unknown_for
    )


@dataclass(frozen=True, slots=True)
class _JobEnd:
    """Which run of a job is its last, and since when that is over; None while it is not."""

    run: int
    since: datetime | None

    @classmethod
    def of(cls, job: Job) -> "_JobEnd":
        return cls(job.run, job.finished_at if job.state.final else None)


class Janitor:
    """Puts again what was lost, ends what is overdue, and removes what was left."""

    def __init__(self, engine: Engine, work: WorkPolicy, policy: JanitorPolicy) -> None:
        self._engine = engine
        self._policy = policy
        self._lost = LostWork(engine, work)
        self._archived: dict[JobId, _JobEnd] = {}
        self._ledger_tidied: date | None = None
        self._strays = BeatWatch(engine.clock)

    def put_again(self) -> int:
        """Put work on the queue again that nobody comes for; return how much that was."""
        count = self._lost.put_again()
        if count:
            log.info("work_put_again", count=count)
        return count

    def end_overdue(self) -> int:
        """Abandon the jobs whose deadline passed; return how many there were."""
        count = abandon_overdue(self._engine)
        if count:
            log.warning("jobs_overdue", count=count)
        return count

    def tidy(self) -> int:
        """Remove what no one needs any more; return how many folders and records went.

        That is what runs of final jobs left in the work area, their secrets, and what is
        half-put where their outputs go; old logs of jobs and of nodes; the records of nodes
        that are long gone, which go to the ledger, and the oldest days of that. A folder
        whose job is neither on record nor in the archive is left alone, but for secrets.
        """
        removed = 0
        left = self._left_by_job()
        self._archived = {k: end for k, end in self._archived.items() if k in left}
        for job_id, folders in left.items():
            end = self._end_of(job_id)
            if end is None:
                removed += SEALS in folders and self._remove_stray_seals(job_id)
                continue
            for folder in self._not_needed(end, folders):
                if folder not in {"logs", SEALS} and not self._dropped(job_id, end):
                    continue  # the next time
                self._engine.storage.delete_below(
                    f"{self._engine.jobs_url}/{job_id}/{folder}"
                )
                removed += 1
        removed += self._remove_node_logs()
        removed += self._forget_nodes()
        removed += self._tidy_ledger()
        removed += self._engine.storage.sweep(self._engine.work_url, _LONG_DEAD)
        if removed:
            log.info("tidied", removed=removed)
        return removed

    def _remove_stray_seals(self, job_id: JobId) -> bool:
        """Remove the secrets of a job that never came to be on record."""
        if self._strays.still_for(job_id, None) < _LONG_DEAD:
            return False
        drop_seals(self._engine, job_id)
        self._strays.forget(job_id)
        return True

    def _left_by_job(self) -> dict[JobId, set[str]]:
        """Return the names of the folders that each job has in the work area."""
        left: dict[JobId, set[str]] = {}
        start = len(self._engine.jobs_url) + 1
        for url in self._engine.storage.list(self._engine.jobs_url):
            job_id, _, rest = url[start:].partition("/")
            folder, slash, _ = rest.partition("/")
            if slash:
                left.setdefault(JobId(job_id), set()).add(folder)
        return left

    def _end_of(self, job_id: JobId) -> _JobEnd | None:
        """Return how a job ended; None for a job of which nothing is known.

        Documents of the archive are read once: a job's logs may outlast its record by far.
        """
        if job_id in self._archived:
            return self._archived[job_id]
        try:
            return _JobEnd.of(self._engine.store.get_job(job_id))
        except JobNotFound:
            pass
        try:
            end = _JobEnd.of(archived_job(self._engine, job_id))
        except JobNotFound:
            return None
        except (StorageError, UnknownVersion) as error:
            log.warning("archive_unreadable", job=job_id, message=error.message)
            return None
        self._archived[job_id] = end
        return end

    def _not_needed(self, end: _JobEnd, folders: set[str]) -> Iterator[str]:
        for folder in sorted(folders):
            if folder == "logs":
                if self._over_for(end, self._policy.keep_logs_for):
                    yield folder
            elif folder == SEALS:
                if end.since is not None:
                    yield folder
            elif _RUN.fullmatch(folder):
                past = folder != f"r{end.run}"
                if past or self._over_for(end, self._policy.keep_runs_for):
                    yield folder

    def _dropped(self, job_id: JobId, end: _JobEnd) -> bool:
        """Drop what the worker had half-put that never came to tidy up; False to wait.

        While a job goes on its workers do that themselves.
        """
        if end.since is None:
            return True
        try:
            job = look_up(self._engine, job_id)
        except JobNotFound:
            return True
        return drop_stranded(self._engine, job, until=end.since)

    def _over_for(self, end: _JobEnd, period: timedelta) -> bool:
        return end.since is not None and self._engine.clock.now() - end.since >= period

    def _remove_node_logs(self) -> int:
        """Remove what nodes that ended long ago kept of their logs.

        How old they are their ids tell; what has another name is not ours.
        """
        start = len(self._engine.nodes_url) + 1
        there = {node.id for node in self._engine.store.nodes()}
        urls = self._engine.storage.list(self._engine.nodes_url)
        removed = 0
        for name in sorted({url[start:].partition("/")[0] for url in urls}):
            began = given_at(name)
            if began is None or name in there:
                continue
            if self._engine.clock.now() - began >= self._policy.keep_logs_for:
                self._engine.storage.delete_below(f"{self._engine.nodes_url}/{name}")
                removed += 1
        return removed

    def _forget_nodes(self) -> int:
        oldest = self._engine.clock.now() - self._policy.keep_nodes_for
        old = [
            node
            for node in self._engine.store.nodes(gone=True)
            if node.gone and node.changed_at <= oldest
        ]
        for node in old:
            keep_entry(self._engine, node)
            self._engine.store.forget_node(node.id)
        return len(old)

    def _tidy_ledger(self) -> int:
        """Remove days that are too old, looking for them once a day."""
        today, keep_for = self._engine.clock.now().date(), self._policy.keep_ledger_for
        if keep_for is None or self._ledger_tidied == today:
            return 0
        removed = forget_before(self._engine, today - keep_for)
        self._ledger_tidied = today
        return removed
