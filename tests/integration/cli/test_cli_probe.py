"""`nommer probe`, on what is media and on what is not."""

from pathlib import Path

import pytest
from cli_shell import Shell


def test_probe_shows_the_container_and_every_stream(shell: Shell, film: Path) -> None:
    said = shell.run("probe", film)

    assert said.status == 0, said.err
    assert "0:01" in said.out
    assert "160x120, 25 fps" in said.out
    assert "48000 Hz" in said.out
    assert shell.left_behind() == []


def test_probe_says_the_same_as_json(shell: Shell, film: Path) -> None:
    said = shell.run("probe", "--json", film)

    assert said.status == 0, said.err
    assert said.document["video"][0]["codec"] == "h264"
    assert said.document["video"][0]["average_rate"] == "25"
    assert said.document["audio"][0]["sample_rate"] == 48000


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        pytest.param(b"", "EMPTY_SOURCE", "is empty", id="empty"),
        pytest.param(b"hello, this is a letter\n" * 50, "NOT_MEDIA", "", id="not media"),
    ],
)
def test_probe_says_what_is_wrong_with_a_file(
    content: bytes, code: str, words: str, shell: Shell
) -> None:
    (shell.folder / "film.mp4").write_bytes(content)

    said = shell.run("probe", "film.mp4")

    assert said.status == 1
    assert said.err.startswith("error: ")
    assert words in said.err
    assert said.err.rstrip().endswith(code)
    assert "Traceback" not in said.err


def test_probe_of_a_file_that_is_not_there(shell: Shell) -> None:
    said = shell.run("probe", "film.mp4")

    assert said.status == 1
    assert "SOURCE_NOT_FOUND" in said.err
