"""The part of the storage's contract that is about lists, and about deleting."""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

from pathlib import Path

from media_nommer.core.ports.storage import Storage
from media_nommer.testing.storage_ground import StorageGround, Url, a_file


class ListingContract(StorageGround):
    """What must hold of lists and of deleting in every storage that writes."""

    def test_nothing_is_listed_at_first(self, storage: Storage, url: Url) -> None:
        assert storage.list(url("a")) == ()

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
