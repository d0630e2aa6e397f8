"""What each node was paid for, kept after its record is forgotten: a document a node.

They lie in the work area, in a folder for each day on which nodes ended.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from media_nommer.core.errors import OutputExists, SourceNotFound, StorageError
from media_nommer.core.nodes import Machine, Node, NodeId, NodeState
from media_nommer.core.wire import dump, load
from media_nommer.core.workflow.engine import Engine

#: Ids that may stand in a URL as they are; those that a person gave may not.
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What a node was paid for, from ``started_at`` to ``ended_at``, in seconds.

    ``boot`` is until it took tasks, ``worked`` what its attempts have on record, ``idle``
    the rest: they come to ``total``.
    """

    id: NodeId
    kind: str
    machine: Machine
    started_at: datetime
    ended_at: datetime
    boot: float = 0.0
    worked: float = 0.0
    idle: float = 0.0

    @property
    def total(self) -> float:
        """Seconds that it was paid for."""
        return self.boot + self.worked + self.idle

    @property
    def day(self) -> date:
        """The day on which it ended, in UTC."""
        return self.ended_at.date()


def entry_of(node: Node, now: datetime) -> LedgerEntry | None:
    """Return what a node was paid for, up to its last beat while it lives.

    None for an intent that no machine was ever had for.
    """
    machine = node.machine
    started = machine.started_at
    if started is None:
        if node.joined_at is None and not node.slots:
            return None
        started = node.created_at
    ended = machine.ended_at or (now if node.state is NodeState.LAUNCHING else None)
    ended = max(ended or node.changed_at, started)
    total = (ended - started).total_seconds()
    boot = _boot_of(node, started, total)
    worked = min(node.worked, total - boot)
    return LedgerEntry(
        id=node.id,
        kind=node.kind,
        machine=machine,
        started_at=started,
        ended_at=ended,
        boot=boot,
        worked=worked,
        idle=total - boot - worked,
    )


def _boot_of(node: Node, started: datetime, total: float) -> float:
    """Return the seconds until a node took tasks: all, if it never did."""
    if node.joined_at is not None:
        return min(max((node.joined_at - started).total_seconds(), 0.0), total)
    return 0.0 if node.slots else total  # an older version said only that it had joined


def keep_entry(engine: Engine, node: Node) -> None:
    """Put the document of a node that is gone in its place, unless it is there.

    Raises:
        StorageError: the work area does not take it now.
    """
    entry = entry_of(node, engine.clock.now())
    if entry is None:
        return
    plain = bool(_PLAIN_ID.fullmatch(node.id))
    name = node.id if plain else sha256(node.id.encode()).hexdigest()
    url = f"{day_url(engine, entry.day)}/{name}.json"
    try:
        with TemporaryDirectory(prefix="nommer-ledger-") as folder:
            path = Path(folder) / "node.json"
            path.write_text(dump(entry), encoding="utf-8")
            engine.storage.put(path, url)
    except OutputExists:
        return  # whoever put it died before the record was forgotten
    except OSError as error:
        raise StorageError(
            f"the document for {url} cannot be written here: {error.strerror}"
        ) from error


def entries_of(engine: Engine, day: date) -> tuple[str, ...]:
    """Return the URLs of the documents of the nodes that ended on a day."""
    return engine.storage.list(day_url(engine, day))


def read_entry(engine: Engine, url: str) -> LedgerEntry | None:
    """Return what a document says, None if it has been removed meanwhile.

    Raises:
        StorageError: the work area does not answer, or the document is damaged.
        UnknownVersion: a newer media-nommer wrote it.
    """
    try:
        data = engine.storage.read(url)
    except SourceNotFound:
        return None
    try:
        return load(LedgerEntry, data.decode())
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{url} is not a document of the ledger",
            advice="Put it back from a backup, or remove it: its node is not counted then.",
        ) from error


def forget_before(engine: Engine, day: date) -> int:
    """Remove the documents of the days before ``day``; return how many days those were."""
    start = len(engine.ledger_url) + 1
    folders = {
        url[start:].partition("/")[0] for url in engine.storage.list(engine.ledger_url)
    }
    old = {name for name in folders if _DAY.fullmatch(name) and name < day.isoformat()}
    for name in sorted(old):
        engine.storage.delete_below(f"{engine.ledger_url}/{name}")
    return len(old)


def day_url(engine: Engine, day: date) -> str:
    """Return the folder of the nodes that ended on a day."""
    return f"{engine.ledger_url}/{day.isoformat()}"
