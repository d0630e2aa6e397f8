"""A few pictures out of a long film: sought, rather than found by decoding all of it."""

from collections.abc import Sequence

from media_nommer.core.media import Media, VideoStream
from media_nommer.planning.extras.animations import AnimationPlan
from media_nommer.planning.extras.extras import drawn_plan, extra_options, jpeg_options
from media_nommer.planning.ffmpeg.commands import produced
from media_nommer.planning.ffmpeg.filters import (
    thumbnail_filters,
    video_label,
    whole_fields,
)
from media_nommer.planning.ffmpeg.inputs import is_indexed, picture_of_all
from media_nommer.planning.inputs.reading import Source, opened
from media_nommer.planning.plan import OutputPlan, ThumbnailPlan

_MOST_SEEKS = 20
_LONG_ENOUGH = 20.0  # seconds of film below which decoding it all is as quick as seeking


def pictures_are_sought(media: Media, outputs: Sequence[OutputPlan]) -> bool:
    """Say whether outputs are all thumbnails, so few that each is to be sought."""
    plans = [output.thumbnails for output in outputs]
    return (
        all(plans)
        and sum(len(plan.times) for plan in plans if plan) <= _MOST_SEEKS
        and _seekable(media, outputs)
    )


def sought_pictures(
    media: Media, outputs: Sequence[OutputPlan], source: Source
) -> tuple[str, ...]:
    """Return one input, sought, for each picture: FFmpeg decodes from the key frame on."""
    picture = picture_of_all(media, outputs)
    assert picture is not None
    inputs: list[str] = []
    pictures: list[str] = []
    number = 0
    for output in outputs:
        if output.thumbnails is None:
            continue
        filters = thumbnail_filters(picture, output.thumbnails)
        for time, made in zip(output.thumbnails.times, produced(output), strict=True):
            seek = ("-ss", f"{time:.6f}") if time > 0 else ()
            inputs += opened(source, 1, *seek)
            pictures += _one_picture(picture, output.thumbnails, number, filters, made.path)
            number += 1
    return (*inputs, *pictures)


def sought_pieces(
    media: Media, outputs: Sequence[OutputPlan]
) -> list[tuple[OutputPlan, AnimationPlan]]:
    """Return the outputs where all are animations whose pieces are to be sought."""
    plans = [
        (output, plan)
        for output in outputs
        if isinstance(plan := drawn_plan(output.extra), AnimationPlan)
    ]
    pieces = sum(len(plan.pieces) for _, plan in plans)
    if len(plans) < len(outputs) or pieces > _MOST_SEEKS or not _seekable(media, outputs):
        return []
    return plans


def joined_pieces(
    media: Media,
    plans: Sequence[tuple[OutputPlan, AnimationPlan]],
    source: Source,
    threads: int,
) -> tuple[str, ...]:
    """Return one input for each piece of each animation, joined by the graph."""
    picture = picture_of_all(media, [output for output, _ in plans])
    assert picture is not None
    fields = whole_fields(picture)
    inputs: list[str] = []
    graphs: list[str] = []
    options: list[str] = []
    number = 0
    for output, plan in plans:
        label, taker = f"g{output.index}", video_label(output)
        inputs += plan.sought(source)
        graphs.append(f"{plan.joined(picture, fields, label, number)}[{taker}]")
        options += extra_options(plan, index=output.index, label=taker, threads=threads)
        number += len(plan.pieces)
    heads = ("-filter_complex_threads", str(threads), "-filter_complex", ";".join(graphs))
    return (*inputs, *heads, *options)


def _seekable(media: Media, outputs: Sequence[OutputPlan]) -> bool:
    """Say whether seeking in a source is sure, and quicker than to decode all of it."""
    return (
        not any(output.cut for output in outputs)
        and (media.duration or 0.0) > _LONG_ENOUGH
        and is_indexed(media)
    )


def _one_picture(
    stream: VideoStream, plan: ThumbnailPlan, number: int, filters: str, path: str
) -> tuple[str, ...]:
    return (
        *("-map", f"{number}:{stream.index}", "-filter:v", filters, "-frames:v", "1"),
        *(*jpeg_options(plan.quality), "-f", "image2", "-update", "1", path),
    )
