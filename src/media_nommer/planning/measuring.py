"""Measuring a whole output: how near its picture comes to what it was made from.

VMAF (Netflix's libvmaf, its default model) goes from 0 to 100, SSIM to 1, PSNR is decibels.
An output is compared with the source's picture as it would have been without a box and
without an encoder: the same part of it, cropped, at the same frames, with the same effects.
Where it is smaller than that, it is enlarged first (bicubic), as a player does on a large
screen; so what a smaller size loses counts too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.base import Metric
from media_nommer.planning.ffmpeg.filters import padding, picture_graph, video_label
from media_nommer.planning.inputs.reading import Source, opened
from media_nommer.planning.pictures.shapes import Shape
from media_nommer.planning.pictures.sizes import Size, even_below, shown_size
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.video import VideoPlan

#: What PSNR says of pictures without a difference, which have no end of it.
_EQUAL = 100.0

_NUMBER = r"([0-9.]+|inf)"
_SAID: Mapping[Metric, re.Pattern[str]] = {
    "vmaf": re.compile(rf"VMAF score: {_NUMBER}"),
    "ssim": re.compile(rf"SSIM .*All:{_NUMBER}"),
    "psnr": re.compile(rf"PSNR .*average:{_NUMBER}"),
}
_DIGITS: Mapping[Metric, int] = {"vmaf": 2, "ssim": 5, "psnr": 2}

#: Frames are paired by their number: their times may be off by a tick of the container.
_COUNTED = "settb=1/25,setpts=N"


def measuring_command(
    media: Media, output: OutputPlan, made: str, *, source: Source, threads: int
) -> tuple[str, ...]:
    """Return the run that compares one file, called ``made``, with the source.

    Its log says what came of it, which ``measured_in`` reads.
    """
    video, metrics = output.video, output.measure
    assert video is not None
    stream = next(each for each in media.video if each.index == video.stream)
    reference = _reference(output, video, stream)
    shape = reference.video.shape if reference.video else video.shape
    pixels = reference.video.pixel_format if reference.video else video.pixel_format
    label = video_label(reference)
    seek = output.cut.seek if output.cut else 0.0
    sought = ("-noaccurate_seek", "-ss", f"{seek:.6f}") if seek > 0 else ()
    inputs = opened(source, threads, *sought)
    drawn = picture_graph(stream, [reference])
    if not isinstance(source, str):
        joined = source.text(picture="joined", sounds={})
        drawn = f"{joined};{picture_graph(stream, [reference], decoded='joined')}"
    graph = (
        f"{drawn};[{label}]{_COUNTED}{_split('r', metrics)};"
        f"[{inputs.count('-i')}:v:0]{_enlarged(video.shape, shape)}format={pixels},"
        f"{_COUNTED}"
        f"{_split('m', metrics)};{_compared(metrics, threads)}"
    )
    maps = (word for metric in metrics for word in ("-map", f"[{metric}]"))
    return (
        *inputs,
        *opened(made, threads),
        *("-filter_complex_threads", str(threads), "-filter_complex", graph),
        *(*maps, "-f", "null", "-"),
    )


def measured_in(log: Sequence[str], metrics: Sequence[Metric]) -> dict[str, float]:
    """Return what a log says of each metric; those that it does not tell are left out."""
    found: dict[str, float] = {}
    for metric in metrics:
        told = (_SAID[metric].search(line) for line in reversed(log))
        match = next((each for each in told if each), None)
        if match is not None:
            value = _EQUAL if match[1] == "inf" else float(match[1])
            found[metric] = round(value, _DIGITS[metric])
    return found


def _reference(output: OutputPlan, video: VideoPlan, stream: VideoStream) -> OutputPlan:
    """Return the output as one of the source's own size, in pixels that can be compared."""
    shape = _reference_shape(video.shape, stream)
    pixels = "yuv420p10le" if video.bit_depth > 8 else "yuv420p"
    return replace(output, video=replace(video, shape=shape, pixels=pixels))


def _reference_shape(shape: Shape, stream: VideoStream) -> Shape:
    """Return the size to compare at: the source's, or that of an output that is larger."""
    own = shown_size(stream)
    if shape.crop is not None:
        across, down = stream.width, stream.height
        if stream.rotation % 180 == 90:
            across, down = down, across
        wide, high = Fraction(own.width, across), Fraction(own.height, down)
        own = Size(round(shape.crop.width * wide), round(shape.crop.height * high))
    own = Size(even_below(own.width), even_below(own.height))
    larger = own if own.width * own.height > _pixels(shape.scaled) else shape.scaled
    return Shape(larger, larger, shape.crop)


def _pixels(size: Size) -> int:
    return size.width * size.height


def _enlarged(shape: Shape, reference: Shape) -> str:
    """Return the filters from an output's picture to the size of the reference."""
    cut = ""
    if shape.padded:
        left, top = padding(shape)
        cut = f"crop={shape.scaled.width}:{shape.scaled.height}:{left}:{top},"
    if shape.scaled == reference.scaled:
        return cut
    size = f"{reference.scaled.width}:{reference.scaled.height}"
    return f"{cut}scale={size}:flags=bicubic,setsar=1,"


def _split(name: str, metrics: Sequence[Metric]) -> str:
    if len(metrics) == 1:
        return f"[{name}0]"
    labels = "".join(f"[{name}{number}]" for number in range(len(metrics)))
    return f",split={len(metrics)}{labels}"


def _compared(metrics: Sequence[Metric], threads: int) -> str:
    options = {"vmaf": f"libvmaf=n_threads={threads}", "ssim": "ssim", "psnr": "psnr"}
    return ";".join(
        f"[m{number}][r{number}]{options[metric]}[{metric}]"
        for number, metric in enumerate(metrics)
    )
