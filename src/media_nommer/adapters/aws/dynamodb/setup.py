"""Making the table that the DynamoDB store keeps its records in."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.dynamodb.table import BY_STATE, BY_TIME, OPEN
from media_nommer.core.errors import InvalidSetting, ServiceUnavailable

#: How often, and how many seconds apart, a table is looked at that is being made.
_LOOKS, _APART = 60, 2

#: What DynamoDB removes items by.
EXPIRES = "expires"


def create_table(clients: AwsClients, table: str) -> None:
    """Make a table if it is absent, and wait until it can be used.

    It is paid by the request, and its items go when their time has come. Several may call
    at once, and anybody again later; where the table is there, it takes the rights to look
    at it and no others.

    Raises:
        InvalidSetting: there is another kind of table by this name.
        ServiceUnavailable: it does not become usable, or DynamoDB does not answer.
    """
    client = clients.client("dynamodb")
    with answering("dynamodb"):
        found = _unless("ResourceNotFoundException", client.describe_table, TableName=table)
        if found is None:
            wanted = table_definition(table)
            _unless("ResourceInUseException", client.create_table, **wanted)
        _wait(client, table)
        found = client.describe_table(TableName=table)
        _check(table, found["Table"])
        _let_items_expire(client, table)


def table_definition(table: str) -> dict[str, Any]:
    """Return how a table is made: its keys, its indexes, how it is paid."""
    names = {"pk": "S", "sk": "S", "jobs": "S", "state": "S", "place": "S"}
    types = {**names, "open": "S", "minute": "N"}
    indexes = {
        BY_TIME: ("jobs", "place"),
        BY_STATE: ("state", "place"),
        OPEN: ("open", "minute"),
    }
    return {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in types.items()
        ],
        "KeySchema": _keys("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": name,
                "KeySchema": _keys(*keys),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for name, keys in indexes.items()
        ],
    }


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def _wait(client: Any, table: str) -> None:
    try:
        client.get_waiter("table_exists").wait(
            TableName=table, WaiterConfig={"Delay": _APART, "MaxAttempts": _LOOKS}
        )
    except WaiterError as error:
        raise ServiceUnavailable(
            f"the DynamoDB table {table} was made, and is not ready after "
            f"{_LOOKS * _APART} seconds"
        ) from error


def _check(table: str, found: Mapping[str, Any]) -> None:
    """Check that a table is one of ours.

    Raises:
        InvalidSetting: its keys, or its indexes, are others.
    """
    wanted = table_definition(table)
    has = {index["IndexName"] for index in found.get("GlobalSecondaryIndexes", ())}
    wants = {index["IndexName"] for index in wanted["GlobalSecondaryIndexes"]}
    if found["KeySchema"] != wanted["KeySchema"] or not wants <= has:
        raise InvalidSetting(
            f"the DynamoDB table {table} was made for something else",
            advice="Give media-nommer a table of its own, by a name that is not taken.",
        )


def _let_items_expire(client: Any, table: str) -> None:
    said = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if said.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}:
        return
    # Refused where somebody else has just done it.
    _unless(
        "ValidationException",
        client.update_time_to_live,
        TableName=table,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRES},
    )


def _unless(code: str, call: Callable[..., Any], **request: Any) -> Any | None:
    """Return what a call answers, None where it is refused with ``code``."""
    try:
        return call(**request)
    except ClientError as error:
        if code_of(error) != code:
            raise
        return None
