"""Trying qualities on samples of the source until one comes to the VMAF asked for."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from media_nommer.core.errors import EncodeError
from media_nommer.core.media import Media
from media_nommer.core.ports.encoder import Encoder
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.inputs.reading import Source
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.video import VideoPlan
from media_nommer.planning.vmaf import (
    REFERENCE,
    TRIAL,
    Found,
    Trial,
    found,
    next_quality,
    sample_command,
    score_command,
    score_in,
    trial_command,
)

log = structlog.get_logger(__name__)


def with_quality_found(
    encoder: Encoder,
    work: Work,
    plans: Sequence[OutputPlan],
    media: Media,
    *,
    source: Source,
    threads: int,
) -> tuple[list[OutputPlan], dict[int, Found]]:
    """Return the plans with a quality for each ``target_vmaf``, and what was found.

    Raises:
        EncodeError: the encoder refused, or told no score.
    """
    settled: list[OutputPlan] = []
    results: dict[int, Found] = {}
    for plan in plans:
        video = plan.video
        if video is None or video.target_vmaf is None:
            settled.append(plan)
            continue
        keep = sample_command(media, plan, source=source, threads=threads)
        work.encode(encoder, keep)
        result = _search(encoder, work, plan, video, video.target_vmaf, threads)
        for name in (REFERENCE, TRIAL):
            (work.scratch / name).unlink()
        log.info(
            "quality_found", job=work.job.id, quality=result.quality, vmaf=result.score
        )
        results[plan.index] = result
        settled.append(replace(plan, video=replace(video, quality=result.quality)))
    return settled, results


def _search(
    encoder: Encoder,
    work: Work,
    plan: OutputPlan,
    video: VideoPlan,
    target: float,
    threads: int,
) -> Found:
    trials: list[Trial] = []
    while (quality := next_quality(video, target, trials)) is not None:
        work.encode(encoder, trial_command(plan, quality, threads=threads))
        scored = work.encode(encoder, score_command(threads=threads))
        score = score_in(scored.log_tail)
        if score is None:
            raise EncodeError(
                "FFmpeg did not tell the VMAF of a trial", log_tail=scored.log_tail
            )
        trials.append(Trial(quality, score))
    return found(video, target, trials)
