"""How long a task will take, by how long those like it took."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from media_nommer.core.jobs import Job
from media_nommer.core.tasks import Attempt, AttemptEnd, Task, TaskKind

#: Seconds of a task when nothing like it was ever seen: short of both a clip and a film.
UNKNOWN = 60.0

#: What the newest sample counts for at least, so that what is long past fades.
_NEWEST = 0.2

#: How many traits are remembered; the ones learned longest ago go first.
_MOST_TRAITS = 1000

#: Progress below this says more about how an encoder starts than about how fast it is.
_TELLING_PROGRESS = 0.05

#: What is made of a film and is not as long.
_NO_FILMS = {"gif", "webp", "avif", "webvtt", "srt"}

#: What a task is like, from the most general to the most special.
Traits = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """How long one task took: seconds of a slot, and of the film that it was made from."""

    traits: Traits
    seconds: float
    film_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Mean:
    """A mean in which the newest count for more."""

    value: float = 0.0
    count: int = 0

    def with_sample(self, value: float) -> "_Mean":
        share = max(1 / (self.count + 1), _NEWEST)
        return _Mean(self.value + share * (value - self.value), self.count + 1)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of some traits: seconds a task, and seconds a second of film."""

    seconds: _Mean = field(default_factory=_Mean)
    rate: _Mean = field(default_factory=_Mean)

    def with_sample(self, sample: Sample) -> "_Known":
        rate = self.rate
        if sample.film_seconds:
            rate = rate.with_sample(sample.seconds / sample.film_seconds)
        return _Known(self.seconds.with_sample(sample.seconds), rate)


@dataclass(frozen=True, slots=True)
class Estimates:
    """What was learned from past tasks: a value, bounded in size."""

    known: Mapping[Traits, _Known] = field(default_factory=dict)

    def learned(self, samples: Iterable[Sample]) -> "Estimates":
        """Return these estimates with samples added, the oldest first."""
        known = dict(self.known)
        for sample in samples:
            for length in range(len(sample.traits) + 1):
                traits = sample.traits[:length]
                before = known.pop(traits, _Known())  # to the end: it is the newest now
                known[traits] = before.with_sample(sample)
        newest = list(known.items())[-_MOST_TRAITS:]
        return Estimates(dict(newest))

    def of(self, traits: Traits, film_seconds: float | None = None) -> float:
        """Return the seconds of a task, by the most special of its traits that are known.

        Where the length of its film is known, and a rate, it is their product.
        """
        for length in range(len(traits), -1, -1):
            known = self.known.get(traits[:length])
            if known is None:
                continue
            if film_seconds and known.rate.count:
                return known.rate.value * film_seconds
            return known.seconds.value
        return UNKNOWN


def seconds_left(estimate: float, elapsed: float, progress: float) -> float:
    """Return the seconds until a task that runs for ``elapsed`` is done.

    Its own progress tells best. Before it has made some, the estimate does. A task that
    takes longer than that, or only has to publish, is taken to need a tenth of its time
    more, ever again.
    """
    elapsed = max(elapsed, 0.0)
    if _TELLING_PROGRESS <= progress < 1:
        return elapsed * (1 - progress) / progress
    if progress >= 1:
        return elapsed / 10
    return max(estimate - elapsed, elapsed / 10)


def traits_of(job: Job, kind: TaskKind) -> Traits:
    """Return what a task of a job is like: its kind, presets, outputs, and source's place.

    Films of one folder (or bucket, or host) tend to be of one length.
    """
    outputs = json.dumps(job.recipe.get("outputs"), sort_keys=True, default=str)
    fingerprint = sha256(outputs.encode()).hexdigest()[:16]
    folder = job.source.partition("?")[0].rpartition("/")[0]
    return (kind, "+".join(job.presets), fingerprint, folder)


def film_seconds_of(job: Job) -> float | None:
    """Return how long a job's film is, as far as an output that was made tells."""
    told = (
        output.facts.get("duration")
        for output in job.outputs
        if output.facts.get("format") not in _NO_FILMS
    )
    return max((float(t) for t in told if isinstance(t, int | float) and t), default=None)


def samples_of(job: Job, tasks: Iterable[Task]) -> list[Sample]:
    """Return how long the tasks of a job took that succeeded, by when they ended."""
    film_seconds = film_seconds_of(job)
    ended = [(attempt, task.kind) for task in tasks for attempt in _successes(task)]
    return [
        Sample(traits_of(job, kind), _seconds(attempt), film_seconds)
        for attempt, kind in sorted(ended, key=lambda pair: pair[0].ended_at)
    ]


def _successes(task: Task) -> list[Attempt]:
    return [attempt for attempt in task.attempts if attempt.end is AttemptEnd.COMMITTED]


def _seconds(attempt: Attempt) -> float:
    return max((attempt.ended_at - attempt.started_at).total_seconds(), 0.0)
