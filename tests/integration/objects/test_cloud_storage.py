"""What obstore's storages do beyond the contract, on its store in memory."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import AzureStore, GCSStore, MemoryStore

from media_nommer.adapters.objects import cloud
from media_nommer.adapters.objects.cloud import CloudStorage
from media_nommer.core.errors import (
    AccessDenied,
    BadRequest,
    OutputExists,
    StorageError,
    UnsupportedUrl,
)
from media_nommer.core.ports.storage import Traits

Opened = dict[str, MemoryStore]


@pytest.fixture
def opened() -> Opened:
    return {}


@pytest.fixture
def storage(opened: Opened) -> CloudStorage:
    def opening(root: str) -> MemoryStore:
        return opened.setdefault(root, MemoryStore())

    return CloudStorage(opening)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film"
    path.write_bytes(b"film")
    return path


def test_each_bucket_has_a_store_of_its_own(
    storage: CloudStorage, film: Path, opened: Opened
) -> None:
    storage.put(film, "gs://one/a")
    storage.copy("gs://one/a", "az://two/a")

    assert set(opened) == {"gs://one", "az://two"}
    assert storage.read("az://two/a") == b"film"
    assert storage.list("gs://one") == ("gs://one/a",)


def test_traits_and_the_sum_arrive(
    storage: CloudStorage, film: Path, opened: Opened
) -> None:
    traits = Traits(cache_control="max-age=60", storage_class="COLDLINE")

    storage.put(film, "gs://one/a.m3u8", sha256="3" * 64, traits=traits)
    attributes = obstore.get(opened["gs://one"], "a.m3u8").attributes

    assert attributes["Content-Type"] == "application/vnd.apple.mpegurl"
    assert attributes["Cache-Control"] == "max-age=60"
    assert attributes["Storage-Class"] == "COLDLINE"
    assert storage.holds("gs://one/a.m3u8", size=4, sha256="3" * 64)


def test_a_key_for_one_object_is_refused_rather_than_forgotten(
    storage: CloudStorage, film: Path
) -> None:
    with pytest.raises(BadRequest):
        storage.put(film, "gs://one/a", traits=Traits(kms_key="a-key"))


def test_a_put_whose_answer_is_lost_knows_its_own_object(
    storage: CloudStorage, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = obstore.put

    def twice(*given: Any, **named: Any) -> Any:
        put(*given, **named)
        return put(*given, **named)

    monkeypatch.setattr(obstore, "put", twice)

    stored = storage.put(film, "gs://one/a")

    assert storage.stat("gs://one/a") == stored
    with pytest.raises(OutputExists):
        storage.put(film, "gs://one/a")


def test_an_object_that_always_changes_is_not_fetched(
    storage: CloudStorage,
    film: Path,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    storage.put(film, "gs://one/a")
    get_ranges = obstore.get_ranges

    def changing(store: Any, *given: Any, **named: Any) -> Any:
        obstore.put(store, "a", b"another")
        return get_ranges(store, *given, **named)

    monkeypatch.setattr(obstore, "get_ranges", changing)

    with pytest.raises(StorageError, match="changed each time"):
        storage.fetch("gs://one/a", tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


def test_an_error_tells_no_signature(
    storage: CloudStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise obstore.exceptions.GenericError(
            "no answer from https://box.blob/a?sig=SECRET today\n\nDebug source: sig=SECRET"
        )

    monkeypatch.setattr(obstore, "head", failing)

    with pytest.raises(StorageError, match="no answer from") as caught:
        storage.stat("gs://one/a")
    assert "SECRET" not in caught.value.message


def test_credentials_that_are_refused_are_told_of(
    storage: CloudStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object) -> None:
        raise obstore.exceptions.PermissionDeniedError("no")

    monkeypatch.setattr(obstore, "head", refusing)

    with pytest.raises(AccessDenied):
        storage.stat("gs://one/a")


@pytest.mark.parametrize(
    "url",
    [
        "gs://",
        "gs://one",
        "gs://one/",
        "gs://one/a//b",
        "az://one/../a",
        "az://one/a%5Cb",
        "s3://b/a",
    ],
)
def test_what_names_no_object_is_refused(storage: CloudStorage, url: str) -> None:
    with pytest.raises(UnsupportedUrl):
        storage.stat(url)


def test_a_link_is_signed_where_the_service_signs(
    monkeypatch: pytest.MonkeyPatch, storage: CloudStorage, film: Path
) -> None:
    azure = AzureStore("box", account_name="acct", account_key="a2V5")
    signing = CloudStorage(lambda _root: azure)
    found: Callable[[Any, str], Any] = lambda _store, _key: {  # noqa: E731
        "size": 4,
        "e_tag": "e",
        "version": None,
    }
    storage.put(film, "gs://one/a")
    assert storage.link("gs://one/a", timedelta(hours=1)) is None

    monkeypatch.setattr(obstore, "head", found)
    link = signing.link("az://box/a", timedelta(hours=1))

    assert link is not None
    assert link.startswith("https://acct.blob.core.windows.net/box/a?")
    with pytest.raises(BadRequest):
        signing.link("az://box/a", timedelta(days=8))


def test_each_scheme_opens_its_own_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "acct")

    assert isinstance(cloud.open_bucket("gs://bucket"), GCSStore)
    assert isinstance(cloud.open_bucket("az://box"), AzureStore)


@pytest.mark.parametrize(
    ("variable", "root", "kind"),
    [
        ("GOOGLE_BASE_URL", "gs://one", "GCSStore"),
        ("AZURE_STORAGE_ENDPOINT", "az://one", "AzureStore"),
    ],
)
@pytest.mark.parametrize(
    ("server", "allowed"), [("http://127.0.0.1:4443", True), ("https://gcs.example", False)]
)
def test_a_server_without_tls_is_used_only_where_it_is_named_so(
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    root: str,
    kind: str,
    server: str,
    allowed: bool,
) -> None:
    seen: dict[str, Any] = {}

    def opened(_name: str, *, client_options: dict[str, Any]) -> None:
        seen.update(client_options)

    monkeypatch.setattr(cloud.stores, kind, opened)
    monkeypatch.setenv(variable, server)

    cloud.open_bucket(root)

    assert seen.get("allow_http", False) is allowed
