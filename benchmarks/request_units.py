"""What DynamoDB bills for a call, in request units: told from its request and answer.

Writes count by the KB begun of an item, before or after, whichever is larger, and once more
for each entry of an index that comes or goes; reads by the 4 KB begun, half of that where
an answer may lag. A refused write costs what it would have cost.
"""

import base64
import json
from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple

Item = Mapping[str, Mapping[str, Any]]

#: The keys of our table's indexes, which hold nothing else.
_INDEXES = (("jobs", "place"), ("state", "place"), ("open", "minute"))

_KB, _READ = 1024, 4096


class Units(NamedTuple):
    """Write and read request units."""

    writes: float = 0.0
    reads: float = 0.0


def request_units(operation: str, request: str, answer: str) -> Units:
    """Return what a call is billed for; calls about tables are free."""
    asked, said = json.loads(request or "{}"), json.loads(answer or "{}")
    match operation:
        case "GetItem":
            return Units(reads=_read([said.get("Item", {})], asked))
        case "Query":
            return Units(reads=_read(said.get("Items", []), asked))
        case "BatchGetItem":
            return Units(reads=_batch_read(asked, said))
        case "PutItem":
            standing = said.get("Item", {})
            return Units(writes=_write(standing, standing or asked["Item"]))
        case "UpdateItem":
            return Units(writes=_update(asked, said))
        case "DeleteItem":
            return Units(writes=_write(said.get("Item", {}), {}))
        case "BatchWriteItem":
            return Units(writes=_batch_write(asked))
    return Units()


def size_of(item: Item) -> int:
    """Return the bytes of an item: its names and its values."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    ((kind, inner),) = value.items()
    if kind == "N":
        return len(str(inner)) // 2 + 2
    return len(base64.b64decode(inner)) if kind == "B" else len(str(inner).encode())


def _read(items: list[Item], asked: Mapping[str, Any]) -> float:
    whole = max(1, ceil(sum(map(size_of, items)) / _READ))
    return whole if asked.get("ConsistentRead") else whole / 2


def _batch_read(asked: Mapping[str, Any], said: Mapping[str, Any]) -> float:
    units = 0.0
    for table, batch in asked["RequestItems"].items():
        found: list[Item] = said.get("Responses", {}).get(table, [])
        absent = len(batch["Keys"]) - len(found)
        units += sum(_read([item], batch) for item in found) + absent * _read([], batch)
    return units


def _update(asked: Mapping[str, Any], said: Mapping[str, Any]) -> float:
    if "Item" in said:  # it was refused
        return _write(said["Item"], said["Item"])
    old: Item = said.get("Attributes", {})
    return _write(old, _updated(old, asked))


def _updated(old: Item, asked: Mapping[str, Any]) -> Item:
    """Return an item after an expression of the kind that we write."""
    sets, _, removes = asked["UpdateExpression"].removeprefix("SET ").partition("REMOVE ")
    names, values = asked["ExpressionAttributeNames"], asked["ExpressionAttributeValues"]
    new = dict(old)
    for each in sets.strip().split(", "):
        name, mark, value = each.partition(" = ")
        if mark:
            new[names[name]] = values[value]
    for name in removes.split(", "):
        new.pop(names.get(name, ""), None)
    return new


def _batch_write(asked: Mapping[str, Any]) -> float:
    requests = [each for batch in asked["RequestItems"].values() for each in batch]
    return sum(_write({}, each.get("PutRequest", {}).get("Item", {})) for each in requests)


def _write(old: Item, new: Item) -> float:
    size = max(size_of(old), size_of(new))
    return max(1, ceil(size / _KB)) + sum(_entry(old, new, keys) for keys in _INDEXES)


def _entry(old: Item, new: Item, keys: tuple[str, str]) -> int:
    """Return how many writes an index takes: it has keys only, which never change."""
    before, after = ([item.get(key) for key in keys] for item in (old, new))
    if before == after:
        return 0
    return int(all(before)) + int(all(after))
