"""Scratch space: gone afterwards, whatever happens."""

from contextlib import suppress
from pathlib import Path

import pytest

from media_nommer.core.errors import NoSpace, StorageError
from media_nommer.ec2nommerd.scratch import Scratch, remove_stale


def test_an_attempts_folder_is_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    with Scratch(tmp_path / "s", "node-1") as scratch:
        with scratch.attempt("task.c1") as folder:
            (folder / "deep").mkdir()
            (folder / "deep" / "file").write_bytes(b"x")
        assert not folder.exists()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_attempts_folder_is_removed_however_it_is_left(
    tmp_path: Path, error: type[BaseException]
) -> None:
    with Scratch(tmp_path / "s", "node-1") as scratch:
        with suppress(error), scratch.attempt("task.c1") as folder:
            (folder / "file").write_bytes(b"x")
            raise error
        assert list(scratch.folder.iterdir()) == []


def test_nothing_is_left_when_a_worker_ends(tmp_path: Path) -> None:
    with Scratch(tmp_path / "s", "node-1") as scratch:
        (scratch.folder / "file").write_bytes(b"x")

    assert list(tmp_path.iterdir()) == []


def test_an_attempt_begins_in_an_empty_folder(tmp_path: Path) -> None:
    with Scratch(tmp_path / "s", "node-1") as scratch:
        left = scratch.folder / "task.c1"
        left.mkdir()
        (left / "file").write_bytes(b"x")

        with scratch.attempt("task.c1") as folder:
            assert list(folder.iterdir()) == []


def test_folders_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    stale = tmp_path / "s" / "dead" / "task.c1"
    stale.mkdir(parents=True)
    (stale / "film.mp4").write_bytes(b"x")
    with Scratch(tmp_path / "s", "alive") as one:
        (one.folder / "file").write_bytes(b"x")
        with Scratch(tmp_path / "s", "another"):
            assert remove_stale(tmp_path / "s") == 0

        assert sorted(p.name for p in (tmp_path / "s").iterdir()) == ["alive"]
        assert (one.folder / "file").exists()


def test_links_beside_the_folders_are_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "films"
    precious.mkdir()
    (precious / "film.mp4").write_bytes(b"x")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "link").symlink_to(precious)

    with Scratch(tmp_path / "s", "node-1") as scratch, scratch.attempt("a") as folder:
        (folder / "source").symlink_to(precious / "film.mp4")

    assert (precious / "film.mp4").read_bytes() == b"x"


def test_too_little_room_is_said_before_work_begins(tmp_path: Path) -> None:
    with Scratch(tmp_path / "s", "node-1") as scratch:
        scratch.check_room(0)
        with pytest.raises(NoSpace, match="MB") as said:
            scratch.check_room(1 << 60)

    assert said.value.advice


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    with (
        Scratch(tmp_path / "s", "node-1") as scratch,
        pytest.raises(StorageError),
        scratch.attempt("x" * 300),
    ):
        pass


def test_a_folder_that_others_remove_while_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "scratch"
    folder = root / "n1"
    folder.mkdir(parents=True)
    is_dir = Path.is_dir

    def removed_first(path: Path) -> bool:
        if path == folder and not removals:
            removals.append(path)
            folder.rmdir()
        return is_dir(path)

    removals: list[Path] = []
    monkeypatch.setattr(Path, "is_dir", removed_first)

    with Scratch(root, "n1") as scratch:
        stands = is_dir(scratch.folder)

    assert (removals, stands) == ([folder], True)
