"""The real client of Amazon's, and calls that it would not let through."""

import http.client
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from types_boto3_sdb import SimpleDBClient

DOMAIN = "films-1.test"
SIGNED = {
    "AWSAccessKeyId": "AKIATEST",
    "Signature": "c2lnbmF0dXJl",
    "SignatureMethod": "HmacSHA256",
    "SignatureVersion": "2",
    "Timestamp": "2026-01-01T00:00:00Z",
    "Version": "2009-04-15",
}


def client_of(url: str, *, attempts: int = 1, timeout: float = 60) -> SimpleDBClient:
    """Return a client that tries a call so often."""
    return boto3.client(
        "sdb",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIATEST",
        aws_secret_access_key="secret",
        config=Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            read_timeout=timeout,
        ),
    )


def raw_call(
    url: str, action: str, *, method: str = "GET", signed: bool = True, **parameters: str
) -> tuple[int, str]:
    """Call without a client's help; ``__`` in a name is a dot. Returns status and body."""
    return raw_request(
        url,
        {
            "Action": action,
            **(SIGNED if signed else {}),
            **{name.replace("__", "."): value for name, value in parameters.items()},
        },
        method,
    )


def raw_request(url: str, query: Mapping[str, str], method: str = "GET") -> tuple[int, str]:
    """Send parameters just as they are."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, "/?" + urlencode(query))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def refused(call: Callable[[], object]) -> tuple[int, str]:
    """Return the HTTP status and the code that a call is refused with."""
    with pytest.raises(ClientError) as refusal:
        call()
    response = refusal.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def put(
    client: SimpleDBClient, item: str, replace: bool = False, **attributes: str
) -> None:
    """Put one value of each attribute."""
    client.put_attributes(
        DomainName=DOMAIN,
        ItemName=item,
        Attributes=[
            {"Name": name, "Value": value, "Replace": replace}
            for name, value in attributes.items()
        ],
    )


def got(
    client: SimpleDBClient, item: str, *, consistent: bool = True
) -> set[tuple[str, str]]:
    """Return an item's names and values."""
    answer = client.get_attributes(
        DomainName=DOMAIN, ItemName=item, ConsistentRead=consistent
    )
    return {(pair["Name"], pair["Value"]) for pair in answer.get("Attributes", [])}


def selected(
    client: SimpleDBClient, expression: str, *, consistent: bool = True
) -> list[list[str]]:
    """Return the item names of a Select, page by page."""
    pages: list[list[str]] = []
    token = ""
    while True:
        more = {"NextToken": token} if token else {}
        answer = client.select(
            SelectExpression=expression, ConsistentRead=consistent, **more
        )
        pages.append([item["Name"] for item in answer.get("Items", [])])
        if not (token := answer.get("NextToken", "")):
            return pages
