from hypothesis import given
from hypothesis import strategies as st

from media_nommer.adapters.aws.simpledb.select import (
    Range,
    quoted,
    quoted_name,
    select_equal,
    select_range,
)
from media_nommer.testing.simpledb.select import parse

#: Names and values are printable ASCII by the time that they stand in an expression.
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
NAME = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)


def test_quotes_are_doubled() -> None:
    assert quoted("it's") == "'it''s'"
    assert quoted_name("odd ` name") == "`odd `` name`"


@given(NAME, TEXT, TEXT)
def test_an_item_is_found_by_whatever_value_it_has(
    name: str, value: str, other: str
) -> None:
    where = parse(select_equal("films", name, value, 5)).where

    assert where.finds("item", {name: frozenset({value})})
    assert where.finds("item", {name: frozenset({other})}) == (other == value)


@given(NAME, TEXT, TEXT, TEXT)
def test_a_range_holds_what_lies_between_its_ends(
    name: str, after: str, value: str, before: str
) -> None:
    wanted = Range(attribute=name, after=after, before=before, newest_first=True)
    select = parse(select_range("films-1.test", wanted, 7))

    assert select.where.finds("item", {name: frozenset({value})}) == (
        after < value < before
    )
    assert (select.domain, select.limit, select.descending) == ("films-1.test", 7, True)
