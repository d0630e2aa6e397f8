"""Select on the data set of Amazon's Developer Guide, with the results it prints."""

from collections.abc import Callable

import pytest

from media_nommer.testing.simpledb.conditions import Item
from media_nommer.testing.simpledb.errors import SimpleDbError
from media_nommer.testing.simpledb.limits import Limits
from media_nommer.testing.simpledb.select import parse
from media_nommer.testing.simpledb.selecting import Page, select_page
from media_nommer.testing.simpledb.table import Table

SIRENS, CANCER, STUFF = "0385333498", "0802131786", "1579124585"
BETWEEN, THREE_HUNDRED, HEAVEN = "B000T9886K", "B00005JPLW", "B000SF3NGK"
EVERYTHING = {SIRENS, CANCER, STUFF, BETWEEN, THREE_HUNDRED, HEAVEN}

MEDIA: dict[str, dict[str, tuple[str, ...]]] = {
    SIRENS: {
        "Author": ("Kurt Vonnegut",),
        "Year": ("1959",),
        "Pages": ("00336",),
        "Keyword": ("Book", "Paperback"),
        "Rating": ("*****", "5 stars", "Excellent"),
    },
    CANCER: {
        "Author": ("Henry Miller",),
        "Year": ("1934",),
        "Pages": ("00318",),
        "Keyword": ("Book",),
        "Rating": ("****",),
    },
    STUFF: {
        "Title": ("The Right Stuff",),
        "Author": ("Tom Wolfe",),
        "Year": ("1979",),
        "Pages": ("00304",),
        "Keyword": ("Book", "Hardcover", "American"),
        "Rating": ("****", "4 stars"),
    },
    BETWEEN: {
        "Author": ("Paul Van Dyk",),
        "Year": ("2007",),
        "Keyword": ("CD", "Trance"),
        "Rating": ("4 stars",),
    },
    THREE_HUNDRED: {
        "Author": ("Zack Snyder",),
        "Year": ("2007",),
        "Keyword": ("DVD", "Action", "Frank Miller"),
        "Rating": ("***", "3 stars", "Not bad"),
    },
    HEAVEN: {
        "Author": ("Thievery Corporation",),
        "Year": ("2002",),
        "Rating": ("*****",),
    },
}


def table_of(items: dict[str, dict[str, tuple[str, ...]]]) -> Table:
    table = Table()
    for name, attributes in items.items():
        table.put(name, {key: frozenset(values) for key, values in attributes.items()})
    return table


def no_size(_name: str, _item: Item) -> int:
    return 0


def page_of(table: Table, expression: str, token: str | None = None) -> Page:
    return select_page(parse(expression), table, token, Limits(), no_size)


