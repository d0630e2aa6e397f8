"""Items, domains and conditional writes, through Amazon's own client."""

from collections.abc import Callable
from functools import partial

import pytest
from simpledb_client import DOMAIN, got, put, raw_call, refused
from types_boto3_sdb import SimpleDBClient

from media_nommer.testing.concurrency import at_once
from media_nommer.testing.simpledb import SimpleDbServer

Write = Callable[..., object]


@pytest.fixture
def write(client: SimpleDBClient) -> Write:
    """A conditional put of ``state = new`` in the item ``it``."""
    return partial(
        client.put_attributes,
        DomainName=DOMAIN,
        ItemName="it",
        Attributes=[{"Name": "state", "Value": "new", "Replace": True}],
    )


def test_values_of_one_attribute_are_a_set(client: SimpleDBClient) -> None:
    put(client, "it", colour="red")
    put(client, "it", colour="blue")
    put(client, "it", colour="red")

    assert got(client, "it") == {("colour", "red"), ("colour", "blue")}


def test_replacing_is_up_to_each_attribute(client: SimpleDBClient) -> None:
    put(client, "it", a="1", b="2")

    client.put_attributes(
        DomainName=DOMAIN,
        ItemName="it",
        Attributes=[
            {"Name": "a", "Value": "3", "Replace": False},
            {"Name": "b", "Value": "4", "Replace": True},
            {"Name": "b", "Value": "5", "Replace": True},
        ],
    )

    assert got(client, "it") == {("a", "1"), ("a", "3"), ("b", "4"), ("b", "5")}


def test_only_the_attributes_asked_for_are_got(client: SimpleDBClient) -> None:
    put(client, "it", a="1", b="2", c="3")

    answer = client.get_attributes(
        DomainName=DOMAIN, ItemName="it", AttributeNames=["c", "a", "none"]
    )

    assert answer["Attributes"] == [
        {"Name": "c", "Value": "3"},
        {"Name": "a", "Value": "1"},
    ]


def test_an_item_that_is_not_there_has_no_attributes_and_is_no_error(
    client: SimpleDBClient,
) -> None:
    assert "Attributes" not in client.get_attributes(DomainName=DOMAIN, ItemName="it")


def test_deleting_goes_by_value_by_name_or_by_item(
    client: SimpleDBClient, server: SimpleDbServer
) -> None:
    put(client, "it", a="1", b="1", c="1")
    put(client, "it", a="2", b="2")

    client.delete_attributes(
        DomainName=DOMAIN,
        ItemName="it",
        Attributes=[{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "none"}],
    )
    raw_call(
        server.url,
        "DeleteAttributes",
        DomainName=DOMAIN,
        ItemName="it",
        Attribute__0__Name="b",
    )
    assert got(client, "it") == {("a", "2"), ("c", "1")}

    client.delete_attributes(DomainName=DOMAIN, ItemName="it")
    assert server.items(DOMAIN) == {}


def test_an_item_without_attributes_does_not_exist(client: SimpleDBClient) -> None:
    put(client, "it", a="1")

    client.delete_attributes(
        DomainName=DOMAIN, ItemName="it", Attributes=[{"Name": "a", "Value": "1"}]
    )

    assert client.domain_metadata(DomainName=DOMAIN)["ItemCount"] == 0


def test_deleting_what_is_not_there_is_no_error(client: SimpleDBClient) -> None:
    client.delete_attributes(DomainName=DOMAIN, ItemName="nobody")
    client.delete_domain(DomainName="no-such-domain")

    assert got(client, "nobody") == set()


def test_batches_put_and_delete_several_items(client: SimpleDBClient) -> None:
    client.batch_put_attributes(
        DomainName=DOMAIN,
        Items=[
            {"Name": f"it{n}", "Attributes": [{"Name": "a", "Value": str(n)}]}
            for n in range(25)
        ],
    )
    client.batch_delete_attributes(
        DomainName=DOMAIN,
        Items=[
            {"Name": "it1", "Attributes": [{"Name": "a", "Value": "1"}]},
            {"Name": "it2", "Attributes": [{"Name": "a", "Value": "other"}]},
            {"Name": "it3"},
        ],
    )

    assert got(client, "it24") == {("a", "24")}
    assert got(client, "it1") == set()
    assert got(client, "it2") == {("a", "2")}
    assert got(client, "it3") == set()


def test_a_batch_that_is_refused_puts_nothing(client: SimpleDBClient) -> None:
    too_many = [{"Name": "a", "Value": str(n)} for n in range(256)]
    put(client, "full", b="1")

    answer = refused(
        lambda: client.batch_put_attributes(
            DomainName=DOMAIN,
            Items=[
                {"Name": "it", "Attributes": [{"Name": "a", "Value": "1"}]},
                {"Name": "full", "Attributes": too_many},
            ],
        )
    )

    assert answer == (409, "NumberItemAttributesExceeded")
    assert got(client, "it") == set()
    assert got(client, "full") == {("b", "1")}


def test_a_write_happens_if_the_attribute_has_the_expected_value(
    client: SimpleDBClient, write: Write
) -> None:
    put(client, "it", rev="1")

    write(Expected={"Name": "rev", "Value": "1"})
    write(Expected={"Name": "rev", "Value": "1", "Exists": True})

    assert ("state", "new") in got(client, "it")


