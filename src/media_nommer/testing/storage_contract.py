"""What every storage must do: subclass ``StorageContract``.

Give it a ``storage`` that is empty and a ``url`` that turns a plain name, which may hold
``/`` and any odd character, into the URL of an object of that name.

A storage that only reads fulfils ``ReadingContract``, which is a part of the other. Give it
a ``plant`` as well, which puts bytes where the storage will find them.
"""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typing_extensions import override

from media_nommer.core.errors import (
    HandedBack,
    NommerError,
    SourceNotFound,
    UnsupportedUrl,
)
from media_nommer.core.ports.storage import Storage
from media_nommer.testing.concurrency import THREADS, at_once
from media_nommer.testing.storage_begun_contract import BegunContract
from media_nommer.testing.storage_copying_contract import CopyingContract
from media_nommer.testing.storage_ground import (
    A_FILM,
    ODD_NAMES,
    Plant,
    StorageGround,
    Url,
    a_file,
    is_the_film,
    planting,
    stop_after,
)
from media_nommer.testing.storage_listing_contract import ListingContract
from media_nommer.testing.storage_putting_contract import PuttingContract


class ReadingContract(StorageGround):
    """What is promised of every storage that can be read."""

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


class StorageContract(
    ReadingContract, PuttingContract, BegunContract, CopyingContract, ListingContract
):
    """Everything that is promised by ``Storage``."""

    @override
    @pytest.fixture
    def plant(self, storage: Storage, url: Url, tmp_path: Path) -> Plant:
        """Return what puts bytes at a name, by the storage itself."""
        return planting(storage, url, tmp_path)

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