@pytest.fixture
def select() -> Callable[[str], list[str]]:
    table = table_of(MEDIA)
    return lambda expression: [name for name, _ in page_of(table, expression).items]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Title = 'The Right Stuff'", {STUFF}),
        ("Year > '1985'", {BETWEEN, THREE_HUNDRED, HEAVEN}),
        ("Rating like '****%'", {SIRENS, STUFF, CANCER, HEAVEN}),
        ("Pages < '00320'", {STUFF, CANCER}),
        ("Year > '1975' and Year < '2008'", {STUFF, BETWEEN, THREE_HUNDRED, HEAVEN}),
        ("Year between '1975' and '2008'", {STUFF, BETWEEN, THREE_HUNDRED, HEAVEN}),
        ("Rating = '***' or Rating = '*****'", {SIRENS, THREE_HUNDRED, HEAVEN}),
        (
            "(Year > '1950' and Year < '1960') or Year like '193%' or Year = '2007'",
            {SIRENS, CANCER, BETWEEN, THREE_HUNDRED},
        ),
        ("Rating = '4 stars' or Rating = '****'", {STUFF, CANCER, BETWEEN}),
        ("Keyword = 'Book' and Keyword = 'Hardcover'", set()),
        ("every(Keyword) in ('Book', 'Paperback')", {SIRENS, CANCER}),
        ("Rating = '****'", {CANCER, STUFF}),
        ("every(Rating) = '****'", {CANCER}),
        ("Keyword = 'Book' intersection Keyword = 'Hardcover'", {STUFF}),
        ("Keyword != 'Book'", {SIRENS, STUFF, BETWEEN, THREE_HUNDRED}),
        ("not Keyword = 'Book'", {BETWEEN, THREE_HUNDRED, HEAVEN}),
    ],
)
def test_what_amazon_prints_for_its_data_set_is_found(
    select: Callable[[str], list[str]], where: str, found: set[str]
) -> None:
    assert sorted(select(f"select * from mydomain where {where}")) == sorted(found)


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("where Year < '1980' order by Year asc", [CANCER, SIRENS, STUFF]),
        ("where Year < '1980' order by Year", [CANCER, SIRENS, STUFF]),
        ("where Year < '1980' order by Year limit 2", [CANCER, SIRENS]),
        (
            "where Year = '2007' intersection Author is not null order by Author desc",
            [THREE_HUNDRED, BETWEEN],
        ),
        (
            "where itemName() like 'B000%' order by itemName()",
            [THREE_HUNDRED, HEAVEN, BETWEEN],
        ),
    ],
)
def test_what_amazon_prints_for_its_data_set_is_sorted(
    select: Callable[[str], list[str]], rest: str, found: list[str]
) -> None:
    assert select(f"select itemName() from mydomain {rest}") == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Keyword is null", {HEAVEN}),
        ("Pages is not null", {SIRENS, CANCER, STUFF}),
        ("Author not like '%Miller'", EVERYTHING - {CANCER}),
        ("Author like '%an%'", {BETWEEN}),
        ("Author like 'Tom Wolfe'", {STUFF}),
        ("Author like '%'", EVERYTHING),
        (f"itemName() in ('{SIRENS}', 'nobody', '{CANCER}')", {SIRENS, CANCER}),
        ("Year = '2007' and Rating = '4 stars'", {BETWEEN}),
        ("Year = '2007' and Rating = '***' and Year < '3'", {THREE_HUNDRED}),
        ("Year = '2007' or Pages = '00318'", {BETWEEN, THREE_HUNDRED, CANCER}),
        ("Keyword = 'Book' and Keyword = 'Hardcover' or Year = '2002'", {HEAVEN}),
        ("Year = '1959' or Year = '1934' intersection Pages = '00318'", {CANCER}),
        ("not Year = '2007' and Pages is null", {HEAVEN}),
        ("not (Year = '2007' or Pages is null)", {SIRENS, CANCER, STUFF}),
        ("every(Rating) != '****' and Rating is not null", EVERYTHING - {CANCER, STUFF}),
        ('`Year` = "2002"', {HEAVEN}),
        ("Year >= '2007' and Year <= '2007'", {BETWEEN, THREE_HUNDRED}),
        ("Year between '2008' and '1975'", set()),
        ("Year < ''", set()),
        ("Year like '19%' or Year = '1959' or Year < '1960'", {SIRENS, CANCER, STUFF}),
        ("Keyword in ('Book', 'Book', 'Paperback')", {SIRENS, CANCER, STUFF}),
        ("year = '2002'", set()),
    ],
)
def test_a_where_clause_finds_what_it_says(
    select: Callable[[str], list[str]], where: str, found: set[str]
) -> None:
    assert sorted(select(f"select * from mydomain where {where}")) == sorted(found)


def test_keywords_may_be_in_any_case(select: Callable[[str], list[str]]) -> None:
    assert select(
        "SELECT * FROM mydomain WHERE Year Between '1950' AND '1960' "
        "INTERSECTION NOT Every(Year) LIKE '2%' ORDER BY Year DESC LIMIT 3"
    ) == [SIRENS]


def test_quotes_are_doubled_inside_of_themselves() -> None:
    table = table_of({"it": {"a`b": ('He said "That\'s it"',), "select": ("x",)}})

    for where in (
        "`a``b` = 'He said \"That''s it\"'",
        '`a``b` = "He said ""That\'s it"""',
        "`select` = 'x'",
    ):
        assert page_of(table, f"select * from `my-domain` where {where}").matched == 1


@pytest.mark.parametrize(
    ("pattern", "matches", "misses"),
    [
        (r"3\%%", "3% fat", "30 fat"),
        (r"%3\%", "fat: 3%", "fat: 3"),
        (r"%3\%%", "has 3% fat", "has 3 % fat"),
        (r"100\%", "100%", "100% fat"),
    ],
)
def test_a_percent_sign_behind_a_backslash_is_itself(
    pattern: str, matches: str, misses: str
) -> None:
    table = table_of({"yes": {"a": (matches,)}, "no": {"a": (misses,)}})

    page = page_of(table, f"select * from d where a like '{pattern}'")

    assert [name for name, _ in page.items] == ["yes"]


