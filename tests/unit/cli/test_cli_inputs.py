from pathlib import Path

import pytest

from media_nommer.cli.inputs import find_sources, path_of, url_of
from media_nommer.core.errors import BadRequest, NotMedia, SourceNotFound


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder as people have them."""
    folder = tmp_path / "films"
    (folder / "1999").mkdir(parents=True)
    (folder / "out").mkdir()
    for name in ("b.MOV", "a.mp4", "notes.txt", ".hidden.mp4", "1999/c.mkv", "out/a.mp4"):
        (folder / name).touch()
    return folder


def labels(folder: Path, *, recursive: bool, leave_out: Path | None = None) -> list[str]:
    found = find_sources([str(folder)], recursive=recursive, leave_out=leave_out)
    return [source.label.removeprefix(f"{folder}/") for source in found]


def test_a_folder_stands_for_its_media_files_in_order(films: Path) -> None:
    assert labels(films, recursive=False) == ["a.mp4", "b.MOV"]


def test_recursion_finds_deeper_files_but_not_earlier_outputs(films: Path) -> None:
    found = labels(films, recursive=True, leave_out=films / "out")

    assert found == ["1999/c.mkv", "a.mp4", "b.MOV"]


def test_a_tree_of_folders_stays_one_at_the_destination(films: Path) -> None:
    sources = find_sources([str(films)], recursive=True, leave_out=films / "out")

    assert [source.folder for source in sources] == ["1999", "", ""]


def test_a_file_that_is_named_may_be_called_anything(films: Path) -> None:
    (source,) = find_sources([str(films / "notes.txt")])

    assert (source.stem, source.path) == ("notes", films / "notes.txt")


def test_paths_become_urls_that_lead_back_to_them(tmp_path: Path) -> None:
    odd = tmp_path / "100% ünïque #1?.mp4"

    assert path_of(url_of(str(odd))) == odd


def test_a_name_that_is_not_text_survives_the_way_through_a_url(tmp_path: Path) -> None:
    odd = tmp_path / b"caf\xe9.mp4".decode(errors="surrogateescape")

    assert url_of(str(odd)).endswith("caf%E9.mp4")


def test_urls_pass_as_they_are() -> None:
    (source,) = find_sources(["s3://bucket/a%20b.mov"])

    assert (source.url, source.stem, source.path) == ("s3://bucket/a%20b.mov", "a b", None)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        pytest.param("missing.mov", SourceNotFound, "there is no file", id="no such file"),
        pytest.param("empty", NotMedia, "no media file in the folder", id="empty folder"),
        pytest.param("-", BadRequest, "standard input", id="standard input"),
        pytest.param("", BadRequest, "an INPUT is empty", id="empty text"),
        pytest.param("/dev/null", NotMedia, "neither a file nor a folder", id="device"),
    ],
)
def test_what_cannot_be_a_source_is_said(
    name: str,
    error: type[Exception],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(error, match=words):
        find_sources([name])
