"""What a run of FFmpeg is: its arguments, and the files that it leaves behind."""

from dataclasses import dataclass

from media_nommer.core.recipes.codecs import CONTAINERS
from media_nommer.planning.extras.extras import extra_paths
from media_nommer.planning.ffmpeg.passes import PassLog
from media_nommer.planning.plan import OutputPlan


@dataclass(frozen=True, slots=True)
class Produced:
    """One file that a command leaves in the scratch directory.

    ``path`` is its name there; ``name`` is what it is to be called at the destination, and
    empty for a ``rendition``, which is packaged yet: it has its key. A name that no other
    attempt gives is the attempt's ``own``.
    """

    output: int
    path: str
    name: str
    rendition: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class EncodeCommand:
    """One run of FFmpeg: its arguments without the program, and what it leaves behind.

    The runner puts its own options (progress, log level, limits) in front. ``logs`` are of
    the first pass, to be renamed before.
    """

    argv: tuple[str, ...]
    produces: tuple[Produced, ...]
    logs: tuple[PassLog, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasureCommand:
    """One run of FFmpeg that only measures the sound of some outputs, for its log."""

    argv: tuple[str, ...]
    sounds: tuple[str, ...]


def produced(output: OutputPlan) -> tuple[Produced, ...]:
    """Return the files of one output, in the order of its names.

    The names in scratch are ours: nothing in them comes from outside.
    """
    if output.extra is not None:
        paths = extra_paths(output.extra, output.index)
        return tuple(
            Produced(output.index, path, name)
            for path, name in zip(paths, output.names, strict=True)
        )
    if output.container == "jpeg":
        return tuple(
            Produced(output.index, f"out-{output.index}-{number:06d}.jpg", name)
            for number, name in enumerate(output.names, start=1)
        )
    if output.rendition is not None:
        path = f"out-{output.index}-{output.rendition.key}.mp4"
        return (Produced(output.index, path, "", output.rendition.key),)
    assert output.container is not None
    extension = CONTAINERS[output.container].extensions[0]
    return (Produced(output.index, f"out-{output.index}.{extension}", output.names[0]),)
