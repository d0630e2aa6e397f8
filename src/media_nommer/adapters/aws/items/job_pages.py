"""Pages of jobs, made of several sources in which places stand in order.

A *source* is an index, or a part of one, that holds the places of some jobs: of all, of
those in a state, or of those with a label. A list reads places, newest first, of the source
that says most, then the jobs that stand there; what the filter does not admit, or is gone,
is left out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from media_nommer.adapters.aws.items.packing import (
    AFTER_ALL_TIMES,
    place_in,
    place_key,
    preset_label,
    tag_label,
    time_key,
)
from media_nommer.core.cursors import dump_cursor, load_cursor, microseconds
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.ports.store import JobFilter, JobPage

#: How often a list reads on where the filter leaves a page short.
ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Source:
    """The places of the jobs in a state, or of those with a label; of all if neither."""

    state: JobState | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Places that are wanted: the newest ``count`` before ``last``, from ``first`` on."""

    sources: tuple[Source, ...]
    first: str
    last: str
    count: int


Reading = Callable[[Wanted], list[str]]
Jobs = Callable[[list[str]], Iterable[Job]]


def page_of_jobs(
    wanted: JobFilter, limit: int, cursor: str | None, read: Reading, jobs: Jobs
) -> JobPage:
    """Return a page of the jobs that a filter admits, newest created first.

    ``read`` gives the places that are wanted, newest first, and ``jobs`` the jobs that
    stand at places, in their order, without those that are gone.

    Raises:
        InvalidCursor: ``cursor`` is none of ours.
    """
    after = AFTER_ALL_TIMES if cursor is None else place_key(load_cursor(cursor))
    if limit < 1:
        return JobPage(())
    found: list[Job] = []
    for _ in range(ROUNDS):
        room = limit - len(found)
        places = read(_asking(wanted, after, room + 1))
        found += (job for job in jobs(places[:room]) if wanted.admits(job))
        if len(places) <= room:
            return JobPage(tuple(found))
        after = places[room - 1]
        if len(found) == limit:
            break
    return JobPage(tuple(found), dump_cursor(place_in(after)))


def _asking(wanted: JobFilter, after: str, count: int) -> Wanted:
    first = time_key(microseconds(wanted.since)) if wanted.since else "0"
    last = time_key(microseconds(wanted.until)) if wanted.until else AFTER_ALL_TIMES
    return Wanted(sources=_sources(wanted), first=first, last=min(last, after), count=count)


def _sources(wanted: JobFilter) -> tuple[Source, ...]:
    """Return where to look.

    A tag is taken to say more than a preset, and a preset more than a state. States are
    in the order of a job's life: one that goes on while they are read is not missed.
    """
    if wanted.tag is not None:
        return (Source(label=tag_label(*wanted.tag)),)
    if wanted.preset is not None:
        return (Source(label=preset_label(wanted.preset)),)
    states = [state for state in JobState if state in wanted.states]
    if states and len(states) < len(JobState):
        return tuple(Source(state=state) for state in states)
    return (Source(),)
