"""Making outputs in an attempt's scratch folder: from one decode, or each for itself."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import structlog

from media_nommer.core.errors import EncodeError, Failure
from media_nommer.core.recipes import parse_recipe
from media_nommer.core.tasks import Result
from media_nommer.ec2nommerd.nommers.bars import with_bars_cut
from media_nommer.ec2nommerd.nommers.encoding import encode_outputs
from media_nommer.ec2nommerd.nommers.fetching import Fetched, Kit
from media_nommer.ec2nommerd.nommers.keeping import with_output
from media_nommer.ec2nommerd.nommers.own import make_own
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.inputs.cutting import taken
from media_nommer.planning.outputs import plan_outputs
from media_nommer.planning.pace import runs_by_pace
from media_nommer.planning.plan import OutputPlan, is_own, is_sums
from media_nommer.planning.room import expected_bytes

log = structlog.get_logger(__name__)


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
    recipe = with_bars_cut(kit.encoder, work, recipe, source.film, made=made)
    plans = plan_outputs(source.film.media, recipe, stem=work.source_stem)
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
            whole = with_output(whole, work, plan, made, facts)
    return whole


def _make_together(
    kit: Kit, work: Work, source: Fetched, plans: Sequence[OutputPlan]
) -> Result:
    try:
        return _made_in_runs(kit, work, source, runs_by_pace(plans))
    except EncodeError as error:
        if len(plans) == 1 or work.worth_another_try(error):
            raise
        log.warning("outputs_made_apart", job=work.job.id, message=error.message)
    return _make_apart(kit, work, source, plans)


def _made_in_runs(
    kit: Kit, work: Work, source: Fetched, runs: Sequence[Sequence[OutputPlan]]
) -> Result:
    whole = Result()
    for number, plans in enumerate(runs):
        with work.part(number / len(runs), (number + 1) / len(runs)):
            whole = _joined(whole, encode_outputs(kit, work, source, plans))
    return whole


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
            made = encode_outputs(kit, work, source, [plan])
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
