"""(h) Calls of Amazon's services: of a job, and of an idle system, and what they cost."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import boto3

from benchmarks import films, tables
from benchmarks.amazon import amazon
from benchmarks.daemons import BEATS, CHORES, DUTIES, POLLS, Call, Daemons, daemons
from benchmarks.running import CommandFailed
from benchmarks.serving import wait_for
from media_nommer.conf import load_settings
from media_nommer.core.jobs import JobId, JobState
from media_nommer.wiring import open_engine

#: The queue and the work area go by the store's name, so each has one of its own.
STORES = {
    "SQS, DynamoDB, S3": "dynamodb://bench-on-dynamodb",
    "SQS, SimpleDB, S3": "simpledb://bench-on-simpledb",
}
AIM_A_DAY = 0.05

#: What a start causes is over by then; seconds.
_SETTLE = 30.0
#: Chores so rare that their first round is counted, and how many an hour has.
_ROUNDS_AN_HOUR = {"tidying": 6, "archiving": 1}
#: What goes on without a job; scaling is woken by one, and polls bring its tasks.
_PERIODIC = {DUTIES, BEATS, *CHORES} - {"scaling"}
_DISTURBED = {"scaling", POLLS}
_PATIENCE = 180


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print the tables; both systems are idle at the same time."""
    seconds, jobs = (60.0, 2) if quick else (180.0, runs)
    with amazon(), ExitStack() as stack:
        s3 = boto3.client("s3")
        for bucket in ("bench-work", "bench-in", "bench-out"):
            s3.create_bucket(Bucket=bucket)
        (clip,) = films.small_clips(folder, 1)
        s3.upload_file(str(clip), "bench-in", "clip.mp4")
        systems = [
            stack.enter_context(daemons(folder / str(number), name, store))
            for number, (name, store) in enumerate(STORES.items())
        ]
        time.sleep(_SETTLE)
        began = time.time()
        time.sleep(seconds)
        ended = time.time()
        for system in systems:
            idle = _Idle.of(system.calls(), began, ended)
            _show_idle(system.name, idle, seconds)
            _show_jobs(system, idle, jobs)
    tables.note(
        "us-east-1, list prices, no free tier; DynamoDB's units are reckoned from requests "
        "and answers, SimpleDB's machine hours are those that our double tells"
    )


@dataclass(frozen=True, slots=True)
class _Sum:
    """How many calls, what they cost, and their units by name."""

    calls: float = 0.0
    dollars: float = 0.0
    units: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, calls: Iterable[Call]) -> "_Sum":
        count, dollars, units = 0, 0.0, Counter[str]()
        for call in calls:
            count += 1
            dollars += call.cost.dollars
            units.update(call.cost.units)
        return cls(count, dollars, units)

    def times(self, factor: float) -> "_Sum":
        units = Counter({unit: count * factor for unit, count in self.units.items()})
        return _Sum(self.calls * factor, self.dollars * factor, units)

    def plus(self, other: "_Sum") -> "_Sum":
        units = Counter(self.units)
        units.update(other.units)
        return _Sum(self.calls + other.calls, self.dollars + other.dollars, units)


#: Who makes it, of which service, which operation.
_Kind = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Idle:
    """What an hour without work takes, by kind of call."""

    an_hour: dict[_Kind, _Sum]

    @classmethod
    def of(cls, calls: Sequence[Call], began: float, ended: float) -> "_Idle":
        """Scale what was seen up to an hour; of rare chores, their first round."""
        often = [c for c in calls if c.who not in _ROUNDS_AN_HOUR and began <= c.at < ended]
        rare = [c for c in calls if c.who in _ROUNDS_AN_HOUR and c.at < ended]
        sums = {kind: each.times(3600 / (ended - began)) for kind, each in _by_kind(often)}
        sums |= {
            kind: each.times(_ROUNDS_AN_HOUR[kind[0]]) for kind, each in _by_kind(rare)
        }
        return cls(sums)


