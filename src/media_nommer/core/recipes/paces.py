"""What a recipe cannot ask of a film at another pace."""

from collections.abc import Iterator

from media_nommer.core.recipes.documents import (
    AdaptiveOutput,
    Audio,
    FileOutput,
    Video,
)
from media_nommer.core.recipes.measures import metrics_of


def pace_problems(
    output: FileOutput | AdaptiveOutput,
    video: Video | None,
    audio: Audio | None,
    path: str,
) -> Iterator[str]:
    """Yield what cannot be had at another pace than the source's."""
    if output.pace == 1:
        return
    for name, part in (("video", video), ("audio", audio)):
        if part is not None and part.codec == "copy":
            yield f"{path}.{name}.codec: a copy has the pace of its source"
    if video is not None and video.target_vmaf is not None:
        yield f"{path}.video.target_vmaf: trials are of the source's own pace"
    if metrics_of(output):
        where = "measure" if output.measure else "expect.min_vmaf"
        yield f"{path}.{where}: the source has not the frames of another pace"
