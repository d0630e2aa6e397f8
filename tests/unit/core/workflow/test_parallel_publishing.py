"""Rule 7 with many files at a time: segments together, manifests last and one by one."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from tests.workshop import OUT, Call, Maker, Workshop
from typing_extensions import override

from media_nommer.core.errors import StorageError
from media_nommer.core.jobs import JobState, OutputState
from media_nommer.core.tasks import Result
from media_nommer.core.workflow import submitting
from media_nommer.core.workflow.together import each_of
from media_nommer.ec2nommerd.nommers.work import Work

AT_ONCE = 4
SEGMENTS = tuple(f"segment-{number}" for number in range(2 * AT_ONCE))
MANIFESTS = ("index.m3u8", "index.mpd")
_PATIENCE = 60.0  # seconds: a barrier that nobody else comes to is broken then


class Packager(Maker):
    """Makes segments with names of their own, and two manifests."""

    def __init__(self, **words: Any) -> None:
        super().__init__(**words)
        self.keys = lambda _index: (*SEGMENTS, *MANIFESTS)

    @override
    def nom(self, work: Work) -> Result:
        made = super().nom(work)
        files = tuple(replace(file, own=file.key in SEGMENTS) for file in made.files)
        return replace(made, files=files)


@pytest.fixture
def shop(shop: Workshop) -> Workshop:
    shop.engine = replace(shop.engine, at_once=AT_ONCE)
    return shop


def name_of(call: Call) -> str | None:
    """Return which file a call puts in its place, None for a call of another kind."""
    return call.args[1][len(OUT) + 1 :] if call.name == "storage.copy" else None


def on_copy(shop: Workshop, do: Any) -> None:
    """Have ``do`` called with the name of each file as it begins to be put."""
    real = shop.storage.copy

    def copy(source: str, url: str, **words: Any) -> Any:
        do(url[len(OUT) + 1 :])
        return real(source, url, **words)

    shop.storage.copy = copy  # type: ignore[method-assign]


def test_segments_are_put_together_and_manifests_one_by_one_after_them(
    shop: Workshop,
) -> None:
    """Whoever puts a segment waits till as many others do: alone, it would wait in vain."""
    together = threading.Barrier(AT_ONCE)

    def meet(name: str) -> None:
        if name in SEGMENTS:
            together.wait(_PATIENCE)

    on_copy(shop, meet)
    shop.submit()

    shop.work(nommer=Packager())

    names = [name for call in shop.tape.calls if (name := name_of(call))]
    assert sorted(names[: len(SEGMENTS)]) == sorted(SEGMENTS)
    assert tuple(names[len(SEGMENTS) :]) == MANIFESTS
    assert shop.job().state is JobState.FINISHED
    assert set(shop.published()) == {*SEGMENTS, *MANIFESTS}


def test_no_manifest_is_put_while_a_segment_is_missing(shop: Workshop) -> None:
    refused: list[str] = []

    def refuse(name: str) -> None:
        if name == SEGMENTS[3] and not refused:
            refused.append(name)
            raise StorageError("the destination does not answer")
        assert refused or name not in MANIFESTS

    on_copy(shop, refuse)
    shop.submit()
    packager = Packager()
    shop.runner(packager).run(shop.claim())
    before = set(shop.published())
    shop.drain(packager)

    assert refused == [SEGMENTS[3]]
    assert not before & {*MANIFESTS, SEGMENTS[3]}
    assert set(shop.published()) == {*SEGMENTS, *MANIFESTS}
    assert shop.job().state is JobState.FINISHED


def test_a_cancel_among_the_segments_lets_no_manifest_through(shop: Workshop) -> None:
    """Rule 8."""
    job = shop.submit()
    once = threading.Lock()

    def cancel(_name: str) -> None:
        if once.acquire(blocking=False):
            submitting.cancel(shop.engine, job.id)

    on_copy(shop, cancel)

    shop.work(nommer=Packager())

    assert shop.job().state is JobState.CANCELED
    assert not set(shop.published()) & set(MANIFESTS)


def test_a_segment_in_the_place_of_a_strangers_file_fails_the_output(
    shop: Workshop,
) -> None:
    """Rule 7: what came there after publication was recorded is nobody's to replace."""
    shop.submit()

    def intrude(name: str) -> None:
        if name == SEGMENTS[1]:
            shop.place(f"{OUT}/{SEGMENTS[1]}", b"a stranger's")

    on_copy(shop, intrude)

    shop.work(nommer=Packager())

    (output,) = shop.job().outputs
    assert output.state is OutputState.FAILED
    assert shop.published()[SEGMENTS[1]] == b"a stranger's"
    assert not set(shop.published()) & set(MANIFESTS)


def test_answers_come_in_the_order_of_what_was_asked() -> None:
    second = threading.Event()

    def answer(number: int) -> int:
        if number == 0:
            assert second.wait(_PATIENCE)
        elif number == 1:
            second.set()
        return number * 10

    assert each_of(range(5), answer, at_once=2) == [0, 10, 20, 30, 40]


def test_one_at_a_time_is_in_order_and_in_this_thread() -> None:
    done: list[tuple[int, str]] = []

    each_of(
        [3, 1, 2],
        lambda n: done.append((n, threading.current_thread().name)),
        at_once=1,
    )

    assert done == [(n, threading.current_thread().name) for n in (3, 1, 2)]


@pytest.mark.parametrize("at_once", [1, 2])
def test_nothing_goes_on_behind_the_back_of_who_gets_the_error(at_once: int) -> None:
    ended: list[int] = []
    failing = threading.Event()

    def fail(number: int) -> None:
        if number == 0:
            failing.set()
            raise StorageError("no answer")
        assert failing.wait(_PATIENCE)
        ended.append(number)

    with pytest.raises(StorageError):
        each_of(range(9), fail, at_once=at_once)

    assert not [t for t in threading.enumerate() if t.name.startswith("files")]
    if at_once == 1:
        assert ended == []
