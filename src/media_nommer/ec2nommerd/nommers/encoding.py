"""One run of the encoder for several outputs: what comes before, and what is left."""

from collections.abc import Iterator, Mapping, Sequence

from media_nommer.core.tasks import Result
from media_nommer.ec2nommerd.nommers.drawing import fetch_drawings
from media_nommer.ec2nommerd.nommers.extra_making import fetch_texts, measure_peaks
from media_nommer.ec2nommerd.nommers.fetching import Fetched, Kit
from media_nommer.ec2nommerd.nommers.finishing import finished, locks_of
from media_nommer.ec2nommerd.nommers.hearing import levels_found, loudness_facts
from media_nommer.ec2nommerd.nommers.keeping import with_output
from media_nommer.ec2nommerd.nommers.learning import first_pass, rename_logs
from media_nommer.ec2nommerd.nommers.locking import Locks
from media_nommer.ec2nommerd.nommers.measuring import with_measures
from media_nommer.ec2nommerd.nommers.moving import moving
from media_nommer.ec2nommerd.nommers.running import encoded
from media_nommer.ec2nommerd.nommers.searching import with_quality_found
from media_nommer.ec2nommerd.nommers.segment_feeds import segment_feeds
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.ahead import sent_ahead
from media_nommer.planning.ffmpeg import EncodeCommand, Produced, encode_command
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.vmaf import Found

#: Where what is measured once it is made begins.
_MEASURED_FROM = 0.6


def encode_outputs(
    kit: Kit, work: Work, source: Fetched, plans: Sequence[OutputPlan]
) -> Result:
    """Make outputs from one decode, check them, and put them into the work area.

    Raises:
        EncodeError: the encoder refused one of them, or what it made is not good.
    """
    media, read = source.film.media, source.film.source
    for plan in plans:
        if plan.adaptive is not None:
            locks_of(kit, work).check(plan.adaptive.encryption)
    fetch_texts(kit.encoder, work, plans, source.film)
    fetch_drawings(kit.probe, work, plans)
    measure_peaks(kit.encoder, work, plans, source=read, threads=kit.threads)
    plans, qualities = with_quality_found(
        kit.encoder, work, plans, media, source=read, threads=kit.threads
    )
    found = levels_found(kit, work, plans, read)
    levels = {key: each.level for key, each in found.items()}
    command = encode_command(media, plans, source=read, threads=kit.threads, levels=levels)
    told = {
        plan.index: {
            **_quality_facts(qualities.get(plan.index)),
            **loudness_facts(plan, found),
        }
        for plan in plans
    }
    locks = {plan.index: locks_of(kit, work) for plan in plans}
    feeds = segment_feeds(kit, work, plans, locks)
    files = sent_ahead(plans, command.produces, work.attempt)
    with moving(work, files, feeds):
        return _made(kit, work, source, plans, command, locks, told)


def _quality_facts(found: Found | None) -> dict[str, object]:
    return {"quality": found.quality, "vmaf": found.score} if found else {}


def _made(
    kit: Kit,
    work: Work,
    source: Fetched,
    plans: Sequence[OutputPlan],
    command: EncodeCommand,
    locks: Mapping[int, Locks],
    told: Mapping[int, Mapping[str, object]],
) -> Result:
    """Run the encoder, and check and keep what it leaves; ``told`` was found out before."""
    media, read = source.film.media, source.film.source
    with work.part(0.0, _MEASURED_FROM if any(plan.measure for plan in plans) else 1.0):
        learned = first_pass(kit, work, plans, media, read)
        rename_logs(command, work.scratch)
        frames = encoded(kit, work, command.argv, plans, media, learned)
    ready = []
    for plan, made, facts in _finished(kit, work, plans, command, source, locks, frames):
        ready.append((plan, made, {**facts, **told[plan.index]}))
    whole = Result()
    for plan, made, facts in ready:  # all are good: none will be made again apart
        whole = with_output(whole, work, plan, made, facts)
    work.report(1.0)
    return whole


def _finished(
    kit: Kit,
    work: Work,
    plans: Sequence[OutputPlan],
    command: EncodeCommand,
    source: Fetched,
    locks: Mapping[int, Locks],
    frames: int | None,
) -> Iterator[tuple[OutputPlan, Sequence[Produced], dict[str, object]]]:
    """Yield the files and facts of each output, measured where that was asked for."""
    to_measure = [plan.index for plan in plans if plan.measure]
    for plan in plans:
        lock = locks[plan.index]
        made, facts = finished(kit, work, plan, command, source, lock, frames)
        if plan.measure:
            step = (1.0 - _MEASURED_FROM) / len(to_measure)
            begin = _MEASURED_FROM + to_measure.index(plan.index) * step
            with work.part(begin, begin + step):
                facts = with_measures(
                    kit.encoder, work, plan, source.film, facts, kit.threads
                )
        yield plan, made, facts
