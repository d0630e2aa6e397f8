"""Records as Amazon's databases take them: packed, and found by text that sorts.

DynamoDB and SimpleDB share what is here: how a record becomes a small value, and the keys
and labels by which it is found again. Keys are printable ASCII, so that an id may hold
whatever it likes.
"""

import hashlib
import json
import re
import secrets
import zlib
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote, unquote

from media_nommer.core.cursors import JobPlace, place_of
from media_nommer.core.errors import BadRequest, InvalidCursor
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.tasks import Task
from media_nommer.core.wire import dump, load

#: Both services refuse keys of more than 1,024 bytes; some is left for what stands before.
LONGEST_KEY = 900

#: A packed record below this is not made smaller: people can read it in the console.
PLAIN_BELOW = 512

_TIME_DIGITS = 16
_ZERO = 2**63

#: Sorts after every time, whatever id follows.
AFTER_ALL_TIMES = "g"

_RUN = re.compile(r"\.[0-9]+\.")

#: Printable ASCII stands for itself in a key, but for the sign that begins a code.
_SELF = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")

Record = TypeVar("Record")


def pack(record: object) -> str | bytes:
    """Return a record as JSON text, or compressed where that is worth it."""
    text = dump(record)
    data = text.encode()
    return text if len(data) < PLAIN_BELOW else zlib.compress(data, 9)


def unpack(kind: type[Record], packed: str | bytes) -> Record:
    """Return the record that ``pack`` made ``packed`` from.

    Raises:
        UnknownVersion: a newer media-nommer wrote it.
    """
    if isinstance(packed, str):
        return load(kind, packed)
    return load(kind, zlib.decompress(packed).decode())


def new_write() -> str:
    """Return a name for one write, by which a retry knows its own first try."""
    return secrets.token_urlsafe(9)


def key_of(text: str) -> str:
    """Return an id as a key: one of its own, and made of printable ASCII."""
    return quote(text, safe=_SELF, errors="surrogatepass")


def fits(key: str) -> bool:
    """Return whether a key is short enough that a record could have it."""
    return len(key) <= LONGEST_KEY


def time_key(microseconds: int) -> str:
    """Return a time, as ``cursors.microseconds`` gives it, as text that sorts by it."""
    return f"{microseconds + _ZERO:0{_TIME_DIGITS}x}"


def place_key(place: JobPlace) -> str:
    """Return a place in the list of jobs as text that sorts by it.

    Raises:
        InvalidCursor: no job has such an id.
    """
    job_id = key_of(place.job_id)
    if not fits(job_id):
        raise InvalidCursor("the cursor is not one that a list of jobs has given")
    return time_key(place.created) + job_id


def place_in(key: str) -> JobPlace:
    """Return the place that ``place_key`` made ``key`` from."""
    job_id = unquote(key[_TIME_DIGITS:], errors="surrogatepass")
    return JobPlace(int(key[:_TIME_DIGITS], 16) - _ZERO, JobId(job_id))


def job_key_in(key: str) -> str:
    """Return the key of the job whose place ``place_key`` made ``key`` from."""
    return key[_TIME_DIGITS:]


def key_of_job(job: Job) -> str:
    """Return where a job stands in the list, as text.

    Raises:
        BadRequest: its id is too long to be kept.
    """
    checked(key_of(job.id), "job")
    return place_key(place_of(job))


def checked(key: str, noun: str) -> str:
    """Return a key under which a new record is to be kept.

    Raises:
        BadRequest: it is too long.
    """
    if not fits(key):
        raise BadRequest(f"the id of the {noun} is longer than {LONGEST_KEY} characters")
    return key


def labels_of(tags: Mapping[str, str], presets: tuple[str, ...]) -> frozenset[str]:
    """Return all the labels under which a job is found."""
    by_tag = (tag_label(name, value) for name, value in tags.items())
    return frozenset((*by_tag, *map(preset_label, presets)))


def tag_label(name: str, value: str) -> str:
    """Return the label of the jobs that have this tag."""
    return _short("tag " + json.dumps([name, value], separators=(",", ":")))


def preset_label(name: str) -> str:
    """Return the label of the jobs that use this preset."""
    return _short("preset " + json.dumps(name))


def run_key(task: Task) -> str:
    """Return the text that begins the keys of all tasks of a task's run.

    Raises:
        BadRequest: its id is not what ``task_id`` makes, or too long to be kept.
    """
    start = run_start(task.job_id, task.run)
    if not checked(key_of(task.id), "task").startswith(start):
        raise BadRequest(f"the id {task.id} is not one of a task of job {task.job_id}")
    return start


def run_start(job_id: JobId, run: int) -> str:
    """Return the text with which the keys of a run's tasks begin, as ``task_id`` says."""
    return key_of(f"{job_id}.{run}.")


def task_home(start: str) -> str:
    """Return what comes before the run in a task's key, or in what such keys begin with.

    An id that holds a run-like part itself shares its home with others; so whoever reads
    a home looks at whose the tasks are. What matters is that both ways lead to one home.
    """
    found = _RUN.search(start)
    return start[: found.start()] if found else start


def _short(label: str) -> str:
    """Return a label that fits into a key; a long one ends in a digest of itself."""
    if fits(label):
        return label
    digest = hashlib.sha256(label.encode()).hexdigest()
    return label[: LONGEST_KEY - len(digest)] + digest
