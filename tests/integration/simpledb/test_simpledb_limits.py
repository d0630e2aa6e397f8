"""What is refused, and with which code and HTTP status."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from simpledb_client import (
    DOMAIN,
    SIGNED,
    client_of,
    got,
    put,
    raw_call,
    raw_request,
    refused,
    selected,
)
from types_boto3_sdb import SimpleDBClient

from media_nommer.testing.simpledb import Limits, SimpleDbServer

LONG, TOO_LONG = "é" * 512, "é" * 512 + "x"


@contextmanager
def limited(limits: Limits) -> Iterator[SimpleDBClient]:
    """A client with one empty domain, on a server of its own."""
    with SimpleDbServer(limits=limits) as server:
        client = client_of(server.url)
        client.create_domain(DomainName=DOMAIN)
        yield client
        client.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda c: put(c, TOO_LONG, a="1"),
        lambda c: put(c, "", a="1"),
        lambda c: put(c, "it", **{TOO_LONG: "1"}),
        lambda c: put(c, "it", **{"": "1"}),
        lambda c: put(c, "it", a=TOO_LONG),
        lambda c: got(c, ""),
        lambda c: c.create_domain(DomainName="ab"),
        lambda c: c.create_domain(DomainName="a" * 256),
        lambda c: c.create_domain(DomainName="with space"),
        lambda c: c.list_domains(MaxNumberOfDomains=0),
        lambda c: c.list_domains(MaxNumberOfDomains=101),
        lambda c: c.select(SelectExpression=f"select * from `{DOMAIN}` limit 0"),
    ],
)
def test_values_that_cannot_be_are_refused(
    client: SimpleDBClient, call: Callable[[SimpleDBClient], object]
) -> None:
    assert refused(lambda: call(client)) == (400, "InvalidParameterValue")


def test_names_and_values_may_have_1024_bytes(client: SimpleDBClient) -> None:
    put(client, LONG, **{LONG: LONG, "empty": ""})

    assert got(client, LONG) == {(LONG, LONG), ("empty", "")}


def test_an_item_has_256_pairs_and_not_one_more(client: SimpleDBClient) -> None:
    put(client, "it", **{f"a{n}": "1" for n in range(256)})
    put(client, "it", a0="1")

    answer = refused(lambda: put(client, "it", a0="2"))
    put(client, "it", replace=True, a0="2")

    assert answer == (409, "NumberItemAttributesExceeded")
    assert len(got(client, "it")) == 256


def test_a_call_puts_256_pairs_and_not_one_more(client: SimpleDBClient) -> None:
    same = [{"Name": "a", "Value": "1"}] * 257

    answer = refused(
        lambda: client.put_attributes(DomainName=DOMAIN, ItemName="it", Attributes=same)
    )

    assert answer == (409, "NumberSubmittedAttributesExceeded")


def test_a_batch_has_25_items_and_each_once(client: SimpleDBClient) -> None:
    def batch(*names: str) -> tuple[int, str]:
        items = [{"Name": n, "Attributes": [{"Name": "a", "Value": "1"}]} for n in names]
        put_answer = refused(
            lambda: client.batch_put_attributes(DomainName=DOMAIN, Items=items)
        )
        assert put_answer == refused(
            lambda: client.batch_delete_attributes(DomainName=DOMAIN, Items=items)
        )
        return put_answer

    assert batch(*map(str, range(26))) == (409, "NumberSubmittedItemsExceeded")
    assert batch("it", "it") == (400, "DuplicateItemName")
    assert batch("it", "") == (400, "InvalidParameterValue")


def test_a_domain_that_is_full_takes_no_more_bytes() -> None:
    with limited(Limits(domain_bytes=20)) as client:
        put(client, "it", a="0123456789")

        answer = refused(lambda: put(client, "it2", a="0123456789"))
        put(client, "it", replace=True, a="012345")
        put(client, "it2", a="01")

        assert answer == (409, "NumberDomainBytesExceeded")
        assert got(client, "it2") == {("a", "01")}


def test_a_domain_that_is_full_takes_no_more_attributes() -> None:
    with limited(Limits(domain_attributes=2)) as client:
        put(client, "it", a="1", b="1")

        answer = refused(lambda: put(client, "it2", a="1"))
        put(client, "it", replace=True, b="2")

        assert answer == (409, "NumberDomainAttributesExceeded")
        assert got(client, "it2") == set()


def test_an_account_has_a_limited_number_of_domains() -> None:
    with limited(Limits(domains=2)) as client:
        client.create_domain(DomainName="second")
        client.create_domain(DomainName="second")

        assert refused(lambda: client.create_domain(DomainName="third")) == (
            409,
            "NumberDomainsExceeded",
        )


def test_a_request_may_not_be_larger_than_allowed() -> None:
    with limited(Limits(request_bytes=1000)) as client:
        assert refused(lambda: put(client, "it", a="x" * 1000)) == (
            400,
            "InvalidHttpRequest",
        )
        put(client, "it", a="x" * 100)


@pytest.mark.parametrize(
    "call",
    [
        lambda c: put(c, "it", a="1"),
        lambda c: got(c, "it"),
        lambda c: c.delete_attributes(DomainName=DOMAIN, ItemName="it"),
        lambda c: c.batch_delete_attributes(DomainName=DOMAIN, Items=[{"Name": "it"}]),
        lambda c: c.domain_metadata(DomainName=DOMAIN),
        lambda c: selected(c, f"select * from `{DOMAIN}`"),
    ],
)
def test_a_domain_that_is_not_there_is_an_error(
    client: SimpleDBClient, call: Callable[[SimpleDBClient], object]
) -> None:
    client.delete_domain(DomainName=DOMAIN)

    with pytest.raises(client.exceptions.NoSuchDomain) as refusal:
        call(client)

    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("action", "parameters", "code"),
    [
        ("", {}, "MissingAction"),
        ("Query", {}, "InvalidAction"),
        ("CreateDomain", {}, "MissingParameter"),
        ("DeleteDomain", {}, "MissingParameter"),
        ("DomainMetadata", {}, "MissingParameter"),
        ("Select", {}, "MissingParameter"),
        ("GetAttributes", {"DomainName": DOMAIN}, "MissingParameter"),
        ("BatchPutAttributes", {"DomainName": DOMAIN}, "MissingParameter"),
        (
            "BatchPutAttributes",
            {"DomainName": DOMAIN, "Item.0.ItemName": "it"},
            "MissingParameter",
        ),
        (
            "PutAttributes",
            {"DomainName": DOMAIN, "ItemName": "it"},
            "MissingParameter",
        ),
        (
            "PutAttributes",
            {"DomainName": DOMAIN, "ItemName": "it", "Attribute.1.Name": "a"},
            "MissingParameter",
        ),
        (
            "DeleteAttributes",
            {"DomainName": DOMAIN, "ItemName": "it", "Attribute.1.Value": "a"},
            "MissingParameter",
        ),
        (
            "GetAttributes",
            {"DomainName": DOMAIN, "ItemName": "it", "ConsistentRead": "yes"},
            "InvalidParameterValue",
        ),
        ("ListDomains", {"NextToken": "made up"}, "InvalidNextToken"),
        ("ListDomains", {"Version": "2007-11-07"}, "NoSuchVersion"),
        ("ListDomains", {"SignatureVersion": "1"}, "IncompleteSignature"),
        ("ListDomains", {"Signature": ""}, "MissingParameter"),
    ],
)
def test_calls_that_are_not_right_are_refused(
    client: SimpleDBClient,
    server: SimpleDbServer,
    action: str,
    parameters: dict[str, str],
    code: str,
) -> None:
    status, body = raw_request(server.url, {"Action": action, **SIGNED, **parameters})

    assert (status, f"<Code>{code}</Code>" in body) == (400, True)


def test_a_call_that_is_not_signed_is_refused(server: SimpleDbServer) -> None:
    status, body = raw_call(server.url, "ListDomains", signed=False)

    assert (status, "AuthMissingFailure" in body) == (403, True)
    assert raw_call(server.url, "ListDomains")[0] == 200


def test_other_verbs_than_get_and_post_are_refused(server: SimpleDbServer) -> None:
    status, body = raw_call(server.url, "ListDomains", method="PUT")

    assert (status, "UnsupportedHttpVerb" in body) == (400, True)
