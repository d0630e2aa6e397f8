"""What the encoder leaves, made ready to be kept: packaged, written out, checked."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from media_nommer.core.media import Media
from media_nommer.core.workflow.sealing import opened
from media_nommer.ec2nommerd.nommers.checking import checked, checked_file, looked_into
from media_nommer.ec2nommerd.nommers.extra_making import finish_extra
from media_nommer.ec2nommerd.nommers.fetching import Fetched, Kit
from media_nommer.ec2nommerd.nommers.locking import Locks
from media_nommer.ec2nommerd.nommers.packaging import Bench, Packaged, package_output
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.extras.media_documents import media_document
from media_nommer.planning.ffmpeg import EncodeCommand, Produced
from media_nommer.planning.plan import OutputPlan


def finished(
    kit: Kit,
    work: Work,
    plan: OutputPlan,
    command: EncodeCommand,
    source: Fetched,
    locks: Locks,
    frames: int | None,
) -> tuple[Sequence[Produced], dict[str, object]]:
    """Make what the encoder could not, and check it; return files and facts."""
    media = source.film.media
    made = [each for each in command.produces if each.output == plan.index]
    if plan.adaptive is not None:
        packaged = _packaged(kit, work, plan, media, locks, frames)
        return packaged.files, packaged.facts
    if plan.extra is not None:
        work.check()
        look = partial(looked_into, kit.probe, work)
        document = media_document(media, source.found)
        return made, finish_extra(plan, work.scratch, document, look)
    return made, checked(kit.probe, work, plan, made, media, frames)


def locks_of(kit: Kit, work: Work) -> Locks:
    """Return what encrypts an output of a job, with its keys."""
    packager = kit.packager

    def package(argv: Sequence[str]) -> None:
        assert packager is not None
        work.encode(packager, argv)

    return Locks(
        kit.cipher,
        lambda said: opened(work.engine, work.job.id, said),
        package if packager else None,
    )


def _packaged(
    kit: Kit,
    work: Work,
    plan: OutputPlan,
    media: Media,
    locks: Locks,
    frames: int | None,
) -> Packaged:
    """Make the segments and manifests of an adaptive output, each rendition checked."""

    def look(part: OutputPlan, path: Path) -> Media:
        return checked_file(kit.probe, work, part, path, media, frames)[0]

    def encode(argv: Sequence[str]) -> None:
        work.encode(kit.encoder, argv)

    bench = Bench(kit.probe, work.scratch, work.attempt, look, encode, locks)
    return package_output(bench, plan)
