"""What every table of records does alike: add, get, swap, and lists of documents."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from media_nommer.adapters.sql.engine import reading, writing
from media_nommer.core.errors import NotFound, Overtaken
from media_nommer.core.jobs import Job
from media_nommer.core.nodes import Duty, Node
from media_nommer.core.tasks import Task
from media_nommer.core.wire import dump, load

#: The revision of a record that has never been changed; one that is not stored has 0.
FIRST = 1


Record = TypeVar("Record", Job, Task, Node, Duty)


class Records(Generic[Record]):
    """One table of records of one kind; its statements are built once.

    Every statement is a transaction of its own, and a swap is one: the revision is compared
    by the very update that follows it.
    """

    def __init__(
        self,
        engine: sa.Engine,
        table: sa.Table,
        kind: type[Record],
        missing: type[NotFound],
    ) -> None:
        self._engine = engine
        self._kind: type[Record] = kind
        self._missing = missing
        self._noun = kind.__name__.lower()
        key = table.c.id == sa.bindparam("key")
        self._get = sa.select(table.c.document).where(key)
        self._add = insert_absent(engine, table)
        self._swap = (
            sa.update(table)
            .where(key, table.c.revision == sa.bindparam("read_at"))
            .values({c.name: sa.bindparam(c.name) for c in table.c if c.name != "id"})
        )
        self._forget = sa.delete(table).where(key)

    def add(self, key: str, record: Record, columns: Mapping[str, object]) -> Record | None:
        """Store a new record and return it with its revision; None if one has its id."""
        added = replace(record, revision=FIRST)
        values = {**columns, "id": key, "revision": FIRST, "document": dump(added)}
        with writing(self._engine) as db:
            return added if db.execute(self._add, values).rowcount else None

    def find(self, key: str) -> Record | None:
        """Return a record, None if none has this id."""
        with reading(self._engine) as db:
            document = db.execute(self._get, {"key": key}).scalar()
        return None if document is None else load(self._kind, document)

    def get(self, key: str) -> Record:
        """Return a record.

        Raises:
            NotFound: none has this id.
        """
        record = self.find(key)
        if record is None:
            raise self._missing(f"there is no {self._noun} {key}")
        return record

    def swap(self, key: str, record: Record, columns: Mapping[str, object]) -> Record:
        """Replace the version that ``record`` was made from.

        Raises:
            Overtaken: another version was stored meanwhile.
            NotFound: none has this id.
        """
        read_at = record.revision
        swapped = replace(record, revision=read_at + 1)
        values = {
            **columns,
            "key": key,
            "read_at": read_at,
            "revision": read_at + 1,
            "document": dump(swapped),
        }
        with writing(self._engine) as db:
            changed = db.execute(self._swap, values).rowcount
        if not changed:
            self.get(key)
            raise Overtaken(f"the {self._noun} {key} was changed meanwhile")
        return swapped

    def forget(self, key: str) -> None:
        """Remove a record, if it is there."""
        with writing(self._engine) as db:
            db.execute(self._forget, {"key": key})

    def all(
        self, statement: sa.Select[Any], values: Mapping[str, object] | None = None
    ) -> tuple[Record, ...]:
        """Return the records whose documents ``statement`` selects."""
        with reading(self._engine) as db:
            documents = db.execute(statement, values).scalars().all()
        return tuple(load(self._kind, document) for document in documents)


def insert_absent(engine: sa.Engine, table: sa.Table) -> sa.Insert:
    """Return an insert that changes nothing where the key is taken, and counts its rows."""
    dialect = sqlite if engine.dialect.name == "sqlite" else postgresql
    statement: sa.Insert = (
        dialect.insert(table)
        .values({c.name: sa.bindparam(c.name) for c in table.c})
        .on_conflict_do_nothing()
        .inline()
        .execution_options(preserve_rowcount=True)
    )
    return statement
