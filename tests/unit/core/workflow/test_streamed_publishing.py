"""Rule 7 for manifests: segments first, manifests last, and old segments after them."""

from dataclasses import replace
from typing import Any

import pytest
from tests.workshop import OUT, Call, Maker, Workshop
from typing_extensions import override

from media_nommer.core.errors import AccessDenied, Failure
from media_nommer.core.jobs import JobState, OutputState
from media_nommer.core.tasks import Result
from media_nommer.core.workflow.submitting import retry
from media_nommer.ec2nommerd.nommers.work import Work

MANIFESTS = ("index.m3u8", "index.mpd")


class Packager(Maker):
    """Makes two segments with names of their own, a playlist, and two manifests."""

    def __init__(self, **words: Any) -> None:
        super().__init__(**words)
        self.number = 0

    @override
    def nom(self, work: Work) -> Result:
        self.number += 1
        own = tuple(f"{name}-{self.number}" for name in ("one", "two", "playlist"))
        self.keys = lambda _index: (*own, *MANIFESTS)
        made = super().nom(work)
        files = tuple(replace(file, own=file.key in own) for file in made.files)
        return replace(made, files=files)


def names_of(calls: list[Call], name: str, place: int) -> list[str]:
    return [call.args[place][len(OUT) + 1 :] for call in calls if call.name == name]


def test_segments_are_put_first_and_manifests_last(shop: Workshop) -> None:
    shop.submit()

    shop.work(nommer=Packager())

    assert names_of(shop.tape.calls, "storage.copy", 1) == [
        *("one-1", "two-1", "playlist-1"),
        *MANIFESTS,
    ]
    assert [file.own for file in shop.job().outputs[0].files] == [True] * 3 + [False] * 2


def test_a_death_between_segments_and_manifests_leaves_no_manifest(shop: Workshop) -> None:
    def die(call: Call) -> None:
        if call.name == "storage.copy" and call.args[1].endswith(".m3u8"):
            shop.tape.before = None
            raise RuntimeError("killed")

    shop.tape.before = die
    shop.submit()
    packager = Packager()
    shop.runner(packager).run(shop.claim())
    before = set(shop.published())
    shop.drain(packager)

    assert before == {"one-1", "two-1", "playlist-1"}
    assert set(MANIFESTS) < set(shop.published())
    assert shop.job().state is JobState.FINISHED


def test_old_segments_go_once_the_new_manifests_stand(shop: Workshop) -> None:
    job = shop.submit()
    packager = Packager()
    shop.work(nommer=packager)
    retry(shop.engine, job.id, whole=True)
    del shop.tape.calls[:]

    shop.work(nommer=packager)

    assert sorted(shop.published()) == sorted(["one-2", "two-2", "playlist-2", *MANIFESTS])
    last_put = shop.tape.last("storage.copy")
    assert last_put < shop.tape.first("storage.delete")
    assert names_of(shop.tape.calls, "storage.delete", 0) == [
        "one-1",
        "two-1",
        "playlist-1",
    ]
    assert shop.job().outputs[0].stale == ()


def test_old_segments_stand_until_a_run_has_replaced_them(shop: Workshop) -> None:
    job = shop.submit()
    packager = Packager()
    shop.work(nommer=packager)
    retry(shop.engine, job.id, whole=True)
    packager.failures[0] = Failure(code="ENCODE", message="it cannot be made")
    shop.work(nommer=packager)
    after_failure = set(shop.published())
    packager.failures.clear()
    retry(shop.engine, job.id)

    shop.work(nommer=packager)

    assert after_failure == {"one-1", "two-1", "playlist-1", *MANIFESTS}
    assert sorted(shop.published()) == sorted(["one-3", "two-3", "playlist-3", *MANIFESTS])


def test_a_death_before_the_old_ones_are_gone_leaves_that_to_the_next(
    shop: Workshop,
) -> None:
    job = shop.submit()
    packager = Packager()
    shop.work(nommer=packager)
    retry(shop.engine, job.id, whole=True)

    def die(call: Call) -> None:
        if call.name == "storage.delete":
            shop.tape.before = None
            raise RuntimeError("killed")

    shop.tape.before = die
    shop.drain(packager)

    assert sorted(shop.published()) == sorted(["one-2", "two-2", "playlist-2", *MANIFESTS])
    assert shop.job().state is JobState.FINISHED


@pytest.mark.parametrize("error", [AccessDenied("it may not be deleted")])
def test_what_may_not_be_removed_stays_and_harms_nobody(
    shop: Workshop, error: Exception
) -> None:
    job = shop.submit()
    packager = Packager()
    shop.work(nommer=packager)
    retry(shop.engine, job.id, whole=True)

    def refuse(call: Call) -> None:
        if call.name == "storage.delete":
            raise error

    shop.tape.before = refuse
    shop.work(nommer=packager)

    assert shop.job().outputs[0].state is OutputState.FINISHED
    assert {"one-1", "one-2"} < set(shop.published())


def test_names_that_others_may_give_are_left_alone(shop: Workshop) -> None:
    job = shop.submit()
    shop.work(nommer=Maker(keys=lambda _index: ("a.jpg", "b.jpg")))
    retry(shop.engine, job.id, whole=True)

    shop.work(nommer=Maker(keys=lambda _index: ("a.jpg",)))

    assert set(shop.published()) == {"a.jpg", "b.jpg"}
    assert "storage.delete" not in shop.tape.names
