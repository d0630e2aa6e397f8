"""How long feederd leaves things as they are before it sees to them."""

from dataclasses import dataclass
from datetime import timedelta


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
