"""Select against a naive reading of the same question, on tables made at random."""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from media_nommer.testing.simpledb.conditions import Item, Kind, Subject
from media_nommer.testing.simpledb.limits import Limits
from media_nommer.testing.simpledb.select import parse
from media_nommer.testing.simpledb.selecting import select_page
from media_nommer.testing.simpledb.table import Table

VALUES = st.sampled_from(
    ["", "a", "ab", "abc", "b", "ba", "B", "é", "\ufffd", "😀", "a%", "it's", 'a"b', "\x00"]
)
ATTRIBUTES = st.sampled_from(["x", "y", "z"])
TABLES = st.dictionaries(
    st.sampled_from([f"{n}" for n in range(12)] + ["é", "😀", "\uffff"]),
    st.dictionaries(ATTRIBUTES, st.frozensets(VALUES, min_size=1, max_size=3), min_size=1),
    max_size=12,
)


@dataclass(frozen=True)
class Asked:
    """A test of a value in words, and what it means."""

    words: str
    holds: Callable[[str], bool]


@dataclass(frozen=True)
class Wanted:
    """A condition on items in words, and what it means."""

    words: str
    holds: Callable[[str, Item], bool]


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def utf8(value: str) -> bytes:
    return value.encode()


def compared(sign: str, constant: str) -> Asked:
    meaning: dict[str, Callable[[str], bool]] = {
        "=": lambda v: v == constant,
        "!=": lambda v: v != constant,
        ">": lambda v: utf8(v) > utf8(constant),
        ">=": lambda v: utf8(v) >= utf8(constant),
        "<": lambda v: utf8(v) < utf8(constant),
        "<=": lambda v: utf8(v) <= utf8(constant),
    }
    return Asked(f"{{}} {sign} {quoted(constant)}", meaning[sign])


def like(start: bool, text: str, end: bool, no: bool) -> Asked:
    pattern = "%" * start + text.replace("%", r"\%") + "%" * end

    def holds(value: str) -> bool:
        found = {
            (False, False): value == text,
            (False, True): value.startswith(text),
            (True, False): value.endswith(text),
            (True, True): text in value,
        }[start, end]
        return found is not no

    return Asked(f"{{}} {'not ' * no}like {quoted(pattern)}", holds)


def between(low: str, high: str) -> Asked:
    return Asked(
        f"{{}} between {quoted(low)} and {quoted(high)}",
        lambda v: utf8(low) <= utf8(v) <= utf8(high),
    )


def one_of(constants: list[str]) -> Asked:
    listed = ", ".join(map(quoted, constants))
    return Asked(f"{{}} in ({listed})", lambda v: v in constants)


def joined(one: Asked, word: str, other: Asked) -> Asked:
    how = any if word == "or" else all
    return Asked(
        f"({one.words} {word} {other.words})", lambda v: how([one.holds(v), other.holds(v)])
    )


SIMPLE = st.one_of(
    st.builds(compared, st.sampled_from(["=", "!=", ">", ">=", "<", "<="]), VALUES),
    st.builds(like, st.booleans(), VALUES, st.booleans(), st.booleans()),
    st.builds(between, VALUES, VALUES),
    st.builds(one_of, st.lists(VALUES, min_size=1, max_size=3)),
)
ASKED = st.recursive(
    SIMPLE,
    lambda of: st.builds(joined, of, st.sampled_from(["and", "or"]), of),
    max_leaves=4,
)


def predicate(subject: str, asked: Asked) -> Wanted:
    def holds(name: str, item: Item) -> bool:
        values = [name] if subject == "itemName()" else item.get(subject, frozenset())
        return any(asked.holds(value) for value in values)

    return Wanted(asked.words.replace("{}", subject), holds)


def every(attribute: str, asked: Asked) -> Wanted:
    def holds(_name: str, item: Item) -> bool:
        return attribute in item and all(asked.holds(v) for v in item[attribute])

    return Wanted(asked.words.replace("{}", f"every({attribute})"), holds)


def null(attribute: str, no: bool) -> Wanted:
    return Wanted(
        f"{attribute} is {'not ' * no}null", lambda _name, item: (attribute in item) is no
    )


def complement(of: Wanted) -> Wanted:
    return Wanted(f"not ({of.words})", lambda name, item: not of.holds(name, item))


def combined(one: Wanted, word: str, other: Wanted) -> Wanted:
    how = any if word == "or" else all
    return Wanted(
        f"({one.words}) {word} ({other.words})",
        lambda name, item: how([one.holds(name, item), other.holds(name, item)]),
    )


SUBJECTS = st.one_of(ATTRIBUTES, st.just("itemName()"))
WANTED = st.recursive(
    st.one_of(
        st.builds(predicate, SUBJECTS, ASKED),
        st.builds(every, ATTRIBUTES, SIMPLE),
        st.builds(null, ATTRIBUTES, st.booleans()),
    ),
    lambda of: st.one_of(
        st.builds(complement, of),
        st.builds(combined, of, st.sampled_from(["or", "intersection"]), of),
    ),
    max_leaves=4,
)


