"""What a job will take and cost, told before it is submitted: by how those like it did.

Where there was none like it a table stands in, which is right to a factor of a few.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from media_nommer.core.jobs import Job
from media_nommer.core.recipes.codecs import Speed, VideoCodec
from media_nommer.core.recipes.documents import AdaptiveOutput, FileOutput, Recipe, Video
from media_nommer.core.shares import cost_of
from media_nommer.core.tasks import Task, TaskKind
from media_nommer.planning.fleet.estimates import (
    Traits,
    film_seconds_of,
    samples_of,
    traits_of,
)
from media_nommer.planning.fleet.scaling import NodeKind
from media_nommer.planning.pictures.sizes import Size
from media_nommer.planning.plan import OutputPlan, single_files
from media_nommer.planning.streaming.ladder import auto_ladder
from media_nommer.planning.video import VideoPlan

#: Seconds of a slot that x264's "medium" takes for a million pixels, and how much more or
#: less the others take; of a slot of four cores of today.
_MEGAPIXEL = 0.01
_CODECS: dict[VideoCodec, float] = {
    "h264": 1.0,
    "hevc": 3.0,
    "vp9": 4.0,
    "av1": 1.0,
    "prores": 1.0,
    "dnxhr": 0.5,
    "ffv1": 0.8,
    "copy": 0.0,
}
_SPEEDS: dict[Speed, float] = {
    "ultrafast": 0.2,
    "superfast": 0.3,
    "veryfast": 0.45,
    "faster": 0.7,
    "fast": 0.85,
    "medium": 1.0,
    "slow": 1.6,
    "slower": 3.0,
    "veryslow": 5.0,
}
#: The same for a second of film: to decode it, and to encode its sound.
_DECODING, _SOUND = 0.05, 0.02
_USUAL_RATE = 30.0
#: What two passes take of one: encoders are quicker in the first.
_TWO_PASSES = 1.5
#: How many times as long as SVT-AV1 libaom takes, which makes two passes of av1.
_AOM = 6.0

#: How far the table may be off, and the films that are thought of where no length is known.
_TABLE_SPREAD = 4.0
_FILMS = (60.0, 600.0, 7200.0)

#: How much is alike, from the most special: the outputs and the place, the outputs, the
#: presets.
_LIKENESS = ((3, "of the same outputs and folder"), (2, "of the same outputs"))
_SAME_PRESETS = (1, "of the same presets")


@dataclass(frozen=True, slots=True)
class Range:
    """What it may be, and what it most likely is."""

    low: float
    likely: float
    high: float

    def times(self, factor: float) -> "Range":
        """Return this range multiplied."""
        return Range(self.low * factor, self.likely * factor, self.high * factor)

    def plus(self, more: float) -> "Range":
        """Return this range with so much more of everything."""
        return Range(self.low + more, self.likely + more, self.high + more)


@dataclass(frozen=True, slots=True)
class PastJob:
    """A job that finished: what it was like, and the seconds of a slot that it took."""

    traits: Traits
    seconds: float
    film_seconds: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds of a slot that a job will take, and on how many past jobs that rests."""

    work: Range
    jobs: int
    basis: str


@dataclass(frozen=True, slots=True)
class CostRange:
    """What a job may cost on nodes of a kind, in US dollars.

    ``low`` is on a node that is busy with others too; ``high`` on one started for it alone,
    its boot and its idle time included.
    """

    kind: NodeKind
    low: float | None
    high: float | None


def past_job(job: Job, tasks: Iterable[Task]) -> PastJob:
    """Return what a finished job, whose last run has ``tasks``, tells of those to come."""
    seconds = sum(sample.seconds for sample in samples_of(job, tasks))
    return PastJob(likeness_of(job), seconds, film_seconds_of(job))


def likeness_of(job: Job) -> Traits:
    """Return what a job is like: its presets, its outputs, where its source is."""
    return traits_of(job, TaskKind.INSPECT)[1:]


