"""FFmpeg's command lines, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.codecs import CONTAINERS
from media_nommer.planning.encoders import (
    audio_options,
    metadata_options,
    muxer_options,
    sound_filters,
)
from media_nommer.planning.filters import picture_graph, thumbnail_filters, video_label
from media_nommer.planning.looks import drawn
from media_nommer.planning.loudness import Measured, measuring_filter
from media_nommer.planning.plan import OutputPlan, ThumbnailPlan
from media_nommer.planning.video_encoders import video_options

_INDEXED = ("mp4", "mov", "matroska", "webm")  # formats in which seeking is quick and sure
_MOST_SEEKS = 20
_LONG_ENOUGH = 20.0  # seconds of film below which decoding it all is as quick as seeking


@dataclass(frozen=True, slots=True)
class Produced:
    """One file that a command leaves in the scratch directory.

    ``path`` is its name there; ``name`` is what it is to be called at the destination.
    """

    output: int
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class EncodeCommand:
    """One run of FFmpeg: its arguments without the program, and what it leaves behind.

    The runner puts its own options (progress, log level, limits) in front.
    """

    argv: tuple[str, ...]
    produces: tuple[Produced, ...]


@dataclass(frozen=True, slots=True)
class MeasureCommand:
    """One run of FFmpeg that only measures the sound of some outputs, for its log."""

    argv: tuple[str, ...]
    outputs: tuple[int, ...]


def measure_commands(
    outputs: Sequence[OutputPlan], *, source: str, threads: int
) -> tuple[MeasureCommand, ...]:
    """Return the runs that must come before ``encode_command``: none without loudness.

    There is one for each sound that differs. What ``measured_in`` finds in its log is for
    all of its outputs.
    """
    alike: dict[tuple[str, ...], list[int]] = {}
    for output in outputs:
        if output.audio is None or output.audio.loudness is None:
            continue
        filters = (*sound_filters(output.audio, output.cut), measuring_filter())
        argv = (
            *("-threads", str(threads), *_sought((output,)), "-i", source),
            *("-map", f"0:{output.audio.stream}", "-filter:a", ",".join(filters)),
            *("-f", "null", "-"),
        )
        alike.setdefault(argv, []).append(output.index)
    return tuple(MeasureCommand(argv, tuple(indices)) for argv, indices in alike.items())


def encode_command(
    media: Media,
    outputs: Sequence[OutputPlan],
    *,
    source: str,
    threads: int,
    measured: Mapping[int, Measured] = MappingProxyType({}),
) -> EncodeCommand:
    """Return the one command that makes all ``outputs`` from one decode of ``source``.

    ``source`` is a path relative to the scratch directory; ``threads`` are given to the
    decoder and to each encoder, and are part of what decides the bytes of the outputs.
    ``measured`` is by the outputs' index: one without it is left as loud as it is.
    Thumbnails alone, of a long film, are fetched by seeking instead.
    """
    produces = tuple(made for output in outputs for made in produced(output))
    if _by_seeking(media, outputs):
        return EncodeCommand(_seeks(media, outputs, source), produces)
    picture = _picture(media, outputs)
    argv = ["-threads", str(threads), *_sought(outputs), "-i", source]
    if picture is not None and any(drawn(output) for output in outputs):
        argv += ["-filter_complex_threads", str(threads)]
        argv += ["-filter_complex", picture_graph(picture, outputs)]
    for output in outputs:
        if output.thumbnails:
            argv += _thumbnails(output)
        else:
            argv += _file(output, threads, measured.get(output.index))
    return EncodeCommand(tuple(argv), produces)


def _picture(media: Media, outputs: Sequence[OutputPlan]) -> VideoStream | None:
    """Return the stream that the outputs are planned from: there is one for all."""
    wanted = {part.stream for o in outputs for part in (o.video, o.thumbnails) if part}
    return next((stream for stream in media.video if stream.index in wanted), None)


def _sought(outputs: Sequence[OutputPlan]) -> tuple[str, ...]:
    """Return the options that begin to read before a cut."""
    seek = next((output.cut.seek for output in outputs if output.cut), 0.0)
    return ("-noaccurate_seek", "-ss", f"{seek:.6f}") if seek > 0 else ()


def produced(output: OutputPlan) -> tuple[Produced, ...]:
    """Return the files of one output, in the order of its names.

    The names in scratch are ours: nothing in them comes from outside.
    """
    if output.container == "jpeg":
        return tuple(
            Produced(output.index, f"out-{output.index}-{number:06d}.jpg", name)
            for number, name in enumerate(output.names, start=1)
        )
    extension = CONTAINERS[output.container].extensions[0]
    return (Produced(output.index, f"out-{output.index}.{extension}", output.names[0]),)


def _file(output: OutputPlan, threads: int, measured: Measured | None) -> list[str]:
    assert output.container != "jpeg"
    argv: list[str] = []
    if output.video:
        own = f"[{video_label(output)}]"
        argv += ["-map", own if drawn(output) else f"0:{output.video.stream}"]
    if output.audio:
        argv += ["-map", f"0:{output.audio.stream}"]
    argv += metadata_options(output)
    if output.video:
        argv += video_options(output.video, output.container, threads)
    if output.audio:
        argv += audio_options(output.audio, output.cut, measured)
    return [*argv, *muxer_options(output.container), produced(output)[0].path]


def _thumbnails(output: OutputPlan) -> list[str]:
    assert output.thumbnails is not None
    return [
        *("-map", f"[{video_label(output)}]", *_jpeg_options(output.thumbnails)),
        *("-fps_mode:v", "passthrough", "-f", "image2", "-start_number", "1"),
        f"out-{output.index}-%06d.jpg",
    ]


def _jpeg_options(plan: ThumbnailPlan) -> tuple[str, ...]:
    """Return the encoder's options; its scale goes from 2 (best) upwards."""
    scale = 2 + round((100 - plan.quality) / 5)
    return (
        *("-map_metadata", "-1", "-c:v", "mjpeg", "-q:v", str(scale), "-threads:v", "1"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact"),
    )


def _by_seeking(media: Media, outputs: Sequence[OutputPlan]) -> bool:
    plans = [output.thumbnails for output in outputs]
    return (
        all(plans)
        and not any(output.cut for output in outputs)
        and sum(len(plan.times) for plan in plans if plan) <= _MOST_SEEKS
        and (media.duration or 0.0) > _LONG_ENOUGH
        and any(name in media.format for name in _INDEXED)
    )


def _seeks(media: Media, outputs: Sequence[OutputPlan], source: str) -> tuple[str, ...]:
    """Return one input, sought, for each picture: FFmpeg decodes from the key frame on."""
    picture = _picture(media, outputs)
    assert picture is not None
    inputs: list[str] = []
    pictures: list[str] = []
    number = 0
    for output in outputs:
        if output.thumbnails is None:
            continue
        filters = thumbnail_filters(picture, output.thumbnails)
        for time, made in zip(output.thumbnails.times, produced(output), strict=True):
            seek = ("-ss", f"{time:.6f}") if time > 0 else ()
            inputs += ["-threads", "1", *seek, "-i", source]
            pictures += _one_picture(picture, output.thumbnails, number, filters, made.path)
            number += 1
    return (*inputs, *pictures)


def _one_picture(
    stream: VideoStream, plan: ThumbnailPlan, number: int, filters: str, path: str
) -> tuple[str, ...]:
    return (
        *("-map", f"{number}:{stream.index}", "-filter:v", filters, "-frames:v", "1"),
        *(*_jpeg_options(plan), "-f", "image2", "-update", "1", path),
    )
