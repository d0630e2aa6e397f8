"""The grammar of Select: from an expression to what it asks for.

Binding, from tightest: ``not``, ``and``, ``or``, ``intersection``.
"""

import re
from dataclasses import dataclass, field

from media_nommer.testing.simpledb import conditions as c
from media_nommer.testing.simpledb import ranges
from media_nommer.testing.simpledb import values as v
from media_nommer.testing.simpledb.errors import SimpleDbError, invalid_value
from media_nommer.testing.simpledb.limits import Limits
from media_nommer.testing.simpledb.tokens import Sort, Word, words

_COMPARISONS = frozenset({"=", "!=", ">", ">=", "<", "<="})


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """A Select expression that is right.

    ``output`` names attributes, or is None for all of them. ``limit`` is None if none was
    given; ``counts`` and ``names_only`` are ``count(*)`` and ``itemName()``.
    """

    domain: str
    where: c.Condition = field(default_factory=c.Always)
    output: tuple[str, ...] | None = None
    counts: bool = False
    names_only: bool = False
    order: c.Subject | None = None
    descending: bool = False
    limit: int | None = None


def parse(expression: str, limits: Limits | None = None) -> Select:
    """Read a Select expression.

    Raises:
        SimpleDbError: it is not of the grammar, sorts by what it does not constrain, or
            crosses a limit.
    """
    return _Parser(expression, limits or Limits()).select()


