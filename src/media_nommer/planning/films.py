"""What becomes of films and sounds: as files, and as renditions of adaptive outputs."""

from dataclasses import replace

from media_nommer.core.errors import NoStreams
from media_nommer.core.media import Media
from media_nommer.core.recipes.adaptive import MANIFEST_EXTENSIONS
from media_nommer.core.recipes.codecs import Container, usual_extension
from media_nommer.core.recipes.documents import AdaptiveOutput, FileOutput
from media_nommer.core.recipes.names import fill_template, safe_stem
from media_nommer.planning.covers import kept_cover
from media_nommer.planning.naming import safe_name
from media_nommer.planning.pace import (
    paced_adaptive,
    paced_audio,
    paced_media,
    paced_output,
    paced_video,
)
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.sounds.silence import with_silence
from media_nommer.planning.sounds.sound import AudioPlan, plan_audio
from media_nommer.planning.streaming.adaptive import plan_adaptive
from media_nommer.planning.texts.subtitles import SubtitlePlan, plan_subtitles
from media_nommer.planning.titles import clean_title
from media_nommer.planning.video import VideoPlan, plan_video


def plan_film(
    media: Media, output: FileOutput | AdaptiveOutput, index: int, stem: str, *, whole: bool
) -> OutputPlan:
    """Return the plan of a file or of an adaptive output; ``whole`` for all of a source.

    Raises:
        NoStreams: it needs a picture or a sound that the source lacks.
        InvalidRecipe: a container, codec or level cannot hold what the source has.
    """
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
    audio = (
        plan_audio(media, output.audio, container, f"{where}.audio")
        if output.audio
        else None
    )
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
        names=(safe_name(fill_template(output.name or "{stem}.{ext}", values), where),),
        container=container,
        video=video,
        audio=audio,
        more_audio=_more_audio(media, output, container, where),
        subtitles=_kept_subtitles(media, output, video, whole=whole),
        cover=kept_cover(media, output, container),
        title=clean_title(media.title),
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
        plan_audio(
            replace(media, audio=(stream,)), output.audio, container, f"{where}.audio"
        )
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
        safe_name(
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
