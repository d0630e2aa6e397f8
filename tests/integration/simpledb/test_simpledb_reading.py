"""Select over HTTP: pages, what they cost to find, stale reads, and odd characters."""

import base64
from datetime import timedelta
from itertools import chain

import pytest
from simpledb_client import DOMAIN, client_of, got, put, raw_call, refused, selected
from types_boto3_sdb import SimpleDBClient

from media_nommer.testing.clock import ManualClock
from media_nommer.testing.simpledb import UNTIL_SETTLED, Limits, SimpleDbServer

FROM = f"from `{DOMAIN}`"


def put_many(client: SimpleDBClient, number: int) -> None:
    """Put items of which every tenth waits; ``at`` grows with the number."""
    for start in range(0, number, 25):
        client.batch_put_attributes(
            DomainName=DOMAIN,
            Items=[
                {
                    "Name": f"it{n}",
                    "Attributes": [
                        {"Name": "at", "Value": f"{n:06}"},
                        {"Name": "state", "Value": "done" if n % 10 else "waiting"},
                    ],
                }
                for n in range(start, min(start + 25, number))
            ],
        )


def test_a_page_has_100_items_unless_told_otherwise(client: SimpleDBClient) -> None:
    put_many(client, 250)

    pages = selected(client, f"select itemName() {FROM}")
    sorted_pages = selected(client, f"select at {FROM} where at > '' order by at limit 90")

    assert [len(page) for page in pages] == [100, 100, 50]
    assert len(set(chain(*pages))) == 250
    assert [len(page) for page in sorted_pages] == [90, 90, 70]
    assert list(chain(*sorted_pages)) == [f"it{n}" for n in range(250)]


def test_nothing_says_that_unsorted_items_come_in_order(client: SimpleDBClient) -> None:
    """Clients that take the order for granted are to be found out here."""
    put_many(client, 100)

    (everything,) = selected(client, f"select * {FROM}")
    (done,) = selected(client, f"select * {FROM} where state = 'done'")

    assert everything != sorted(everything)
    assert done != sorted(done)


def test_each_page_reads_about_as_many_items_as_it_shows(
    client: SimpleDBClient, server: SimpleDbServer
) -> None:
    put_many(client, 1000)
    server.reset_counts()

    selected(client, f"select * {FROM} where at > '000500' order by at limit 50")
    for page in server.counts.selects:
        assert page.examined <= page.matched + 1

    server.reset_counts()
    selected(client, f"select * {FROM} where state = 'waiting' and at > '' limit 100")
    assert (server.counts.examined, server.counts.matched) == (100, 100)


def test_sorting_by_what_narrows_nothing_down_reads_everything(
    client: SimpleDBClient, server: SimpleDbServer
) -> None:
    """There is one index an attribute; what the others ask for is thrown away."""
    put_many(client, 1000)

    selected(client, f"select * {FROM} where state = 'waiting' and at > '' order by at")

    assert (server.counts.examined, server.counts.matched) == (1000, 100)


def test_a_page_ends_when_enough_was_read_and_may_be_empty() -> None:
    with SimpleDbServer(limits=Limits(examined=30)) as server:
        client = client_of(server.url)
        client.create_domain(DomainName=DOMAIN)
        put_many(client, 100)

        pages = selected(
            client, f"select * {FROM} where at > '' and at like '%055' order by at"
        )
        counted = client.select(SelectExpression=f"select count(*) {FROM}")
        client.close()

    assert pages == [[], ["it55"], [], []]
    assert counted["Items"][0]["Attributes"] == [{"Name": "Count", "Value": "30"}]
    assert "NextToken" in counted


def test_a_page_ends_at_one_megabyte(client: SimpleDBClient) -> None:
    kilobyte = "x" * 1000
    for n in range(9):
        put(client, f"it{n}", **{f"a{i}": kilobyte for i in range(250)})

    pages = selected(client, f"select * {FROM} limit 2500")
    names = selected(client, f"select itemName() {FROM} limit 2500")

    assert [len(page) for page in pages] == [3, 3, 3]
    assert [len(page) for page in names] == [9]


def test_counting_and_showing_share_their_tokens(client: SimpleDBClient) -> None:
    put_many(client, 50)
    where = "where at >= '000010' order by at"

    counted = client.select(SelectExpression=f"select count(*) {FROM} {where} limit 15")
    shown = client.select(
        SelectExpression=f"select at {FROM} {where} limit 2", NextToken=counted["NextToken"]
    )

    assert counted["Items"] == [
        {"Name": "Domain", "Attributes": [{"Name": "Count", "Value": "15"}]}
    ]
    assert [item["Name"] for item in shown["Items"]] == ["it25", "it26"]


