"""What a call says, read from the parameters of Amazon's query protocol."""

import re
from collections.abc import Mapping
from typing import TypeAlias

from media_nommer.testing.simpledb.domain import Expected, Pair
from media_nommer.testing.simpledb.errors import SimpleDbError, invalid_value, missing
from media_nommer.testing.simpledb.limits import Limits

#: The parameters of one call, as they were sent.
Parameters: TypeAlias = Mapping[str, str]

VERSION = "2009-04-15"

_DOMAIN = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_ATTRIBUTE = re.compile(r"Attribute\.(\d+)\.(Name|Value|Replace)")
_ITEM = re.compile(r"Item\.(\d+)\.(.+)")
_EXPECTED = re.compile(r"Expected\.(?:\d+\.)?(Name|Value|Exists)")
_EXISTS = "Expected.Exists"
_ATTRIBUTE_NAME = re.compile(r"AttributeName(?:\.(\d+))?")
_TOO_MANY_EXPECTED = {
    "Name": "MultipleExpectedNames",
    "Value": "MultipleExpectedValues",
    "Exists": "MultipleExistsConditions",
}


def authenticate(parameters: Parameters) -> None:
    """Make sure that a call is signed; with which key and how well is not looked at.

    Raises:
        SimpleDbError: it names no key, no signature, or no version that there is.
    """
    if not parameters.get("AWSAccessKeyId"):
        raise SimpleDbError("AuthMissingFailure", "The request names no access key")
    for name in ("Signature", "SignatureMethod", "SignatureVersion", "Version"):
        if not parameters.get(name):
            raise missing(name)
    if not (parameters.get("Timestamp") or parameters.get("Expires")):
        raise missing("Timestamp")
    if parameters["SignatureVersion"] != "2":
        raise SimpleDbError("IncompleteSignature", "Only signature version 2 is known")
    if parameters["Version"] != VERSION:
        raise SimpleDbError("NoSuchVersion", f"There is no version {parameters['Version']}")


def new_domain_name(parameters: Parameters) -> str:
    """Return the name that a domain is to get.

    Raises:
        SimpleDbError: there is none, or it is no name for a domain.
    """
    name = required(parameters, "DomainName")
    if not _DOMAIN.fullmatch(name):
        raise invalid_value(name, "DomainName", "3 to 255 of a-z A-Z 0-9 _ . -")
    return name


def required(parameters: Parameters, name: str) -> str:
    """Return a parameter that must be there.

    Raises:
        SimpleDbError: it is not.
    """
    if name not in parameters:
        raise missing(name)
    return parameters[name]


def item_name(parameters: Parameters, limits: Limits) -> str:
    """Return the item that a call is about.

    Raises:
        SimpleDbError: none is named, or its name is empty or too long.
    """
    name = required(parameters, "ItemName")
    _check_name(name, "ItemName", limits)
    return name


def flag(parameters: Parameters, name: str) -> bool:
    """Return a switch, which is off if it is not there.

    Raises:
        SimpleDbError: it is neither ``true`` nor ``false``.
    """
    value = parameters.get(name, "false")
    if value not in {"true", "false"}:
        raise invalid_value(value, name, "neither true nor false")
    return value == "true"


def page_size(parameters: Parameters) -> int:
    """Return how many domains to list.

    Raises:
        SimpleDbError: it is not a number from 1 to 100.
    """
    text = parameters.get("MaxNumberOfDomains", "100")
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise invalid_value(text, "MaxNumberOfDomains", "not from 1 to 100")
    return int(text)


def attribute_names(parameters: Parameters) -> tuple[str, ...]:
    """Return the attributes that GetAttributes is to show; none means all."""
    matches = ((_ATTRIBUTE_NAME.fullmatch(key), value) for key, value in parameters.items())
    numbered = [(int(match[1] or 0), value) for match, value in matches if match]
    return tuple(value for _, value in sorted(numbered))


