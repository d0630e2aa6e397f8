"""Links by which anybody may read a file of a job for a time."""

from dataclasses import dataclass
from datetime import timedelta

from media_nommer.core.errors import BadRequest
from media_nommer.core.jobs import Job, OutputState, PublishedFile
from media_nommer.core.ports.storage import Storage

_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file that is in place, and a link by which anybody may read it for a time."""

    output: str
    file: PublishedFile
    link: str | None


def check_lasting(lasting: timedelta) -> None:
    """Check that links may last so long.

    Raises:
        BadRequest: that is not from a minute to a week.
    """
    if not _SHORTEST <= lasting <= _LONGEST:
        raise BadRequest(
            f"lasting is {lasting.total_seconds():.0f}; allowed: 60 to 604800 seconds"
        )


def file_links(storage: Storage, job: Job, lasting: timedelta) -> tuple[FileLink, ...]:
    """Return a link to each file of a job that is in place, where its storage gives any."""
    return tuple(
        FileLink(output.name, file, storage.link(file.url, lasting))
        for output in job.outputs
        if output.state is OutputState.FINISHED
        for file in output.files
    )
