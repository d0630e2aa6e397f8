"""Cutting a job into tasks: the fewest with which more nodes finish it sooner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from media_nommer.core.media import Media
from media_nommer.core.recipes.codecs import VideoCodec
from media_nommer.core.tasks import PlannedTask, TaskKind
from media_nommer.planning.extras.extras import is_light
from media_nommer.planning.ffmpeg.looks import is_pictures
from media_nommer.planning.plan import (
    OutputPlan,
    is_own,
    is_sums,
    renditions_of,
    single_files,
)

_MOST_THREADS = 8  # x264 gains little beyond, at 1080p (measured.md)
_AUDIO_WORK = 0.5  # million pixels a frame that cost what one audio encoding does
_PICTURE_WORK = 0.5  # the same for decoding a film to pick its thumbnails
_ASSEMBLE_WORK = 0.1
_CODEC_WORK: Mapping[VideoCodec, float] = {
    "h264": 1.0,
    "hevc": 3.0,
    "vp9": 3.0,
    "av1": 2.0,
    "prores": 0.5,
    "dnxhr": 0.3,
    "ffv1": 0.8,
    "copy": 0.01,
}
_AOM_WORK = 12.0  # of av1 in two passes, which libaom makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What cutting depends on besides the film.

    ``nodes`` is how many machines may work on one job. A film shorter than ``split_above``
    seconds stays on one: handing it round would take longer than it saves.
    """

    nodes: int = 1
    split_above: float = 600.0


def plan_tasks(
    media: Media, outputs: Sequence[OutputPlan], policy: Policy
) -> tuple[PlannedTask, ...]:
    """Return the tasks that make ``outputs``.

    One task alone does everything, publishing included: the worker that inspected the film
    goes on with it and nothing is handed over. Several are one ``encode`` (all films, from
    one decode), ``audio`` (what is sound alone), ``thumbnails``, as far as there is such
    work, an ``encode`` for each output of an own nommer, and an ``assemble`` that needs
    them all, makes at most lists of checksums, and publishes. Chunks will be further
    ``encode`` tasks.
    """
    groups = _groups(outputs)
    alone = policy.nodes <= 1 or (media.duration or 0.0) < policy.split_above
    if alone or len(groups) < 2:
        everything = tuple(output.index for output in outputs)
        return (
            PlannedTask(
                key="encode-0",
                kind=TaskKind.ENCODE,
                needs=(),
                outputs=everything,
                weight=1.0,
            ),
        )
    work = [sum(_work(output) for output in group) for _, group in groups]
    total = sum(work) + _ASSEMBLE_WORK
    places = [[k for k, _ in groups[:n]].count(kind) for n, (kind, _) in enumerate(groups)]
    tasks = tuple(
        PlannedTask(
            key=f"{kind}-{place}",
            kind=kind,
            needs=(),
            outputs=tuple(output.index for output in group),
            weight=share / total,
        )
        for (kind, group), share, place in zip(groups, work, places, strict=True)
    )
    last = PlannedTask(
        key="assemble-0",
        kind=TaskKind.ASSEMBLE,
        needs=tuple(task.key for task in tasks),
        outputs=tuple(output.index for output in outputs if is_sums(output)),
        weight=1.0 - sum(task.weight for task in tasks),
    )
    return (*tasks, last)


def threads_for(slots: int, cores: int) -> int:
    """Return the threads of one encode where ``slots`` of them share ``cores``."""
    return max(1, min(_MOST_THREADS, cores // max(1, slots)))


def _groups(
    outputs: Sequence[OutputPlan],
) -> list[tuple[TaskKind, list[OutputPlan]]]:
    films = [o for o in outputs if any(part.video for part in single_files([o]))]
    pictures = [output for output in outputs if is_pictures(output)]
    own = [output for output in outputs if is_own(output)]
    rest = [output for output in outputs if output not in (*films, *pictures, *own)]
    sounds = [output for output in rest if not is_light(output.extra)]
    kinds: list[tuple[TaskKind, list[OutputPlan]]] = [
        (TaskKind.ENCODE, films),
        (TaskKind.AUDIO, sounds),
        (TaskKind.THUMBNAILS, pictures),
        *((TaskKind.ENCODE, [output]) for output in own),
    ]
    groups = [(kind, group) for kind, group in kinds if group]
    if groups:  # what takes no time goes with the first
        light = (o for o in rest if is_light(o.extra) and not is_sums(o))
        groups[0][1].extend(light)
    return groups


def _work(output: OutputPlan) -> float:
    """Return a rough measure of the work: million pixels a frame, by codec."""
    if parts := renditions_of(output):
        return sum(_work(part) for part in parts)
    if output.video:
        pixels = output.video.width * output.video.height / 1_000_000
        slow = output.video.codec == "av1" and output.video.passes > 1
        return pixels * (_AOM_WORK if slow else _CODEC_WORK[output.video.codec])
    if is_light(output.extra):
        return 0.0
    return _PICTURE_WORK if is_pictures(output) else _AUDIO_WORK
