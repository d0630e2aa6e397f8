"""Where a URL from somebody else may lead, and what of it may be told."""

import logging
import re
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from tests.http_server import Site, serving
from tests.integration.http.conftest import MakeStorage

from media_nommer.adapters.http import HttpStorage
from media_nommer.core.errors import (
    AccessDenied,
    NommerError,
    SourceNotFound,
    SourceRefused,
    UnsupportedUrl,
)


def to(location: str, status: int = 302):  # type: ignore[no-untyped-def]
    return lambda exchange: exchange.say(status, location=location)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_up_to_ten(
    site: Site, storage: HttpStorage, path: Path, status: int
) -> None:
    site.plant("hop/10", b"film")
    for number in range(10):
        where = str(number + 1) if number % 2 else f"{site.base}/hop/{number + 1}"
        site.answer(f"/hop/{number}", to(where, status))

    storage.fetch(site.url("hop/0"), path)
    seen = storage.stat(site.url("hop/0"))

    assert path.read_bytes() == b"film"
    assert seen is not None
    assert seen.size == 4


def test_redirects_in_a_circle_end(site: Site, storage: HttpStorage, path: Path) -> None:
    site.answer("/a", to("/b"))
    site.answer("/b", to("/a"))

    with pytest.raises(SourceRefused, match="10 redirects") as failed:
        storage.fetch(site.url("a"), path)

    assert not failed.value.retryable
    assert len(site.asked) == 11


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "ftp://host/film",
        "gopher://127.0.0.1:6379/_x",
        "http://user:secret@host/film",
        "http://",
        "http://host:99999/film",
        "//[::1",
    ],
)
def test_a_redirect_to_something_else_than_the_web_is_not_followed(
    site: Site, storage: HttpStorage, path: Path, location: str
) -> None:
    url = site.answer("/a", to(location))

    with pytest.raises(SourceRefused) as failed:
        storage.fetch(url, path)

    assert "secret" not in failed.value.message
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "0.0.0.0", "[::]"],
)
def test_a_redirect_to_what_machines_tell_themselves_is_not_followed(
    site: Site, storage: HttpStorage, path: Path, host: str
) -> None:
    url = site.answer("/a", to(f"http://{host}/latest/meta-data/"))

    with pytest.raises(AccessDenied):
        storage.fetch(url, path)
    with pytest.raises(AccessDenied):
        storage.stat(url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "10.1.2.3"]
)
def test_private_networks_are_closed_unless_they_are_opened(
    make_storage: MakeStorage, site: Site, path: Path, host: str
) -> None:
    port = site.base.rpartition(":")[2]
    closed = make_storage(private_networks=False)

    for call in (closed.stat, closed.read, lambda url: closed.fetch(url, path)):
        with pytest.raises(AccessDenied) as failed:
            call(f"http://{host}:{port}/film")
        assert "private_networks" in failed.value.advice
    assert site.asked == []


def test_the_connection_goes_to_the_address_that_was_checked(
    make_storage: MakeStorage, site: Site, path: Path
) -> None:
    """A name may lead elsewhere when it is looked up for a second time."""
    site.plant("film", b"film")
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    port = site.base.rpartition(":")[2]
    make_storage(resolve=resolve).fetch(f"http://films.example:{port}/film", path)

    assert path.read_bytes() == b"film"
    assert looked_up == ["films.example"]
    assert site.asked[0].headers["host"] == f"films.example:{port}"


def test_a_host_is_refused_for_one_bad_address_among_good_ones(
    make_storage: MakeStorage, path: Path
) -> None:
    storage = make_storage(resolve=lambda host, port: ["127.0.0.1", "169.254.169.254"])

    with pytest.raises(AccessDenied) as failed:
        storage.fetch("http://films.example/film", path)

    assert "169.254" not in failed.value.message


def test_the_next_address_is_tried_where_one_does_not_answer(
    make_storage: MakeStorage, site: Site, path: Path
) -> None:
    site.plant("film", b"film")
    storage = make_storage(resolve=lambda host, port: ["127.9.9.9", "127.0.0.1"])
    port = site.base.rpartition(":")[2]

    storage.fetch(f"http://films.example:{port}/film", path)

    assert path.read_bytes() == b"film"


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
def test_a_host_that_cannot_be_is_not_found(
    storage: HttpStorage, path: Path, host: str
) -> None:
    with pytest.raises(SourceNotFound, match=re.escape(host)):
        storage.fetch(f"http://{host}/film", path)


def test_proxies_of_the_environment_are_ignored(
    site: Site, storage: HttpStorage, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    storage.fetch(site.plant("film", b"film"), path)

    assert path.read_bytes() == b"film"


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@host/film",
        "https://secret@host/film",
        "http://user:secret@host:x/film",
        "http://a:secret@[::1/film",
    ],
)
def test_user_and_password_in_a_url_are_refused_and_not_repeated(
    storage: HttpStorage, path: Path, url: str
) -> None:
    for call in (storage.stat, storage.read, lambda url: storage.fetch(url, path)):
        with pytest.raises(UnsupportedUrl) as failed:
            call(url)
        assert "secret" not in failed.value.message + failed.value.advice
        assert failed.value.advice


