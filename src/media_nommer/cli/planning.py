"""`nommer plan`: the tasks of a job, the exact commands and an estimate; nothing is run."""

import json
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from media_nommer.cli.documents import Document
from media_nommer.cli.inputs import Source, path_of
from media_nommer.cli.tables import show_table
from media_nommer.cli.words import dollars_text, took_text
from media_nommer.client import (
    CostRangeDocument,
    EstimateDocument,
    NommerClient,
    RangeDocument,
)
from media_nommer.conf.settings import Settings, cores
from media_nommer.core.errors import UnsupportedUrl
from media_nommer.core.media import Media
from media_nommer.core.presets import load_presets
from media_nommer.core.recipes import Recipe, parse_recipe
from media_nommer.core.recipes.places import is_text, sources_of
from media_nommer.core.tasks import PlannedTask, TaskKind
from media_nommer.planning.fleet.scaling import NodeKind
from media_nommer.planning.forecasts import costs, forecast, table_of_plan
from media_nommer.planning.forerunners import Forerunner, looks_for_bars, shown_runs
from media_nommer.planning.inputs.joining import Film, film_of
from media_nommer.planning.inputs.reading import SOURCE, files_of
from media_nommer.planning.outputs import plan_outputs
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.tasks import Policy, plan_tasks, threads_for

if TYPE_CHECKING:
    from media_nommer.adapters.ffmpeg.encoder import FfmpegEncoder
    from media_nommer.adapters.ffmpeg.probe import AvProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWork:
    """One task of a plan, and the command that it runs, None for one that runs none.

    Other runs come ``before`` it, whose arguments stand without the program.
    """

    task: PlannedTask
    names: tuple[str, ...]
    command: tuple[str, ...] | None
    before: tuple[Forerunner, ...] = ()


def show_plans(
    jobs: Sequence[tuple[Source, Document]],
    settings: Settings,
    *,
    url: str | None,
    as_json: bool,
) -> None:
    """Print what each job would do; ``url`` is of a feederd that is asked for estimates.

    Raises:
        UnsupportedUrl: a source is not on this machine.
        MediaError: a source cannot be encoded.
        InvalidRecipe: the recipe does not say what can be done.
    """
    with _tools(settings) as (probe, encoder):
        for source, document in jobs:
            recipe = parse_recipe(document, load_presets())
            film = _film(probe, recipe)
            outputs = plan_outputs(film.media, recipe, stem=source.stem or "output")
            works = planned_work(film, recipe, outputs, settings, encoder)
            told = _estimate(document, film.media, outputs, settings, url)
            if as_json:
                typer.echo(json.dumps(_document(source, works, told)))
            else:
                _show(source, works, told)


def planned_work(
    film: Film,
    recipe: Recipe,
    outputs: Sequence[OutputPlan],
    settings: Settings,
    encoder: "FfmpegEncoder",
) -> list[PlannedWork]:
    """Return the tasks that a job is cut into, in the order in which they can be done."""
    planned = plan_tasks(film.media, outputs, Policy(nodes=settings.max_nodes))
    first = PlannedTask(key=str(TaskKind.INSPECT), kind=TaskKind.INSPECT, weight=0.0)
    if len(planned) == 1:  # whoever inspects the source goes on with it
        everything = tuple(output.index for output in outputs)
        tasks: tuple[PlannedTask, ...] = (
            PlannedTask(key=first.key, kind=first.kind, outputs=everything),
        )
    else:
        tasks = (first, *planned)
    threads = threads_for(settings.slots_in_force, cores())
    return [_work(task, film, recipe, outputs, threads, encoder) for task in tasks]


def _work(
    task: PlannedTask,
    film: Film,
    recipe: Recipe,
    outputs: Sequence[OutputPlan],
    threads: int,
    encoder: "FfmpegEncoder",
) -> PlannedWork:
    plans = [output for output in outputs if output.index in task.outputs]
    names = tuple(name for plan in plans for name in plan.names)
    if plans:
        shown = shown_runs(film, recipe, plans, threads=threads)
        command, before = shown.argv, shown.before
    else:
        looks = task.kind is TaskKind.INSPECT
        made = [output.index for output in outputs] if looks else []
        command, before = (), tuple(looks_for_bars(film, recipe, made))
    return PlannedWork(
        task=task,
        names=names,
        command=encoder.command(command) if command else None,
        before=tuple(replace(run, argv=encoder.command(run.argv)) for run in before),
    )


