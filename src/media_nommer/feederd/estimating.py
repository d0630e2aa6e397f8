"""What a job will take and cost, before it is submitted: nothing is created for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from media_nommer.core.errors import BadRequest
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.nodes import NodeState
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.recipes import Recipe
from media_nommer.core.workflow.engine import Engine
from media_nommer.planning.fleet.scaling import NodeKind
from media_nommer.planning.forecasts import (
    CostRange,
    Forecast,
    PastJob,
    Range,
    costs,
    forecast,
    likeness_of,
    past_job,
    table_of_recipe,
)

#: How many of the newest jobs with a preset in common are looked at.
LOOK_BACK = 50

_LONGEST_FILM = 1_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a job will take. ``wall`` is seconds from its begin to its end, in one slot.

    The boot of a node is in it where no slot is free now; what waits before it is not.
    """

    forecast: Forecast
    wall: Range
    costs: tuple[CostRange, ...]
    film_seconds: float | None


def estimate(
    engine: Engine,
    job: Job,
    recipe: Recipe,
    kinds: Sequence[NodeKind],
    film_seconds: float | None,
) -> Estimate:
    """Return what a job that is not submitted will take; ``recipe`` has no presets left.

    Raises:
        BadRequest: no film is so long.
    """
    if film_seconds is not None and not 0 < film_seconds <= _LONGEST_FILM:
        raise BadRequest(
            f"duration is {film_seconds:g}; allowed: more than 0, and at most "
            f"{_LONGEST_FILM:.0f} seconds"
        )
    found = forecast(
        likeness_of(job),
        _past_jobs(engine, job),
        film_seconds=film_seconds,
        table=table_of_recipe(recipe),
    )
    return Estimate(
        forecast=found,
        wall=_wall(engine, found.work, kinds),
        costs=costs(found.work, kinds),
        film_seconds=film_seconds,
    )


def _past_jobs(engine: Engine, job: Job) -> list[PastJob]:
    preset = job.presets[0] if job.presets else None
    wanted = JobFilter(states=(JobState.FINISHED,), preset=preset)
    jobs = engine.store.list_jobs(wanted, limit=LOOK_BACK).jobs
    found = [past_job(each, engine.store.tasks_of(each.id, each.run)) for each in jobs]
    return [each for each in found if each.seconds > 0]


def _wall(engine: Engine, work: Range, kinds: Sequence[NodeKind]) -> Range:
    nodes = [node for node in engine.store.nodes() if node.state is NodeState.RUNNING]
    fastest = max((kind.speed for kind in kinds), default=1.0)
    slowest = min((kind.speed for kind in kinds), default=1.0)
    alone = Range(work.low / fastest, work.likely / slowest, work.high / slowest)
    if any(node.busy < node.slots for node in nodes):
        return alone
    return alone.plus(min((kind.boot.total_seconds() for kind in kinds), default=0.0))
