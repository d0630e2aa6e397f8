"""Filling in what follows from an output itself, and finding what contradicts itself."""

from collections.abc import Iterator, Sequence
from typing import Any

from media_nommer.core.recipes.adaptive import settled_adaptive
from media_nommer.core.recipes.codecs import (
    CONTAINER_OF_EXTENSION,
    CONTAINERS,
    HOME_OF_CODEC,
    AudioCodec,
    Container,
    ContainerRules,
    usual_audio,
    usual_extension,
)
from media_nommer.core.recipes.documents import (
    AdaptiveOutput,
    Audio,
    FileOutput,
    Output,
    ThumbnailsOutput,
    Video,
)
from media_nommer.core.recipes.extra_settling import settled_extra
from media_nommer.core.recipes.extras import ExtraOutput
from media_nommer.core.recipes.measures import measure_problems, metrics_of
from media_nommer.core.recipes.names import template_problem, uses
from media_nommer.core.recipes.own import OwnOutput
from media_nommer.core.recipes.own_reading import settled_own
from media_nommer.core.recipes.paces import pace_problems
from media_nommer.core.recipes.pictures import picture_problems, settled_picture
from media_nommer.core.recipes.raw import misfit_problems, raw_problems
from media_nommer.core.recipes.sounds import sound_problems

_DEFAULT_PICTURES = 10

#: Containers of several sounds at once.
_HOLD_SEVERAL: tuple[Container, ...] = ("mp4", "mov", "mkv", "webm", "ts", "m4a")


def settled(output: Output, path: str) -> tuple[Output, list[str]]:
    """Return ``output`` with nothing left to guess, and a sentence for each fault in it."""
    if isinstance(output, FileOutput):
        return _settled_file(output, path)
    if isinstance(output, AdaptiveOutput):
        return settled_adaptive(output, path)
    if isinstance(output, OwnOutput):
        return settled_own(output, path)
    if isinstance(output, ExtraOutput):
        return settled_extra(output, path)
    return _settled_thumbnails(output, path)


def _settled_file(output: FileOutput, path: str) -> tuple[Output, list[str]]:
    container = _container(output)
    rules = CONTAINERS[container]
    video = settled_picture(output.video) if output.video else None
    audio = _audio(output, usual_audio(container, video.codec if video else None))
    extension = usual_extension(container, audio.codec if audio else None)
    name = output.name or f"{{stem}}.{extension}"
    problems = [
        *_name_problems(output.name, container, _fields(video), f"{path}.name"),
        *_video_problems(video, container, rules, f"{path}.video"),
        *_audio_problems(audio, container, rules, f"{path}.audio"),
        *_raw_problems(output, video, f"{path}.ffmpeg_options"),
    ]
    problems += measure_problems(output, video, path)
    problems += pace_problems(output, video, audio, path)
    if output.audio_tracks == "all":
        problems += _tracks_problems(audio, container, f"{path}.audio_tracks")
    if video is None and audio is None:
        problems.append(f"{path}: has neither video nor audio, so there is nothing to make")
    settled_ = {
        "container": container,
        "video": video,
        "audio": audio,
        "name": name,
        "measure": metrics_of(output),
    }
    return output.model_copy(update=settled_), problems


def _raw_problems(output: FileOutput, video: Video | None, path: str) -> Iterator[str]:
    codec, passes = (video.codec, video.passes) if video else (None, 1)
    yield from raw_problems(output.ffmpeg_options, path)
    yield from misfit_problems(output.ffmpeg_options, codec, passes, path)


def _audio(output: FileOutput, usual: AudioCodec) -> Audio | None:
    """Return the sound that is said, of the ``usual`` codec where it says none."""
    if "audio" not in output.model_fields_set:
        return Audio(codec=usual)
    if output.audio is None or "codec" in output.audio.model_fields_set:
        return output.audio
    return output.audio.model_copy(update={"codec": usual})


