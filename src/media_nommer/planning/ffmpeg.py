"""FFmpeg's command lines, as data."""

from collections.abc import Sequence
from dataclasses import dataclass

from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.codecs import CONTAINERS
from media_nommer.planning.encoders import (
    audio_options,
    metadata_options,
    muxer_options,
    video_options,
)
from media_nommer.planning.filters import picture_graph, thumbnail_filters, video_label
from media_nommer.planning.plan import OutputPlan, ThumbnailPlan

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


def encode_command(
    media: Media, outputs: Sequence[OutputPlan], *, source: str, threads: int
) -> EncodeCommand:
    """Return the one command that makes all ``outputs`` from one decode of ``source``.

    ``source`` is a path relative to the scratch directory; ``threads`` are given to the
    decoder and to each encoder, and are part of what decides the bytes of the outputs.
    Thumbnails alone, of a long film, are fetched by seeking instead.
    """
    produces = tuple(made for output in outputs for made in produced(output))
    if _by_seeking(media, outputs):
        return EncodeCommand(_seeks(media, outputs, source), produces)
    picture = media.picture
    argv = ["-threads", str(threads), "-i", source]
    if picture is not None and any(o.video or o.thumbnails for o in outputs):
        argv += ["-filter_complex_threads", str(threads)]
        argv += ["-filter_complex", picture_graph(picture, outputs)]
    for output in outputs:
        argv += _thumbnails(output) if output.thumbnails else _file(output, threads)
    return EncodeCommand(tuple(argv), produces)


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


def _file(output: OutputPlan, threads: int) -> list[str]:
    assert output.container != "jpeg"
    argv: list[str] = []
    if output.video:
        argv += ["-map", f"[{video_label(output)}]"]
    if output.audio:
        argv += ["-map", f"0:{output.audio.stream}"]
    argv += metadata_options(output)
    if output.video:
        argv += video_options(output.video, threads)
    if output.audio:
        argv += audio_options(output.audio)
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
        and sum(len(plan.times) for plan in plans if plan) <= _MOST_SEEKS
        and (media.duration or 0.0) > _LONG_ENOUGH
        and any(name in media.format for name in _INDEXED)
    )


def _seeks(media: Media, outputs: Sequence[OutputPlan], source: str) -> tuple[str, ...]:
    """Return one input, sought, for each picture: FFmpeg decodes from the key frame on."""
    picture = media.picture
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
