"""The part of the storage's contract that is about putting objects."""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

import threading
from pathlib import Path

import pytest

from media_nommer.core.errors import (
    HandedBack,
    NommerError,
    OutputChanged,
    OutputExists,
    SourceNotFound,
)
from media_nommer.core.ports.storage import Storage, StoredObject
from media_nommer.testing.concurrency import THREADS, at_once
from media_nommer.testing.storage_ground import ODD_NAMES, StorageGround, Url, a_file


class PuttingContract(StorageGround):
    """What must hold of a put in every storage that writes."""

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

    def test_an_error_is_one_of_ours(
        self, storage: Storage, url: Url, tmp_path: Path
    ) -> None:
        with pytest.raises(NommerError):
            storage.put(tmp_path / "not there", url("a"))

        assert storage.stat(url("a")) is None
