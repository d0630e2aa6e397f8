"""What every storage must do: subclass ``StorageContract``.

Give it a ``storage`` that is empty and a ``url`` that turns a plain name, which may hold
``/`` and any odd character, into the URL of an object of that name.

A storage that only reads fulfils ``ReadingContract``, which is a part of the other. Give it
a ``plant`` as well, which puts bytes where the storage will find them.
"""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

import hashlib
import itertools
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from typing_extensions import override

from media_nommer.core.errors import (
    HandedBack,
    NommerError,
    OutputChanged,
    OutputExists,
    SourceNotFound,
    UnsupportedUrl,
)
from media_nommer.core.ports.storage import BegunPut, StopCheck, Storage, StoredObject
from media_nommer.testing.concurrency import THREADS, at_once

#: Names that have broken somebody's storage before.
ODD_NAMES = (
    "two words.mp4",
    "naïve „ü“ 日本.mp4",
    'it\'s "quoted".mp4',
    "frame%03d.png",
    "100%.mp4",
    "already%20encoded.mp4",
    "a#b.mp4",
    "a?b=c&d.mp4",
    "-n.mp4",
    ".hidden.mp4",
    "semi;colon:and,comma.mp4",
    "a+b=c@d$e!(f)[g]{h}~*.mp4",
    "back\\slash.mp4",
)

#: Large enough to come in pieces, and no two places in it look alike.
A_FILM = b"".join(n.to_bytes(4, "big") for n in range(900_000))


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


def is_the_film(data: bytes) -> bool:
    """Return whether bytes are A_FILM's: to explain how so many differ takes minutes."""
    return data == A_FILM


Url = Callable[[str], str]
Plant = Callable[[str, bytes], str]
_numbers = itertools.count()


def a_file(folder: Path, data: bytes) -> Path:
    """Return a new file that holds ``data``."""
    path = folder / f"source-{next(_numbers)}"
    path.write_bytes(data)
    return path


def stop_after(looks: int) -> StopCheck:
    """Return what lets work go on at so many looks, and stops it from then on."""
    left = itertools.count(looks, -1)
    return lambda: HandedBack("leaving") if next(left) <= 0 else None


def planting(storage: Storage, url: Url, folder: Path) -> Plant:
    """Return a ``plant`` for a storage that writes; ``folder`` is for its sources."""

    def plant(name: str, data: bytes) -> str:
        target = url(name)
        standing = storage.stat(target)
        before = None if standing is None else standing.version
        storage.put(a_file(folder, data), target, before=before)
        return target

    return plant


