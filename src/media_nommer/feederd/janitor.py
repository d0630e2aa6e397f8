"""What keeps the place in order: lost work, deadlines, leftovers, records grown old."""

from datetime import date

import structlog

from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.ledger import forget_before, keep_entry
from media_nommer.core.workflow.lost import LostWork, abandon_overdue
from media_nommer.feederd.leftovers import LONG_DEAD, Leftovers
from media_nommer.feederd.patience import JanitorPolicy

log = structlog.get_logger(__name__)


class Janitor:
    """Puts again what was lost, ends what is overdue, and removes what was left."""

    def __init__(self, engine: Engine, work: WorkPolicy, policy: JanitorPolicy) -> None:
        self._engine = engine
        self._policy = policy
        self._lost = LostWork(engine, work)
        self._leftovers = Leftovers(engine, policy)
        self._ledger_tidied: date | None = None

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
        removed = self._leftovers.of_jobs() + self._leftovers.of_nodes()
        removed += self._forget_nodes()
        removed += self._tidy_ledger()
        removed += self._engine.storage.sweep(self._engine.work_url, LONG_DEAD)
        if removed:
            log.info("tidied", removed=removed)
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