class _Parser:
    def __init__(self, expression: str, limits: Limits) -> None:
        self._words = words(expression)
        self._at = 0
        self._limits = limits
        self._comparisons = 0
        self._subjects: set[c.Subject] = set()

    def select(self) -> Select:
        self._keyword("select")
        output, counts, names_only = self._output()
        self._keyword("from")
        domain = self._name()
        where = self._intersections() if self._took("where") else c.Always()
        order, descending = self._order(where)
        limit = self._limit(counted=counts)
        if self._word.sort is not Sort.END:
            raise self._wrong("the end")
        self._check_numbers(output)
        return Select(
            domain=domain,
            where=where,
            output=output,
            counts=counts,
            names_only=names_only,
            order=order,
            descending=descending,
            limit=limit,
        )

    def _output(self) -> tuple[tuple[str, ...] | None, bool, bool]:
        if self._took("*"):
            return None, False, False
        if self._word.sort in {Sort.COUNT, Sort.ITEM_NAME}:
            counts = self._next().sort is Sort.COUNT
            return None, counts, not counts
        names = [self._name()]
        while self._took(","):
            names.append(self._name())
        return tuple(names), False, False

    def _order(self, where: c.Condition) -> tuple[c.Subject | None, bool]:
        if not self._took("order"):
            return None, False
        self._keyword("by")
        subject = self._subject()
        descending = not self._took("asc") and self._took("desc")
        if subject not in where.bounds() or c.IsNull(subject) in where.parts():
            raise SimpleDbError(
                "InvalidSortExpression",
                "What is sorted by must be in a predicate, and not in one of is null",
            )
        return subject, descending

    def _limit(self, *, counted: bool) -> int | None:
        if not self._took("limit"):
            return None
        text = self._of(Sort.NUMBER).text
        most = self._limits.select_page
        if int(text) < 1 or (int(text) > most and not counted):
            raise invalid_value(text, "MaxNumberOfItems", f"not from 1 to {most}")
        return int(text)

    def _intersections(self) -> c.Condition:
        parts = [self._ors()]
        while self._took("intersection"):
            parts.append(self._ors())
        return parts[0] if len(parts) == 1 else c.Both(tuple(parts))

    def _ors(self) -> c.Condition:
        parts = [self._ands()]
        while self._took("or"):
            parts.append(self._ands())
        return c.any_of(parts) if len(parts) > 1 else parts[0]

    def _ands(self) -> c.Condition:
        parts = [self._negation()]
        while self._took("and"):
            parts.append(self._negation())
        return c.every_of(parts) if len(parts) > 1 else parts[0]

    def _negation(self) -> c.Condition:
        if self._took("not"):
            return c.Not(self._negation())
        if self._took("("):
            inner = self._intersections()
            self._sign(")")
            return inner
        return self._comparison()

    def _comparison(self) -> c.Condition:
        if self._took("every"):
            self._sign("(")
            subject = c.Subject(c.Kind.ATTRIBUTE, self._name())
            self._sign(")")
            self._subjects.add(subject)
            return c.Every(subject, self._test())
        subject = self._subject()
        self._subjects.add(subject)
        if self._took("is"):
            self._comparisons += 1
            absent = not self._took("not")
            self._keyword("null")
            return c.IsNull(subject) if absent else c.IsNotNull(subject)
        return c.Predicate(subject, self._test())

    def _test(self) -> v.Test:
        if self._took("not"):
            self._keyword("like")
            return v.Unlike(_like(self._constant()))
        if self._took("like"):
            return _like(self._constant())
        if self._took("between"):
            low = self._constant()
            self._keyword("and")
            return v.Within(_between(low, self._constant()))
        if self._took("in"):
            return v.Within(ranges.union(ranges.exactly(one) for one in self._constants()))
        if self._word.text not in _COMPARISONS or self._word.sort is not Sort.SIGN:
            raise self._wrong("a comparison")
        sign = self._next().text
        return _compared(sign, self._constant())

    def _constants(self) -> list[str]:
        self._sign("(")
        constants = [self._constant()]
        while self._took(","):
            constants.append(self._constant())
        self._sign(")")
        return constants

    def _constant(self) -> str:
        self._comparisons += 1
        return self._of(Sort.CONSTANT).text

    def _subject(self) -> c.Subject:
        if self._word.sort is Sort.ITEM_NAME:
            self._next()
            return c.ITEM_NAME
        return c.Subject(c.Kind.ATTRIBUTE, self._name())

    def _name(self) -> str:
        name = self._of(Sort.NAME).text
        if len(name.encode()) > self._limits.name_bytes:
            raise invalid_value(name, "AttributeName", "longer than 1024 bytes")
        return name

    def _check_numbers(self, output: tuple[str, ...] | None) -> None:
        if len(output or ()) > self._limits.select_requested:
            raise SimpleDbError("TooManyRequestedAttributes", "Too many asked for")
        if len(self._subjects) > self._limits.select_attributes:
            raise SimpleDbError("InvalidNumberPredicates", "Too many attributes compared")
        if self._comparisons > self._limits.select_comparisons:
            raise SimpleDbError("InvalidNumberValueTests", "Too many comparisons")

    @property
    def _word(self) -> Word:
        return self._words[self._at]

    def _next(self) -> Word:
        word = self._word
        self._at += word.sort is not Sort.END
        return word

    def _took(self, text: str) -> bool:
        is_it = self._word.text == text and self._word.sort in {Sort.KEYWORD, Sort.SIGN}
        self._at += is_it
        return is_it

    def _keyword(self, text: str) -> None:
        if not self._took(text):
            raise self._wrong(text)

    _sign = _keyword

    def _of(self, sort: Sort) -> Word:
        if self._word.sort is not sort:
            raise self._wrong(f"a {sort.value}")
        return self._next()

    def _wrong(self, expected: str) -> SimpleDbError:
        return SimpleDbError(
            "InvalidQueryExpression", f"Expected {expected}, found {self._word.text!r}"
        )


def _compared(sign: str, constant: str) -> v.Test:
    if sign == "!=":
        return v.Unlike(v.Within(ranges.exactly(constant)))
    behind = constant + "\0"
    within: dict[str, ranges.Ranges] = {
        "=": ranges.exactly(constant),
        ">": ((behind, None),),
        ">=": ((constant, None),),
        "<": (("", constant),) if constant else ranges.NONE,
        "<=": (("", behind),),
    }
    return v.Within(within[sign])


def _between(low: str, high: str) -> ranges.Ranges:
    return ((low, high + "\0"),) if low <= high else ranges.NONE


def _like(pattern: str) -> v.Test:
    r"""Return the test of a pattern, in which ``%`` may stand first and last.

    ``\%`` is a percent sign that stands for itself.
    """
    open_start = pattern.startswith("%")
    rest = pattern[open_start:]
    open_end = rest.endswith("%") and not rest.endswith("\\%")
    rest = rest[:-1] if open_end else rest
    if re.search(r"(?<!\\)%", rest):
        raise SimpleDbError("InvalidQueryExpression", "like has a % in the middle")
    text = rest.replace("\\%", "%")
    if open_start:
        return v.Holds(text) if open_end or not text else v.Ends(text)
    return v.Within(ranges.starting_with(text) if open_end else ranges.exactly(text))
