"""From what was found and what was asked for to the exact facts of every output."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import Media
from media_nommer.core.recipes.adaptive import MANIFEST_EXTENSIONS
from media_nommer.core.recipes.base import Expect, Metric
from media_nommer.core.recipes.codecs import Container, usual_extension
from media_nommer.core.recipes.documents import (
    AdaptiveOutput,
    FileOutput,
    PresetOutput,
    Recipe,
    ThumbnailsOutput,
)
from media_nommer.core.recipes.extras import ExtraOutput
from media_nommer.core.recipes.input_settling import unmade_problem
from media_nommer.core.recipes.names import fill_template, safe_stem, unsafe_name
from media_nommer.core.recipes.own import OwnOutput
from media_nommer.planning.adaptive import AdaptivePlan, Rendition, plan_adaptive
from media_nommer.planning.cutting import Cut, taken
from media_nommer.planning.drawing import Drawing
from media_nommer.planning.extras import ChecksumsPlan, Extra, OwnPlan, plan_extra
from media_nommer.planning.joining import is_joined
from media_nommer.planning.own import plan_own
from media_nommer.planning.pace import (
    paced_adaptive,
    paced_audio,
    paced_media,
    paced_output,
    paced_video,
)
from media_nommer.planning.pictures import thumbnail_times
from media_nommer.planning.silence import with_silence
from media_nommer.planning.sizes import fitted_size, shown_size
from media_nommer.planning.sound import AudioPlan, plan_audio
from media_nommer.planning.subtitles import SubtitlePlan, plan_subtitles
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
    destination: one for a file, one for each picture of thumbnails, one for each manifest
    of an adaptive output. Each ``rendition`` of that is planned as a file of its own, by
    ``single_files``, whose name its maker gives. ``more_audio`` are further tracks of a
    file. What goes with a film is ``extra``, and has no container. ``raw`` are FFmpeg's own
    options, from the recipe. By ``measure`` its picture is held against the source's;
    ``chapters`` are kept of a whole source.
    """

    index: int
    kind: str
    names: tuple[str, ...]
    container: Container | Literal["jpeg"] | None = None
    video: VideoPlan | None = None
    audio: AudioPlan | None = None
    thumbnails: ThumbnailPlan | None = None
    title: str | None = None
    cut: Cut | None = None
    more_audio: tuple[AudioPlan, ...] = ()
    subtitles: tuple[SubtitlePlan, ...] = ()
    extra: Extra | None = None
    expect: Expect | None = None
    adaptive: AdaptivePlan | None = None
    rendition: Rendition | None = None
    raw: tuple[tuple[str, str], ...] = ()
    pace: float = 1.0
    measure: tuple[Metric, ...] = ()
    chapters: bool = True

    @property
    def key(self) -> int | str:
        """What its sound is known by: its index, or that of a rendition of it."""
        return f"{self.index}{self.rendition.key}" if self.rendition else self.index

    @property
    def sounds(self) -> tuple[tuple[str, AudioPlan], ...]:
        """All sounds of a file, each with what it alone is known by."""
        all_ = (self.audio, *self.more_audio) if self.audio else ()
        return tuple((f"{self.key}s{n}", audio) for n, audio in enumerate(all_))

    @property
    def duration(self) -> float | None:
        """Seconds of film, None where nothing tells."""
        told = [part.duration for part in (self.video, self.audio) if part]
        told += [each.duration for each in renditions_of(self)]
        return max((length for length in told if length is not None), default=None)


def renditions_of(output: OutputPlan) -> tuple[OutputPlan, ...]:
    """Return the renditions of an adaptive output, each planned as a file of its own."""
    if output.adaptive is None:
        return ()
    return tuple(
        OutputPlan(
            index=output.index,
            kind="file",
            names=("",),
            container="mp4",
            video=rendition.video,
            audio=rendition.audio,
            cut=output.cut,
            rendition=rendition,
            pace=output.pace,
            measure=output.measure if rendition.video else (),
        )
        for rendition in output.adaptive.renditions
    )


def single_files(outputs: Sequence[OutputPlan]) -> tuple[OutputPlan, ...]:
    """Return ``outputs`` with the renditions of adaptive ones in their place."""
    return tuple(part for output in outputs for part in renditions_of(output) or (output,))


def drawings_of(outputs: Sequence[OutputPlan]) -> tuple[Drawing, ...]:
    """Return what is drawn onto pictures, each thing once."""
    films = (output.video for output in single_files(outputs) if output.video)
    return tuple(dict.fromkeys(film.drawing for film in films if film.drawing.any))


def is_sums(output: OutputPlan) -> bool:
    """Say whether an output is made of what all others come to."""
    return output.extra is not None and isinstance(output.extra.plan, ChecksumsPlan)


def is_own(output: OutputPlan) -> bool:
    """Say whether an own nommer makes an output."""
    return output.extra is not None and isinstance(output.extra.plan, OwnPlan)


