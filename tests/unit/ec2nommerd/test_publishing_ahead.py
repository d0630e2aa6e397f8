"""Outputs that go to a far destination while they are made, seen by nobody until the end.

Rule 7 holds all the same: the names are on record before anything is sent, and sizes, sums
and conditions before anything is seen.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from tests.workshop import FAN_OUT, OUT, Call, Maker, Workshop, bytes_of
from typing_extensions import override

from media_nommer.core.errors import (
    EncodeError,
    Failure,
    HandedBack,
    ServiceUnavailable,
    StorageError,
)
from media_nommer.core.jobs import JobState, OutputState, Phase
from media_nommer.core.ports.storage import (
    PLAIN,
    BegunPut,
    StopCheck,
    StoredObject,
    Traits,
    never_stop,
)
from media_nommer.core.tasks import AttemptEnd, Result, ResultFile
from media_nommer.core.workflow.submitting import cancel, retry, submit
from media_nommer.ec2nommerd.nommers.moving import moving
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.planning.ahead import Sent

JANITOR = JanitorPolicy()


class Killed(BaseException):
    """Stands for the death of a process, after which nothing is done any more."""


@dataclass
class GoingPut(BegunPut):
    """A put of which something has gone ahead as soon as anybody asks for it."""

    far: "Far"
    path: Path
    url: str
    traits: Traits
    stop: StopCheck
    sent: bool = False
    finished: bool = False
    dropped: bool = False
    aborted: bool = False

    @override
    def send_ahead(self) -> bool:
        self.sent, before = True, self.sent
        return not before

    @override
    def finish(
        self,
        *,
        before: str | None = None,
        sha256: str | None = None,
        stop: StopCheck | None = None,
    ) -> StoredObject:
        self.far.before_the_end(self)
        put = self.far.shop.storage.put(
            self.path, self.url, before=before, stop=stop or self.stop
        )
        self.far.finished.append(self.url)
        self.finished = True
        return put

    @override
    def drop(self) -> None:
        self.dropped = True


@dataclass
class Far:
    """A destination that is far away, of a work area that is near."""

    shop: Workshop
    begun: list[GoingPut] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    cleared: list[tuple[str, ...]] = field(default_factory=list)
    before_the_end: Callable[[GoingPut], object] = lambda _put: None

    def is_near(self, url: str) -> bool:
        return not url.startswith(OUT)

    def begin(
        self,
        path: Path,
        url: str,
        *,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> BegunPut:
        put = GoingPut(self, path, url, traits, stop)
        self.begun.append(put)
        return put

    def drop_unfinished(
        self, urls: Sequence[str], *, since: datetime, until: datetime
    ) -> int:
        self.cleared.append(tuple(urls))
        for put in self.begun:
            put.aborted |= put.url in urls and not put.finished
        return 1

    @property
    def copied(self) -> list[str]:
        """What was copied in the end, and so had not gone ahead."""
        calls = self.shop.tape.calls
        return [str(call.args[1]) for call in calls if call.name == "storage.copy"]


@pytest.fixture
def far(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Far:
    far = Far(shop)
    for name in ("is_near", "begin", "drop_unfinished"):
        monkeypatch.setattr(shop.storage, name, getattr(far, name))
    return far


class Sender(Maker):
    """Makes files that are on their way while they are made; ``amid`` happens then."""

    def __init__(self, amid: Callable[[Work], object] = lambda _work: None) -> None:
        super().__init__()
        self.amid = amid

    @override
    def nom(self, work: Work) -> Result:
        work.enter(Phase.ENCODING)
        wanted = work.task.outputs or tuple(range(len(work.job.outputs)))
        files = [Sent(output=n, path=f"out-{n}", name=f"{n}.mp4") for n in wanted]
        with moving(work, files):
            self.amid(work)
            return Result(files=tuple(self._made(work, file) for file in files))

    def _made(self, work: Work, file: Sent) -> ResultFile:
        path, data = work.scratch / file.path, bytes_of(work.task, work.held.number, "x")
        path.write_bytes(data)
        digest = sha256(data).hexdigest()
        return ResultFile(
            output=file.output,
            key=file.name,
            work_url=work.keep(path, file.path, sha256=digest),
            size=len(data),
            sha256=digest,
        )


def raising(error: BaseException) -> Callable[[Work], object]:
    def fail(_work: Work) -> object:
        raise error

    return fail


def die_amid_the_encode(shop: Workshop) -> None:
    with pytest.raises(Killed):
        shop.runner(Sender(raising(Killed()))).run(shop.claim())


def test_what_goes_ahead_is_on_record_before_and_published_by_its_end(
    shop: Workshop, far: Far
) -> None:
    shop.submit(outputs=2)
    on_record: list[tuple[str, ...]] = []

    shop.work(nommer=Sender(lambda _work: on_record.append(shop.job().begun)))

    assert shop.job().state is JobState.FINISHED
    assert on_record == [(f"{OUT}/0.mp4", f"{OUT}/1.mp4")]
    assert far.finished == [f"{OUT}/0.mp4", f"{OUT}/1.mp4"]
    assert far.copied == []
    assert set(shop.published()) == {"0.mp4", "1.mp4"}


def test_rule_7_nothing_is_finished_before_its_sum_and_condition_are_on_record(
    shop: Workshop, far: Far
) -> None:
    shop.submit(if_exists="replace")
    shop.place(f"{OUT}/0.mp4", b"old")
    old = shop.storage.stat(f"{OUT}/0.mp4")
    recorded = []
    far.before_the_end = lambda _put: recorded.append(shop.job().outputs[0].files)

    shop.work(nommer=Sender())

    ((file,),) = recorded
    data = shop.published()["0.mp4"]
    assert old is not None
    assert (file.before, file.sha256) == (old.version, sha256(data).hexdigest())
    assert shop.job().state is JobState.FINISHED


def test_what_appeared_at_the_destination_meanwhile_is_not_replaced(
    shop: Workshop, far: Far
) -> None:
    shop.submit()
    far.before_the_end = lambda put: shop.place(put.url, b"a stranger's")

    shop.work(nommer=Sender())

    output = shop.job().outputs[0]
    assert output.failure is not None
    assert output.failure.code == "OUTPUT_EXISTS"
    assert shop.published() == {"0.mp4": b"a stranger's"}
    assert [put.dropped for put in far.begun] == [True]


def test_an_output_is_begun_as_its_recipe_wants_it_kept(shop: Workshop, far: Far) -> None:
    kept = {"cache_control": "max-age=60", "kms_key": "a-key"}
    job = shop.job_to_submit(outputs=2)
    recipe = {**job.recipe, "outputs": [{}, {"object": kept}]}
    submit(shop.engine, replace(job, recipe=recipe))

    shop.work(nommer=Sender())

    assert [put.traits for put in far.begun] == [PLAIN, Traits(**kept)]


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (StorageError("the work area is full"), AttemptEnd.FAILED),
        (EncodeError("it does not like the film"), AttemptEnd.FAILED),
        (HandedBack("leaving"), AttemptEnd.HANDED_BACK),
    ],
)
def test_an_attempt_that_comes_to_nothing_leaves_nothing_on_its_way(
    shop: Workshop, far: Far, error: Exception, end: AttemptEnd
) -> None:
    shop.submit()

    shop.runner(Sender(raising(error))).run(shop.claim())

    assert [attempt.end for attempt in shop.task().attempts] == [end]
    assert [put.dropped for put in far.begun] == [True]
    assert far.finished == []


def test_a_job_that_is_canceled_leaves_nothing_on_its_way(shop: Workshop, far: Far) -> None:
    job = shop.submit()
    far.before_the_end = lambda _put: cancel(shop.engine, job.id)

    shop.work(nommer=Sender())

    assert shop.job().state is JobState.CANCELED
    assert [put.dropped for put in far.begun] == [True]
    assert shop.published() == {}


def test_who_is_fenced_finishes_nothing(shop: Workshop, far: Far) -> None:
    """The newer claim publishes what it made itself."""
    shop.submit()

    def be_overtaken(_work: Work) -> None:
        task = shop.task()
        assert task.claim is not None
        claim = shop.store.swap_task(task.let_go(at=shop.clock.now()))
        assert claim.claim is None

    shop.runner(Sender(be_overtaken)).run(shop.claim())

    assert far.finished == []
    assert [put.dropped for put in far.begun] == [True]


def test_an_output_that_failed_is_not_finished_and_the_others_are(
    shop: Workshop, far: Far
) -> None:
    shop.submit(outputs=2)

    class Picky(Sender):
        @override
        def nom(self, work: Work) -> Result:
            made = super().nom(work)
            failure = Failure(code="EXPECTATION_MISSED", message="too large")
            kept = [file for file in made.files if file.output]
            return Result(files=tuple(kept), failures={0: failure})

    shop.work(nommer=Picky())

    states = [output.state for output in shop.job().outputs]
    assert states == [OutputState.FAILED, OutputState.FINISHED]
    assert far.finished == [f"{OUT}/1.mp4"]
    assert [put.dropped for put in far.begun] == [True, False]


def test_the_next_attempt_drops_what_a_dead_one_had_on_its_way_and_not_its_own(
    shop: Workshop, far: Far
) -> None:
    shop.submit()
    die_amid_the_encode(shop)
    amid: list[int] = []

    shop.drain(Sender(lambda _work: amid.append(len(far.cleared))))

    assert shop.job().state is JobState.FINISHED
    assert amid == [1]  # before anything of its own was on its way
    assert far.cleared[0] == (f"{OUT}/0.mp4",)
    assert far.finished == [f"{OUT}/0.mp4"]
    assert [put.aborted for put in far.begun] == [True, False]


def test_what_could_not_be_dropped_at_first_is_dropped_once_ours_stands(
    shop: Workshop, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.submit()
    die_amid_the_encode(shop)
    standing: list[bytes | None] = []

    def drop(urls: Sequence[str], **_: object) -> int:
        standing.append(shop.standing(f"{OUT}/0.mp4"))
        if len(standing) == 1:
            raise ServiceUnavailable("S3 is away")
        return 1

    monkeypatch.setattr(shop.storage, "drop_unfinished", drop)

    shop.drain(Sender())

    assert shop.job().state is JobState.FINISHED
    assert [data is not None for data in standing] == [False, True]


def test_what_a_dead_run_had_on_its_way_is_dropped_by_the_next_run(
    shop: Workshop, far: Far
) -> None:
    job = shop.submit()
    die_amid_the_encode(shop)
    cancel(shop.engine, job.id)
    retry(shop.engine, job.id, whole=True)

    shop.work(nommer=Sender())

    assert shop.job().state is JobState.FINISHED
    assert far.cleared[0] == (f"{OUT}/0.mp4",)
    assert far.finished == [f"{OUT}/0.mp4"]


def test_what_nobody_came_for_is_dropped_by_feederd(shop: Workshop, far: Far) -> None:
    """A task whose worker is known to be dead, of a job that is over, is nobody's work."""
    job = shop.submit()
    die_amid_the_encode(shop)
    cancel(shop.engine, job.id)
    task = shop.store.swap_task(shop.task().let_go(at=shop.clock.now()))
    shop.engine.put(task)
    shop.drain(Sender())
    before = list(far.cleared)
    shop.clock.advance(JANITOR.keep_runs_for)

    Janitor(shop.engine, shop.policy, JANITOR).tidy()
    Janitor(shop.engine, shop.policy, JANITOR).tidy()

    assert before == []
    assert far.cleared == [(f"{OUT}/0.mp4",)]


