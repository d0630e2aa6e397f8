"""Cursors of the job list: a place in the order of jobs, as text that callers hand back."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from media_nommer.core.errors import InvalidCursor
from media_nommer.core.jobs import Job, JobId

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOT_OURS = "the cursor is not one that a list of jobs has given"


class JobPlace(NamedTuple):
    """Where a job stands in the list; places compare as the jobs were created.

    ``created`` is microseconds since 1970, exact where a float would not be.
    """

    created: int
    job_id: JobId


def microseconds(moment: datetime) -> int:
    """Return an aware time as whole microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def place_of(job: Job) -> JobPlace:
    """Return where a job stands in the list."""
    return JobPlace(microseconds(job.created_at), job.id)


def dump_cursor(place: JobPlace) -> str:
    """Return a place as text that may stand in a URL."""
    raw = json.dumps([place.created, place.job_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def load_cursor(text: str) -> JobPlace:
    """Return the place that ``dump_cursor`` made ``text`` from.

    Raises:
        InvalidCursor: it did not.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        created, job_id = json.loads(raw)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise InvalidCursor(
            "the cursor is not one that a list of jobs has given"
        ) from error
    if type(created) is not int or abs(created) >= 2**63 or not isinstance(job_id, str):
        raise InvalidCursor(_NOT_OURS)
    return JobPlace(created, JobId(job_id))
