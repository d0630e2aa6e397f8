import errno
import fcntl
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from media_nommer.adapters.objects import FileStorage, copying, file_url, path_of
from media_nommer.core.errors import (
    AccessDenied,
    HandedBack,
    NommerError,
    NoSpace,
    OutputExists,
    PathNotAllowed,
    SourceNotFound,
    StorageError,
    UnsupportedUrl,
)

PART = "0123456789abcdef.part"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "scratch" / "made.mp4"
    path.parent.mkdir()
    path.write_bytes(b"film" * 1000)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refusing(number: int) -> Callable[..., int]:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_put_file_is_a_second_link_to_it(source: Path, out: Path) -> None:
    FileStorage().put(source, file_url(out / "a.mp4"))

    assert (out / "a.mp4").samefile(source)
    assert names(out) == ["a.mp4"]


def test_a_file_that_only_a_link_leads_to_is_copied(source: Path, out: Path) -> None:
    """It is somebody's source, who may write to it later."""
    link = source.with_name("fetched")
    FileStorage().fetch(file_url(source), link)

    FileStorage().put(link, file_url(out / "a.mp4"))

    assert (out / "a.mp4").read_bytes() == source.read_bytes()
    assert not (out / "a.mp4").samefile(source)
    assert names(out) == ["a.mp4"]


def test_a_copy_within_our_own_folders_is_a_link(source: Path, out: Path) -> None:
    work = FileStorage(own=[source.parent])

    work.copy(file_url(source), file_url(out / "a.mp4"))
    FileStorage().copy(file_url(source), file_url(out / "b.mp4"))

    assert (out / "a.mp4").samefile(source)
    assert not (out / "b.mp4").samefile(source)


def test_a_copied_file_has_the_permissions_of_a_new_one(source: Path, out: Path) -> None:
    source.chmod(0o600)
    new = source.with_name("new")
    new.touch()

    FileStorage().copy(file_url(source), file_url(out / "a.mp4"))

    assert (out / "a.mp4").stat().st_mode == new.stat().st_mode


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EXDEV])
def test_without_links_files_are_copied_and_renamed(
    source: Path, out: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "link", refusing(number))
    url = file_url(out / "a.mp4")

    first = FileStorage().put(source, url)
    with pytest.raises(OutputExists):
        FileStorage().put(source, url)

    assert FileStorage().stat(url) == first
    assert names(out) == ["a.mp4"]


def test_without_links_a_file_that_comes_meanwhile_is_not_replaced(
    source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    out.mkdir()
    (out / "a.mp4").write_text("theirs")

    with pytest.raises(OutputExists):
        FileStorage().put(source, file_url(out / "a.mp4"))

    assert (out / "a.mp4").read_text() == "theirs"
    assert names(out) == ["a.mp4"]


def test_where_the_kernel_cannot_copy_between_files_bytes_are_sent(
    source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "copy_file_range", refusing(errno.EXDEV))
    monkeypatch.setattr(copying, "PIECE", 1000)

    FileStorage().copy(file_url(source), file_url(out / "a.mp4"))

    assert (out / "a.mp4").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, NoSpace),
        (errno.EDQUOT, NoSpace),
        (errno.EACCES, AccessDenied),
        (errno.EIO, StorageError),
    ],
)
def test_a_copy_that_fails_leaves_nothing_and_says_why(
    source: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    expected: type[NommerError],
) -> None:
    monkeypatch.setattr(os, "copy_file_range", refusing(number))
    monkeypatch.setattr(os, "sendfile", refusing(number))

    with pytest.raises(expected):
        FileStorage().copy(file_url(source), file_url(out / "a.mp4"))

    assert names(out) == []


