"""What a run of FFmpeg reads besides sounds and text: the film's picture, and images."""

from collections.abc import Mapping, Sequence

from media_nommer.core.media import Media, VideoStream
from media_nommer.planning.extras.extras import drawn_plan
from media_nommer.planning.plan import OutputPlan, drawings_of

_INDEXED = ("mp4", "mov", "matroska", "webm")  # formats in which seeking is quick and sure


def picture_of_all(media: Media, outputs: Sequence[OutputPlan]) -> VideoStream | None:
    """Return the stream that the outputs are planned from: there is one for all."""
    wanted = {
        part.stream
        for output in outputs
        for part in (output.video, output.thumbnails, drawn_plan(output.extra))
        if part
    }
    return next((stream for stream in media.video if stream.index in wanted), None)


def sought(outputs: Sequence[OutputPlan]) -> tuple[str, ...]:
    """Return the options that begin to read before a cut."""
    seek = next((output.cut.seek for output in outputs if output.cut), 0.0)
    return ("-noaccurate_seek", "-ss", f"{seek:.6f}") if seek > 0 else ()


def images_of(outputs: Sequence[OutputPlan], *, first: int) -> dict[str, int]:
    """Return the numbers of the inputs with images, by their paths, each once."""
    paths = dict.fromkeys(
        mark.path for drawing in drawings_of(outputs) for mark in drawing.marks
    )
    return {path: first + place for place, path in enumerate(paths)}


def image_words(images: Mapping[str, int]) -> list[str]:
    """Return the words that open images, in the order of their numbers."""
    return [word for path in images for word in ("-i", path)]


def is_indexed(media: Media) -> bool:
    """Say whether seeking in a source is quick and sure, and its times do not leap."""
    return any(name in media.format for name in _INDEXED)


def tells_no_begin(media: Media) -> bool:
    """Say whether a source tells of a sound before it comes, and not when it does.

    Its times do not leap, though; of those that do, such as MPEG-TS, this is not said.
    """
    return media.format == "flv"
