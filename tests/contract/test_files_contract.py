from collections.abc import Callable
from pathlib import Path

import pytest

from media_nommer.adapters.memory import MemoryStorage
from media_nommer.adapters.objects import FileStorage, RoutedStorage, file_url
from media_nommer.core.ports.storage import Storage
from media_nommer.testing.storage_contract import StorageContract


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "a root, ü 100%"
    root.mkdir()
    return root


@pytest.fixture
def in_root(root: Path) -> Callable[[str], str]:
    return lambda name: file_url(root / name)


class TestFileStorage(StorageContract):
    @pytest.fixture
    def storage(self) -> Storage:
        return FileStorage()

    @pytest.fixture
    def url(self, in_root: Callable[[str], str]) -> Callable[[str], str]:
        return in_root


class TestFileStorageWithRootsBelowALink(StorageContract):
    @pytest.fixture
    def storage(self, tmp_path: Path, root: Path) -> Storage:
        (tmp_path / "link").symlink_to(root)
        return FileStorage([tmp_path / "link"], own=[tmp_path])

    @pytest.fixture
    def url(self, storage: Storage, tmp_path: Path) -> Callable[[str], str]:
        return lambda name: file_url(tmp_path / "link" / name)


class TestRoutedStorage(StorageContract):
    @pytest.fixture
    def storage(self) -> Storage:
        return RoutedStorage({"file": FileStorage, "memory": MemoryStorage})

    @pytest.fixture
    def url(self, in_root: Callable[[str], str]) -> Callable[[str], str]:
        return in_root