@pytest.mark.parametrize("status", [302, 404, 403, 400, 500, 206])
def test_the_query_of_a_url_is_in_no_message_and_no_log(
    site: Site,
    storage: HttpStorage,
    path: Path,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    url = site.answer("/film?sig=secret", to("/film?sig=secret", status))
    caplog.set_level(logging.DEBUG)

    with structlog.testing.capture_logs() as logged, pytest.raises(NommerError) as failed:
        storage.fetch(url, path)

    assert "/film" in failed.value.message
    assert "secret" not in failed.value.message + failed.value.advice
    assert "secret" not in caplog.text
    assert "secret" not in str(logged)


@pytest.mark.parametrize(
    "target",
    [
        "/a%20b/%E6%97%A5.mp4",
        "/a%2fb/c%2Fd",
        "/100%25/x",
        "/a+b;c=d,e@f!$&'()*~",
        "/film?sig=a%2Bb%3D&x=%20y+z",
        "/film?",
        "/?a=/b?c",
        "/double//slash",
    ],
)
def test_a_path_and_its_query_are_sent_as_they_were_given(
    site: Site, storage: HttpStorage, path: Path, target: str
) -> None:
    url = site.answer(target, lambda exchange: exchange.say(200, b"film"))

    storage.fetch(f"{url}#fragment", path)

    assert site.asked[0].path == target


def test_writing_is_refused_with_what_can_be_written(
    site: Site, storage: HttpStorage, tmp_path: Path
) -> None:
    url = site.plant("film", b"film")
    for call in (
        lambda: storage.put(tmp_path / "film", url),
        lambda: storage.copy(url, url),
        lambda: storage.delete(url),
        lambda: storage.delete_below(url),
    ):
        with pytest.raises(UnsupportedUrl, match="can be read, not written") as failed:
            call()
        assert "file://" in failed.value.advice
    with pytest.raises(UnsupportedUrl, match="cannot be listed"):
        storage.list(url)
    assert storage.link(url, timedelta(hours=1)) is None
    assert site.asked == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for films.example that nobody but itself vouches for."""
    pem = tmp_path_factory.mktemp("tls") / "films.pem"
    name = ("-subj", "/CN=films.example", "-addext", "subjectAltName=DNS:films.example")
    words = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name)
    try:
        made = subprocess.run(
            ["openssl", "req", *words, "-keyout", pem, "-out", pem.with_suffix(".crt")],
            capture_output=True,
            check=True,
        )
    except FileNotFoundError:
        pytest.skip("there is no openssl to make a certificate with")
    assert made.returncode == 0
    pem.write_bytes(pem.read_bytes() + pem.with_suffix(".crt").read_bytes())
    return pem


@pytest.fixture
def secure_site(certificate: Path):  # type: ignore[no-untyped-def]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(tls=context) as site:
        yield site


def at(site: Site, host: str, name: str = "film") -> str:
    return f"https://{host}:{site.base.rpartition(':')[2]}/{name}"


def test_a_certificate_that_nobody_vouches_for_is_refused(
    make_storage: MakeStorage, secure_site: Site, path: Path, waits: list[float]
) -> None:
    secure_site.plant("film", b"film")
    storage = make_storage(resolve=lambda host, port: ["127.0.0.1"])

    with pytest.raises(SourceRefused, match="self-signed") as failed:
        storage.fetch(at(secure_site, "films.example"), path)

    assert not failed.value.retryable
    assert secure_site.asked == []
    assert waits == []


def test_a_certificate_must_be_of_the_host_that_the_url_names(
    make_storage: MakeStorage, secure_site: Site, certificate: Path, path: Path
) -> None:
    """Though the connection goes to an address, the name is what is proved."""
    secure_site.plant("film", b"film")
    storage = make_storage(
        resolve=lambda host, port: ["127.0.0.1"],
        tls=ssl.create_default_context(cafile=certificate.with_suffix(".crt")),
    )

    storage.fetch(at(secure_site, "films.example"), path)

    assert path.read_bytes() == b"film"
    assert secure_site.asked[0].headers["host"].startswith("films.example:")
    with pytest.raises(SourceRefused, match="certificate"):
        storage.stat(at(secure_site, "other.example"))


def test_a_redirect_does_not_give_up_tls(
    make_storage: MakeStorage,
    secure_site: Site,
    site: Site,
    certificate: Path,
    path: Path,
) -> None:
    secure_site.answer("/film", to(site.plant("film", b"film")))
    storage = make_storage(
        resolve=lambda host, port: ["127.0.0.1"],
        tls=ssl.create_default_context(cafile=certificate.with_suffix(".crt")),
    )

    with pytest.raises(SourceRefused, match="http://"):
        storage.fetch(at(secure_site, "films.example"), path)

    assert site.asked == []


def test_a_storage_that_would_trust_anybody_cannot_be_made() -> None:
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE

    with pytest.raises(ValueError, match="always"):
        HttpStorage(tls=blind)


def test_nothing_is_found_where_nothing_is(site: Site, storage: HttpStorage) -> None:
    site.answer("/gone", lambda exchange: exchange.say(410))

    assert storage.stat(site.url("gone")) is None
    with pytest.raises(SourceNotFound):
        storage.read(site.url("gone"))