def table_of(items: dict[str, Item]) -> Table:
    table = Table()
    table.put_all(items.items())
    return table


def all_pages(
    table: Table, expression: str, limits: Limits
) -> tuple[list[tuple[str, Item]], int, int]:
    """Return what all pages show, how many they matched, and how many pages there were."""
    query, token = parse(expression, limits), None
    shown: list[tuple[str, Item]] = []
    matched = pages = 0
    while True:
        page = select_page(query, table, token, limits, lambda name, _item: len(name) + 1)
        shown.extend(page.items)
        matched, pages, token = matched + page.matched, pages + 1, page.token
        if token is None:
            return shown, matched, pages


@given(
    TABLES,
    WANTED,
    st.integers(1, 5),
    st.sampled_from([1, 2, 7, 99]),
    st.sampled_from([3, 99]),
)
def test_pages_show_all_that_is_wanted_and_each_once(
    items: dict[str, Item], wanted: Wanted, limit: int, examined: int, size: int
) -> None:
    limits = Limits(examined=examined, select_bytes=size, select_comparisons=99)

    shown, _, _ = all_pages(
        table_of(items), f"select * from d where {wanted.words} limit {limit}", limits
    )

    expected = {name: item for name, item in items.items() if wanted.holds(name, item)}
    assert len(shown) == len(expected)
    assert dict(shown) == expected


@given(TABLES, WANTED, st.sampled_from([1, 3, 99]))
def test_counts_add_up_to_what_is_wanted(
    items: dict[str, Item], wanted: Wanted, examined: int
) -> None:
    limits = Limits(examined=examined, select_comparisons=99)

    shown, matched, _ = all_pages(
        table_of(items), f"select count(*) from d where {wanted.words}", limits
    )

    assert not shown
    assert matched == sum(wanted.holds(name, item) for name, item in items.items())


@given(TABLES, WANTED, ASKED, ATTRIBUTES, st.booleans(), st.integers(1, 5))
def test_what_is_sorted_comes_in_the_order_of_its_bytes(
    items: dict[str, Item],
    wanted: Wanted,
    asked: Asked,
    attribute: str,
    descending: bool,
    limit: int,
) -> None:
    both = combined(wanted, "intersection", predicate(attribute, asked))
    if f"{attribute} is null" in both.words:
        return
    expression = (
        f"select * from d where {both.words} "
        f"order by {attribute} {'desc' if descending else 'asc'} limit {limit}"
    )

    shown, _, _ = all_pages(table_of(items), expression, Limits(select_comparisons=99))

    ends = max if descending else min
    keys = [ends(map(utf8, item[attribute])) for _, item in shown]
    assert keys == sorted(keys, reverse=descending)
    assert sorted(name for name, _ in shown) == sorted(
        name for name, item in items.items() if both.holds(name, item)
    )


@settings(max_examples=30)
@given(TABLES, st.lists(st.tuples(st.sampled_from(["0", "1", "2"]), TABLES), max_size=8))
def test_what_a_table_weighs_and_finds_does_not_depend_on_how_it_came_to_be(
    items: dict[str, Item], before: list[tuple[str, dict[str, Item]]]
) -> None:
    changed = Table()
    changed.index(Subject(Kind.ATTRIBUTE, "x"))
    for _, others in before:
        changed.put_all(others.items())
    for name in [*changed.items]:
        changed.put(name, {})
    changed.put_all(items.items())
    fresh = table_of(items)

    ask = "select * from d where x > '' order by x limit 2500"
    assert all_pages(changed, ask, Limits()) == all_pages(fresh, ask, Limits())
    assert changed.items == fresh.items
    assert (changed.size, changed.value_count) == (fresh.size, fresh.value_count)
    assert changed.attribute_names == fresh.attribute_names


@settings(max_examples=30)
@given(st.integers(1, 6), st.sets(st.integers(0, 39)), st.sets(st.integers(40, 60)))
def test_items_that_stay_are_shown_once_whatever_comes_and_goes_between_pages(
    limit: int, leaving: set[int], coming: set[int]
) -> None:
    def item(number: int) -> Item:
        return {"at": frozenset({f"{number * 7 % 61:02}"})}

    table = table_of({f"{number}": item(number) for number in range(40)})
    query = parse(f"select * from d where at > '' order by at limit {limit}")
    changes = [(f"{n}", {}) for n in leaving] + [(f"{n}", item(n)) for n in coming]
    shown: list[str] = []
    token = None

    while True:
        page = select_page(query, table, token, Limits(), lambda _name, _item: 0)
        shown.extend(name for name, _ in page.items)
        if changes:
            table.put(*changes.pop())
        if page.token is None:
            break
        token = page.token

    staying = {f"{number}" for number in range(40)} - {f"{number}" for number in leaving}
    assert len(shown) == len(set(shown))
    assert staying <= set(shown)