def expected(parameters: Parameters, limits: Limits) -> Expected | None:
    """Return the condition that a write is under.

    Raises:
        SimpleDbError: there is half a condition, or more than one.
    """
    given: dict[str, str] = {}
    for key, value in parameters.items():
        if match := _EXPECTED.fullmatch(key):
            if match[1] in given:
                raise SimpleDbError(_TOO_MANY_EXPECTED[match[1]], "One condition a call")
            given[match[1]] = value
    if not given:
        return None
    if "Name" not in given:
        raise missing("Expected.Name")
    _check_name(given["Name"], "Expected.Name", limits)
    exists = "Exists" not in given or flag({_EXISTS: given["Exists"]}, _EXISTS)
    if exists and "Value" not in given:
        raise SimpleDbError("IncompleteExpectedExpression", "Expected.Value is missing")
    if not exists and "Value" in given:
        raise SimpleDbError("ExistsAndExpectedValue", "What must not be has no value")
    return Expected(given["Name"], given["Value"] if exists else None)


def put_pairs(parameters: Parameters, item: str, limits: Limits) -> list[Pair]:
    """Return what is to be put in one item.

    Raises:
        SimpleDbError: there is nothing, too much, or half a pair.
    """
    pairs = _pairs(parameters, limits)
    if not pairs:
        raise SimpleDbError("MissingParameter", f"No attributes for item '{item}'")
    for pair in pairs:
        if pair.value is None:
            raise SimpleDbError("MissingParameter", f"No Attribute.Value for '{pair.name}'")
    if len(pairs) > limits.submitted_attributes:
        raise SimpleDbError(
            "NumberSubmittedAttributesExceeded", f"Too many attributes for item '{item}'"
        )
    return pairs


def delete_pairs(parameters: Parameters, limits: Limits) -> list[Pair]:
    """Return what is to be deleted of one item; nothing means all of it.

    Raises:
        SimpleDbError: there is half a pair, or a name or value that cannot be.
    """
    return _pairs(parameters, limits)


def batch(parameters: Parameters, limits: Limits) -> dict[str, Parameters]:
    """Return the items of a batch, each with its own parameters.

    Raises:
        SimpleDbError: there are none or too many, or one twice.
    """
    numbered: dict[int, dict[str, str]] = {}
    for key, value in parameters.items():
        if match := _ITEM.fullmatch(key):
            numbered.setdefault(int(match[1]), {})[match[2]] = value
    if not numbered:
        raise missing("Item.1.ItemName")
    if len(numbered) > limits.submitted_items:
        raise SimpleDbError("NumberSubmittedItemsExceeded", "Too many items in one call")
    items: dict[str, Parameters] = {}
    for _, own in sorted(numbered.items()):
        name = item_name(own, limits)
        if name in items:
            raise SimpleDbError("DuplicateItemName", f"Item {name} was named twice")
        items[name] = own
    return items


def _pairs(parameters: Parameters, limits: Limits) -> list[Pair]:
    numbered: dict[int, dict[str, str]] = {}
    for key, value in parameters.items():
        if match := _ATTRIBUTE.fullmatch(key):
            numbered.setdefault(int(match[1]), {})[match[2]] = value
    return [_pair(own, limits) for _, own in sorted(numbered.items())]


def _pair(own: Parameters, limits: Limits) -> Pair:
    if "Name" not in own:
        raise SimpleDbError("MissingParameter", "An attribute's value without its name")
    _check_name(own["Name"], "Name", limits)
    value = own.get("Value")
    if value is not None and len(value.encode()) > limits.value_bytes:
        raise invalid_value(value, "Value", "longer than 1024 bytes")
    return Pair(own["Name"], value, flag(own, "Replace"))


def _check_name(name: str, parameter: str, limits: Limits) -> None:
    if not name:
        raise invalid_value(name, parameter, "an empty name")
    if len(name.encode()) > limits.name_bytes:
        raise invalid_value(name, parameter, "longer than 1024 bytes")
