"""The part of the storage's contract that is about files put while they are written."""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

import hashlib
from pathlib import Path

import pytest

from media_nommer.core.errors import HandedBack, OutputExists
from media_nommer.core.ports.storage import BegunPut, Storage, never_stop
from media_nommer.testing.storage_ground import (
    A_FILM,
    StorageGround,
    Url,
    a_file,
    is_the_film,
)

#: What a file may hold in the end of which the first half of A_FILM was seen.
CHANGES = {
    "it grew": A_FILM,
    "its header was written last": b"head" + A_FILM[4:],
    "all of it moved": b"index" * 20_000 + A_FILM,
    "it was changed in the middle": A_FILM[:1_000_000] + b"x" + A_FILM[1_000_001:],
    "it was written anew": A_FILM[::-1],
    "it was cut short": A_FILM[:100_000],
    "it is empty": b"",
}


def sent_all_there_is(begun: BegunPut) -> None:
    """Send ahead what can be."""
    while begun.send_ahead():
        pass


class BegunContract(StorageGround):
    """What must hold of a put that was begun in every storage that writes."""

    @pytest.mark.parametrize("change", sorted(CHANGES))
    def test_a_put_that_was_begun_puts_what_the_file_holds_in_the_end(
        self, storage: Storage, url: Url, tmp_path: Path, change: str
    ) -> None:
        """Encoders write headers last, and may move all that is behind them."""
        source, target = tmp_path / "growing", url("f/film.mp4")
        begun = storage.begin(source, target)
        begun.send_ahead()
        source.write_bytes(A_FILM[: len(A_FILM) // 2])
        sent_all_there_is(begun)
        whole = CHANGES[change]
        source.write_bytes(whole)

        sent_all_there_is(begun)
        seen_before = storage.stat(target), storage.list(url("f"))
        put = begun.finish()

        assert seen_before == (None, ())
        assert storage.stat(target) == put
        assert put.size == len(whole)
        assert (storage.read(target) == whole) is True
        assert storage.holds(
            target, size=put.size, sha256=hashlib.sha256(whole).hexdigest()
        )

    def test_a_put_that_is_dropped_leaves_nothing(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        source, target = a_file(tmp_path, A_FILM), url("f/film.mp4")
        begun = storage.begin(source, target)
        sent_all_there_is(begun)

        begun.drop()
        begun.drop()

        assert storage.stat(target) is None
        assert storage.list(url("f")) == ()

    def test_a_put_that_was_begun_is_refused_where_a_put_would_be(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        source, target = a_file(tmp_path, A_FILM), url("film.mp4")
        begun = storage.begin(source, target)
        sent_all_there_is(begun)
        theirs = storage.put(a_file(tmp_path, b"theirs"), target)

        with pytest.raises(OutputExists):
            begun.finish()
        begun.drop()

        assert storage.stat(target) == theirs
        assert storage.read(target) == b"theirs"

    def test_a_put_that_was_begun_replaces_what_was_expected_then(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        source, target = a_file(tmp_path, A_FILM), url("film.mp4")
        old = storage.put(a_file(tmp_path, b"old"), target)
        begun = storage.begin(source, target)
        sent_all_there_is(begun)

        put = begun.finish(before=old.version)

        assert storage.stat(target) == put
        assert is_the_film(storage.read(target))

    def test_a_put_that_was_begun_and_refused_may_be_finished_all_the_same(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        """In the place of what it was refused for."""
        source, target = a_file(tmp_path, A_FILM), url("film.mp4")
        begun = storage.begin(source, target)
        sent_all_there_is(begun)
        theirs = storage.put(a_file(tmp_path, b"theirs"), target)
        with pytest.raises(OutputExists):
            begun.finish()

        put = begun.finish(before=theirs.version)

        assert storage.stat(target) == put
        assert is_the_film(storage.read(target))

    def test_a_put_that_was_begun_and_is_told_to_stop_leaves_nothing(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        source, why = a_file(tmp_path, A_FILM), list[HandedBack]()
        begun = storage.begin(
            source, url("f/film.mp4"), stop=lambda: why[0] if why else None
        )
        sent_all_there_is(begun)
        why.append(HandedBack("leaving"))

        with pytest.raises(HandedBack):
            begun.finish()
        begun.drop()

        assert storage.list(url("f")) == ()

    def test_a_put_that_was_begun_heeds_what_is_to_stop_its_end(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        """In the place of what was to stop it while it was sent."""
        source = a_file(tmp_path, A_FILM)
        begun = storage.begin(source, url("f/film.mp4"), stop=never_stop)
        other = storage.begin(source, url("g/film.mp4"), stop=lambda: HandedBack("old"))

        with pytest.raises(HandedBack):
            begun.finish(stop=lambda: HandedBack("leaving"))
        begun.drop()
        other.finish(stop=never_stop)

        assert storage.list(url("f")) == ()
        assert is_the_film(storage.read(url("g/film.mp4")))