def forecast(
    wanted: Traits,
    past: Sequence[PastJob],
    *,
    film_seconds: float | None,
    table: float,
) -> Forecast:
    """Return what a job will take, by the past jobs that are most like it.

    ``table`` is the seconds for one of film that count where none is.
    """
    presets = (_SAME_PRESETS,) if wanted[0] else ()
    for length, words in (*_LIKENESS, *presets):
        like = [each for each in past if each.traits[:length] == wanted[:length]]
        if like:
            return Forecast(_by_likes(like, film_seconds), len(like), _words(like, words))
    return _by_table(table, film_seconds)


def costs(work: Range, kinds: Iterable[NodeKind]) -> tuple[CostRange, ...]:
    """Return what so much work may cost on each kind of node, None without its price."""
    return tuple(
        CostRange(
            kind=kind,
            low=cost_of(work.low / (kind.slots * kind.speed), kind.price),
            high=kind.cost_of(work.high, work.high),
        )
        if kind.priced
        else CostRange(kind=kind, low=None, high=None)
        for kind in kinds
    )


def table_of_recipe(recipe: Recipe) -> float:
    """Return the seconds that a second of film takes, by a recipe."""
    seconds = _DECODING
    for output in recipe.outputs:
        if not isinstance(output, FileOutput | AdaptiveOutput):
            continue
        if (video := output.video) is not None:
            pixels = sum(size.width * size.height for size in _sizes(output, video)) / 1e6
            seconds += _again(video) * _encoding(
                video.codec, video.speed, pixels, _USUAL_RATE
            )
        if output.audio is not None:
            more = output.audio_groups if isinstance(output, AdaptiveOutput) else ()
            seconds += _SOUND * (1 + len(more))
    return seconds


def _sizes(output: FileOutput | AdaptiveOutput, video: Video) -> list[Size]:
    """Return how large the pictures of an output are at most, by its recipe alone."""
    top = Size(video.width or 1920, video.height or 1080)
    if not isinstance(output, AdaptiveOutput):
        return [top]
    if output.ladder is None:
        return [step.size for step in auto_ladder(top)]
    return [
        Size(rung.width or 16 * (rung.height or 1080) // 9, rung.height or 1080)
        for rung in output.ladder
    ]


def table_of_plan(outputs: Iterable[OutputPlan]) -> float:
    """Return the seconds that a second of film takes, by the exact plan of its outputs."""
    seconds = _DECODING
    for output in single_files(tuple(outputs)):
        if (video := output.video) is not None:
            pixels = video.width * video.height / 1e6
            rate = float(video.timing.rate or _USUAL_RATE)
            seconds += _again(video) * _encoding(video.codec, video.speed, pixels, rate)
        if output.audio is not None:
            seconds += _SOUND
    return seconds


def _again(video: Video | VideoPlan) -> float:
    """Return what its passes take of one; both of av1 are made by a slower encoder."""
    if video.passes == 1:
        return 1.0
    return _TWO_PASSES * (_AOM if video.codec == "av1" else 1.0)


def _encoding(codec: VideoCodec, speed: Speed, megapixels: float, rate: float) -> float:
    return _MEGAPIXEL * _CODECS[codec] * _SPEEDS[speed] * megapixels * rate


def _by_likes(like: Sequence[PastJob], film_seconds: float | None) -> Range:
    """Return the range of past jobs, the wider the fewer there were."""
    values = [each.seconds for each in like]
    if film_seconds:
        rates = [each.seconds / each.film_seconds for each in like if each.film_seconds]
        values = [rate * film_seconds for rate in rates] or values
    spread = 1 + 1 / len(values)
    return Range(min(values) / spread, fmean(values), max(values) * spread)


def _words(like: Sequence[PastJob], words: str) -> str:
    return f"{len(like)} past job{'s' * (len(like) > 1)} {words}"


def _by_table(table: float, film_seconds: float | None) -> Forecast:
    if film_seconds:
        work = Range(1 / _TABLE_SPREAD, 1.0, _TABLE_SPREAD).times(table * film_seconds)
        return Forecast(work, 0, "nothing learned yet: a table of usual speeds")
    low, likely, high = _FILMS
    work = Range(low / _TABLE_SPREAD, likely, high * _TABLE_SPREAD).times(table)
    return Forecast(
        work,
        0,
        "nothing learned yet, and no length given: a table of usual speeds, for a film of "
        "one minute to two hours",
    )
