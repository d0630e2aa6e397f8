"""Which moments of a film become thumbnails."""

from media_nommer.core.errors import InvalidRecipe, MediaError
from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.documents import ThumbnailsOutput

_MOST = 1000
_UNKNOWN_FRAME = 0.1  # seconds that a frame may last where no rate is known


def thumbnail_times(
    output: ThumbnailsOutput, media: Media, stream: VideoStream, *, where: str
) -> tuple[float, ...]:
    """Return the seconds after the file's start of which the pictures are made, rising.

    A count divides the film into equal parts and takes the middle of each; there are never
    more pictures than frames. Times after the last frame are left out.

    Raises:
        MediaError: nothing tells how long the film is, and the recipe depends on it.
        InvalidRecipe: no picture, or more than 1000, would come of it.
    """
    start = max(0.0, media.begin_of(stream))
    frame = 1 / float(stream.average_rate) if stream.average_rate else _UNKNOWN_FRAME
    length = picture_length(media, stream)
    if output.times is not None:
        return _listed(output.times, start, length, frame, where)
    if length is None:
        raise MediaError(
            f"{where}: the source does not tell how long it is",
            advice="Ask for thumbnails at given `times`.",
        )
    last = start + max(0.0, length - 1.5 * frame)
    if output.interval is not None:
        count = int((last - start) / output.interval) + 1
        if count > _MOST:
            raise InvalidRecipe(
                f"{where}.interval: would make {count} pictures; allowed: {_MOST}"
            )
        return tuple(start + number * output.interval for number in range(count))
    count = max(1, min(output.count or 1, int(length / frame + 0.5)))
    step = length / count
    return tuple(min(start + (number + 0.5) * step, last) for number in range(count))


def picture_length(media: Media, stream: VideoStream) -> float | None:
    """Return how many seconds of picture there are, from the best source there is."""
    if stream.duration:
        return stream.duration
    if stream.frames and stream.average_rate:
        return stream.frames / float(stream.average_rate)
    return media.duration


def _listed(
    times: tuple[float, ...], start: float, length: float | None, frame: float, where: str
) -> tuple[float, ...]:
    end = None if length is None else start + length
    inside = sorted({time for time in times if end is None or time < end})
    if not inside:
        raise InvalidRecipe(
            f"{where}.times: the film ends before the first, after {end:.3f} s"
        )
    if end is None:
        return tuple(inside)
    last = max(start, end - 1.5 * frame)
    return tuple(sorted({min(time, last) for time in inside}))