def test_a_copy_is_stopped_between_pieces(
    source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PIECE", 1000)
    answers = iter([None, None, HandedBack("leaving")])

    with pytest.raises(HandedBack):
        FileStorage().copy(
            file_url(source), file_url(out / "a.mp4"), stop=lambda: next(answers)
        )

    assert names(out) == []


def test_what_a_killed_process_left_is_swept_by_the_next_copy(
    source: Path, out: Path
) -> None:
    out.mkdir()
    stale, other = out / f".a.mp4.{PART}", out / f".b.mp4.{PART}"
    stale.touch()
    other.touch()

    FileStorage().copy(file_url(source), file_url(out / "a.mp4"))

    assert names(out) == [other.name, "a.mp4"]
    assert FileStorage().list(file_url(out)) == (file_url(out / "a.mp4"),)


def test_a_part_that_somebody_writes_is_not_swept(source: Path, out: Path) -> None:
    out.mkdir()
    part = out / f".a.mp4.{PART}"
    with part.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        FileStorage().copy(file_url(source), file_url(out / "a.mp4"))

        assert part.exists()


def test_a_name_that_leaves_no_room_for_more_can_be_copied_to(
    source: Path, out: Path
) -> None:
    url = file_url(out / ("ü" * 125 + ".mp4"))

    FileStorage().copy(file_url(source), url)

    assert FileStorage().list(file_url(out)) == (url,)


def test_only_what_is_below_the_roots_may_be_touched(source: Path, out: Path) -> None:
    storage = FileStorage([out])
    out.mkdir()
    (out / "link").symlink_to(source)
    (out / "folder").symlink_to(source.parent)
    outside = [
        file_url(source),
        file_url(out / "link"),
        file_url(out / "folder" / "made.mp4"),
        f"file://{out}/../scratch/made.mp4",
        f"file://{out}/%2e%2e/scratch/made.mp4",
        f"file://{out}side/a",
    ]

    for url in outside:
        for call in (storage.stat, storage.read, storage.list):
            with pytest.raises(PathNotAllowed):
                call(url)
        with pytest.raises(PathNotAllowed):
            storage.put(source, url)
        with pytest.raises(PathNotAllowed):
            storage.copy(url, file_url(out / "a"))
    storage.put(source, file_url(out / "a"))
    for url in (outside[0], *outside[2:]):
        with pytest.raises(PathNotAllowed):
            storage.delete(url)
    assert source.exists()


def test_without_roots_given_nothing_may_be_touched(source: Path) -> None:
    with pytest.raises(PathNotAllowed):
        FileStorage([]).stat(file_url(source))


def test_deleting_a_folder_leaves_what_its_links_lead_to(source: Path, out: Path) -> None:
    out.mkdir()
    (out / "link").symlink_to(source)
    (out / "folder").symlink_to(source.parent)
    (out / f".x.{PART}").touch()

    FileStorage().delete_below(file_url(out))

    assert not out.exists()
    assert source.exists()


def test_a_folder_or_a_device_is_not_a_file(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/zero")):
        assert FileStorage().stat(file_url(path)) is None
        with pytest.raises(SourceNotFound):
            FileStorage().read(file_url(path))
    with pytest.raises(OutputExists):
        FileStorage().put(Path(__file__), file_url(tmp_path))


def test_a_file_in_the_way_of_a_folder_is_an_error(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError):
        FileStorage().put(source, file_url(tmp_path / "file" / "a" / "b.mp4"))


@pytest.mark.parametrize(
    "name", ["a b", "ü", "100%", "%41", "a?b#c", "new\nline", "\udcff\udcfe", "a;b=c@d"]
)
def test_a_path_comes_back_from_its_url(name: str) -> None:
    path = Path("/films") / name

    assert path_of(file_url(path)) == path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///films/a.mp4", "/films/a.mp4"),
        ("file://localhost/films/a.mp4", "/films/a.mp4"),
        ("file:///films/what?.mp4", "/films/what?.mp4"),
        ("file:///films/%C3%BC%20b.mp4", "/films/ü b.mp4"),
        ("file:///100%", "/100%"),
    ],
)
def test_people_write_urls_by_hand(url: str, path: str) -> None:
    assert path_of(url) == Path(path)


@pytest.mark.parametrize(
    "url", ["file://films/a.mp4", "file:a", "file://", "/films", "s3://a/b", "file:///a%00"]
)
def test_what_does_not_name_a_file_is_refused(url: str) -> None:
    with pytest.raises(UnsupportedUrl):
        path_of(url)


def test_what_a_writer_that_died_left_half_made_is_swept_and_nothing_else(
    tmp_path: Path,
) -> None:
    old = (tmp_path / "deep" / f".film.mp4.{'0' * 16}.part", tmp_path / ".mine.part")
    young = tmp_path / f".film.mp4.{'1' * 16}.part"
    for path in (*old, young):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    for path in old:
        os.utime(path, (1, 1))

    swept = FileStorage().sweep(file_url(tmp_path), timedelta(days=2))

    assert swept == 1
    assert sorted(path.name for path in tmp_path.rglob("*.part")) == [
        f".film.mp4.{'1' * 16}.part",
        ".mine.part",
    ]


def test_what_a_writer_that_died_left_of_one_file_goes_and_what_is_written_stays(
    tmp_path: Path,
) -> None:
    dead, alive, other = (
        tmp_path / f".{name}.{digit * 16}.part"
        for name, digit in (("film.mp4", "0"), ("film.mp4", "1"), ("film.mp4.bak", "2"))
    )
    for path in (dead, alive, other):
        path.write_bytes(b"half")
    now = datetime.now(UTC)
    urls = [file_url(tmp_path / "film.mp4"), file_url(tmp_path / "none" / "a.mp4")]

    with alive.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        removed = FileStorage().drop_unfinished(urls, since=now, until=now)

    assert removed == 1
    assert sorted(tmp_path.iterdir()) == sorted([alive, other])
