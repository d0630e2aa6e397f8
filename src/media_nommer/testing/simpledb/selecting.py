"""Answering a Select a page at a time, and the tokens that lead from page to page."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from media_nommer.testing.simpledb import ranges
from media_nommer.testing.simpledb.conditions import (
    EVERYTHING,
    Item,
    Kind,
    Subject,
)
from media_nommer.testing.simpledb.errors import SimpleDbError
from media_nommer.testing.simpledb.limits import Limits
from media_nommer.testing.simpledb.ranges import Ranges
from media_nommer.testing.simpledb.select import Select
from media_nommer.testing.simpledb.table import Entry, Table


@dataclass(frozen=True, slots=True)
class Page:
    """A page of what a Select found.

    ``examined`` counts the index entries that were read for it, each of which stands for
    one item looked at; ``matched`` counts those that were found.
    """

    items: tuple[tuple[str, Item], ...]
    matched: int
    examined: int
    token: str | None


def select_page(
    query: Select,
    table: Table,
    token: str | None,
    limits: Limits,
    size_of: Callable[[str, Item], int],
) -> Page:
    """Return the next page of a query; ``size_of`` says what an item takes in an answer.

    One index is read, from where the last page ended: that of what is sorted by, or else
    the one in which the where clause leaves the fewest entries. A page ends when it is
    full, when the answer is, or when enough was read for one call; it then has a token,
    and what that leads to may be an empty page.

    Raises:
        SimpleDbError: the token is none of ours, or of another query.
    """
    source, after = _resume(query, token) if token else (_source(query, table), None)
    within = _within(query, table, source)
    most = query.limit
    if most is None and not query.counts:
        most = limits.select_default_page
    found: list[tuple[str, Item]] = []
    matched = examined = size = 0
    last: Entry | None = after
    scan = table.index(source).scan(within, after=after, descending=query.descending)
    for entry in scan:
        if matched == most or examined == limits.examined:
            return Page(tuple(found), matched, examined, _token(query, source, last))
        item = table.items[entry.name]
        examined += 1
        if _is_first(entry, item, source, within, query) and query.where.finds(
            entry.name, item
        ):
            shown = item if query.counts else _shown(query, item)
            size += 0 if query.counts else size_of(entry.name, shown)
            if size > limits.select_bytes and found:
                return Page(tuple(found), matched, examined, _token(query, source, last))
            matched += 1
            if not query.counts:
                found.append((entry.name, shown))
        last = entry
    return Page(tuple(found), matched, examined, None)


def _source(query: Select, table: Table) -> Subject:
    """Choose the index to read."""
    if query.order is not None:
        return query.order
    bounds = query.where.bounds()
    return min(
        bounds,
        key=lambda subject: table.index(subject).count(bounds[subject]),
        default=EVERYTHING,
    )


def _within(query: Select, table: Table, source: Subject) -> Ranges:
    """Say what part of the index is to be read.

    An item with several values is sorted by its smallest, or largest if descending, which
    need not lie where the where clause looks: then the whole index is read.
    """
    if query.order is not None and not table.index(source).one_value_each:
        return ranges.ALL
    return query.where.bounds().get(source, ranges.ALL)


def _is_first(
    entry: Entry, item: Item, source: Subject, within: Ranges, query: Select
) -> bool:
    """Tell whether this is the entry that an item with several is shown at."""
    values = source.values(entry.name, item)
    if len(values) == 1:
        return True
    inside = (value for value in values if ranges.contains(within, value))
    return entry.value == (max(inside) if query.descending else min(inside))


def _shown(query: Select, item: Item) -> Item:
    if query.names_only:
        return {}
    if query.output is None:
        return item
    return {name: item[name] for name in query.output if name in item}


def _token(query: Select, source: Subject, last: Entry | None) -> str:
    document = [_digest(query), source.kind.value, source.attribute, last]
    return base64.b64encode(json.dumps(document).encode()).decode()


def _resume(query: Select, token: str) -> tuple[Subject, Entry | None]:
    try:
        document = json.loads(base64.b64decode(token, validate=True))
        digest, kind, attribute, last = document
        source = Subject(Kind(kind), attribute)
        after = None if last is None else Entry(*last)
    except (ValueError, TypeError, binascii.Error) as error:
        raise _invalid_token() from error
    if digest != _digest(query):
        raise _invalid_token()
    return source, after


def _digest(query: Select) -> str:
    """Name what must be the same on every page; what is shown and how many may differ."""
    same = (query.domain, query.where, query.order, query.descending)
    return hashlib.sha256(repr(same).encode()).hexdigest()[:16]


def _invalid_token() -> SimpleDbError:
    return SimpleDbError("InvalidNextToken", "The token is of no page of this query")
