"""Records and messages to and from JSON, under one version number.

A reader takes what it knows; a document of a newer version is refused with
``UnknownVersion``, never guessed at.
"""

import json
from typing import Any, TypeVar

from pydantic import TypeAdapter

from media_nommer.core.errors import NommerError
from media_nommer.core.tasks import TaskId

#: Raised when a reader of the version before could misread what is written now.
WIRE_VERSION = 1

Record = TypeVar("Record")


class UnknownVersion(NommerError):
    """A document was written by a newer media-nommer."""

    code = "UNKNOWN_VERSION"
    default_advice = "Upgrade this media-nommer to the version that wrote it."


_adapters: dict[type[object], TypeAdapter[Any]] = {}


def _adapter(kind: type[object]) -> TypeAdapter[Any]:
    """Return the reader and writer of a kind of record, built once: that takes a while."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def dump(record: object) -> str:
    """Return a record as JSON text, its version with it."""
    body = _adapter(type(record)).dump_json(record).decode()
    return f'{{"v":{WIRE_VERSION},"r":{body}}}'


def load(kind: type[Record], text: str) -> Record:
    """Return the record that ``dump`` made ``text`` from.

    Raises:
        UnknownVersion: a newer media-nommer wrote it.
    """
    document = json.loads(text)
    if document["v"] > WIRE_VERSION:
        raise UnknownVersion(
            f"a {kind.__name__.lower()} record is of version {document['v']}, "
            f"and this media-nommer reads up to {WIRE_VERSION}"
        )
    record: Record = _adapter(kind).validate_python(document["r"])
    return record


def dump_message(task_id: TaskId) -> str:
    """Return the message that stands for a task on the queue: a reference, no more."""
    return json.dumps({"v": WIRE_VERSION, "task": task_id}, separators=(",", ":"))


def load_message(text: str) -> TaskId:
    """Return the task that a message stands for.

    Raises:
        UnknownVersion: it is not a message of a version that we read.
    """
    try:
        message = json.loads(text)
        version, task = message["v"], message["task"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnknownVersion("a queue message is not one that we write") from error
    if version != WIRE_VERSION or not isinstance(task, str):
        raise UnknownVersion(f"a queue message is of version {version!r}")
    return TaskId(task)