def plan_outputs(media: Media, recipe: Recipe, *, stem: str) -> tuple[OutputPlan, ...]:
    """Return the plan of every output of ``recipe``, whose presets are resolved.

    ``media`` is the one source, or the film that several make (``film_of``); ``stem`` is
    the first source's file name without its extension. One output that cannot be made
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
    cut = None
    if not is_joined(media):
        media, cut = taken(media, recipe.inputs[0])
    plans: list[OutputPlan] = []
    for index, output in enumerate(recipe.outputs):
        if is_joined(media) and (wrong := unmade_problem(output)):
            raise InvalidRecipe(f"outputs[{index}]{wrong}")
        if isinstance(output, FileOutput | AdaptiveOutput):
            plans.append(_plan_film(media, output, index, stem, whole=cut is None))
        elif isinstance(output, ThumbnailsOutput) and not output.poster:
            plans.append(_plan_thumbnails(media, output, index, stem))
        elif isinstance(output, OwnOutput):
            plans.append(_plan_own(media, output, index, stem))
        elif isinstance(output, PresetOutput):
            raise _unresolved(output, index)
        else:
            plans.append(_plan_extra(media, output, index, stem))
        whole = cut is None and not is_joined(media) and plans[-1].pace == 1
        plans[-1] = replace(plans[-1], cut=cut, expect=output.expect, chapters=whole)
    _check_names(plans)
    return tuple(plans)


def _unresolved(output: PresetOutput, index: int) -> InvalidRecipe:
    return InvalidRecipe(f"outputs[{index}].preset: {output.preset!r} was not resolved")


def _plan_film(
    media: Media, output: FileOutput | AdaptiveOutput, index: int, stem: str, *, whole: bool
) -> OutputPlan:
    pace = output.pace
    if pace != 1:
        output, media, whole = paced_output(output, media), paced_media(media, pace), False
    if isinstance(output, AdaptiveOutput):
        plan = _plan_adaptive(media, output, index, stem)
    else:
        plan = _plan_file(media, output, index, stem, whole=whole)
    return plan if pace == 1 else _at_pace(plan, media, pace)


def _at_pace(plan: OutputPlan, media: Media, pace: float) -> OutputPlan:
    """Return a plan made of a paced ``media`` whose command keeps that pace."""
    more = (paced_audio(each, media, pace) for each in plan.more_audio)
    return replace(
        plan,
        pace=pace,
        video=plan.video and paced_video(plan.video, pace),
        audio=plan.audio and paced_audio(plan.audio, media, pace),
        more_audio=tuple(more),
        subtitles=tuple(replace(each, pace=pace) for each in plan.subtitles),
        adaptive=plan.adaptive and paced_adaptive(plan.adaptive, media, pace),
    )


def _plan_file(
    media: Media, output: FileOutput, index: int, stem: str, *, whole: bool
) -> OutputPlan:
    where, container = f"outputs[{index}]", output.container or "mp4"
    media = with_silence(media, output.audio, where)
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
        more_audio=_more_audio(media, output, container, where),
        subtitles=_kept_subtitles(media, output, video, whole=whole),
        title=_clean_title(media.title),
        raw=output.ffmpeg_options,
        measure=output.measure if video else (),
    )


def _kept_subtitles(
    media: Media, output: FileOutput, video: VideoPlan | None, *, whole: bool
) -> tuple[SubtitlePlan, ...]:
    """Return the subtitles of a file; those that are in its picture are not there twice."""
    if video is None or output.subtitles is None:
        return ()
    plans = plan_subtitles(media, output.container or "mp4", whole=whole)
    burnt = video.drawing.burnt
    return tuple(p for p in plans if burnt is None or p.stream != burnt.stream)


def _more_audio(
    media: Media, output: FileOutput, container: Container, where: str
) -> tuple[AudioPlan, ...]:
    """Return the plans of all sounds but the one that a player would play."""
    if output.audio is None or output.audio_tracks != "all":
        return ()
    others = (stream for stream in media.audio if stream != media.sound)
    plans = (
        plan_audio(replace(media, audio=(stream,)), output.audio, container, where)
        for stream in others
    )
    return tuple(plan for plan in plans if plan is not None)


def _plan_adaptive(
    media: Media, output: AdaptiveOutput, index: int, stem: str
) -> OutputPlan:
    where = f"outputs[{index}]"
    plan = plan_adaptive(with_silence(media, output.audio, where), output, where)
    values: dict[str, str | int] = {
        "stem": safe_stem(stem),
        "preset": safe_stem(output.from_preset or "adaptive"),
        "codec": plan.renditions[0].holds,
    }
    names = tuple(
        _safe(
            fill_template(
                output.name or "{stem}/index.{ext}",
                {**values, "ext": MANIFEST_EXTENSIONS[each]},
            ),
            where,
        )
        for each in plan.formats
    )
    return OutputPlan(
        index=index,
        kind="adaptive",
        names=names,
        container="mp4",
        adaptive=plan,
        measure=output.measure if plan.pictures else (),
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


def _plan_extra(
    media: Media, output: ExtraOutput | ThumbnailsOutput, index: int, stem: str
) -> OutputPlan:
    where = f"outputs[{index}]"
    extra = plan_extra(media, output, stem, where)
    names = tuple(_safe(name, where) for name in extra.names)
    return OutputPlan(index=index, kind=output.kind, names=names, extra=extra)


def _plan_own(media: Media, output: OwnOutput, index: int, stem: str) -> OutputPlan:
    where = f"outputs[{index}]"
    planned = plan_own(media, output, stem, where)
    names = tuple(_safe(name, where) for name in planned.names)
    return OutputPlan(index=index, kind=output.kind, names=names, extra=planned)


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
