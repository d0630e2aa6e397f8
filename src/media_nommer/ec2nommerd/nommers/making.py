"""Making outputs in an attempt's scratch folder: fetch, encode, check, keep."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import structlog

from media_nommer.core.errors import (
    EncodeError,
    ExpectationMissed,
    Failure,
)
from media_nommer.core.media import Media
from media_nommer.core.ports.encoder import Progress
from media_nommer.core.recipes import parse_recipe
from media_nommer.core.tasks import Result, ResultFile
from media_nommer.core.workflow.sealing import opened
from media_nommer.core.workflow.together import each_of
from media_nommer.ec2nommerd.nommers.bars import with_bars_cut
from media_nommer.ec2nommerd.nommers.base import Work
from media_nommer.ec2nommerd.nommers.checking import (
    checked,
    checked_file,
    looked_into,
)
from media_nommer.ec2nommerd.nommers.drawing import fetch_drawings
from media_nommer.ec2nommerd.nommers.extra_making import (
    fetch_texts,
    finish_extra,
    measure_peaks,
)
from media_nommer.ec2nommerd.nommers.fetching import Fetched, Kit
from media_nommer.ec2nommerd.nommers.locking import Locks
from media_nommer.ec2nommerd.nommers.measuring import with_measures
from media_nommer.ec2nommerd.nommers.own import make_own
from media_nommer.ec2nommerd.nommers.packaging import Bench, Packaged, package_output
from media_nommer.ec2nommerd.nommers.searching import with_quality_found
from media_nommer.planning.cutting import taken
from media_nommer.planning.ffmpeg import (
    EncodeCommand,
    Produced,
    encode_command,
    first_pass_command,
    measure_commands,
)
from media_nommer.planning.gates import check_expected
from media_nommer.planning.loudness import Measured, measured_in
from media_nommer.planning.media_documents import media_document
from media_nommer.planning.passes import LOG_ENDINGS
from media_nommer.planning.plan import OutputPlan, is_own, is_sums, plan_outputs
from media_nommer.planning.reading import Source
from media_nommer.planning.room import expected_bytes

log = structlog.get_logger(__name__)

#: The share of an attempt's progress that is encoding; the rest is checks and keeping.
_ENCODING_SHARE = 0.98
#: The same for the first pass of two.
_FIRST_PASS_SHARE = 0.4

#: Where what is measured once it is made begins.
_MEASURED_FROM = 0.6


def plan_job(
    kit: Kit, work: Work, source: Fetched, made: Collection[int]
) -> list[OutputPlan]:
    """Return the plans of those outputs of the job that are ``made`` now.

    The sources are in scratch.

    Raises:
        NoStreams: an output needs what the source lacks.
        InvalidRecipe: two outputs would have one name.
    """
    recipe = parse_recipe(work.job.recipe, stored=True)
    media, read = source.film.media, source.film.source
    if isinstance(read, str):
        recipe = with_bars_cut(kit.encoder, work, recipe, media, made=made, source=read)
    plans = plan_outputs(media, recipe, stem=work.source_stem)
    return [plan for plan in plans if plan.index in made]


def make_outputs(
    kit: Kit, work: Work, source: Fetched, plans: Sequence[OutputPlan]
) -> Result:
    """Make outputs from one decode, check them, and put them into the work area.

    If the encoder refuses all of them together, or keeps failing on them, they are tried
    one by one, so that the failure of one does not take the others along.

    Raises:
        EncodeError: none of them could be made.
    """
    plans = [plan for plan in plans if not is_sums(plan)]  # they come last
    if not plans:
        return Result()
    kit.check_room(expected_bytes(plans, source.film.media))
    own = [plan for plan in plans if is_own(plan)]
    rest = [plan for plan in plans if not is_own(plan)]
    until = len(own) / (len(own) + bool(rest))
    with work.part(0.0, until):
        made = _make_own(kit, work, source, own)
    if not rest:
        return made
    with work.part(until, 1.0):
        return _joined(made, _make_together(kit, work, source, rest))


def _make_own(kit: Kit, work: Work, source: Fetched, plans: Sequence[OutputPlan]) -> Result:
    """Make what own nommers make, which are not let near what others do."""
    whole, read = Result(), source.film.source
    if not plans:
        return whole
    assert isinstance(read, str), "they are refused where inputs are joined"
    wanted = parse_recipe(work.job.recipe, stored=True).inputs[0]
    media, _ = taken(source.film.media, wanted)
    for number, plan in enumerate(plans):
        try:
            with work.part(number / len(plans), (number + 1) / len(plans)):
                made, facts = make_own(kit.probe, kit.encoder, work, plan, media, read)
        except EncodeError as error:
            if work.worth_another_try(error):
                raise
            failures = {**whole.failures, plan.index: Failure.of(error)}
            whole = replace(whole, failures=failures)
        else:
            whole = _with_output(whole, work, plan, made, facts)
    return whole


def _make_together(
    kit: Kit, work: Work, source: Fetched, plans: Sequence[OutputPlan]
) -> Result:
    try:
        return _make(kit, work, source, plans)
    except EncodeError as error:
        if len(plans) == 1 or work.worth_another_try(error):
            raise
        log.warning("outputs_made_apart", job=work.job.id, message=error.message)
    return _make_apart(kit, work, source, plans)


def _joined(one: Result, other: Result) -> Result:
    return replace(
        one,
        files=(*one.files, *other.files),
        facts={**one.facts, **other.facts},
        failures={**one.failures, **other.failures},
    )


def _make_apart(
    kit: Kit, work: Work, source: Fetched, plans: Sequence[OutputPlan]
) -> Result:
    whole = Result()
    failures: dict[int, Failure] = {}
    for plan in plans:
        try:
            made = _make(kit, work, source, [plan])
        except EncodeError as error:
            if work.worth_another_try(error):
                raise
            failures[plan.index] = Failure.of(error)
        else:
            failures |= made.failures
            whole = replace(
                whole,
                files=(*whole.files, *made.files),
                facts={**whole.facts, **made.facts},
            )
    return replace(whole, failures=failures)


def _make(kit: Kit, work: Work, source: Fetched, plans: Sequence[OutputPlan]) -> Result:
    media, read = source.film.media, source.film.source
    for plan in plans:
        if plan.adaptive is not None:
            _locks(kit, work).check(plan.adaptive.encryption)
    fetch_texts(kit.encoder, work, plans, source.film)
    fetch_drawings(kit.probe, work, plans)
    measure_peaks(kit.encoder, work, plans, source=read, threads=kit.threads)
    plans, qualities = with_quality_found(
        kit.encoder, work, plans, media, source=read, threads=kit.threads
    )
    measured = _measured(kit, work, plans, read)
    command = encode_command(
        media, plans, source=read, threads=kit.threads, measured=measured
    )
    to_measure = [plan.index for plan in plans if plan.measure]
    with work.part(0.0, _MEASURED_FROM if to_measure else 1.0):
        learned = _learned(kit, work, plans, media, read)
        _rename(command, work.scratch)
        frames = _encoded(kit, work, command.argv, plans, media, learned)
    finished: list[tuple[OutputPlan, Sequence[Produced], dict[str, object]]] = []
    for plan in plans:
        made, facts = _finished(kit, work, plan, command, source, frames)
        if plan.measure:
            step = (1.0 - _MEASURED_FROM) / len(to_measure)
            begin = _MEASURED_FROM + to_measure.index(plan.index) * step
            with work.part(begin, begin + step):
                facts = with_measures(
                    kit.encoder, work, plan, source.film, facts, kit.threads
                )
        if found := qualities.get(plan.index):
            facts |= {"quality": found.quality, "vmaf": found.score}
        finished.append((plan, made, facts))
    whole = Result()
    for plan, made, facts in finished:  # all are good: none will be made again apart
        whole = _with_output(whole, work, plan, made, facts)
    work.report(1.0)
    return whole


def _learned(
    kit: Kit, work: Work, plans: Sequence[OutputPlan], media: Media, source: Source
) -> float:
    """Run the first of two passes where there are two; return its share of the work."""
    argv = first_pass_command(media, plans, source=source, threads=kit.threads)
    if not argv:
        return 0.0
    _encoded(kit, work, argv, plans, media, 0.0, _FIRST_PASS_SHARE)
    return _FIRST_PASS_SHARE


def _rename(command: EncodeCommand, scratch: Path) -> None:
    for log_, ending in product(command.logs, LOG_ENDINGS):
        left = scratch / f"{log_.left}{ending}"
        if left.exists():
            left.rename(scratch / f"{log_.wanted}{ending}")


def _encoded(
    kit: Kit,
    work: Work,
    argv: Sequence[str],
    plans: Sequence[OutputPlan],
    media: Media,
    begin: float = 0.0,
    end: float = _ENCODING_SHARE,
) -> int | None:
    """Run the encoder; return how many frames it made, None where it told of none.

    It takes the attempt from one share of its progress to another.
    """
    lengths = [plan.duration for plan in plans if plan.duration is not None]
    length = max(lengths, default=media.duration)
    frames: int | None = None

    def on_progress(progress: Progress) -> None:
        nonlocal frames
        frames = progress.frame
        if length and progress.out_time is not None:
            share = (end - begin) * min(progress.out_time / length, 1.0)
            work.report(begin + share, progress.speed)

    if argv:  # what goes with a film may need no encoder
        work.encode(kit.encoder, argv, on_progress=on_progress)
    return frames


def _finished(
    kit: Kit,
    work: Work,
    plan: OutputPlan,
    command: EncodeCommand,
    source: Fetched,
    frames: int | None,
) -> tuple[Sequence[Produced], dict[str, object]]:
    """Make what the encoder could not, and check it; return files and facts."""
    media = source.film.media
    made = [each for each in command.produces if each.output == plan.index]
    if plan.adaptive is not None:
        packaged = _packaged(kit, work, plan, media, frames)
        return packaged.files, packaged.facts
    if plan.extra is not None:
        work.check()
        look = partial(looked_into, kit.probe, work)
        document = media_document(media, source.found)
        return made, finish_extra(plan, work.scratch, document, look)
    return made, checked(kit.probe, work, plan, made, media, frames)


def _with_output(
    whole: Result,
    work: Work,
    plan: OutputPlan,
    made: Sequence[Produced],
    facts: dict[str, object],
) -> Result:
    """Return a result with one more output: its files in the work area, or its failure."""
    size = sum((work.scratch / one.path).stat().st_size for one in made)
    try:
        check_expected(plan.expect, size, facts)
    except ExpectationMissed as error:
        failures = {**whole.failures, plan.index: Failure.of(error)}
        told = {**whole.facts, plan.index: {**facts, "size": size}}
        return replace(whole, facts=told, failures=failures)
    kept = each_of(made, partial(_kept, work), at_once=work.engine.at_once)
    files = (*whole.files, *kept)
    return replace(whole, files=files, facts={**whole.facts, plan.index: facts})


def _measured(
    kit: Kit, work: Work, plans: Sequence[OutputPlan], source: Source
) -> dict[str, Measured]:
    """Return how loud the sounds are whose outputs are to have a certain loudness.

    Raises:
        EncodeError: the encoder did not tell.
    """
    found: dict[str, Measured] = {}
    for command in measure_commands(plans, source=source, threads=kit.threads):
        encoded = work.encode(kit.encoder, command.argv)
        measured = measured_in(encoded.log_tail)
        if measured is None:
            raise EncodeError(
                "FFmpeg did not tell how loud the sound is", log_tail=encoded.log_tail
            )
        found |= dict.fromkeys(command.sounds, measured)
    return found


def _packaged(
    kit: Kit, work: Work, plan: OutputPlan, media: Media, frames: int | None
) -> Packaged:
    """Make the segments and manifests of an adaptive output, each rendition checked."""

    def look(part: OutputPlan, path: Path) -> Media:
        return checked_file(kit.probe, work, part, path, media, frames)[0]

    def encode(argv: Sequence[str]) -> None:
        work.encode(kit.encoder, argv)

    attempt = f"{work.task.id}.c{work.held.number}"
    bench = Bench(kit.probe, work.scratch, attempt, look, encode, _locks(kit, work))
    return package_output(bench, plan)


def _locks(kit: Kit, work: Work) -> Locks:
    """Return what encrypts the outputs of a job, with its keys."""
    packager = kit.packager

    def package(argv: Sequence[str]) -> None:
        assert packager is not None
        work.encode(packager, argv)

    return Locks(
        kit.cipher,
        lambda said: opened(work.engine, work.job.id, said),
        package if packager else None,
    )


def _kept(work: Work, made: Produced) -> ResultFile:
    path = work.scratch / made.path
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    url = work.keep(path, made.path, sha256=digest)
    return ResultFile(
        output=made.output,
        key=made.name,
        work_url=url,
        size=size,
        sha256=digest,
        own=made.own,
    )
