"""What contradicts itself in the inputs of a recipe, and what cannot be made of them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from media_nommer.core.recipes.inputs import Input, Join, text_format
from media_nommer.core.recipes.own import OwnOutput

if TYPE_CHECKING:
    from media_nommer.core.recipes.documents import Output


def input_problems(inputs: Sequence[Input], join: Join | None) -> Iterator[str]:
    """Yield a sentence for each fault in what a job is made from."""
    for number, source in enumerate(inputs):
        yield from _problems(source, f"inputs[{number}]")


def use_problems(
    inputs: Sequence[Input], join: Join | None, output: "Output", path: str
) -> Iterator[str]:
    """Yield a sentence for each part of an output that cannot be had of such inputs.

    A copy of a part could only begin at a key frame; what is joined is made alike first.
    """
    yield from _burning_problems(inputs, output, f"{path}.video.burn_in.file")
    if len(inputs) > 1 or join is not None or inputs[0].audio is not None:
        why = _why_no_copy(len(inputs) > 1 or join is not None)
        if wrong := unmade_problem(output):
            yield f"{path}{wrong}"
    elif inputs[0].is_cut:
        why = "a copy cannot begin or end where inputs[0] says"
    else:
        return
    for part in ("video", "audio"):
        if getattr(getattr(output, part, None), "codec", None) == "copy":
            yield f"{path}.{part}.codec: {why}"


def _why_no_copy(joined: bool) -> str:
    if joined:
        return "a copy cannot be joined, since its pieces are made alike first"
    return "nothing of an input that lists its sounds (audio) is copied; choose a codec"


def unmade_problem(output: "Output") -> str:
    """Return why an output needs one input as it is, after its place; else nothing."""
    if isinstance(output, OwnOutput):
        kind = repr(output.kind)
        return f": outputs of the kind {kind} are made of one input alone, as it is"
    return ""


def _burning_problems(
    inputs: Sequence[Input], output: "Output", path: str
) -> Iterator[str]:
    """Yield why there is no such file of subtitles to burn in."""
    burn_in = getattr(getattr(output, "video", None), "burn_in", None)
    if burn_in is None or burn_in.file is None:
        return
    if len(inputs) > 1:
        yield f"{path}: each input has files of its own; choose by language"
    elif burn_in.file >= len(inputs[0].subtitles):
        has = len(inputs[0].subtitles)
        yield f"{path}: there is no {burn_in.file}; inputs[0].subtitles lists {has}"


def _problems(source: Input, path: str) -> Iterator[str]:
    if source.end is not None and source.duration is not None:
        yield f"{path}: end and duration contradict each other; allowed: one of them"
    if source.end is not None and source.end <= (source.start or 0):
        after = f"must be after the start, {source.start or 0:g}"
        yield f"{path}.end: {after}, not {source.end:g}"
    if source.audio_track is not None and source.audio_language is not None:
        yield (
            f"{path}: audio_track and audio_language contradict each other; "
            "allowed: one of them"
        )
    yield from _sound_problems(source, path)
    for number, text in enumerate(source.subtitles):
        if text.format is None and text_format(text.url) is None:
            yield (
                f"{path}.subtitles[{number}].format: the name of the file does not tell; "
                "allowed: srt, webvtt, ass"
            )


def _sound_problems(source: Input, path: str) -> Iterator[str]:
    if source.audio is None:
        return
    for said in ("audio_track", "audio_language"):
        if getattr(source, said) is not None:
            yield f"{path}.{said}: audio lists the sounds already; allowed: one of them"
    for number, sound in enumerate(source.audio):
        if sound.track is not None and sound.tracks is not None:
            yield (
                f"{path}.audio[{number}]: track and tracks contradict each other; "
                "allowed: one of them"
            )
