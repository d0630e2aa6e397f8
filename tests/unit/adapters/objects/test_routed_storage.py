from pathlib import Path

import pytest

from media_nommer.adapters.memory import MemoryStorage
from media_nommer.adapters.objects import FileStorage, RoutedStorage, file_url
from media_nommer.core.errors import OutputExists, UnsupportedUrl


@pytest.fixture
def storage(tmp_path: Path) -> RoutedStorage:
    return RoutedStorage({"file": FileStorage, "memory": MemoryStorage}, scratch=tmp_path)


def test_bytes_go_from_one_storage_to_another(
    storage: RoutedStorage, tmp_path: Path
) -> None:
    (tmp_path / "film").write_bytes(b"film")

    storage.copy(file_url(tmp_path / "film"), "memory://b/film")
    storage.copy("memory://b/film", file_url(tmp_path / "back"))

    assert (tmp_path / "back").read_bytes() == b"film"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "film"]
    with pytest.raises(OutputExists):
        storage.copy(file_url(tmp_path / "film"), "memory://b/film")


def test_an_unknown_scheme_is_refused_by_name(storage: RoutedStorage) -> None:
    with pytest.raises(UnsupportedUrl, match="gopher://") as refused:
        storage.stat("gopher://host/film")

    assert refused.value.advice == "These can be: file://, memory://."


def test_what_is_no_url_is_refused(storage: RoutedStorage) -> None:
    with pytest.raises(UnsupportedUrl, match=r"films/in\.mov"):
        storage.stat("films/in.mov")


def test_a_scheme_may_be_written_in_capitals(storage: RoutedStorage) -> None:
    with pytest.raises(UnsupportedUrl, match="does not name a file"):
        storage.stat("FILE://host/film")
