"""Two workers on one task, and jobs that end while they are worked on (rules 2, 7, 8)."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import HELD, NAMES, SLOW, SLOW_FRAMES, SOME
from tests.acceptance.gate import FileGate
from tests.acceptance.site import (
    Site,
    as_told,
    ended_well,
    go_on,
    lost_then_committed,
    stop,
    wait_until,
)


def whole(place: Site, name: str) -> bool:
    return place.ground.read(name)[-2:] == b"\xff\xd9"


def test_rule_2_a_worker_that_comes_back_late_drops_its_work(
    mortal: Site, film: Path
) -> None:
    mortal.hold()
    mortal.feederd()
    late = mortal.worker()
    job = mortal.submit(film, SLOW)
    wait_until("it is being encoded", lambda: mortal.encoding(job))

    stop(late, mortal.ground)
    mortal.let_go()
    mortal.worker()
    done = mortal.wait_for(job)
    before = mortal.published()
    go_on(late)
    wait_until("the late one has let go", lambda: not mortal.encoders())
    wait_until("its scratch is clean", lambda: not mortal.at_work())

    assert done["outputs"][0]["facts"]["frames"] == SLOW_FRAMES
    assert as_told(mortal.job(job)) == as_told(done)
    assert mortal.published() == before
    assert lost_then_committed(mortal.ends(job))


@pytest.mark.parametrize("if_exists", ["fail", "replace"])
def test_rule_7_a_publication_begun_twice_happens_once(
    mortal: Site, long_film: Path, tmp_path: Path, if_exists: str
) -> None:
    if if_exists == "replace":
        for name in NAMES:
            mortal.ground.plant(name, b"an older one")
    older = mortal.published()
    mortal.feederd()
    gate = FileGate(tmp_path, mortal.ground.destination)
    gate.hold(HELD)
    late = mortal.worker(gate.environment)
    job = mortal.submit(long_film, SOME, if_exists=if_exists)
    gate.wait()

    stop(late, mortal.ground)
    now = mortal.published()
    first = {name: now[name] for name in now if now[name] != older.get(name)}
    mortal.worker()
    mortal.wait_for(job)
    last = mortal.published()
    gate.release()
    go_on(late)
    late.send_signal(signal.SIGTERM)
    assert ended_well(late)

    assert list(first) == NAMES[: HELD - 1]
    assert list(last) == NAMES
    assert {name: last[name] for name in first} == first
    assert mortal.published() == last
    assert [name for name in last if not whole(mortal, name)] == []


def test_rule_8_a_job_canceled_while_encoding_leaves_nothing(
    mortal: Site, film: Path
) -> None:
    mortal.hold()
    mortal.feederd()
    mortal.worker()
    job = mortal.submit(film, SLOW)
    wait_until("it is being encoded", lambda: mortal.encoding(job))

    with mortal.client as client:
        client.cancel(job)

    wait_until("its encoder is stopped", lambda: not mortal.encoders())
    wait_until("its scratch is clean", lambda: not mortal.at_work())
    assert mortal.job(job)["state"] == "canceled"
    assert not mortal.published()


def test_rule_8_a_job_canceled_while_publishing_leaves_only_whole_files(
    place: Site, long_film: Path, tmp_path: Path
) -> None:
    place.feederd()
    gate = FileGate(tmp_path, place.ground.destination)
    gate.hold(HELD)
    worker = place.worker(gate.environment)
    job = place.submit(long_film, SOME)
    gate.wait()

    with place.client as client:
        canceled: Any = client.cancel(job)
    gate.release()
    wait_until("the worker is free", lambda: not place.at_work())
    worker.send_signal(signal.SIGTERM)
    assert ended_well(worker)

    assert canceled["state"] == "canceled"
    assert place.job(job)["state"] == "canceled"
    # The one that was held may have been under way, or have been looked at once more.
    assert list(place.published()) in (NAMES[: HELD - 1], NAMES[:HELD])
    assert all(whole(place, name) for name in place.published())
