"""What each node was paid for, kept after its record is forgotten: a document a node.

They lie in the work area, in a folder for each day on which nodes ended.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from media_nommer.core.errors import OutputExists, SourceNotFound, StorageError
from media_nommer.core.nodes import Machine, Node, NodeId, NodeState
from media_nommer.core.wire import UnknownVersion, dump, load
from media_nommer.core.workflow.engine import Engine

log = structlog.get_logger(__name__)

#: How far back older documents of a node are looked for: costs are summed no further.
_LOOKED_BACK = timedelta(days=366)

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

    A node that was taken for gone and came back has one that says too little, perhaps on
    another day: the new one says all, stands beside it, and then the old one goes. Readers
    who meet both take the later one, and no document ever changes.

    Raises:
        StorageError: the work area does not take it now.
    """
    entry = entry_of(node, engine.clock.now())
    if entry is None:
        return
    known = {url: _said_before(engine, url) for url in _documents_of(engine, entry)}
    told = {url: said.ended_at for url, said in known.items() if said is not None}
    if any(ended >= entry.ended_at for ended in told.values()):
        kept = max(told, key=lambda url: told[url])  # whoever put it died soon after
    else:
        kept = _url_of(engine, entry, entry.day)
        if known:
            kept = f"{_folder_of(kept)}/{entry.ended_at.timestamp() * 1000:.0f}.json"
        _put(engine, entry, kept)
    for url in told.keys() - {kept}:
        engine.storage.delete(url)


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
        return _parsed(data)
    except _Damaged as error:
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


def _documents_of(engine: Engine, entry: LedgerEntry) -> tuple[str, ...]:
    """Return the URLs of what the ledger has of a node already."""
    found: list[str] = []
    day = max(entry.started_at.date(), entry.day - _LOOKED_BACK)
    while day <= entry.day:
        url = _url_of(engine, entry, day)
        if engine.storage.stat(url) is not None:
            found.append(url)
        found += engine.storage.list(_folder_of(url))
        day += timedelta(days=1)
    return tuple(found)


def _url_of(engine: Engine, entry: LedgerEntry, day: date) -> str:
    plain = bool(_PLAIN_ID.fullmatch(entry.id))
    name = entry.id if plain else sha256(entry.id.encode()).hexdigest()
    return f"{day_url(engine, day)}/{name}.json"


def _folder_of(url: str) -> str:
    """Return where the later documents of a node are, beside its first."""
    return url.removesuffix(".json")


def _said_before(engine: Engine, url: str) -> LedgerEntry | None:
    """Return what an older document says; None for one that we cannot read, and leave."""
    try:
        return _parsed(engine.storage.read(url))
    except (_Damaged, UnknownVersion, SourceNotFound) as error:
        log.warning("ledger_document_left", url=url, error=type(error).__name__)
        return None


def _put(engine: Engine, entry: LedgerEntry, url: str) -> None:
    try:
        with TemporaryDirectory(prefix="nommer-ledger-") as folder:
            path = Path(folder) / "node.json"
            path.write_text(dump(entry), encoding="utf-8")
            engine.storage.put(path, url)
    except OutputExists:
        return  # another feederd was quicker
    except OSError as error:
        raise StorageError(
            f"the document for {url} cannot be written here: {error.strerror}"
        ) from error


class _Damaged(Exception):
    """A document that is none."""


def _parsed(data: bytes) -> LedgerEntry:
    try:
        return load(LedgerEntry, data.decode())
    except (ValueError, KeyError, TypeError) as error:
        raise _Damaged from error
