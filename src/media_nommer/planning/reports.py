"""What is told of a job once more when it is over: what was found, made and expected."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from media_nommer.core.jobs import Job, Output, OutputState
from media_nommer.core.tasks import Task, TaskKind

#: Of the document: new fields may come, and none goes or changes its meaning within one.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that an output had to come to; ``found`` is None where nothing told."""

    name: str
    wanted: float
    found: float | None
    met: bool


def found_in(tasks: Iterable[Task]) -> Mapping[str, object] | None:
    """Return what the latest inspection on record found, None where there is none."""
    looks = sorted(
        (task for task in tasks if task.kind is TaskKind.INSPECT), key=lambda task: task.run
    )
    told = [task.result.found for task in looks if task.result and task.result.found]
    return told[-1] if told else None


def gates_of(job: Job, index: int) -> tuple[Gate, ...]:
    """Return what an output that was made had to come to, and what it came to."""
    said, output = _said(job, index), job.outputs[index]
    expect: Mapping[str, Any] = said.get("expect") or {}
    if output.state is OutputState.PENDING or not output.facts:
        return ()
    return tuple(_gates(expect, output))


def kind_of(job: Job, index: int) -> str:
    """Return what kind an output is of."""
    return str(_said(job, index).get("kind", "file"))


def size_of(output: Output) -> int | None:
    """Return the bytes over all files of an output, None where it was not made."""
    if output.state is OutputState.FINISHED:
        return sum(file.size for file in output.files)
    size = output.facts.get("size")
    return size if isinstance(size, int) else None


def bit_rate_of(output: Output) -> int | None:
    """Return bit/s over all of an output, None where nothing tells how long it is."""
    size, duration = size_of(output), output.facts.get("duration")
    if size is None or not isinstance(duration, int | float) or duration <= 0:
        return None
    return round(size * 8 / duration)


def codecs_of(output: Output) -> str | None:
    """Return the names by which players ask for an output's decoders, each once."""
    told: Sequence[Any] = [output.facts]
    renditions = output.facts.get("renditions")
    if isinstance(renditions, list | tuple):
        told = renditions
    names = [
        name
        for facts in told
        if isinstance(facts.get("codecs"), str)
        for name in facts["codecs"].split(",")
    ]
    return ",".join(dict.fromkeys(names)) or None


def warnings_of(output: Output) -> tuple[str, ...]:
    """Return what an output does not come to, though it was made."""
    told = output.facts.get("warnings")
    return tuple(map(str, told)) if isinstance(told, list | tuple) else ()


def _gates(expect: Mapping[str, Any], output: Output) -> Iterator[Gate]:
    duration = _number(output.facts.get("duration"))
    measured = output.facts.get("measured")
    vmaf = _number(measured.get("vmaf")) if isinstance(measured, Mapping) else None
    for name, found in (
        ("max_size", _number(size_of(output))),
        ("min_duration", duration),
        ("max_duration", duration),
        ("min_vmaf", vmaf),
    ):
        wanted = expect.get(name)
        if wanted is not None:
            least = name.startswith("min_")
            met = found is not None and (found >= wanted if least else found <= wanted)
            yield Gate(name, wanted, found, met)


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) else None


def _said(job: Job, index: int) -> Mapping[str, Any]:
    outputs: Any = job.recipe.get("outputs") or ()
    return outputs[index] if index < len(outputs) else {}
