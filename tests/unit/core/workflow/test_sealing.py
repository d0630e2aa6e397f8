"""Rule 12: keys stand in no record, are opened by workers, and go when the job is over."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from media_nommer.adapters import crypto
from media_nommer.adapters.memory import (
    MemoryKeys,
    MemoryQueue,
    MemoryStorage,
    MemoryStore,
)
from media_nommer.core import wire
from media_nommer.core.errors import (
    IdempotencyConflict,
    InvalidRecipe,
    NoSealingKey,
    SecretsGone,
    SecretUnreadable,
)
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.recipes import parse_recipe
from media_nommer.core.workflow import submitting
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.following import tidy_run
from media_nommer.core.workflow.sealing import keep_seals, opened, sealed_recipe
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.service import JobService
from media_nommer.testing.clock import ManualClock

pytest.importorskip("cryptography")

KEY = "00112233445566778899aabbccddeeff"
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    storage = MemoryStorage()
    sealer = crypto.AesSealer(MemoryKeys(bytes(32)))
    return Engine(MemoryStore(), MemoryQueue(clock), storage, "memory://w", clock, sealer)


@pytest.fixture
def service(engine: Engine) -> JobService:
    return JobService(engine=engine, outside=engine.storage)


def document(key: str = KEY) -> dict[str, object]:
    said = {"scheme": "aes-128", "key": key, "key_url": "https://keys.example/1"}
    return {
        "inputs": [{"url": "memory://films/in.mov"}],
        "destination": "memory://out",
        "outputs": [{"preset": "hls", "encryption": said}],
    }


def reference(job: Job) -> str:
    outputs = job.recipe["outputs"]
    assert isinstance(outputs, Sequence)
    return str(outputs[0]["encryption"]["key"])


def seals(engine: Engine, job: Job) -> tuple[str, ...]:
    return engine.storage.list(engine.seals_url(job.id))


def test_a_record_has_a_reference_and_a_worker_finds_the_key(
    engine: Engine, service: JobService
) -> None:
    job = service.submit(document())

    stored = engine.store.get_job(job.id)
    assert KEY not in wire.dump(stored)
    assert opened(engine, job.id, reference(stored)) == KEY.encode()
    (url,) = seals(engine, job)
    assert KEY.encode() not in engine.storage.read(url)
    assert reference(stored).removeprefix("sealed:") == url.rpartition("/")[2]


def test_without_a_sealing_key_no_secret_is_taken(
    engine: Engine, service: JobService
) -> None:
    service = replace(service, engine=replace(engine, sealer=None))

    with pytest.raises(NoSealingKey) as caught:
        service.submit(document())

    assert KEY not in caught.value.message
    assert "sealing_key" in caught.value.advice
    assert not engine.store.list_jobs().jobs


def test_nobody_may_refer_to_the_secret_of_another_job(service: JobService) -> None:
    job = service.submit(document())

    with pytest.raises(InvalidRecipe):
        service.submit(document(reference(job)))


def test_the_seal_of_one_job_opens_for_no_other(
    engine: Engine, service: JobService
) -> None:
    one, two = service.submit(document()), service.submit(document())
    (url,), (other,) = seals(engine, one), seals(engine, two)
    standing = engine.storage.stat(other)
    assert standing is not None
    engine.storage.copy(url, other, before=standing.version)

    with pytest.raises(SecretUnreadable):
        opened(engine, two.id, reference(two))


def test_the_same_submission_is_the_same_job_and_one_with_another_key_is_not(
    service: JobService,
) -> None:
    first = service.submit(document(), idempotency_key="k")

    assert service.submit(document(), idempotency_key="k").id == first.id
    with pytest.raises(IdempotencyConflict):
        service.submit(document("f" * 32), idempotency_key="k")


def test_a_worker_that_cannot_open_a_key_says_so(
    engine: Engine, service: JobService
) -> None:
    job = service.submit(document())

    for sealer in (None, crypto.AesSealer(MemoryKeys(b"1" * 32))):
        with pytest.raises(SecretUnreadable):
            opened(replace(engine, sealer=sealer), job.id, reference(job))


def test_keys_go_when_the_job_is_over_and_it_cannot_begin_again(
    engine: Engine, service: JobService
) -> None:
    janitor = Janitor(engine, WorkPolicy(), JanitorPolicy())
    job = service.submit(document())
    janitor.tidy()
    assert seals(engine, job)
    service.cancel(job.id)

    janitor.tidy()

    assert not seals(engine, job)
    with pytest.raises(SecretsGone):
        opened(engine, job.id, reference(job))
    with pytest.raises(SecretsGone):
        service.retry(job.id)


def test_a_worker_takes_them_away_itself_when_its_job_is_over(
    engine: Engine, service: JobService
) -> None:
    job = service.submit(document())
    (task,) = engine.store.tasks_of(job.id, 1)
    tidy_run(engine, task)
    assert seals(engine, job)
    submitting.cancel(engine, job.id)

    tidy_run(engine, task)

    assert not seals(engine, job)


def test_keys_of_a_job_that_never_came_to_be_go_in_the_end(
    engine: Engine, clock: ManualClock
) -> None:
    """Seals are kept first; a feederd may die before the record is there."""
    janitor, stray = Janitor(engine, WorkPolicy(), JanitorPolicy()), JobId("stray")
    keep_seals(engine, stray, _sealed(engine, stray))

    janitor.tidy()
    clock.advance(DAY)
    janitor.tidy()
    kept = engine.storage.list(engine.seals_url(stray))
    clock.advance(2 * DAY)
    janitor.tidy()

    assert kept
    assert not engine.storage.list(engine.seals_url(stray))


def _sealed(engine: Engine, job_id: JobId):  # type: ignore[no-untyped-def]
    said = {"scheme": "aes-128", "key": KEY, "key_url": "https://keys.example/1"}
    recipe = {**document(), "outputs": [{"kind": "adaptive", "encryption": said}]}
    return sealed_recipe(engine, job_id, parse_recipe(recipe))