@contextmanager
def _tools(settings: Settings) -> Iterator[tuple["AvProbe", "FfmpegEncoder"]]:
    from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
    from media_nommer.adapters.ffmpeg.encoder import FfmpegEncoder
    from media_nommer.adapters.ffmpeg.launcher import Launcher
    from media_nommer.adapters.ffmpeg.probe import AvProbe

    with (
        tempfile.TemporaryDirectory(prefix="nommer-plan-") as scratch,
        Launcher(Path(scratch)) as launcher,
        AvProbe(launcher) as probe,
    ):
        yield probe, FfmpegEncoder(launcher, find_ffmpeg(settings.ffmpeg))


def _film(probe: "AvProbe", recipe: Recipe) -> Film:
    """Return what the inputs of a recipe make, each looked into."""
    places = sources_of(recipe.model_dump(mode="json"))
    found = {url: probe.examine(_path(url)) for url in places if not is_text(places[url])}
    files = files_of(places)
    return film_of(found, recipe, files)


def _path(url: str) -> Path:
    path = path_of(url)
    if path is None:
        raise UnsupportedUrl(
            f"{url} is not on this machine",
            advice="Fetch it first, then plan with the file.",
        )
    return path


def _estimate(
    document: Document,
    media: Media,
    outputs: Sequence[OutputPlan],
    settings: Settings,
    url: str | None,
) -> EstimateDocument:
    if url is not None:
        with NommerClient(url) as client:
            return client.estimate(document, duration=media.duration)
    from media_nommer.feederd.cost_views import EstimateView
    from media_nommer.feederd.estimating import Estimate

    table = table_of_plan(outputs)
    found = forecast(("",), (), film_seconds=media.duration, table=table)
    ours = settings.fleet == "local"
    kinds = [NodeKind(name="local", slots=settings.slots_in_force)] if ours else []
    view = EstimateView.of(
        Estimate(
            forecast=found,
            wall=found.work,
            costs=costs(found.work, kinds),
            film_seconds=media.duration,
        )
    )
    return cast(EstimateDocument, view.model_dump(mode="json"))


def _document(
    source: Source, works: Sequence[PlannedWork], told: EstimateDocument
) -> dict[str, Any]:
    tasks = [
        {
            "key": work.task.key,
            "kind": work.task.kind,
            "needs": list(work.task.needs),
            "weight": round(work.task.weight, 4),
            "outputs": list(work.names),
            "before": [_run_document(run) for run in work.before],
            "command": None if work.command is None else list(work.command),
        }
        for work in works
    ]
    return {"source": source.url, "tasks": tasks, "estimate": told}


def _run_document(run: Forerunner) -> dict[str, Any]:
    return {
        "key": run.key,
        "purpose": run.purpose,
        "finds": run.finds,
        "least": run.least,
        "most": run.most,
        "command": list(run.argv),
    }


def _show(source: Source, works: Sequence[PlannedWork], told: EstimateDocument) -> None:
    typer.echo(source.label)
    rows = [
        (
            work.task.key,
            ", ".join(work.task.needs),
            f"{work.task.weight:.0%}",
            _names_text(work.names),
        )
        for work in works
    ]
    show_table(("task", "after", ">work", "makes"), rows)
    for work in works:
        for run in work.before:
            typer.echo(f"\nbefore {work.task.key}, {run.purpose}{_run_text(run)}:")
            typer.echo(f"$ {shlex.join(run.argv)}")
        if work.command is not None:
            typer.echo(f"\n{work.task.key}, in a folder where `{SOURCE}` is the film:")
            typer.echo(f"$ {shlex.join(work.command)}")
    typer.echo("")
    typer.echo(f"work     {_range_text(told['work_seconds'])} of a slot")
    typer.echo(f"takes    {_range_text(told['wall_seconds'])}, once it is begun")
    for each in told["costs"]:
        typer.echo(f"costs    {_costs_text(each)}")
    typer.echo(f"rests on {told['basis']}")


def _run_text(run: Forerunner) -> str:
    """Return how often a run comes, and what it finds, where that is not plain."""
    least = f"{run.least} to " if run.least != run.most else ""
    often = f", {least}{run.most} times" if run.most > 1 else ""
    return often + (f"; finds {run.finds}" if run.finds else "")


def _names_text(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{names[0]} … ({len(names)} files)"


def _costs_text(found: CostRangeDocument) -> str:
    low, high, price = found["low"], found["high"], found["price"]
    if low is None or high is None or price is None:
        return f"nobody tells what {found['kind']} costs"
    spent = f"{dollars_text(low)} to {dollars_text(high)}"
    return f"{spent} on {found['kind']} ({dollars_text(price)} an hour)"


def _range_text(found: RangeDocument) -> str:
    low, high = took_text(found["low"]), took_text(found["high"])
    return f"{low} to {high}, most likely {took_text(found['likely'])}"
