"""Finding the quality with which a film comes to the VMAF asked for, by trials on samples.

VMAF (Netflix's libvmaf, its default model) says from 0 to 100 how much a picture looks like
what it was made from. Samples are taken evenly out of the film, kept without loss as the
encoder would get them, encoded with a few qualities, and scored against what was kept.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log

from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.codecs import VideoCodec
from media_nommer.core.recipes.powers import POWERS
from media_nommer.planning.drawing import NO_DRAWING
from media_nommer.planning.effects import NO_FADES
from media_nommer.planning.ffmpeg.filters import picture_graph, video_label
from media_nommer.planning.ffmpeg.video_encoders import video_options
from media_nommer.planning.inputs.reading import Source, opened
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.video import VideoPlan

#: As often a quality is tried, at most.
MOST_TRIALS = 4

#: A film that is no longer is taken whole: samples of it would hardly be less.
_WHOLE = 24.0
_SAMPLE = 3.0  # seconds; near its edges an encoder does worse than in a whole film
_SHARE, _LONGEST = 0.25, 40.0  # of a film, and seconds of the longest one
_PIXELS = 1920 * 1080 * 600  # kept without loss at a time: a gigabyte or so, at most
_LEAST_SAMPLES = 2

_NEAR = 0.2  # VMAF that is not worth another trial
_CLOSE = 3.0  # qualities so near each other that a line between them tells what is between
_LONGEST_STEP = 10.0
_SCORED = 5  # every so many frames is scored; the next ones look like it

#: About the VMAF that each codec's usual quality comes to: where the search begins.
_USUAL_SCORE = 95.0
#: By how much the logarithm of what a score lacks grows with a step of quality, about: it
#: is nearer to a straight line than the score itself.
_SLOPE: Mapping[VideoCodec, float] = {"h264": 0.13, "hevc": 0.13, "vp9": 0.08, "av1": 0.08}
_PERFECT = 101.0
_WHOLE_STEPS = frozenset({"vp9", "av1"})  # whose encoders take no parts of a step

_SCORE = re.compile(r"VMAF score: ([0-9.]+)")
#: What the samples and the latest trial are called in scratch.
REFERENCE, TRIAL = "sample.mkv", "trial.mkv"

_INDEXED = ("mov", "matroska")  # formats in which seeking finds a key frame before a time


@dataclass(frozen=True, slots=True)
class Sample:
    """A part of the film, in seconds after where it, or its cut, begins."""

    start: float
    duration: float

    @property
    def end(self) -> float:
        """Where it ends."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Trial:
    """A quality that was tried, and the VMAF that came of it."""

    quality: float
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """The quality to encode with, and the VMAF that the trials promise of it."""

    quality: float
    score: float


def samples_of(video: VideoPlan) -> tuple[Sample, ...]:
    """Return the parts that stand for the whole: all of it where it is short.

    Where nothing tells how long it is, they are its beginning.
    """
    length = video.duration
    if length is None or length <= _WHOLE:
        return (Sample(0.0, length or _WHOLE),)
    rate = float(video.timing.rate or 30)
    room = _PIXELS / (video.width * video.height * rate)
    total = min(length * _SHARE, _LONGEST, max(room, _SAMPLE * _LEAST_SAMPLES))
    count = int(total / _SAMPLE)
    step = length / count
    return tuple(
        Sample(round((number + 0.5) * step - _SAMPLE / 2, 3), _SAMPLE)
        for number in range(count)
    )


def sample_bytes(video: VideoPlan) -> int:
    """Return about how many bytes the samples take, which lose nothing."""
    seconds = sum(sample.duration for sample in samples_of(video))
    return round(seconds * float(video.timing.rate or 30) * video.width * video.height)


