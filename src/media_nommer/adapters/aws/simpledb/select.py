"""Expressions of SimpleDB's Select, made of names and values that may hold anything."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The items whose attribute lies between two texts, sorted by it.

    ``after`` and ``before`` are not of them. SimpleDB has one index for each attribute, and
    a range of the one that is sorted by is read without looking at any other item.
    """

    attribute: str
    after: str
    before: str
    newest_first: bool = False


def select_range(domain: str, wanted: Range, page: int) -> str:
    """Return the expression that selects the items of a range, ``page`` at a time."""
    name = quoted_name(wanted.attribute)
    order = "desc" if wanted.newest_first else "asc"
    return (
        f"select * from {quoted_name(domain)}"
        f" where {name} > {quoted(wanted.after)} and {name} < {quoted(wanted.before)}"
        f" order by {name} {order} limit {page}"
    )


def select_equal(domain: str, attribute: str, value: str, page: int) -> str:
    """Return the expression that selects the items whose attribute has a value."""
    return (
        f"select * from {quoted_name(domain)}"
        f" where {quoted_name(attribute)} = {quoted(value)} limit {page}"
    )


def quoted(value: str) -> str:
    """Return a value as it stands in an expression."""
    return "'" + value.replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """Return the name of a domain or attribute as it stands in an expression."""
    return "`" + name.replace("`", "``") + "`"