def test_a_count_has_no_pages_of_its_own(client: SimpleDBClient) -> None:
    put_many(client, 200)

    answer = client.select(SelectExpression=f"select count(*) {FROM} where state > ''")

    assert answer["Items"][0]["Attributes"][0]["Value"] == "200"
    assert "NextToken" not in answer


def test_a_token_of_another_query_is_refused(client: SimpleDBClient) -> None:
    put_many(client, 50)
    token = client.select(SelectExpression=f"select * {FROM} limit 1")["NextToken"]
    forged = base64.b64encode(b'["x", 1]').decode()

    def ask(rest: str, token: str) -> tuple[int, str]:
        return refused(
            lambda: client.select(
                SelectExpression=f"select * {FROM} {rest}", NextToken=token
            )
        )

    assert ask("where at > ''", token) == (400, "InvalidNextToken")
    for made_up in ("made up", forged, token[:-8]):
        assert ask("", made_up) == (400, "InvalidNextToken")


def test_a_consistent_read_sees_every_write_and_another_may_not(
    client: SimpleDBClient, server: SimpleDbServer, clock: ManualClock
) -> None:
    put(client, "it", rev="1")
    server.lag = timedelta(seconds=2)
    everything = f"select * {FROM}"

    put(client, "it", replace=True, rev="2")
    put(client, "new", rev="1")
    clock.advance(timedelta(seconds=1.9))

    assert got(client, "it", consistent=False) == {("rev", "1")}
    assert selected(client, everything, consistent=False) == [["it"]]
    assert got(client, "it") == {("rev", "2")}
    assert sorted(*selected(client, everything)) == ["it", "new"]

    clock.advance(timedelta(seconds=0.1))
    assert got(client, "it", consistent=False) == {("rev", "2")}
    assert sorted(*selected(client, everything, consistent=False)) == ["it", "new"]


def test_a_lag_until_settled_ends_when_the_test_says_so(
    client: SimpleDBClient, server: SimpleDbServer, clock: ManualClock
) -> None:
    server.lag = UNTIL_SETTLED
    put(client, "it", a="1")
    clock.advance(timedelta(days=1))

    assert got(client, "it", consistent=False) == set()

    server.settle()
    assert got(client, "it", consistent=False) == {("a", "1")}


def test_conditions_are_checked_against_every_write(
    client: SimpleDBClient, server: SimpleDbServer
) -> None:
    put(client, "it", rev="1")
    server.lag = UNTIL_SETTLED
    put(client, "it", replace=True, rev="2")

    answer = refused(
        lambda: client.delete_attributes(
            DomainName=DOMAIN, ItemName="it", Expected={"Name": "rev", "Value": "1"}
        )
    )

    assert answer == (409, "ConditionalCheckFailed")


@pytest.mark.parametrize("text", ["<a & 'b'>", '"', " \t\n\r ", "é😀", "]]>", ""])
def test_what_xml_can_hold_comes_back_as_it_went(client: SimpleDBClient, text: str) -> None:
    put(client, text or "it", **{text or "a": text})

    assert got(client, text or "it") == {(text or "a", text)}


@pytest.mark.parametrize("text", ["\x00", "a\x1fb", "\ufffe"])
def test_what_xml_cannot_hold_comes_back_in_base64_and_the_client_does_not_say_so(
    client: SimpleDBClient, server: SimpleDbServer, text: str
) -> None:
    """The model of Amazon's client has no word for the ``encoding`` that the XML has."""
    put(client, text, a=text)
    encoded = base64.b64encode(text.encode()).decode()

    _, body = raw_call(server.url, "GetAttributes", DomainName=DOMAIN, ItemName=text)
    answer = client.select(SelectExpression=f"select * {FROM}")

    assert f'<Value encoding="base64">{encoded}</Value>' in body
    assert answer["Items"] == [
        {"Name": encoded, "Attributes": [{"Name": "a", "Value": encoded}]}
    ]


def test_the_words_of_the_grammar_travel_well(client: SimpleDBClient) -> None:
    put(client, "it's 100%", **{"a`b": "“+&=%\n"})

    found = selected(
        client, f"select * {FROM} where `a``b` = '“+&=%\n' and itemName() like \"it's%\""
    )

    assert found == [["it's 100%"]]
    assert refused(lambda: selected(client, f"select * {FROM} where a = 5")) == (
        400,
        "InvalidQueryExpression",
    )
    assert refused(lambda: selected(client, f"select * {FROM} order by a")) == (
        400,
        "InvalidSortExpression",
    )
