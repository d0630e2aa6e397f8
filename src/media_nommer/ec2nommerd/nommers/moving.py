"""Which files of an attempt go where while they are made: kept, or on to be published."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from media_nommer.core.ports.storage import BegunPut
from media_nommer.core.tasks import TaskKind
from media_nommer.core.workflow.ahead import Bound, begun_ahead
from media_nommer.ec2nommerd.nommers.sending import NOTHING_AHEAD, Feed, sending_ahead
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.ahead import Sent


@contextmanager
def moving(work: Work, files: Sequence[Sent], feeds: Sequence[Feed] = ()) -> Iterator[None]:
    """Move files of scratch to where they are kept while they are written yet.

    What a try before has left of them goes. What is not kept in the end is left nowhere,
    but for what ``feeds`` have placed, which goes with all that the run left. Where the
    work area is near files go on to their destination, if the attempt publishes them as
    well and that is far away.
    """
    for file in files:
        (work.scratch / file.path).unlink(missing_ok=True)  # of a try before
    near = work.engine.storage.is_near(work.engine.work_url)
    puts = {} if near else dict(_begun(work, file) for file in files)
    bound = [_bound(work, file) for file in files if near and _publishes(work)]
    with (
        begun_ahead(work.engine, work.held, bound, work.stop) as outgoing,
        sending_ahead(puts, () if near else feeds, outgoing) as work.ahead,
    ):
        try:
            yield
        finally:
            work.ahead = NOTHING_AHEAD


def _publishes(work: Work) -> bool:
    """Say whether what encodes now publishes as well: it does, where it has inspected."""
    return work.task.kind is TaskKind.INSPECT


def _begun(work: Work, file: Sent) -> tuple[Path, BegunPut]:
    path, url = work.scratch / file.path, work.url_of(file.path)
    return path, work.engine.storage.begin(path, url, stop=work.stop)


def _bound(work: Work, file: Sent) -> Bound:
    path, url = work.scratch / file.path, work.url_of(file.path)
    return Bound(output=file.output, key=file.name, path=path, work_url=url)
