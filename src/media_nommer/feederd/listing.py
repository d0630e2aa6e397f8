"""Which jobs a caller wants listed, in the store's words."""

from collections.abc import Sequence
from datetime import datetime

from media_nommer.core.errors import BadRequest
from media_nommer.core.jobs import JobState
from media_nommer.core.ports.store import JobFilter

MOST_JOBS_A_PAGE = 200


def check_limit(limit: int) -> None:
    """Check that a page may hold so many jobs.

    Raises:
        BadRequest: it may not.
    """
    if not 1 <= limit <= MOST_JOBS_A_PAGE:
        raise BadRequest(f"limit is {limit}; allowed: 1 to {MOST_JOBS_A_PAGE}")


def job_filter(
    *,
    states: Sequence[str],
    tag: str | None,
    preset: str | None,
    since: datetime | None,
    until: datetime | None,
) -> JobFilter:
    """Return what jobs are to match; ``tag`` is ``NAME=VALUE``.

    Raises:
        BadRequest: a state that does not exist, a tag without a value, or a time without
            its zone.
    """
    return JobFilter(
        states=tuple(_state(name) for name in states),
        tag=None if tag is None else _tag(tag),
        preset=preset,
        since=_zoned("since", since),
        until=_zoned("until", until),
    )


def _state(name: str) -> JobState:
    try:
        return JobState(name)
    except ValueError:
        known = ", ".join(JobState)
        raise BadRequest(f"there is no job state {name!r}; known: {known}") from None


def _tag(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise BadRequest(f"tag is {text!r}; allowed: NAME=VALUE")
    return name, value


def _zoned(name: str, moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise BadRequest(
            f"{name} is {moment.isoformat()}, a time without its zone; allowed: one such "
            "as 2026-01-31T12:00:00Z"
        )
    return moment
