"""What an attempt sends ahead is finished when it is kept, and else goes."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.workshop import Workshop
from typing_extensions import override

from media_nommer.core.errors import HandedBack, StorageError
from media_nommer.core.ports.storage import BegunPut, StopCheck, StoredObject
from media_nommer.ec2nommerd.nommers import sending
from media_nommer.ec2nommerd.nommers.moving import moving
from media_nommer.ec2nommerd.nommers.sending import sending_ahead
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.ahead import Sent

PATIENCE = 60.0
FILM = Sent(output=0, path="out-0.mp4", name="0.mp4")


@dataclass
class NotedPut(BegunPut):
    """Notes what is asked of it; ``send`` is what happens when it is to send."""

    send: Callable[[], bool] = lambda: False
    looked: threading.Event = field(default_factory=threading.Event)
    finished: list[str | None] = field(default_factory=list)
    dropped: int = 0
    looks: int = 0

    @override
    def send_ahead(self) -> bool:
        self.looks += 1
        try:
            return self.send()
        finally:
            self.looked.set()

    @override
    def finish(
        self,
        *,
        before: str | None = None,
        sha256: str | None = None,
        stop: StopCheck | None = None,
    ) -> StoredObject:
        self.finished.append(sha256)
        return StoredObject(size=1, version="1")

    @override
    def drop(self) -> None:
        self.dropped += 1


def raising(error: Exception) -> Callable[[], bool]:
    def fail() -> bool:
        raise error

    return fail


def test_files_are_sent_while_they_are_made_and_put_when_they_are_kept() -> None:
    one, other = NotedPut(), NotedPut()

    with sending_ahead({Path("a"): one, Path("b"): other}) as ahead:
        looked = one.looked.wait(PATIENCE), other.looked.wait(PATIENCE)
        on_their_way = ahead.finish(Path("a"), "sum"), ahead.finish(Path("c"), "sum")

    assert looked == (True, True)
    assert on_their_way == (True, False)
    assert (one.finished, one.dropped) == (["sum"], 0)
    assert (other.finished, other.dropped) == ([], 1)


def test_nothing_is_left_of_what_an_attempt_that_fails_had_sent() -> None:
    put = NotedPut()

    with pytest.raises(HandedBack), sending_ahead({Path("a"): put}):
        raise HandedBack("leaving")

    assert (put.finished, put.dropped) == ([], 1)


def test_nothing_more_is_sent_of_a_file_that_stands_in_its_place() -> None:
    put, other = NotedPut(), NotedPut()

    with sending_ahead({Path("a"): put, Path("b"): other}) as ahead:
        put.looked.wait(PATIENCE)
        ahead.finish(Path("a"), None)
        looks = put.looks
        other.send = lambda: other.looks < 50  # so often is each looked at, at once
        sent = other.looked.clear() or other.looked.wait(PATIENCE)
        again = ahead.finish(Path("a"), None)

    assert sent
    assert put.looks == looks
    assert again is False


@pytest.mark.parametrize("error", [StorageError("no way"), OSError("the disk is full")])
def test_a_file_that_cannot_be_sent_is_left_alone_for_a_while_and_put_in_the_end(
    error: Exception,
) -> None:
    broken, other = NotedPut(raising(error)), NotedPut()
    other.send = lambda: other.looks < 50

    with sending_ahead({Path("a"): broken, Path("b"): other}) as ahead:
        broken.looked.wait(PATIENCE)
        assert other.looked.wait(PATIENCE)
        ahead.finish(Path("a"), None)

    assert broken.looks == 1
    assert (broken.finished, broken.dropped) == ([None], 0)


def test_an_attempt_that_must_stop_sends_nothing_more() -> None:
    stopped = NotedPut(raising(HandedBack("leaving")))

    with sending_ahead({Path("a"): stopped}):
        stopped.looked.wait(PATIENCE)

    assert (stopped.looks, stopped.dropped) == (1, 1)


def test_what_is_kept_stands_where_it_was_on_its_way_to(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, places, stale = NotedPut(), list[tuple[Path, str]](), tmp_path / "out-0.mp4"
    stale.write_bytes(b"of a try before")

    def begin(path: Path, url: str, **_: object) -> BegunPut:
        assert not path.exists()
        places.append((path, url))
        return put

    monkeypatch.setattr(shop.storage, "begin", begin)
    monkeypatch.setattr(shop.storage, "is_near", lambda _url: False)
    shop.submit()
    work = Work(shop.engine, shop.claim(), tmp_path, lambda _step: None)
    (tmp_path / "other").write_bytes(b"other")

    with moving(work, [FILM]):
        kept = work.keep(tmp_path / "out-0.mp4", "out-0.mp4", sha256="sum")
        other = work.keep(tmp_path / "other", "other")

    assert places == [(tmp_path / "out-0.mp4", kept)]
    assert put.finished == ["sum"]
    assert shop.storage.read(other) == b"other"


def test_where_nothing_can_go_ahead_nobody_looks_for_it(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending.threading, "Thread", raising(AssertionError()))
    shop.submit()
    work = Work(shop.engine, shop.claim(), tmp_path, lambda _step: None)

    with moving(work, [FILM]):
        (tmp_path / "out-0.mp4").write_bytes(b"film")
        kept = work.keep(tmp_path / "out-0.mp4", "out-0.mp4")

    assert shop.storage.read(kept) == b"film"


def test_what_was_placed_is_not_put_again(shop: Workshop, tmp_path: Path) -> None:
    """It is known by its bytes, whatever it is called in the end."""
    shop.submit()
    work = Work(shop.engine, shop.claim(), tmp_path, lambda _step: None)
    segment, final = tmp_path / "ahead.m4s", tmp_path / "out-0-000007.m4s"
    segment.write_bytes(b"segment")
    final.write_bytes(b"segment")
    digest = hashlib.sha256(b"segment").hexdigest()

    work.place(segment)
    work.place(segment)
    places = shop.storage.list(shop.engine.work_url)
    kept = work.keep(final, final.name, sha256=digest)

    assert places == (kept,) == shop.storage.list(shop.engine.work_url)
    assert shop.storage.read(kept) == b"segment"


def test_what_a_feed_has_is_sent_until_there_is_no_more() -> None:
    fed = NotedPut()
    fed.send = lambda: fed.looks < 50

    @dataclass
    class Fed:
        name: str = "out-0-v1.mp4"

        def send(self) -> bool:
            return fed.send_ahead() if fed.looks < 50 else over.set() or False

    over = threading.Event()
    with sending_ahead({}, [Fed()]):
        through = over.wait(PATIENCE)

    assert through
    assert fed.looks == 50


def test_feeds_give_nothing_more_once_the_rest_is_being_kept() -> None:
    fed, other = NotedPut(), NotedPut()

    @dataclass
    class Fed:
        name: str = "out-0-v1.mp4"

        def send(self) -> bool:
            return fed.send_ahead()

    with sending_ahead({Path("a"): other}, [Fed()]) as ahead:
        fed.looked.wait(PATIENCE)
        ahead.stop_feeding()
        with ahead._fed[0].lock:  # it may just be at it
            looks = fed.looks
        other.send = lambda: other.looks < 50
        other.looked.clear()
        sent = other.looked.wait(PATIENCE)

    assert sent
    assert fed.looks == looks
