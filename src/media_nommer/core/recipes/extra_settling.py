"""What follows from an output that goes with a film, and what is wrong in it."""

from collections.abc import Iterator, Sequence
from typing import Any

from media_nommer.core.recipes.base import Document, Expect
from media_nommer.core.recipes.extras import (
    AnimationFormat,
    AnimationOutput,
    CaptionsOutput,
    ChecksumsOutput,
    ExtraOutput,
    MetadataOutput,
    SpriteOutput,
    WaveformOutput,
)
from media_nommer.core.recipes.names import template_problem
from media_nommer.core.recipes.own import OwnOutput

_BARE = ("stem", "preset", "codec", "ext")
_SIZED = (*_BARE, "width", "height")
_USUAL_TILES = 100
_USUAL_TILE = 160  # pixels wide
_USUAL_ANIMATION = 320
_MOST_FRAMES = 3000
_FILMS = {"file", "adaptive"}
_LASTING = {"file", "adaptive", "animation"}
_ANIMATIONS: tuple[AnimationFormat, ...] = ("gif", "webp", "avif")


def settled_extra(output: ExtraOutput, path: str) -> tuple[ExtraOutput, list[str]]:
    """Return ``output`` with nothing left to guess, and a sentence for each fault in it."""
    name, changes = output.name or usual_name(output), _filled(output)
    finished = output.model_copy(update={"name": name, **changes})
    problems = [*_contradictions(output, path), *_name_problems(finished, f"{path}.name")]
    return finished, problems


def usual_name(output: ExtraOutput) -> str:
    """Return the template of an output that says none."""
    match output:
        case CaptionsOutput() | AnimationOutput():
            return "{stem}.{ext}"
        case ChecksumsOutput():
            return "{stem}.sha256"
        case SpriteOutput():
            return "{stem}-sprite.vtt"
        case WaveformOutput() | MetadataOutput():
            return f"{{stem}}-{output.kind}.json"


def extension_of(output: ExtraOutput) -> str:
    """Return how the name of an output ends, without a dot."""
    match output:
        case CaptionsOutput():
            return "vtt" if output.format == "webvtt" else "srt"
        case AnimationOutput():
            return output.format or "gif"
        case ChecksumsOutput():
            return "sha256"
        case SpriteOutput():
            return "vtt"
        case WaveformOutput() | MetadataOutput():
            return "json"


def codec_of(output: ExtraOutput) -> str:
    """Return what stands for ``{codec}`` before anything is planned."""
    return "jpeg" if isinstance(output, SpriteOutput) else extension_of(output)


def expect_problems(output: Document, path: str) -> Iterator[str]:
    """Yield what an output of its kind can never come to."""
    expect: Expect | None = getattr(output, "expect", None)
    if expect is None:
        return
    if isinstance(output, ChecksumsOutput):
        yield f"{path}: a list of checksums is not held against anything"
        return
    lasting = (expect.min_duration, expect.max_duration) != (None, None)
    own = isinstance(output, OwnOutput)  # whose facts may tell
    if lasting and not own and getattr(output, "kind", "file") not in _LASTING:
        yield f"{path}: only films, sounds and animations have a duration"
    if expect.min_vmaf is not None and getattr(output, "kind", "file") not in _FILMS:
        yield f"{path}.min_vmaf: only films are measured"
    least, most = expect.min_duration, expect.max_duration
    if least is not None and most is not None and least > most:
        yield f"{path}.min_duration: must be at most max_duration, {most:g}, not {least:g}"


def _filled(output: ExtraOutput) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if isinstance(output, SpriteOutput):
        if output.count is None and output.interval is None:
            changes["count"] = _USUAL_TILES
        if output.width is None and output.height is None:
            changes["width"] = _USUAL_TILE
    if isinstance(output, AnimationOutput):
        if output.format is None:
            changes["format"] = _format_by_name(output.name)
        if output.width is None and output.height is None:
            changes["width"] = _USUAL_ANIMATION
    return changes


def _format_by_name(name: str | None) -> AnimationFormat:
    ending = (name or "").rpartition(".")[2].lower()
    return next((each for each in _ANIMATIONS if each == ending), "gif")


def _contradictions(output: ExtraOutput, path: str) -> Iterator[str]:
    match output:
        case CaptionsOutput(track=int(), language=str()):
            both = "track and language contradict each other"
            yield f"{path}: {both}; allowed: one of them"
        case SpriteOutput(count=int(), interval=float()):
            both = "count and interval contradict each other"
            yield f"{path}: {both}; allowed: one of them"
        case AnimationOutput():
            frames = output.pieces * output.seconds * output.frame_rate
            if frames > _MOST_FRAMES:
                yield (
                    f"{path}: pieces, seconds and frame_rate make {frames:.0f} frames; "
                    f"allowed: {_MOST_FRAMES}"
                )
        case _:
            pass


def _name_problems(output: ExtraOutput, path: str) -> list[str]:
    name = output.name or ""
    wrong = template_problem(name, _fields(output))
    if wrong:
        return [f"{path}: {wrong}"]
    ending, extension = name.rpartition(".")[2].lower(), extension_of(output)
    if isinstance(output, ChecksumsOutput) or ending in {extension, "{ext}"}:
        return []  # lists of sums are often called SHA256SUMS
    return [f"{path}: must end in one of: {extension}, {{ext}}"]


def _fields(output: ExtraOutput) -> Sequence[str]:
    if isinstance(output, SpriteOutput | AnimationOutput):
        return _SIZED
    return (*_BARE, "language") if isinstance(output, CaptionsOutput) else _BARE
