"""Films that are on the web, encoded by `nommer encode`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_shell import Shell
from tests.http_server import Site, serving


@pytest.fixture
def web() -> Iterator[Site]:
    with serving() as made:
        yield made


def test_a_film_on_the_web_is_encoded_and_fetched_once(
    shell: Shell, film: Path, web: Site
) -> None:
    url = web.plant("films/a film.mkv", film.read_bytes())

    said = shell.run("encode", url, "-o", "out")

    assert said.status == 0, said.err
    assert (shell.folder / "out" / "a film.mp4").is_file()
    assert [asked.method for asked in web.asked].count("GET") == 1
    assert shell.left_behind() == []


def test_a_film_that_is_not_on_the_web_is_said(shell: Shell, web: Site) -> None:
    said = shell.run("encode", web.url("nothing.mp4"), "-o", "out")

    assert said.status == 1
    assert "SOURCE_NOT_FOUND" in said.err
    assert "/nothing.mp4" in said.err


def test_a_password_in_a_url_is_refused_and_not_repeated(shell: Shell) -> None:
    said = shell.run("encode", "https://me:sesame@host/film.mp4", "-o", "out")

    assert said.status == 2
    assert "user and password stand in the URL" in said.err
    assert "sesame" not in said.err + said.out
