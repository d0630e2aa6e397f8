"""One table of DynamoDB: its keys and indexes, and the calls that we make of it.

Names of attributes are short: each byte of them is paid for with every item.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.items.packing import new_write
from media_nommer.adapters.aws.items.records import Index, Item, Refused, Value
from media_nommer.core.errors import (
    InvalidSetting,
    NommerError,
    RecordTooLarge,
    ServiceUnavailable,
)

#: Indexes: jobs by time, jobs by state, and tasks that are not settled.
BY_TIME, BY_STATE, OPEN = "jobs", "states", "open"

#: A gigantic job or a large fleet spreads over as many keys; part of the format.
SHARDS = 4

#: DynamoDB's limit on an item, with its keys and names.
MOST_BYTES = 400 * 1024
_ROOM_FOR_KEYS = 4 * 1024
_LONGEST_PK, _LONGEST_SK = 2048, 1024

_READ_AT_ONCE, _WRITE_AT_ONCE = 100, 25
_BATCH_TRIES = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class Key(NamedTuple):
    """Where an item lies: its partition, and its place in there."""

    pk: str
    sk: str = "="


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A part of the table, or of an index, that is read in order.

    ``where`` is a condition on the attribute ``sort``: ``#s`` is its name in there, ``:a``
    and ``:b`` are the ``values``.
    """

    of: tuple[str, str]
    index: str | None = None
    sort: str = "sk"
    where: str = ""
    values: tuple[Value, ...] = ()
    newest_first: bool = False
    consistent: bool = False


