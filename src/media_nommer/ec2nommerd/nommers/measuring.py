"""Measuring outputs once they are made, before they are held against what is expected."""

from collections.abc import Mapping

from media_nommer.core.errors import EncodeError
from media_nommer.core.ports.encoder import Encoder, Progress
from media_nommer.ec2nommerd.nommers.packaging import rendition_path
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.ffmpeg import produced
from media_nommer.planning.inputs.joining import Film
from media_nommer.planning.measuring import measured_in, measuring_command
from media_nommer.planning.plan import OutputPlan, renditions_of

Facts = dict[str, object]


def with_measures(
    encoder: Encoder,
    work: Work,
    plan: OutputPlan,
    film: Film,
    facts: Facts,
    threads: int,
) -> Facts:
    """Return the facts of an output with what was measured of it.

    Of an adaptive output that is each rendition of the picture; what is said of the whole
    is what its largest came to.

    Raises:
        EncodeError: the encoder refused, or told no score.
    """
    if plan.adaptive is None:
        path = produced(plan)[0].path
        return {**facts, "measured": _measured(encoder, work, plan, path, film, threads)}
    parts = [part for part in renditions_of(plan) if part.measure]
    found: dict[str, dict[str, float]] = {}
    for number, part in enumerate(parts):
        assert part.rendition is not None
        key = part.rendition.key
        path = rendition_path(part, key)
        with work.part(number / len(parts), (number + 1) / len(parts)):
            found[key] = _measured(encoder, work, part, path, film, threads)
    return {**facts, "measured": next(iter(found.values())), **_told(plan, facts, found)}


def _told(plan: OutputPlan, facts: Facts, found: Mapping[str, object]) -> Facts:
    """Return what is told of the renditions, which have the order of the plan."""
    keys = [part.rendition.key for part in renditions_of(plan) if part.rendition]
    told = facts["renditions"]
    assert isinstance(told, list)
    return {
        "renditions": [
            {**each, "measured": found[key]} if key in found else each
            for key, each in zip(keys, told, strict=True)
        ]
    }


def _measured(
    encoder: Encoder,
    work: Work,
    part: OutputPlan,
    path: str,
    film: Film,
    threads: int,
) -> dict[str, float]:
    frames = part.video.timing.frames if part.video else None

    def on_progress(progress: Progress) -> None:
        if frames and progress.frame is not None:
            work.report(progress.frame / frames, progress.speed)

    command = measuring_command(film.media, part, path, source=film.source, threads=threads)
    ran = work.encode(encoder, command, on_progress=on_progress)
    found = measured_in(ran.log_tail, part.measure)
    if missing := [metric for metric in part.measure if metric not in found]:
        raise EncodeError(
            f"FFmpeg did not tell the {', '.join(missing)} of an output",
            log_tail=ran.log_tail,
        )
    return found
