"""From what was found and what was asked for to the exact facts of every output."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import AudioStream, Media, VideoStream
from media_nommer.core.recipes.codecs import (
    CONTAINERS,
    QUALITY,
    AudioCodec,
    Container,
    Profile,
    Speed,
    VideoCodec,
)
from media_nommer.core.recipes.documents import (
    Audio,
    FileOutput,
    PresetOutput,
    Recipe,
    ThumbnailsOutput,
    Video,
)
from media_nommer.core.recipes.names import fill_template, safe_stem, unsafe_name
from media_nommer.planning.pictures import picture_length, thumbnail_times
from media_nommer.planning.sizes import fitted_size, shown_size
from media_nommer.planning.sound import planned_bitrate, planned_channels, planned_rate
from media_nommer.planning.timing import Timing, timing_of

_LONGEST_TITLE = 500
_SMALLEST_SIDE = {"av1": 16}  # SVT-AV1 fails on a picture of a few pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPlan:
    """The picture of one file.

    ``stream`` is its index in the source. ``quality`` is the codec's CRF. ``duration`` is
    seconds of picture, None where nothing tells.
    """

    stream: int
    codec: VideoCodec
    width: int
    height: int
    quality: float
    speed: Speed
    profile: Profile | None
    timing: Timing
    duration: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioPlan:
    """The sound of one file. ``bitrate`` is kbit/s, ``sample_rate`` hertz.

    ``duration`` is the seconds of sound that the source's own header gives, or None.
    """

    stream: int
    codec: AudioCodec
    bitrate: int
    channels: int
    sample_rate: int
    language: str | None
    duration: float | None


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


def plan_outputs(media: Media, recipe: Recipe, *, stem: str) -> tuple[OutputPlan, ...]:
    """Return the plan of every output of ``recipe``, whose presets are resolved.

    ``stem`` is the source's file name without its extension. One output that cannot be made
    refuses the whole recipe: it is found out before anything costs anything. A source
    without sound makes silent films.

    Raises:
        NoStreams: an output needs a picture or a sound that the source lacks.
        InvalidRecipe: two outputs would have one name, or a name would not be safe.
        MediaError: thumbnails depend on a length that nothing tells.
    """
    plans: list[OutputPlan] = []
    for index, output in enumerate(recipe.outputs):
        if isinstance(output, FileOutput):
            plans.append(_plan_file(media, output, index, stem))
        elif isinstance(output, ThumbnailsOutput):
            plans.append(_plan_thumbnails(media, output, index, stem))
        else:
            raise _unresolved(output, index)
    _check_names(plans)
    return tuple(plans)


def _unresolved(output: PresetOutput, index: int) -> InvalidRecipe:
    return InvalidRecipe(f"outputs[{index}].preset: {output.preset!r} was not resolved")


def _plan_file(media: Media, output: FileOutput, index: int, stem: str) -> OutputPlan:
    where, container = f"outputs[{index}]", output.container or "mp4"
    video = _plan_video(media, output.video, where) if output.video else None
    audio = _plan_audio(media.sound, output.audio) if output.audio and media.sound else None
    if video is None and audio is None:
        raise NoStreams(f"{where}: needs sound, and the source has none")
    extension = CONTAINERS[container].extensions[0]
    codec = video.codec if video else audio.codec if audio else ""
    values: dict[str, str | int] = {
        "stem": safe_stem(stem),
        "preset": safe_stem(output.from_preset or "file"),
        "codec": codec,
        "ext": extension,
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


def _plan_video(media: Media, video: Video, where: str) -> VideoPlan:
    stream = _picture(media, where)
    size = fitted_size(
        shown_size(stream),
        video.width,
        video.height,
        turn_box=video.turn_box,
        smallest=_SMALLEST_SIDE.get(video.codec, 2),
    )
    quality = QUALITY[video.codec].default if video.quality is None else video.quality
    return VideoPlan(
        stream=stream.index,
        codec=video.codec,
        width=size.width,
        height=size.height,
        quality=quality,
        speed=video.speed,
        profile=video.profile or ("high" if video.codec == "h264" else None),
        timing=timing_of(stream, media),
        duration=picture_length(media, stream),
    )


def _picture(media: Media, where: str) -> VideoStream:
    stream = media.picture
    if stream is None or stream.width < 1 or stream.height < 1:
        has = "only sound" if media.audio else "none"
        raise NoStreams(f"{where}: needs a picture, and the source has {has}")
    return stream


def _plan_audio(stream: AudioStream, audio: Audio) -> AudioPlan:
    channels, rate = planned_channels(audio, stream), planned_rate(audio, stream)
    language = stream.language or ""
    return AudioPlan(
        stream=stream.index,
        codec=audio.codec,
        bitrate=planned_bitrate(audio, channels, rate),
        channels=channels,
        sample_rate=rate,
        language=language if re.fullmatch("[a-z]{3}", language) else None,
        duration=stream.duration,
    )


def _plan_thumbnails(
    media: Media, output: ThumbnailsOutput, index: int, stem: str
) -> OutputPlan:
    where = f"outputs[{index}]"
    stream = _picture(media, where)
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
