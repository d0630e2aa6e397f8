"""The part of the storage's contract that is about copies."""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

import hashlib
from pathlib import Path

import pytest

from media_nommer.core.errors import (
    HandedBack,
    OutputChanged,
    OutputExists,
    SourceNotFound,
)
from media_nommer.core.ports.storage import Storage
from media_nommer.testing.storage_ground import StorageGround, Url, a_file


class CopyingContract(StorageGround):
    """What must hold of a copy in every storage that writes."""

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