def test_a_write_happens_if_the_attribute_is_not_there_as_expected(
    client: SimpleDBClient, write: Write
) -> None:
    write(Expected={"Name": "rev", "Exists": False})

    assert got(client, "it") == {("state", "new")}


@pytest.mark.parametrize(
    ("expected", "status", "code"),
    [
        ({"Name": "rev", "Value": "2"}, 409, "ConditionalCheckFailed"),
        ({"Name": "rev", "Exists": False}, 409, "ConditionalCheckFailed"),
        ({"Name": "none", "Value": "1"}, 404, "AttributeDoesNotExist"),
        ({"Name": "many", "Value": "1"}, 409, "MultiValuedAttribute"),
        ({"Name": "many", "Exists": False}, 409, "ConditionalCheckFailed"),
        ({"Name": "rev"}, 400, "IncompleteExpectedExpression"),
        ({"Name": "rev", "Exists": True}, 400, "IncompleteExpectedExpression"),
        (
            {"Name": "rev", "Value": "1", "Exists": False},
            400,
            "ExistsAndExpectedValue",
        ),
        ({"Value": "1"}, 400, "MissingParameter"),
        ({"Name": "", "Value": "1"}, 400, "InvalidParameterValue"),
    ],
)
def test_a_write_that_expects_something_else_does_not_happen(
    client: SimpleDBClient,
    write: Write,
    expected: dict[str, object],
    status: int,
    code: str,
) -> None:
    put(client, "it", rev="1", many="1")
    put(client, "it", many="2")
    before = got(client, "it")

    assert refused(lambda: write(Expected=expected)) == (status, code)
    delete = partial(client.delete_attributes, DomainName=DOMAIN, ItemName="it")
    assert refused(lambda: delete(Expected=expected)) == (status, code)

    assert got(client, "it") == before


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        (
            {"Expected.1.Name": "a", "Expected.2.Name": "b", "Expected.1.Value": "1"},
            "MultipleExpectedNames",
        ),
        (
            {"Expected.1.Name": "a", "Expected.1.Value": "1", "Expected.2.Value": "2"},
            "MultipleExpectedValues",
        ),
        (
            {"Expected.Name": "a", "Expected.1.Exists": "false", "Expected.Exists": "true"},
            "MultipleExistsConditions",
        ),
        ({"Expected.Name": "a", "Expected.Exists": "maybe"}, "InvalidParameterValue"),
    ],
)
def test_a_call_has_one_condition(
    client: SimpleDBClient, server: SimpleDbServer, parameters: dict[str, str], code: str
) -> None:
    put(client, "it", a="1")

    status, body = raw_call(
        server.url,
        "DeleteAttributes",
        DomainName=DOMAIN,
        ItemName="it",
        **parameters,
    )

    assert (status, f"<Code>{code}</Code>" in body) == (400, True)


def test_of_many_swaps_from_one_revision_one_happens(
    client: SimpleDBClient, server: SimpleDbServer
) -> None:
    put(client, "it", rev="0")

    def swap(number: int) -> str:
        try:
            client.put_attributes(
                DomainName=DOMAIN,
                ItemName="it",
                Attributes=[{"Name": "rev", "Value": f"by-{number}", "Replace": True}],
                Expected={"Name": "rev", "Value": "0"},
            )
        except client.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return f"by-{number}"

    answers = at_once(swap)

    winners = [answer for answer in answers if answer != "ConditionalCheckFailed"]
    assert [("rev", winner) for winner in winners] == list(got(client, "it"))


def test_domains_are_listed_in_pages(client: SimpleDBClient) -> None:
    names = [DOMAIN, *(f"d{n:03}" for n in range(120))]
    for name in names:
        client.create_domain(DomainName=name)
    client.create_domain(DomainName=DOMAIN)

    first = client.list_domains()
    second = client.list_domains(NextToken=first["NextToken"])
    few = client.list_domains(MaxNumberOfDomains=2)

    assert len(first["DomainNames"]) == 100
    assert "NextToken" not in second
    assert sorted(first["DomainNames"] + second["DomainNames"]) == sorted(names)
    assert few["DomainNames"] == ["d000", "d001"]


def test_a_deleted_domain_takes_its_items_along(client: SimpleDBClient) -> None:
    put(client, "it", a="1")

    client.delete_domain(DomainName=DOMAIN)

    assert refused(lambda: got(client, "it")) == (400, "NoSuchDomain")
    client.create_domain(DomainName=DOMAIN)
    assert got(client, "it") == set()


def test_metadata_weigh_names_once_and_values_each(client: SimpleDBClient) -> None:
    put(client, "é", a="12", bb="é")
    put(client, "it", a="3")
    put(client, "gone", a="3")
    client.delete_attributes(DomainName=DOMAIN, ItemName="gone")

    answer = client.domain_metadata(DomainName=DOMAIN)

    assert answer["ItemCount"] == 2
    assert answer["ItemNamesSizeBytes"] == 4
    assert (answer["AttributeNameCount"], answer["AttributeNamesSizeBytes"]) == (2, 3)
    assert (answer["AttributeValueCount"], answer["AttributeValuesSizeBytes"]) == (3, 5)
    assert answer["Timestamp"] == 1767225600