def test_only_what_was_asked_for_is_shown() -> None:
    table = table_of(MEDIA)

    some = page_of(table, f"select Year, Pages from d where itemName() = '{HEAVEN}'")
    none = page_of(table, f"select itemName() from d where itemName() = '{HEAVEN}'")

    assert some.items == ((HEAVEN, {"Year": frozenset({"2002"})}),)
    assert none.items == ((HEAVEN, {}),)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "select",
        "select * from",
        "select * frm d",
        "select * from d where",
        "select * from d where a",
        "select * from d where a = ",
        "select * from d where a = 5",
        "select * from d where a == '5'",
        "select * from d where a <> '5'",
        "select * from d where a = 'open",
        "select * from d where `open = '5'",
        "select * from d where `` = '5'",
        "select * from d where 'a' = '5'",
        "select * from d where a-b = '5'",
        "select * from d where 1a = '5'",
        "select * from d where order = '5'",
        "select * from d where a in ()",
        "select * from d where a in '5'",
        "select * from d where a not in ('5')",
        "select * from d where a not between '1' and '2'",
        "select * from d where a between '1'",
        "select * from d where a like '1%2'",
        "select * from d where a is not '5'",
        "select * from d where (a = '5'",
        "select * from d where a = '5')",
        "select * from d where a = '5' and",
        "select * from d where every a = '5'",
        "select * from d where every(a) is null",
        "select * from d where every(itemName()) = '5'",
        "select * from d where itemname() = '5'",
        "select * from d limit '5'",
        "select * from d limit",
        "select * from d limit 5 order by a",
        "select * from d, e",
        "select *, a from d",
        "select itemName(), a from d",
        "select count(a) from d",
        "select a b from d",
        "delete * from d",
        "select * from d where a = '5'; select * from d",
    ],
)
def test_what_is_not_of_the_grammar_is_refused(expression: str) -> None:
    with pytest.raises(SimpleDbError) as refusal:
        parse(expression)

    assert refusal.value.code == "InvalidQueryExpression"


@pytest.mark.parametrize(
    "rest",
    [
        "order by a",
        "order by itemName()",
        "where b = '1' order by a",
        "where a is null order by a",
        "where b is null order by a",
        "where a > '1' and a is null order by a",
        "where a > '1' or b > '1' order by a",
        "where not a = '1' order by a",
    ],
)
def test_what_is_sorted_by_must_be_sure_to_be_there(rest: str) -> None:
    with pytest.raises(SimpleDbError) as refusal:
        parse(f"select * from d {rest}")

    assert refusal.value.code == "InvalidSortExpression"


@pytest.mark.parametrize(
    "where",
    [
        "a is not null",
        "a like '%'",
        "every(a) = '1'",
        "a > '1' or a is not null",
        "b is null and a is not null",
        "b > '1' intersection a != '1'",
        "(a = '1' and b = '1') or a = '2'",
    ],
)
def test_any_predicate_that_needs_the_attribute_allows_to_sort_by_it(where: str) -> None:
    assert parse(f"select * from d where {where} order by a").order is not None


def test_a_limit_is_from_1_to_2500_unless_items_are_counted() -> None:
    for limit in ("0", "2501"):
        with pytest.raises(SimpleDbError) as refusal:
            parse(f"select * from d limit {limit}")
        assert refusal.value.code == "InvalidParameterValue"

    assert parse("select * from d limit 2500").limit == 2500
    assert parse("select count(*) from d limit 10000").limit == 10000


def refusal_of(expression: str) -> str | None:
    try:
        parse(expression)
    except SimpleDbError as error:
        return error.code
    return None


def test_twenty_comparisons_are_allowed_and_one_more_is_not() -> None:
    def with_constants(number: int) -> str:
        constants = ", ".join(f"'{n}'" for n in range(number))
        return f"select * from d where a in ({constants})"

    assert refusal_of(with_constants(20)) is None
    assert refusal_of(with_constants(21)) == "InvalidNumberValueTests"


def test_twenty_attributes_are_allowed_and_one_more_is_not() -> None:
    def with_attributes(number: int) -> str:
        tests = " or ".join(f"a{n} = '1'" for n in range(number))
        return f"select * from d where {tests}"

    assert refusal_of(with_attributes(20)) is None
    assert refusal_of(with_attributes(21)) == "InvalidNumberPredicates"


def test_256_attributes_can_be_asked_for_and_one_more_cannot() -> None:
    def asking_for(number: int) -> str:
        return f"select {', '.join(f'a{n}' for n in range(number))} from d"

    assert refusal_of(asking_for(256)) is None
    assert refusal_of(asking_for(257)) == "TooManyRequestedAttributes"
