"""Average bit rates in two passes: the first one learns where bits are needed.

FFmpeg calls the file between them by a number that counts the streams of all outputs, which
are others in the second run: so what the first one left is renamed for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from media_nommer.planning.ffmpeg.video_encoders import Pass
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.video import VideoPlan

#: x264 leaves a second file, called the same with this behind it.
LOG_ENDINGS = ("", ".mbtree")

_NAMED_BY_US = "hevc"  # whose options name the file outright
_BLOCK = 16  # pixels of the side of what x264 and x265 keep two bytes a frame of
_USUAL_RATE = 30.0


@dataclass(frozen=True, slots=True)
class PassLog:
    """What the first pass leaves, and what it must be called for the second."""

    left: str
    wanted: str


def in_two_passes(outputs: Sequence[OutputPlan]) -> list[OutputPlan]:
    """Return the films that take two passes, without what the first one need not make."""
    return [
        replace(output, audio=None, more_audio=(), subtitles=(), title=None)
        for output in outputs
        if output.video is not None and output.video.passes > 1
    ]


def pass_of(output: OutputPlan, number: int) -> Pass | None:
    """Return which of its passes an output is in, None if it has but one."""
    if output.video is None or output.video.passes < number or output.video.passes == 1:
        return None
    shared = output.video.codec == _NAMED_BY_US
    return Pass(number, f"pass-{output.key}" if shared else f"pass{number}-{output.key}")


def log_between(output: OutputPlan, place: int, wanted: int) -> PassLog | None:
    """Return what is to be renamed for an output, None for nothing.

    It is the ``place``-th stream of the first run, and the ``wanted``-th of the second.
    """
    first, second = pass_of(output, 1), pass_of(output, 2)
    if first is None or second is None or first.log == second.log:
        return None
    return PassLog(f"{first.log}-{place}.log", f"{second.log}-{wanted}.log")


def pass_bytes(video: VideoPlan) -> int:
    """Return about how many bytes there are between the passes."""
    if video.passes == 1 or video.duration is None:
        return 0
    blocks = -(-video.width // _BLOCK) * -(-video.height // _BLOCK)
    frames = video.duration * float(video.timing.rate or _USUAL_RATE)
    return round(frames * (2 * blocks + 200))