def test_what_stands_is_not_put_again_nor_read_when_the_store_was_away(
    shop: Workshop, far: Far
) -> None:
    """What went ahead may not tell its sum, so it would be read to be known."""
    shop.submit()
    away = [True]

    def be_away(call: Call) -> None:
        if far.finished and call.name == "store.swap_job" and away:
            away.clear()
            raise ServiceUnavailable("no answer")

    shop.tape.before = be_away

    shop.work(nommer=Sender())

    names = shop.tape.names
    ended = names.index("storage.put", shop.tape.first("storage.holds"))
    assert shop.job().state is JobState.FINISHED
    assert away == []
    assert far.finished == [f"{OUT}/0.mp4"]
    assert "storage.holds" not in names[ended:]


def test_what_is_made_anew_in_the_same_attempt_is_begun_anew(
    shop: Workshop, far: Far
) -> None:
    """As it is where an encoder refuses all outputs together, and takes them one by one."""

    class Again(Sender):
        @override
        def nom(self, work: Work) -> Result:
            with suppress(EncodeError):
                Sender(raising(EncodeError("not together"))).nom(work)
            return super().nom(work)

    shop.submit()

    shop.work(nommer=Again())

    assert shop.job().state is JobState.FINISHED
    assert [(put.dropped, put.finished) for put in far.begun] == [
        (True, False),
        (False, True),
    ]


def test_who_does_not_publish_what_it_encodes_sends_nothing_there(
    shop: Workshop, far: Far
) -> None:
    """What others publish is copied then."""

    class Planner(Sender):
        @override
        def nom(self, work: Work) -> Result:
            first = work.task.key == "inspect"
            return Result(plan=FAN_OUT) if first else super().nom(work)

    shop.submit(outputs=2)

    shop.drain(Planner())

    assert shop.job().state is JobState.FINISHED
    assert far.begun == []
    assert far.copied == [f"{OUT}/0.mp4", f"{OUT}/1.mp4"]


def test_nothing_goes_ahead_to_a_destination_that_is_near(
    shop: Workshop, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.storage, "is_near", lambda _url: True)
    shop.submit()

    shop.work(nommer=Sender())

    assert shop.job().state is JobState.FINISHED
    assert (far.begun, shop.job().begun) == ([], ())
