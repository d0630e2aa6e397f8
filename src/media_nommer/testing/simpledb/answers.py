"""Answers as XML: what SimpleDB writes, with what XML cannot hold in Base64."""

import base64
import re
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from media_nommer.testing.simpledb.conditions import Item
from media_nommer.testing.simpledb.errors import SimpleDbError

NAMESPACE = "http://sdb.amazonaws.com/doc/2009-04-15/"

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(tag: str, text: str) -> str:
    """Return an element; text that XML cannot hold is marked ``encoding="base64"``."""
    if _NOT_XML.search(text):
        text = base64.b64encode(text.encode()).decode()
        return f'<{tag} encoding="base64">{text}</{tag}>'
    # A carriage return as it is would reach the client as a line feed.
    return f"<{tag}>{escape(text, {chr(13): '&#13;'})}</{tag}>"


def attributes(item: Item) -> str:
    """Return an item's attributes, each value in an element of its own."""
    return "".join(
        f"<Attribute>{element('Name', name)}{element('Value', value)}</Attribute>"
        for name, values in item.items()
        for value in sorted(values)
    )


def found_item(name: str, item: Item) -> str:
    """Return an item of a Select."""
    return f"<Item>{element('Name', name)}{attributes(item)}</Item>"


def listed(tag: str, texts: Iterable[str], token: str | None) -> str:
    """Return elements of one kind, and where the next ones are."""
    more = "" if token is None else element("NextToken", token)
    return "".join(element(tag, text) for text in texts) + more


def fields(values: Mapping[str, int]) -> str:
    """Return one element a value."""
    return "".join(element(tag, str(value)) for tag, value in values.items())


def answer(action: str, result: str | None, request_id: str, box_usage: float) -> bytes:
    """Return a whole answer; writes have no result."""
    body = "" if result is None else f"<{action}Result>{result}</{action}Result>"
    return _document(
        f'<{action}Response xmlns="{NAMESPACE}">{body}<ResponseMetadata>'
        f"<RequestId>{request_id}</RequestId><BoxUsage>{box_usage:.10f}</BoxUsage>"
        f"</ResponseMetadata></{action}Response>"
    )


def refusal(error: SimpleDbError, request_id: str, box_usage: float) -> bytes:
    """Return the answer to a call that was refused."""
    return _document(
        f"<Response><Errors><Error>{element('Code', error.code)}"
        f"{element('Message', error.message)}<BoxUsage>{box_usage:.10f}</BoxUsage>"
        f"</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    )


def _document(root: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}'.encode()
