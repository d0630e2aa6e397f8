"""The words of a Select expression, by SimpleDB's quoting rules."""

import re
from dataclasses import dataclass
from enum import Enum

from media_nommer.testing.simpledb.errors import SimpleDbError


class Sort(Enum):
    """What a word is; a name in backticks is never a keyword."""

    KEYWORD = "keyword"
    NAME = "name"
    CONSTANT = "constant"
    NUMBER = "number"
    SIGN = "sign"
    ITEM_NAME = "itemName()"
    COUNT = "count(*)"
    END = "end"


@dataclass(frozen=True, slots=True)
class Word:
    """One word: keywords in lower case, names and constants without their quotes."""

    sort: Sort
    text: str


#: Names that have to be put in backticks; the Developer Guide lists them.
RESERVED = frozenset(
    {
        *("or", "and", "not", "from", "where", "select", "like", "null", "is", "order"),
        *("by", "asc", "desc", "in", "between", "intersection", "limit", "every"),
    }
)

_WORD = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<item_name>itemName\s*\(\s*\))
  | (?P<count>count\s*\(\s*\*\s*\))
  | (?P<plain>[A-Za-z_$][A-Za-z0-9_$]*)
  | (?P<number>[0-9]+)
  | `(?P<ticked>(?:[^`]|``)*)`
  | '(?P<single>(?:[^']|'')*)'
  | "(?P<double>(?:[^"]|"")*)"
  | (?P<sign>!=|>=|<=|[=<>(),*])
    """,
    re.VERBOSE | re.DOTALL,
)


def words(expression: str) -> list[Word]:
    """Split a Select expression into words, the last of which is ``END``.

    Raises:
        SimpleDbError: something is no word: a quote that is not closed, a stray sign.
    """
    found: list[Word] = []
    position = 0
    while position < len(expression):
        match = _WORD.match(expression, position)
        if match is None:
            raise SimpleDbError(
                "InvalidQueryExpression",
                f"No word of a select expression: {expression[position : position + 20]!r}",
            )
        position = match.end()
        if match.lastgroup != "space":
            found.append(_word(match))
    return [*found, Word(Sort.END, "")]


def _word(match: re.Match[str]) -> Word:
    kind = match.lastgroup
    assert kind is not None
    text = match[kind]
    if kind == "plain":
        small = text.lower()
        return Word(Sort.KEYWORD, small) if small in RESERVED else Word(Sort.NAME, text)
    if kind == "ticked":
        if not text:
            raise SimpleDbError("InvalidQueryExpression", "An empty name")
        return Word(Sort.NAME, text.replace("``", "`"))
    if kind in {"single", "double"}:
        quote = "'" if kind == "single" else '"'
        return Word(Sort.CONSTANT, text.replace(quote * 2, quote))
    sorts = {"item_name": Sort.ITEM_NAME, "count": Sort.COUNT, "number": Sort.NUMBER}
    return Word(sorts.get(kind, Sort.SIGN), text)
