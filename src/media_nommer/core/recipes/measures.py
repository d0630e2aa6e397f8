"""What a recipe asks to be measured of a film, and what cannot be."""

from collections.abc import Iterator

from media_nommer.core.recipes.base import Metric
from media_nommer.core.recipes.documents import AdaptiveOutput, FileOutput, Video


def metrics_of(output: FileOutput | AdaptiveOutput) -> tuple[Metric, ...]:
    """Return what is to be measured, each once; a VMAF that is expected is."""
    gate: tuple[Metric, ...] = ()
    if output.expect is not None and output.expect.min_vmaf is not None:
        gate = ("vmaf",)
    return tuple(dict.fromkeys((*output.measure, *gate)))


def measure_problems(
    output: FileOutput | AdaptiveOutput, video: Video | None, path: str
) -> Iterator[str]:
    """Yield why nothing of an output can be measured."""
    if not metrics_of(output):
        return
    where = f"{path}.measure" if output.measure else f"{path}.expect.min_vmaf"
    if video is None:
        yield f"{where}: is of the picture, and there is no video"
    elif video.codec == "copy":
        yield f"{where}: a copy is as its source is; choose a codec"
    elif video.watermarks or video.texts or video.burn_in:
        yield f"{where}: the source has nothing of what is drawn onto the picture"
