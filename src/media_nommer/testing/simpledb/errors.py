"""What SimpleDB refuses with: the codes of its Developer Guide and their HTTP statuses."""

from collections.abc import Mapping
from types import MappingProxyType

_BAD_REQUEST = (
    "DuplicateItemName",
    "ExistsAndExpectedValue",
    "IncompleteExpectedExpression",
    "IncompleteSignature",
    "InvalidAction",
    "InvalidHttpRequest",
    "InvalidNextToken",
    "InvalidNumberPredicates",
    "InvalidNumberValueTests",
    "InvalidParameterValue",
    "InvalidQueryExpression",
    "InvalidSortExpression",
    "MissingAction",
    "MissingParameter",
    "MultipleExistsConditions",
    "MultipleExpectedNames",
    "MultipleExpectedValues",
    "NoSuchDomain",
    "NoSuchVersion",
    "TooManyRequestedAttributes",
    "UnsupportedHttpVerb",
)
_CONFLICT = (
    "ConditionalCheckFailed",
    "MultiValuedAttribute",
    "NumberDomainAttributesExceeded",
    "NumberDomainBytesExceeded",
    "NumberDomainsExceeded",
    "NumberItemAttributesExceeded",
    "NumberSubmittedAttributesExceeded",
    "NumberSubmittedItemsExceeded",
)

#: The HTTP status of every code that this server knows.
STATUSES: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(_BAD_REQUEST, 400),
        **dict.fromkeys(_CONFLICT, 409),
        "AuthMissingFailure": 403,
        "AttributeDoesNotExist": 404,
        "QueryTimeout": 408,
        "RequestTimeout": 408,
        "InternalError": 500,
        "ServiceUnavailable": 503,
    }
)


class SimpleDbError(Exception):
    """A refusal, as a client sees it: a code, a sentence and an HTTP status.

    Raises:
        KeyError: SimpleDB has no such code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = STATUSES[code]


def invalid_value(value: str, parameter: str, reason: str) -> SimpleDbError:
    """Return the refusal of a parameter's value."""
    return SimpleDbError(
        "InvalidParameterValue", f"Value ({value}) for parameter {parameter}: {reason}"
    )


def missing(parameter: str) -> SimpleDbError:
    """Return the refusal of a call that lacks a parameter."""
    return SimpleDbError("MissingParameter", f"The request has no parameter {parameter}")