def sample_command(
    media: Media, output: OutputPlan, *, source: Source, threads: int
) -> tuple[str, ...]:
    """Return the run that keeps the samples as the encoder would get them, end to end.

    A format in which seeking is not sure is read from its beginning.
    """
    assert output.video is not None
    stream = next(each for each in media.video if each.index == output.video.stream)
    first = output.cut.start if output.cut else 0.0
    parts = [
        replace(sample, start=first + sample.start) for sample in samples_of(output.video)
    ]
    inputs: list[str] = []
    if any(name in media.format for name in _INDEXED):
        for part in parts:
            sought = ("-ss", f"{part.start:.3f}", "-t", f"{part.duration:.3f}")
            inputs += opened(source, threads, *sought)
        joined = _one_after_another(stream, len(parts))
    else:
        inputs += opened(source, threads, "-t", f"{parts[-1].end:.3f}")
        joined = _picked(source, stream, parts)
    graph = picture_graph(stream, [_bare(output)], decoded="joined")
    return (
        *inputs,
        *("-filter_complex", f"{joined}[joined];{graph}"),
        *("-map", f"[{video_label(output)}]", "-fps_mode:v", "passthrough"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-qp", "0"),
        *("-threads:v", str(threads), "-f", "matroska", REFERENCE),
    )


def trial_command(output: OutputPlan, quality: float, *, threads: int) -> tuple[str, ...]:
    """Return the run that encodes the samples with a quality."""
    assert output.video is not None
    video = replace(output.video, quality=quality)
    return (
        *("-threads", str(threads), "-i", REFERENCE, "-map", "0:v"),
        *(*video_options(video, "mkv", threads), "-f", "matroska", TRIAL),
    )


def score_command(*, threads: int) -> tuple[str, ...]:
    """Return the run that scores what was encoded last; its log says how."""
    graph = f"[0:v][1:v]libvmaf=n_threads={threads}:n_subsample={_SCORED}"
    inputs = ("-threads", "1", "-i", TRIAL, "-threads", "1", "-i", REFERENCE)
    return (*inputs, "-filter_complex", graph, "-f", "null", "-")


def score_in(log: Sequence[str]) -> float | None:
    """Return what a log says of the score, None if it says nothing."""
    found = (_SCORE.search(line) for line in reversed(log))
    return next((float(match[1]) for match in found if match), None)


def next_quality(video: VideoPlan, target: float, trials: Sequence[Trial]) -> float | None:
    """Return the quality to try next, None once ``found`` knows enough."""
    if not trials:
        usual = Trial(_usual(video), _USUAL_SCORE)
        return _fitted(video, usual.quality + _step(video, usual, (), target))
    best = _nearest(trials, target)
    if abs(best.score - target) <= _NEAR or len(trials) >= MOST_TRIALS:
        return None
    better, worse = _around(trials, target)
    if better is not None and worse is not None:
        if worse.quality - better.quality <= _CLOSE:
            return None
        wanted = _between(better, worse, target)
    else:
        wanted = best.quality + _step(video, best, trials, target)
    wanted = _fitted(video, wanted)
    return None if any(trial.quality == wanted for trial in trials) else wanted


def found(video: VideoPlan, target: float, trials: Sequence[Trial]) -> Found:
    """Return what the trials say: the quality, and the score that it should come to."""
    best = _nearest(trials, target)
    better, worse = _around(trials, target)
    if better is None or worse is None or abs(best.score - target) <= _NEAR:
        return Found(best.quality, round(best.score, 2))
    quality = _fitted(video, _between(better, worse, target))
    share = (quality - better.quality) / (worse.quality - better.quality)
    lacks, more = _lacks(better.score), _lacks(worse.score)
    return Found(quality, round(_PERFECT - exp(lacks + share * (more - lacks)), 2))


def _one_after_another(stream: VideoStream, count: int) -> str:
    joined = "".join(f"[{number}:{stream.index}]" for number in range(count))
    return f"{joined}concat=n={count}:v=1:a=0"


def _picked(source: Source, stream: VideoStream, parts: Sequence[Sample]) -> str:
    """Return the filters that leave the frames of the parts, without the gaps between."""
    wanted = "+".join(f"gte(t,{part.start:.3f})*lt(t,{part.end:.3f})" for part in parts)
    rate = stream.average_rate or stream.frame_rate or 25
    last = f"trim=end={parts[-1].end:.3f}"  # with which reading ends
    picked = f"select='{wanted}',setpts='N/({rate}*TB)'"
    if isinstance(source, str):
        return f"[0:{stream.index}]{picked}"
    return f"{source.text(picture='film', sounds={})};[film]{last},{picked}"


def _bare(output: OutputPlan) -> OutputPlan:
    """Return an output whose samples lie one after another: they have no edges to fade.

    What is drawn has times of the whole film, and says little of the film's own picture.
    """
    assert output.video is not None
    effects = replace(output.video.effects, fades=NO_FADES)
    bare = replace(output.video, effects=effects, drawing=NO_DRAWING)
    return replace(output, cut=None, video=bare)


def _usual(video: VideoPlan) -> float:
    usual = POWERS[video.codec].quality
    assert usual is not None
    return float(usual.default)


def _fitted(video: VideoPlan, quality: float) -> float:
    """Return the nearest quality that the encoder takes."""
    limits = POWERS[video.codec].quality
    assert limits is not None
    step = 1.0 if video.codec in _WHOLE_STEPS else 0.1
    least = max(limits.best, 1)  # 0 is for what loses nothing
    return min(max(round(round(quality / step) * step, 1), least), limits.worst)


def _nearest(trials: Sequence[Trial], target: float) -> Trial:
    return min(trials, key=lambda trial: abs(trial.score - target))


def _around(trials: Sequence[Trial], target: float) -> tuple[Trial | None, Trial | None]:
    """Return the trials next to the target on its better and its worse side."""
    better = [trial for trial in trials if trial.score >= target]
    worse = [trial for trial in trials if trial.score < target]
    return (
        max(better, key=lambda trial: trial.quality, default=None),
        min(worse, key=lambda trial: trial.quality, default=None),
    )


def _between(better: Trial, worse: Trial, target: float) -> float:
    """Return the quality that should come to the target, by a line between two trials."""
    lacks, more = _lacks(better.score), _lacks(worse.score)
    share = (_lacks(target) - lacks) / (more - lacks)
    return better.quality + share * (worse.quality - better.quality)


def _step(video: VideoPlan, best: Trial, trials: Sequence[Trial], target: float) -> float:
    """Return how far to go from the best trial, all being on one side of the target."""
    slope = _SLOPE[video.codec]
    others = [trial for trial in trials if trial.quality != best.quality]
    if others:
        other = min(others, key=lambda trial: abs(trial.quality - best.quality))
        measured = (_lacks(best.score) - _lacks(other.score)) / (
            best.quality - other.quality
        )
        slope = max(measured, slope / 3)
    return _short((_lacks(target) - _lacks(best.score)) / slope)


def _short(step: float) -> float:
    return min(max(step, -_LONGEST_STEP), _LONGEST_STEP)


def _lacks(score: float) -> float:
    """Return the logarithm of what a score lacks of a perfect one."""
    return log(_PERFECT - score)