def _by_kind(calls: Iterable[Call]) -> list[tuple[_Kind, _Sum]]:
    found: dict[_Kind, list[Call]] = {}
    for call in calls:
        found.setdefault((call.who, call.service, call.operation), []).append(call)
    return [(kind, _Sum.of(each)) for kind, each in found.items()]


def _show_idle(name: str, idle: _Idle, seconds: float) -> None:
    total, rows = _Sum(), []
    for (who, service, operation), each in sorted(
        idle.an_hour.items(), key=lambda pair: -pair[1].dollars
    ):
        total = total.plus(each)
        rows.append([f"{who}: {service}.{operation}", *_cells(each)])
    rows.append(["all", *_cells(total)])
    tables.show(
        f"(h) {name}: feederd and one kept worker, idle, seen for {seconds:.0f} s",
        ("", "calls an hour", "units an hour", "cents a day"),
        rows,
    )
    by_who: dict[str, float] = {}
    for (who, _, _), each in idle.an_hour.items():
        by_who[who] = by_who.get(who, 0.0) + each.dollars * 24
    told = sorted(by_who.items(), key=lambda pair: -pair[1])
    tables.note("; ".join(f"{who} {100 * dollars:.2f} ct" for who, dollars in told))
    tables.note(f"${total.dollars * 24:.3f} a day; aim: less than ${AIM_A_DAY}")


def _cells(each: _Sum) -> list[str]:
    units = ", ".join(f"{count:.0f} {unit}" for unit, count in each.units.items() if count)
    return [f"{each.calls:.0f}", units, f"{each.dollars * 24 * 100:.3f}"]


def _show_jobs(system: Daemons, idle: _Idle, jobs: int) -> None:
    began = time.time()
    _do(system, jobs)
    ended = time.time()
    seen = [call for call in system.calls() if began <= call.at < ended]
    sums: dict[tuple[str, str], _Sum] = {}
    for (who, service, operation), each in _by_kind(
        call for call in seen if call.who not in _PERIODIC
    ):
        if who in _DISTURBED:
            usual = idle.an_hour.get((who, service, operation), _Sum())
            each = each.plus(usual.times(-(ended - began) / 3600))
        kind = (service, operation)
        sums[kind] = sums.get(kind, _Sum()).plus(each)
    total, rows = _Sum(), []
    for (service, operation), each in sorted(sums.items()):
        job = each.times(1 / jobs)
        total = total.plus(job)
        rows.append([f"{service}.{operation}", *_job_cells(job)])
    rows.append(["all", *_job_cells(total)])
    tables.show(
        f"(h) {system.name}: a job of one output, on top of the idle system, "
        f"{jobs} jobs one after the other",
        ("", "calls", "units", "dollars a million jobs"),
        rows,
    )


def _job_cells(each: _Sum) -> list[str]:
    units = ", ".join(f"{count:.1f} {unit}" for unit, count in each.units.items() if count)
    return [f"{each.calls:.1f}", units, f"{each.dollars * 1e6:.2f}"]


def _do(system: Daemons, jobs: int) -> None:
    """Do jobs one after the other, looking at the store by ourselves, not through feederd.

    Raises:
        CommandFailed: a job did not finish.
    """
    place = {name: value for name, value in system.settings.items() if name != "port"}
    settings = load_settings(place, environ={"NOMMER_CONFIG": ""})
    with open_engine(settings) as engine:
        for number in range(jobs):
            document = {
                "inputs": [{"url": "s3://bench-in/clip.mp4"}],
                "destination": f"s3://bench-out/{Path(system.folder).name}/{number}",
                "outputs": [{"preset": "web"}],
            }
            job_id = JobId(system.client.ask("POST", "/v1/jobs", document)["id"])
            wait_for(
                lambda: engine.store.get_job(job_id).state.final,  # noqa: B023
                _PATIENCE,
                "a job to end",
            )
            job = engine.store.get_job(job_id)
            if job.state is not JobState.FINISHED:
                raise CommandFailed(f"a job did not finish: {job.failure}")
        time.sleep(3)  # the last worker tidies up after the last job