def _container(output: FileOutput) -> Container:
    """Return the container that is said, or told by the name, or usual for the codec."""
    if output.container:
        return output.container
    extension = _extension(output.name)
    if extension in CONTAINER_OF_EXTENSION:
        return CONTAINER_OF_EXTENSION[extension]
    if output.video:
        return HOME_OF_CODEC[output.video.codec]
    return HOME_OF_CODEC[output.audio.codec if output.audio else "aac"]


def _extension(name: str | None) -> str:
    return name.rpartition(".")[2].lower() if name and "." in name else ""


def _fields(video: Video | None) -> tuple[str, ...]:
    if video is None:
        return ("stem", "preset", "codec", "ext")
    return ("stem", "preset", "height", "width", "codec", "ext")


def _name_problems(
    name: str | None, container: Container, fields: Sequence[str], path: str
) -> list[str]:
    if name is None:
        return []
    wrong = template_problem(name, fields)
    if wrong:
        return [f"{path}: {wrong}"]
    extension = _extension(name)
    if extension == "{ext}" or CONTAINER_OF_EXTENSION.get(extension) == container:
        return []
    allowed = ", ".join(CONTAINERS[container].extensions)
    if extension in CONTAINER_OF_EXTENSION:
        said = f"ends in '.{extension}' but the container is {container}"
        return [f"{path}: {said}; allowed: {allowed}"]
    known = ", ".join(CONTAINER_OF_EXTENSION)
    return [f"{path}: must end in '.{{ext}}' or one of: {known}"]


def _video_problems(
    video: Video | None, container: Container, rules: ContainerRules, path: str
) -> list[str]:
    if video is None:
        return []
    problems: list[str] = []
    if not rules.video:
        problems.append(f"{path}: {container} holds sound alone")
    elif video.codec not in rules.video:
        problems.append(_misfit(f"{path}.codec", container, video.codec, rules.video))
    return [*problems, *picture_problems(video, path)]


def _audio_problems(
    audio: Audio | None, container: Container, rules: ContainerRules, path: str
) -> list[str]:
    if audio is None:
        return []
    problems: list[str] = []
    if audio.codec not in rules.audio:
        problems.append(_misfit(f"{path}.codec", container, audio.codec, rules.audio))
    return [*problems, *sound_problems(audio, path)]


def _tracks_problems(audio: Audio | None, container: Container, path: str) -> list[str]:
    if audio is None:
        return [f"{path}: there is no audio"]
    if container not in _HOLD_SEVERAL:
        return [f"{path}: {container} holds one; allowed: {', '.join(_HOLD_SEVERAL)}"]
    return []


def _misfit(path: str, container: str, codec: str, allowed: Sequence[str]) -> str:
    return f"{path}: {container} does not hold {codec}; allowed: {', '.join(allowed)}"


def _settled_thumbnails(output: ThumbnailsOutput, path: str) -> tuple[Output, list[str]]:
    choices = ("count", "interval", "times", "poster")
    said = [c for c in choices if getattr(output, c) not in {None, False}]
    usual = "{stem}-poster.jpg" if output.poster else "{stem}-{number:04d}.jpg"
    changes: dict[str, Any] = {"name": output.name or usual}
    if not said:
        changes["count"] = _DEFAULT_PICTURES
    problems: list[str] = []
    if len(said) > 1:
        problems.append(
            f"{path}: {' and '.join(said)} contradict each other; "
            f"allowed: one of {', '.join(choices)}"
        )
    finished = output.model_copy(update=changes)
    problems += _picture_name_problems(finished, f"{path}.name")
    return finished, problems


def _picture_name_problems(output: ThumbnailsOutput, path: str) -> list[str]:
    name = output.name or ""
    fields = ("stem", "preset", "height", "width", "codec", "ext", "number")
    wrong = template_problem(name, fields)
    if wrong:
        return [f"{path}: {wrong}"]
    if _extension(name) not in {"jpg", "jpeg", "{ext}"}:
        return [f"{path}: must end in one of: jpg, jpeg, {{ext}}"]
    one = output.poster or output.count == 1
    several = not (one or (output.times and len(set(output.times)) == 1))
    if several and not uses(name, "number"):
        return [f"{path}: needs {{number}}, since there is more than one picture"]
    return []
