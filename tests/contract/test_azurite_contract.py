"""The contract of storages on Azurite; ``make soak``, since it is 365 MB to fetch."""

import itertools
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from tests.azurite_server import ACCOUNT, KEY, azurite, make_container
from typing_extensions import override

from media_nommer.adapters.objects.cloud import CloudStorage
from media_nommer.core.errors import AccessDenied, StorageError
from media_nommer.core.ports.storage import Storage, Traits
from media_nommer.testing.storage_contract import StorageContract
from media_nommer.testing.storage_ground import ODD_NAMES, Plant

pytestmark = pytest.mark.skipif(
    not os.environ.get("NOMMER_SOAK"), reason="Azurite is large; set NOMMER_SOAK"
)
#: Azure takes a backslash for a slash, and such a name is refused.
NAMES = [name for name in ODD_NAMES if "\\" not in name]
_PLAIN = "/-._~!$&'()*+,;=:@"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with azurite() as url:
        yield url


@pytest.fixture
def box(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A container of its own, and the variables by which obstore finds it."""
    monkeypatch.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
    monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", server)
    name = f"box-{next(_numbers)}"
    make_container(server, name)
    return name


class TestCloudStorageOnAzurite(StorageContract):
    @pytest.fixture
    def storage(self, box: str) -> Storage:
        return CloudStorage()

    @pytest.fixture
    def url(self, box: str) -> Callable[[str], str]:
        return lambda name: f"az://{box}/{quote(name, safe=_PLAIN)}"

    @pytest.mark.parametrize("name", NAMES)
    @override
    def test_what_has_an_odd_name_is_read_by_it(
        self, storage: Storage, plant: Plant, tmp_path: Path, name: str
    ) -> None:
        super().test_what_has_an_odd_name_is_read_by_it(storage, plant, tmp_path, name)

    @pytest.mark.parametrize("name", NAMES)
    @override
    def test_an_odd_name_is_a_name(
        self, storage: Storage, url: Callable[[str], str], tmp_path: Path, name: str
    ) -> None:
        super().test_an_odd_name_is_a_name(storage, url, tmp_path, name)


@pytest.mark.parametrize("name", ["hls/index.m3u8", "a-b_c~d!$&'()*+,;=:@.m3u8"])
def test_what_was_put_is_served_as_asked_by_its_link(
    box: str, tmp_path: Path, name: str
) -> None:
    storage, url = CloudStorage(), f"az://{box}/{name}"
    (tmp_path / "made").write_bytes(b"#EXTM3U")
    traits = Traits(cache_control="max-age=60")

    storage.put(tmp_path / "made", url, sha256="3" * 64, traits=traits)
    link = storage.link(url, timedelta(hours=1))

    assert link is not None
    answer = httpx2.get(link)
    assert answer.content == b"#EXTM3U"
    assert answer.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert answer.headers["Cache-Control"] == "max-age=60"
    assert storage.holds(url, size=7, sha256="3" * 64)


@pytest.mark.parametrize("name", ["a b.mp4", "\u00fc.mp4", "100%.mp4"])
def test_a_link_that_azure_would_refuse_is_not_given(
    box: str, tmp_path: Path, name: str
) -> None:
    storage, url = CloudStorage(), f"az://{box}/{quote(name)}"
    (tmp_path / "made").write_bytes(b"film")
    storage.put(tmp_path / "made", url)

    assert storage.link(url, timedelta(hours=1)) is None


def test_a_server_of_ones_own_is_used_with_the_key_of_its_account(
    box: str, server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_USE_EMULATOR")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"{server}/{ACCOUNT}")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    (tmp_path / "made").write_bytes(b"film")

    CloudStorage().put(tmp_path / "made", f"az://{box}/film.mp4")

    assert CloudStorage().read(f"az://{box}/film.mp4") == b"film"


def test_a_wrong_key_is_said_to_be_one(
    box: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_USE_EMULATOR")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"{server}/{ACCOUNT}")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "d3Jvbmc=")

    with pytest.raises(AccessDenied):
        CloudStorage().stat(f"az://{box}/film.mp4")


def test_a_container_that_is_not_there_is_said_not_to_be(box: str, tmp_path: Path) -> None:
    (tmp_path / "made").write_bytes(b"film")

    with pytest.raises(StorageError, match="no-such-box"):
        CloudStorage().put(tmp_path / "made", "az://no-such-box/film.mp4")