class ReadingContract:
    """What is promised of every storage that can be read."""

    @pytest.fixture
    def storage(self) -> Storage:
        """Return an empty storage."""
        raise NotImplementedError("give the suite a storage")

    @pytest.fixture
    def url(self) -> Url:
        """Return what makes URLs of plain names."""
        raise NotImplementedError("give the suite a url")

    @pytest.fixture
    def plant(self) -> Plant:
        """Return what puts bytes at a name, in place of others, and returns the URL."""
        raise NotImplementedError("give the suite a plant")

    def test_what_was_never_there_is_not_found(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        nowhere = url("a/b.mp4")

        assert storage.stat(nowhere) is None
        assert not storage.holds(nowhere, size=0, sha256=hashlib.sha256().hexdigest())
        with pytest.raises(SourceNotFound):
            storage.read(nowhere)
        with pytest.raises(SourceNotFound):
            storage.fetch(nowhere, tmp_path / "fetched")
        assert not os.path.lexists(tmp_path / "fetched")

    def test_every_byte_of_what_stands_there_is_read(
        self, storage: Storage, plant: Plant, tmp_path: Path
    ) -> None:
        target = plant("deep/er/film.mp4", A_FILM)

        seen = storage.stat(target)
        storage.fetch(target, tmp_path / "fetched")

        assert seen is not None
        assert seen.size == len(A_FILM)
        assert is_the_film(storage.read(target))
        assert is_the_film((tmp_path / "fetched").read_bytes())

    def test_an_object_of_no_bytes_is_read_as_one(
        self, storage: Storage, plant: Plant, tmp_path: Path
    ) -> None:
        target = plant("empty", b"")

        seen = storage.stat(target)
        storage.fetch(target, tmp_path / "fetched")

        assert seen is not None
        assert seen.size == 0
        assert storage.read(target) == b""
        assert (tmp_path / "fetched").read_bytes() == b""
        assert storage.holds(target, size=0, sha256=hashlib.sha256().hexdigest())

    def test_the_version_changes_with_the_bytes_and_only_with_them(
        self, storage: Storage, plant: Plant
    ) -> None:
        target = plant("a", b"first")
        first, again = storage.stat(target), storage.stat(target)

        plant("a", b"other")
        other = storage.stat(target)

        assert first is not None
        assert other is not None
        assert again == first
        assert other.version != first.version

    def test_holds_looks_at_every_byte(self, storage: Storage, plant: Plant) -> None:
        target = plant("a", b"film")
        right = hashlib.sha256(b"film").hexdigest()

        assert storage.holds(target, size=4, sha256=right)
        assert not storage.holds(target, size=5, sha256=right)
        assert not storage.holds(target, size=4, sha256=hashlib.sha256(b"flim").hexdigest())

    def test_a_fetch_that_is_told_to_stop_leaves_all_or_nothing(
        self, storage: Storage, plant: Plant, tmp_path: Path
    ) -> None:
        """Whenever it is told: at the first look, at the last, and at those between."""
        target = plant("film.mp4", A_FILM)
        asked: list[None] = []
        (tmp_path / "whole").mkdir()
        storage.fetch(target, tmp_path / "whole/film", stop=lambda: asked.append(None))

        for number in {0, len(asked) // 2, len(asked) - 1}:
            folder = tmp_path / f"stopped-{number}"
            folder.mkdir()
            try:
                storage.fetch(target, folder / "film", stop=stop_after(number))
            except HandedBack:
                assert list(folder.iterdir()) == []
            else:
                assert is_the_film((folder / "film").read_bytes())

    def test_what_is_in_the_way_of_a_fetch_stays_as_it_is(
        self, storage: Storage, plant: Plant, tmp_path: Path
    ) -> None:
        target = plant("film.mp4", b"film")
        path = tmp_path / "taken"
        path.write_bytes(b"mine")

        with pytest.raises((NommerError, FileExistsError)):
            storage.fetch(target, path)

        assert path.read_bytes() == b"mine"

    def test_many_may_read_at_once(
        self, storage: Storage, plant: Plant, tmp_path: Path
    ) -> None:
        targets = [plant(f"f/{n}", bytes([n]) * 100_000) for n in range(THREADS)]

        at_once(lambda number: storage.fetch(targets[number], tmp_path / f"{number}"))

        for number in range(THREADS):
            assert (tmp_path / f"{number}").read_bytes() == bytes([number]) * 100_000

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_what_has_an_odd_name_is_read_by_it(
        self, storage: Storage, plant: Plant, tmp_path: Path, name: str
    ) -> None:
        target = plant(f"f/{name}", name.encode())

        storage.fetch(target, tmp_path / "fetched")

        assert storage.stat(target) is not None
        assert storage.read(target) == name.encode()
        assert (tmp_path / "fetched").read_bytes() == name.encode()

    def test_no_url_of_another_scheme_is_read(
        self, storage: Storage, tmp_path: Path
    ) -> None:
        strange = "gopher://host/film.mp4"
        calls: tuple[Callable[[], object], ...] = (
            lambda: storage.stat(strange),
            lambda: storage.fetch(strange, tmp_path / "fetched"),
            lambda: storage.read(strange),
            lambda: storage.holds(strange, size=0, sha256=""),
        )
        for call in calls:
            with pytest.raises(UnsupportedUrl):
                call()


class StorageContract(ReadingContract):
    """Everything that is promised by ``Storage``."""

    @override
    @pytest.fixture
    def plant(self, storage: Storage, url: Url, tmp_path: Path) -> Plant:
        """Return what puts bytes at a name, by the storage itself."""
        return planting(storage, url, tmp_path)

    def test_nothing_is_listed_at_first(self, storage: Storage, url: Url) -> None:
        assert storage.list(url("a")) == ()

    def test_bytes_come_back_as_they_were_put(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        data = bytes(range(256)) * 5000
        target = url("deep/er/film.mp4")

        put = storage.put(a_file(tmp_path, data), target)
        storage.fetch(target, tmp_path / "fetched")

        assert put.size == len(data)
        assert storage.stat(target) == put
        assert storage.read(target) == data
        assert (tmp_path / "fetched").read_bytes() == data

    def test_an_object_outlives_the_file_it_was_put_from(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        source = a_file(tmp_path, b"film")
        storage.put(source, url("a.mp4"))

        source.unlink()

        assert storage.read(url("a.mp4")) == b"film"

    def test_a_file_of_no_bytes_is_an_object(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        put = storage.put(a_file(tmp_path, b""), url("empty"))

        assert put.size == 0
        assert storage.stat(url("empty")) == put

    def test_what_stands_there_is_not_replaced_unasked(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        first = storage.put(a_file(tmp_path, b"first"), url("a"))

        with pytest.raises(OutputExists):
            storage.put(a_file(tmp_path, b"second"), url("a"))

        assert storage.read(url("a")) == b"first"
        assert storage.stat(url("a")) == first

    def test_what_was_expected_is_replaced_and_gets_another_version(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        first = storage.put(a_file(tmp_path, b"first"), url("a"))

        again = storage.put(a_file(tmp_path, b"other"), url("a"), before=first.version)

        assert storage.read(url("a")) == b"other"
        assert again.version != first.version
        assert storage.stat(url("a")) == again

    def test_what_somebody_else_wrote_is_not_replaced(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        first = storage.put(a_file(tmp_path, b"first"), url("a"))
        theirs = storage.put(a_file(tmp_path, b"their"), url("a"), before=first.version)

        with pytest.raises(OutputChanged):
            storage.put(a_file(tmp_path, b"mine!"), url("a"), before=first.version)

        assert storage.stat(url("a")) == theirs
        assert storage.read(url("a")) == b"their"

    def test_what_somebody_removed_is_not_put_back(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        first = storage.put(a_file(tmp_path, b"first"), url("a"))
        storage.delete(url("a"))

        with pytest.raises(OutputChanged):
            storage.put(a_file(tmp_path, b"mine"), url("a"), before=first.version)

        assert storage.stat(url("a")) is None

    def test_of_many_puts_into_an_empty_place_exactly_one_wins(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        sources = [a_file(tmp_path, bytes([n]) * 100_000) for n in range(THREADS)]

        answers = at_once(lambda number: storage.put(sources[number], url("a")))

        won = [n for n, a in enumerate(answers) if isinstance(a, StoredObject)]
        assert len(won) == 1
        assert sum(isinstance(a, OutputExists) for a in answers) == THREADS - 1
        assert storage.read(url("a")) == bytes([won[0]]) * 100_000

    def test_of_many_puts_in_place_of_one_version_exactly_one_wins(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        before = storage.put(a_file(tmp_path, b"old"), url("a")).version
        sources = [a_file(tmp_path, bytes([n]) * 100_000) for n in range(THREADS)]

        answers = at_once(
            lambda number: storage.put(sources[number], url("a"), before=before)
        )

        won = [n for n, a in enumerate(answers) if isinstance(a, StoredObject)]
        assert len(won) == 1
        assert sum(isinstance(a, OutputChanged) for a in answers) == THREADS - 1
        assert storage.read(url("a")) == bytes([won[0]]) * 100_000

    def test_a_copy_holds_the_same_bytes_and_outlives_its_source(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        storage.put(a_file(tmp_path, b"film"), url("work/a b"))

        told = hashlib.sha256(b"film").hexdigest()
        copied = storage.copy(url("work/a b"), url("out/ü.mp4"), sha256=told)
        storage.delete_below(url("work"))

        assert storage.stat(url("out/ü.mp4")) == copied
        assert storage.holds(url("out/ü.mp4"), size=4, sha256=told)
        assert storage.read(url("out/ü.mp4")) == b"film"

    def test_a_copy_is_refused_where_a_put_would_be(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        storage.put(a_file(tmp_path, b"new"), url("work"))
        standing = storage.put(a_file(tmp_path, b"old"), url("a"))

        with pytest.raises(SourceNotFound):
            storage.copy(url("nothing"), url("b"))
        with pytest.raises(OutputExists):
            storage.copy(url("work"), url("a"))
        with pytest.raises(OutputChanged):
            storage.copy(url("work"), url("b"), before=standing.version)
        assert storage.read(url("a")) == b"old"
        assert storage.stat(url("b")) is None

        copied = storage.copy(url("work"), url("a"), before=standing.version)
        assert storage.stat(url("a")) == copied
        assert storage.read(url("a")) == b"new"

    def test_a_copy_that_is_told_to_stop_leaves_nothing(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        storage.put(a_file(tmp_path, b"film"), url("work"))

        with pytest.raises(HandedBack):
            storage.copy(url("work"), url("f/a"), stop=lambda: HandedBack("leaving"))

        assert storage.list(url("f")) == ()

    def test_stop_is_asked_when_all_bytes_are_there(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        """The last look is what keeps a canceled job from publishing (rule 8)."""
        source = a_file(tmp_path, b"film")
        asked: list[bool] = []

        storage.put(source, url("a"), stop=lambda: asked.append(True))
        last = len(asked)

        def stop_at_last() -> HandedBack | None:
            asked.pop()
            return None if asked else HandedBack("leaving")

        assert last
        with pytest.raises(HandedBack):
            storage.put(source, url("b"), stop=stop_at_last)
        assert storage.stat(url("b")) is None

    def test_a_reader_never_sees_half_an_object(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        size = 4 << 20
        pictures = [a_file(tmp_path, bytes([n]) * size) for n in range(6)]
        seen: list[tuple[int, int]] = []
        over = threading.Event()

        def read_until_over() -> None:
            while not over.is_set():
                try:
                    data = storage.read(url("a"))
                except SourceNotFound:
                    continue
                seen.append((len(data), len(set(data[:: size // 64]))))

        reader = threading.Thread(target=read_until_over)
        reader.start()
        try:
            before = None
            for picture in pictures:
                before = storage.put(picture, url("a"), before=before).version
        finally:
            over.set()
            reader.join()

        assert set(seen) <= {(size, 1)}

    def test_a_put_that_is_told_to_stop_leaves_nothing(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        source = a_file(tmp_path, b"x" * (1 << 20))

        with pytest.raises(HandedBack):
            storage.put(source, url("f/a"), stop=lambda: HandedBack("leaving"))

        assert storage.stat(url("f/a")) is None
        assert storage.list(url("f")) == ()

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
        begun = storage.begin(source, target, before=old.version)
        sent_all_there_is(begun)

        put = begun.finish()

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

    def test_a_deleted_object_is_gone_however_often_it_is_deleted(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        storage.put(a_file(tmp_path, b"film"), url("f/a"))

        storage.delete(url("f/a"))
        storage.delete(url("f/a"))
        storage.delete(url("never/was"))

        assert storage.stat(url("f/a")) is None

    def test_objects_are_listed_below_a_folder(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        names = ["f/a", "f/b/c", "f/b/d e", "fa/x", "g"]
        for name in names:
            storage.put(a_file(tmp_path, b"film"), url(name))

        below = [url(name) for name in names[:3]]

        assert sorted(storage.list(url("f"))) == sorted(below)
        assert sorted(storage.list(url("f") + "/")) == sorted(below)
        assert storage.list(url("nothing/here")) == ()
        assert storage.list(url("f/a")) == ()

    def test_a_long_list_is_whole(self, storage: Storage, url: Url, tmp_path: Path) -> None:
        source = a_file(tmp_path, b"x")
        for number in range(40):
            storage.put(source, url(f"f/{number:04}"))

        assert len(storage.list(url("f"))) == 40

    def test_a_folder_is_deleted_with_all_below_and_nothing_beside(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        for name in ("f/a", "f/b/c", "fa/x"):
            storage.put(a_file(tmp_path, b"film"), url(name))

        storage.delete_below(url("f"))
        storage.delete_below(url("f"))

        assert storage.list(url("f")) == ()
        assert storage.read(url("fa/x")) == b"film"

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_an_odd_name_is_a_name(
        self, storage: Storage, url: Url, tmp_path: Path, name: str
    ) -> None:
        target = url(f"f/{name}")
        first = storage.put(a_file(tmp_path, b"film"), target)
        storage.put(a_file(tmp_path, b"more"), target, before=first.version)

        storage.fetch(target, tmp_path / "fetched")

        assert storage.read(target) == b"more"
        assert (tmp_path / "fetched").read_bytes() == b"more"
        assert storage.list(url("f")) == (target,)
        storage.delete(target)
        assert storage.list(url("f")) == ()

    def test_a_url_of_another_scheme_is_refused(
        self, storage: Storage, tmp_path: Path
    ) -> None:
        strange = "gopher://host/film.mp4"
        source = a_file(tmp_path, b"film")
        calls: tuple[Callable[[], object], ...] = (
            lambda: storage.put(source, strange),
            lambda: storage.delete(strange),
            lambda: storage.list(strange),
            lambda: storage.delete_below(strange),
        )
        for call in calls:
            with pytest.raises(UnsupportedUrl):
                call()

    def test_an_error_is_one_of_ours(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        with pytest.raises(NommerError):
            storage.put(tmp_path / "not there", url("a"))

        assert storage.stat(url("a")) is None
