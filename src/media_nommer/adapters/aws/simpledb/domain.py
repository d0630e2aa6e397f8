"""One domain of SimpleDB: how items lie in it, and the calls that we make of it.

An item has at most 256 values of at most 1,024 bytes, all of them text that XML takes. So a
record lies in numbered pieces, as base64 where it is compressed, and ``pieces`` says how
many of them are of this version: those that an older, longer one left are never read. One
call writes all of it, and the calls that read ask for what is the latest.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.items.packing import new_write
from media_nommer.adapters.aws.items.records import Index, Item, Refused, Value
from media_nommer.adapters.aws.simpledb.select import Range, select_equal, select_range
from media_nommer.core.errors import (
    InvalidSetting,
    NommerError,
    RecordTooLarge,
    ServiceUnavailable,
    StoreFull,
)

PIECE_BYTES = 1024

#: The largest page that Select gives.
MOST_AT_ONCE = 2500
_DELETED_AT_ONCE = 25

#: How many values a record may take: what is left beside 50 tags and a few presets.
MOST_PIECES = 190

_FULL = frozenset({"NumberDomainBytesExceeded", "NumberDomainAttributesExceeded"})
_TOO_LARGE = frozenset(
    {"NumberItemAttributesExceeded", "NumberSubmittedAttributesExceeded"}
)
_SLOW = frozenset({"QueryTimeout", "RequestTimeout"})
_REFUSED = frozenset({"ConditionalCheckFailed", "AttributeDoesNotExist"})


class Domain:
    """Calls of one domain, with our errors, and with what a lost answer takes seen to.

    boto3 tries a call again whose answer did not come, and such a second try of a
    conditional write meets the first. So every write leaves its name: ``born`` is that of
    the one that made the item and stays, ``by`` that of the last.
    """

    def __init__(self, clients: AwsClients, domain: str) -> None:
        self._clients = clients
        self._domain = domain

    def get(self, key: str) -> Item | None:
        """Return an item as it is now."""
        if len(key) > PIECE_BYTES:
            return None
        with self._answering():
            answer = self._client.get_attributes(
                DomainName=self._domain, ItemName=key, ConsistentRead=True
            )
        return _joined(answer["Attributes"]) if answer.get("Attributes") else None

    def add(self, key: str, values: Item) -> Refused | None:
        """Store a new item, unless there is one."""
        write = new_write()
        expected = {"Name": "rev", "Exists": False}
        written = self._put(key, {**values, "born": write, "by": write}, expected)
        return None if written else self._refused(key, "born", write)

    def swap(self, key: str, values: Index, *, read_at: int) -> Refused | Item:
        """Change the version of an item whose ``rev`` is ``read_at``.

        Attributes that are not named stay; SimpleDB does not say what they were.
        """
        write = new_write()
        kept = {name: value for name, value in values.items() if value is not None}
        expected = {"Name": "rev", "Value": str(read_at), "Exists": True}
        written = self._put(key, {**kept, "by": write}, expected)
        return {} if written else self._refused(key, "by", write) or {}

    def delete(self, keys: Iterable[str]) -> None:
        """Remove items, those of them that are there."""
        items = [{"Name": key} for key in keys]
        for start in range(0, len(items), _DELETED_AT_ONCE):
            chunk = items[start : start + _DELETED_AT_ONCE]
            with self._answering():
                self._client.batch_delete_attributes(DomainName=self._domain, Items=chunk)

    def between(self, wanted: Range, *, page: int = MOST_AT_ONCE) -> Iterator[Item]:
        """Return the items of a range in its order, ``page`` at a time as needed."""
        return self._select(select_range(self._domain, wanted, min(page, MOST_AT_ONCE)))

    def equal(self, attribute: str, value: str) -> Iterator[Item]:
        """Return the items whose attribute has a value, in no order."""
        return self._select(select_equal(self._domain, attribute, value, MOST_AT_ONCE))

    def _select(self, expression: str) -> Iterator[Item]:
        """Select to the end: a page may hold fewer than asked for, or none.

        It ends at a megabyte, or after five seconds of SimpleDB's time.
        """
        request: dict[str, Any] = {"SelectExpression": expression, "ConsistentRead": True}
        while True:
            with self._answering():
                answer = self._client.select(**request)
            for item in answer.get("Items", ()):
                yield _joined(item["Attributes"])
            if not answer.get("NextToken"):
                return
            request["NextToken"] = answer["NextToken"]

    @property
    def _client(self) -> Any:
        return self._clients.client("sdb")

    def _answering(self) -> Any:
        return answering("sdb", self._reading)

    def _reading(self, code: str, said: str) -> NommerError | None:
        if code == "NoSuchDomain":
            return InvalidSetting(
                f"there is no SimpleDB domain {self._domain} "
                f"in {self._clients.region or 'the region'}",
                advice="Check its name and the region, or make it: `nommer aws up`.",
            )
        if code in _FULL:
            return StoreFull(f"the SimpleDB domain {self._domain} is full")
        if code in _TOO_LARGE:
            return RecordTooLarge("a record takes more values than a SimpleDB item has")
        if code in _SLOW:
            return ServiceUnavailable(f"SimpleDB took too long: {said}")
        return None

    def _put(self, key: str, values: Item, expected: Mapping[str, object]) -> bool:
        """Write an item under a condition; return whether that was met."""
        attributes = _split(key, values)
        with self._answering():
            try:
                self._client.put_attributes(
                    DomainName=self._domain,
                    ItemName=key,
                    Attributes=attributes,
                    Expected=expected,
                )
            except ClientError as error:
                if code_of(error) not in _REFUSED:
                    raise
                return False
        return True

    def _refused(self, key: str, name: str, write: str) -> Refused | None:
        """Return what a write was refused for; None where it had been made already."""
        standing = self.get(key)
        if standing is not None and standing.get(name) == write:
            return None
        return Refused(standing)


def _split(key: str, values: Item) -> list[dict[str, object]]:
    """Return an item as attributes, its record in pieces.

    Raises:
        RecordTooLarge: they are more than an item has.
    """
    shown = {name: str(value) for name, value in values.items() if name != "doc"}
    pieces = _pieces(values["doc"])
    if len(pieces) > MOST_PIECES:
        raise RecordTooLarge(
            f"the record {key} takes {len(pieces)} KB when compressed, and a SimpleDB item "
            f"has room for {MOST_PIECES} KB"
        )
    shown["pieces"] = str(len(pieces))
    shown |= {f"d{number:03}": piece for number, piece in enumerate(pieces)}
    return [
        {"Name": name, "Value": value, "Replace": True} for name, value in shown.items()
    ]


def _pieces(packed: Value) -> list[str]:
    """Return a packed record as values: text that is ASCII already, or base64."""
    assert not isinstance(packed, int), "a document is text or bytes"
    if isinstance(packed, str) and packed.isascii():
        text = packed
    else:
        data = packed.encode() if isinstance(packed, str) else packed
        kind = "t" if isinstance(packed, str) else "z"
        text = kind + base64.urlsafe_b64encode(data).decode()
    return [text[at : at + PIECE_BYTES] for at in range(0, len(text), PIECE_BYTES)]


def _joined(attributes: list[dict[str, str]]) -> Item:
    """Return the item whose attributes these are; each of ours has one value."""
    values = {each["Name"]: each["Value"] for each in attributes}
    text = "".join(values[f"d{number:03}"] for number in range(int(values["pieces"])))
    kind, rest = text[0], text[1:]
    if kind == "{":
        return {**values, "doc": text}
    data = base64.urlsafe_b64decode(rest)
    return {**values, "doc": data.decode() if kind == "t" else data}
