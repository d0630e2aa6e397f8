"""From what was found and what was asked for to the exact facts of every output."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import Media
from media_nommer.core.recipes.codecs import Container, usual_extension
from media_nommer.core.recipes.documents import (
    FileOutput,
    PresetOutput,
    Recipe,
    ThumbnailsOutput,
)
from media_nommer.core.recipes.names import fill_template, safe_stem, unsafe_name
from media_nommer.planning.cutting import Cut, taken
from media_nommer.planning.pictures import thumbnail_times
from media_nommer.planning.sizes import fitted_size, shown_size
from media_nommer.planning.sound import AudioPlan, plan_audio
from media_nommer.planning.video import VideoPlan, picture_of, plan_video

_LONGEST_TITLE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ThumbnailPlan:
    """The pictures of one output: the first frame at or after each of ``times``, in seconds
    after the file's start. ``quality`` goes from 1 to 100.
    """

    stream: int
    width: int
    height: int
    times: tuple[float, ...]
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlan:
    """One output, with nothing left to decide.

    ``index`` is its place in the recipe; ``names`` are its final names below the
    destination: one for a file, one for each picture of thumbnails.
    """

    index: int
    kind: Literal["file", "thumbnails"]
    names: tuple[str, ...]
    container: Container | Literal["jpeg"]
    video: VideoPlan | None = None
    audio: AudioPlan | None = None
    thumbnails: ThumbnailPlan | None = None
    title: str | None = None
    cut: Cut | None = None

    @property
    def duration(self) -> float | None:
        """Seconds of film, None where nothing tells."""
        told = [part.duration for part in (self.video, self.audio) if part]
        return max((length for length in told if length is not None), default=None)


def plan_outputs(media: Media, recipe: Recipe, *, stem: str) -> tuple[OutputPlan, ...]:
    """Return the plan of every output of ``recipe``, whose presets are resolved.

    ``stem`` is the source's file name without its extension. One output that cannot be made
    refuses the whole recipe: it is found out before anything costs anything. A source
    without sound makes silent films.

    Raises:
        NoStreams: an output needs a picture or a sound that the source lacks, or the recipe
            names a track that it has not.
        InvalidRecipe: the part asked for lies behind the end; a container, codec or level
            cannot hold what the source has; two outputs would have one name, or a name
            would not be safe.
        MediaError: thumbnails depend on a length that nothing tells.
    """
    media, cut = taken(media, recipe.inputs[0])
    plans: list[OutputPlan] = []
    for index, output in enumerate(recipe.outputs):
        if isinstance(output, FileOutput):
            plans.append(_plan_file(media, output, index, stem))
        elif isinstance(output, ThumbnailsOutput):
            plans.append(_plan_thumbnails(media, output, index, stem))
        else:
            raise _unresolved(output, index)
    _check_names(plans)
    return tuple(replace(plan, cut=cut) for plan in plans)


def _unresolved(output: PresetOutput, index: int) -> InvalidRecipe:
    return InvalidRecipe(f"outputs[{index}].preset: {output.preset!r} was not resolved")


def _plan_file(media: Media, output: FileOutput, index: int, stem: str) -> OutputPlan:
    where, container = f"outputs[{index}]", output.container or "mp4"
    video = plan_video(media, output.video, container, where) if output.video else None
    audio = plan_audio(media, output.audio, container, where) if output.audio else None
    if video is None and audio is None:
        raise NoStreams(f"{where}: needs sound, and the source has none")
    codec = video.holds if video else audio.holds if audio else ""
    values: dict[str, str | int] = {
        "stem": safe_stem(stem),
        "preset": safe_stem(output.from_preset or "file"),
        "codec": codec,
        "ext": usual_extension(container, output.audio.codec if output.audio else None),
        "width": video.width if video else 0,
        "height": video.height if video else 0,
    }
    return OutputPlan(
        index=index,
        kind="file",
        names=(_safe(fill_template(output.name or "{stem}.{ext}", values), where),),
        container=container,
        video=video,
        audio=audio,
        title=_clean_title(media.title),
    )


def _plan_thumbnails(
    media: Media, output: ThumbnailsOutput, index: int, stem: str
) -> OutputPlan:
    where = f"outputs[{index}]"
    stream = picture_of(media, where)
    size = fitted_size(shown_size(stream), output.width, output.height)
    times = thumbnail_times(output, media, stream, where=where)
    values: dict[str, str | int] = {
        "stem": safe_stem(stem),
        "preset": safe_stem(output.from_preset or "thumbnails"),
        "codec": "jpeg",
        "ext": "jpg",
        "width": size.width,
        "height": size.height,
    }
    template = output.name or "{stem}-{number:04d}.{ext}"
    names = tuple(
        _safe(fill_template(template, {**values, "number": number}), where)
        for number in range(1, len(times) + 1)
    )
    return OutputPlan(
        index=index,
        kind="thumbnails",
        names=names,
        container="jpeg",
        thumbnails=ThumbnailPlan(
            stream=stream.index,
            width=size.width,
            height=size.height,
            times=times,
            quality=output.quality,
        ),
    )


def _safe(name: str, where: str) -> str:
    wrong = unsafe_name(name)
    if wrong:
        raise InvalidRecipe(f"{where}.name: {wrong}")
    return name


def _check_names(plans: Sequence[OutputPlan]) -> None:
    """Refuse names that meet; case is not told apart, since some file systems do not."""
    taken: dict[str, int] = {}
    for plan in plans:
        for name in plan.names:
            first = taken.setdefault(name.casefold(), plan.index)
            if first != plan.index:
                raise InvalidRecipe(
                    f"outputs[{plan.index}].name: outputs[{first}] is called {name!r} too; "
                    "give one of them another name"
                )


def _clean_title(title: str | None) -> str | None:
    """Return a title that can stand in an argument list and in any container."""
    if not title:
        return None
    text = title.encode("utf-8", "replace").decode("utf-8")
    text = re.sub("[\x00-\x1f\x7f]+", " ", text).strip()
    return text[:_LONGEST_TITLE] or None
