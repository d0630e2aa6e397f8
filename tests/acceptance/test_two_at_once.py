"""Two workers on one task, and jobs that end while they are worked on (rules 2, 7, 8)."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import MANY, MANY_FILES, SLOW, SLOW_FRAMES
from tests.acceptance.ground import Identity
from tests.acceptance.site import Site, go_on, stop, wait_until


def identities(place: Site) -> dict[str, Identity]:
    """Return what tells whether a picture was written anew, of those that can be seen."""
    return {name: seen for name, seen in place.published().items() if name[0].isdigit()}


def whole(place: Site, name: str) -> bool:
    return place.ground.read(name)[-2:] == b"\xff\xd9"


def test_rule_2_a_worker_that_comes_back_late_drops_its_work(
    place: Site, film: Path
) -> None:
    place.feederd()
    late = place.worker()
    job = place.submit(film, SLOW)
    wait_until("it is being encoded", lambda: place.encoding(job))

    stop(late, place.ground)
    place.worker()
    done = place.wait_for(job)
    before = place.published()
    go_on(late)
    wait_until("the late one has let go", lambda: not place.encoders())
    wait_until("its scratch is clean", lambda: not place.at_work())

    assert done["outputs"][0]["facts"]["frames"] == SLOW_FRAMES
    assert place.job(job) == done
    assert place.published() == before
    with place.client as client:
        ends = [attempt["end"] for attempt in client.logs(job)["attempts"]]
    assert ends == ["lost", "committed"]


@pytest.mark.parametrize("if_exists", ["fail", "replace"])
def test_rule_7_a_publication_begun_twice_happens_once(
    place: Site, long_film: Path, if_exists: str
) -> None:
    if if_exists == "replace":
        for number in range(1, MANY_FILES + 1):
            place.ground.plant(f"{number:04d}.jpg", b"an older one")
    place.feederd()
    late = place.worker()
    job = place.submit(long_film, MANY, if_exists=if_exists)

    def begun() -> dict[str, Identity]:
        new = {n: seen for n, seen in identities(place).items() if whole(place, n)}
        return new if len(new) >= 5 else {}

    first = wait_until("it is being published", begun, every=0.001)
    stop(late, place.ground)
    first = begun()
    assert len(first) < MANY_FILES, "it was published before it could be stopped"
    place.worker()
    place.wait_for(job)
    last = identities(place)
    go_on(late)
    late.send_signal(signal.SIGTERM)
    assert late.wait(30) == 0

    assert len(last) == MANY_FILES
    assert {name: last[name] for name in first} == first
    assert place.published() == last
    assert [name for name in last if not whole(place, name)] == []


def test_rule_8_a_job_canceled_while_encoding_leaves_nothing(
    place: Site, film: Path
) -> None:
    place.feederd()
    place.worker()
    job = place.submit(film, SLOW)
    wait_until("it is being encoded", lambda: place.encoding(job))

    with place.client as client:
        client.cancel(job)

    wait_until("its encoder is stopped", lambda: not place.encoders())
    wait_until("its scratch is clean", lambda: not place.at_work())
    assert place.job(job)["state"] == "canceled"
    assert not place.published()


def test_rule_8_a_job_canceled_while_publishing_leaves_only_whole_files(
    place: Site, long_film: Path
) -> None:
    place.feederd()
    worker = place.worker()
    job = place.submit(long_film, MANY)
    wait_until("it is being published", lambda: len(place.published()) > 3, every=0.001)

    with place.client as client:
        canceled: Any = client.cancel(job)
    wait_until("the worker is free", lambda: not place.at_work())
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0

    assert canceled["state"] == "canceled"
    assert place.job(job)["state"] == "canceled"
    assert 0 < len(place.published()) < MANY_FILES
    assert all(whole(place, name) for name in place.published())
    assert set(place.published()) == set(identities(place))