class DynamoTable:
    """Calls of one table, with our errors, and with what a lost answer takes seen to.

    boto3 tries a call again whose answer did not come, and such a second try of a
    conditional write meets the first. So every write leaves its name: ``born`` is that of
    the one that made the item and stays, ``by`` that of the last.
    """

    def __init__(
        self,
        clients: AwsClients,
        table: str,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clients = clients
        self._table = table
        self._pause = pause

    def get(self, key: Key) -> Item | None:
        """Return an item as it is now."""
        if len(key.pk) > _LONGEST_PK or len(key.sk) > _LONGEST_SK:
            return None
        with self._answering():
            answer = self._client.get_item(
                TableName=self._table, Key=typed(key._asdict()), ConsistentRead=True
            )
        return plain(answer["Item"]) if "Item" in answer else None

    def add(self, key: Key, values: Item) -> Refused | None:
        """Store a new item, unless there is one."""
        write = new_write()
        self._measure(key, values)
        refused = self._unless_refused(
            "put_item",
            Item=typed({**key._asdict(), **values, "born": write}),
            ConditionExpression="attribute_not_exists(pk)",
        )
        if isinstance(refused, Refused) and _has(refused, "born", write):
            return None
        return refused if isinstance(refused, Refused) else None

    def swap(self, key: Key, values: Index, *, read_at: int) -> Refused | Item:
        """Change the version of an item whose ``rev`` is ``read_at``; return what it was.

        A value of None removes the attribute; those not named stay. What it was is empty
        where the answer was lost.
        """
        write = new_write()
        kept = {name: value for name, value in values.items() if value is not None}
        self._measure(key, kept)
        kept["by"] = write
        gone = [name for name in values if name not in kept]
        old = self._unless_refused(
            "update_item",
            Key=typed(key._asdict()),
            ConditionExpression="#rev = :read_at",
            UpdateExpression=_update(kept, gone),
            ExpressionAttributeNames={f"#{name}": name for name in ("rev", *kept, *gone)},
            ExpressionAttributeValues=typed(
                {":read_at": read_at, **{f":{name}": value for name, value in kept.items()}}
            ),
            ReturnValues="ALL_OLD",
        )
        if isinstance(old, Refused) and _has(old, "by", write):
            return {}
        return old

    def expire(self, key: Key, expires: int | None) -> None:
        """Set when an item goes by itself, or that it does not; nothing if it is gone."""
        values = {} if expires is None else {":expires": expires}
        extra = {"ExpressionAttributeValues": typed(values)} if values else {}
        self._unless_refused(
            "update_item",
            Key=typed(key._asdict()),
            ConditionExpression="attribute_exists(pk)",
            UpdateExpression="SET #e = :expires" if values else "REMOVE #e",
            ExpressionAttributeNames={"#e": "expires"},
            **extra,
        )

    def put_newer(self, key: Key, values: Item) -> None:
        """Put an item, unless one is there of the same ``rev`` or a later one."""
        self._unless_refused(
            "put_item",
            Item=typed({**key._asdict(), **values}),
            ConditionExpression="attribute_not_exists(pk) OR rev < :rev",
            ExpressionAttributeValues=typed({":rev": values["rev"]}),
        )

    def remove(self, key: Key, *, read_at: int) -> None:
        """Remove an item, unless its ``rev`` is not ``read_at`` any more."""
        self._unless_refused(
            "delete_item",
            Key=typed(key._asdict()),
            ConditionExpression="rev = :read_at",
            ExpressionAttributeValues=typed({":read_at": read_at}),
        )

    def query(self, look: Look, *, page: int | None = None) -> Iterator[Item]:
        """Return the items of a part, in its order, read ``page`` at a time as needed."""
        names = {"#h": look.of[0]}
        values: dict[str, Value] = {":h": look.of[1]}
        condition = "#h = :h"
        if look.where:
            names["#s"] = look.sort
            values |= dict(zip((":a", ":b"), look.values, strict=False))
            condition += f" AND {look.where}"
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": typed(values),
            "ScanIndexForward": not look.newest_first,
            "ConsistentRead": look.consistent,
        }
        if look.index is not None:
            request["IndexName"] = look.index
        if page is not None:
            request["Limit"] = page
        while True:
            with self._answering():
                answer = self._client.query(**request)
            yield from map(plain, answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def read(self, keys: Iterable[Key]) -> Iterator[Item]:
        """Return the items that are there of these, in no order; perhaps a second old."""
        for chunk in _chunks(list(dict.fromkeys(keys)), _READ_AT_ONCE):
            left: list[Any] = [typed(key._asdict()) for key in chunk]
            for pause in self._pauses():
                with self._answering():
                    answer = self._client.batch_get_item(
                        RequestItems={self._table: {"Keys": left}}
                    )
                yield from map(plain, answer["Responses"].get(self._table, ()))
                left = (
                    answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
                )
                if not left:
                    break
                pause()

    def write(self, puts: Iterable[Item] = (), deletes: Iterable[Key] = ()) -> None:
        """Put and remove items without a condition, in no order."""
        requests: list[Any] = [{"PutRequest": {"Item": typed(item)}} for item in puts]
        requests += [{"DeleteRequest": {"Key": typed(key._asdict())}} for key in deletes]
        for chunk in _chunks(requests, _WRITE_AT_ONCE):
            left = chunk
            for pause in self._pauses():
                with self._answering():
                    answer = self._client.batch_write_item(RequestItems={self._table: left})
                left = answer.get("UnprocessedItems", {}).get(self._table, [])
                if not left:
                    break
                pause()

    @property
    def _client(self) -> Any:
        return self._clients.client("dynamodb")

    def _answering(self) -> Any:
        return answering("dynamodb", self._reading)

    def _reading(self, code: str, said: str) -> NommerError | None:
        if code == "ResourceNotFoundException":
            return InvalidSetting(
                f"there is no DynamoDB table {self._table} "
                f"in {self._clients.region or 'the region'}",
                advice="Check its name and the region, or make it: `nommer aws up`.",
            )
        if code == "ValidationException" and "exceeded the maximum allowed size" in said:
            return RecordTooLarge("a record is larger than DynamoDB keeps (400 KB)")
        return None

    def _unless_refused(self, operation: str, **request: Any) -> Refused | Item:
        """Make a conditional write; return the attributes that it answers with."""
        with self._answering():
            try:
                answer = getattr(self._client, operation)(
                    TableName=self._table,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **request,
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                standing: Any = error.response.get("Item")
                return Refused(plain(standing) if standing else None)
        return plain(answer.get("Attributes", {}))

    def _measure(self, key: Key, values: Item) -> None:
        """Refuse what does not fit before it is sent.

        Raises:
            RecordTooLarge: it does not.
        """
        size = sum(len(v) for v in values.values() if not isinstance(v, int))
        if size > MOST_BYTES - _ROOM_FOR_KEYS:
            raise RecordTooLarge(
                f"the record {key.pk} takes {size // 1024} KB when compressed, "
                f"and DynamoDB keeps {MOST_BYTES // 1024} KB"
            )

    def _pauses(self) -> Iterator[Callable[[], None]]:
        """Give the waits between the tries of a batch of which something was left.

        Raises:
            ServiceUnavailable: something is left after the last.
        """
        wait = _FIRST_PAUSE
        for _ in range(_BATCH_TRIES):
            yield lambda: self._pause(wait)  # noqa: B023 - called before the next
            wait = min(2 * wait, _LONGEST_PAUSE)
        raise ServiceUnavailable("dynamodb does not get through with a batch now")


def shard_of(text: str) -> int:
    """Return which of the partitions a record lies in: the same for everybody."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest) % SHARDS


def typed(values: Item) -> dict[str, dict[str, Any]]:
    """Return values as the service writes them, each with its type."""
    return {name: _typed(value) for name, value in values.items()}


def plain(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """Return values as we use them."""
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: Value) -> dict[str, Any]:
    if isinstance(value, int):
        return {"N": str(value)}
    return {"S": value} if isinstance(value, str) else {"B": value}


def _plain(value: Mapping[str, Any]) -> Value:
    ((kind, inner),) = value.items()
    if kind == "N":
        return int(inner)
    return str(inner) if kind == "S" else bytes(inner)


def _update(kept: Iterable[str], gone: Sequence[str]) -> str:
    sets = "SET " + ", ".join(f"#{name} = :{name}" for name in kept)
    return sets + (" REMOVE " + ", ".join(f"#{name}" for name in gone) if gone else "")


def _has(refused: Refused, name: str, write: str) -> bool:
    return refused.standing is not None and refused.standing.get(name) == write


def _chunks(things: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]
