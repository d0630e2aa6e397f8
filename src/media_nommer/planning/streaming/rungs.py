"""The rungs of a ladder, as a recipe would say each: made for the source, or as listed."""

from collections.abc import Sequence

from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.adaptive import rung_video
from media_nommer.core.recipes.documents import AdaptiveOutput, Rung, Video
from media_nommer.planning.pictures.shapes import shape_of
from media_nommer.planning.pictures.sizes import Size, shown_size
from media_nommer.planning.streaming.ladder import (
    Step,
    auto_ladder,
    share_of_source,
    usual_kbits,
)
from media_nommer.planning.video import VideoPlan, picture_of, plan_video

_SMALLEST = 16  # pixels of a side, that every codec takes
_ANY = 16_384  # pixels of a side of which a box says nothing


def rung_videos(
    media: Media, output: AdaptiveOutput, video: Video, where: str
) -> Sequence[Video]:
    """Return what a recipe would say of each rendition, the largest first.

    ``video`` is what ``output`` says of all. Of listed rungs for which the source has not
    the pixels, the one with the smallest box stays.

    Raises:
        NoStreams: the source has no picture.
        InvalidRecipe: a level has no room for its picture.
    """
    stream = picture_of(media, where)
    share = _share(media, stream)
    if output.ladder is None:
        steps = _steps(media, stream, video, share, where)
        return [_of_step(output, step) for step in steps]
    videos = [
        _bounded(rung_video(output, rung), media, share, where) for rung in output.ladder
    ]
    plans = [plan_video(media, said, "mp4", where) for said in videos]
    kept = [
        (plan.width * plan.height, said.bitrate or said.max_bitrate or 0, number)
        for number, (said, plan) in enumerate(zip(videos, plans, strict=True))
        if not _surpassed(output.ladder[number], plan, output.ladder, plans)
    ]
    return [videos[number] for _, _, number in sorted(kept, reverse=True)]


def _steps(
    media: Media, stream: VideoStream, video: Video, share: float, where: str
) -> Sequence[Step]:
    rate = plan_video(media, video, "mp4", where).timing.rate
    return auto_ladder(
        shape_of(stream, video, smallest=_SMALLEST, where=where).size,
        codec=video.codec,
        rate=None if rate is None else float(rate),
        share=share,
        smallest=_SMALLEST,
    )


def _of_step(output: AdaptiveOutput, step: Step) -> Video:
    """Return a rung whose box is the size that it shall have, upright or not."""
    rung = Rung.model_construct(
        width=step.size.width, height=step.size.height, max_bitrate=step.max_bitrate
    )
    return rung_video(output, rung).model_copy(update={"turn_box": False})


def _bounded(video: Video, media: Media, share: float, where: str) -> Video:
    """Return a picture with the usual most bits of its size where nothing is said."""
    if video.bitrate is not None or video.max_bitrate is not None:
        return video
    plan = plan_video(media, video, "mp4", where)
    rate = plan.timing.rate
    most = usual_kbits(
        Size(plan.width, plan.height),
        codec=video.codec,
        rate=None if rate is None else float(rate),
        share=share,
    )
    return video.model_copy(update={"max_bitrate": most})


def _surpassed(
    rung: Rung, plan: VideoPlan, rungs: Sequence[Rung], plans: Sequence[VideoPlan]
) -> bool:
    """Say whether a smaller box gives the same picture already: the source has no more."""
    return any(
        (other_plan.width, other_plan.height) == (plan.width, plan.height)
        and _box(other) < _box(rung)
        for other, other_plan in zip(rungs, plans, strict=True)
    )


def _box(rung: Rung) -> int:
    return (rung.width or _ANY) * (rung.height or _ANY)


def _share(media: Media, stream: VideoStream) -> float:
    """Return which part of the usual bits is of use for the source's picture."""
    bits = media.bit_rate
    if bits is None and media.duration:
        bits = round(media.size * 8 / media.duration)
    rate = stream.average_rate or stream.frame_rate
    return share_of_source(
        shown_size(stream),
        None if bits is None else bits / 1000,
        codec=stream.codec,
        rate=None if rate is None else float(rate),
    )
