"""Signs of life of a run of FFmpeg whose own outputs come all at its end."""

from collections.abc import Sequence

from media_nommer.core.media import VideoStream
from media_nommer.planning.ffmpeg.graphs import LIFE, are_late
from media_nommer.planning.inputs.reading import Source
from media_nommer.planning.plan import OutputPlan


def sign_of_life(
    source: Source, picture: VideoStream | None, outputs: Sequence[OutputPlan]
) -> tuple[str, ...]:
    """Return an output for nobody that moves on while the film is read, if it is needed."""
    if picture is None or not are_late(outputs):
        return ()
    return moving_on(source, picture, outputs)


def moving_on(
    source: Source, picture: VideoStream, outputs: Sequence[OutputPlan]
) -> tuple[str, ...]:
    """Return an output for nobody that moves on while the film is read.

    Without a word till the end the encoder would be taken for one that hangs.
    """
    if not isinstance(source, str):
        return ("-map", f"[{LIFE}]", "-f", "null", "-")
    last = next((output.cut.last for output in outputs if output.cut), None)
    until = () if last is None else ("-t", f"{last:.6f}")
    return ("-map", f"0:{picture.index}", "-c", "copy", *until, "-f", "null", "-")
