"""A process that touches media sees the files of its job, and changes no others."""

import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from media_nommer.adapters.ffmpeg.encoder import FfmpegEncoder, runs_confined
from media_nommer.adapters.ffmpeg.landlock import landlock_version
from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.core.errors import EncodeError, MediaError, NommerError

pytestmark = pytest.mark.skipif(
    not landlock_version(), reason="this kernel has no Landlock"
)

PYTHON = (Path(sys.prefix), Path(sys.base_prefix))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("a password")
    return path


def run(
    launcher: Launcher, *argv: str, sees: Sequence[Path] | None = ()
) -> tuple[int, str]:
    parts: list[bytes] = []
    ended = launcher.run(argv, cwd=launcher.scratch_root, sees=sees, on_stdout=parts.append)
    return ended.code, b"".join(parts).decode()


def test_a_file_of_somebody_else_is_not_read(launcher: Launcher, secret: Path) -> None:
    assert run(launcher, "/bin/cat", str(secret)) == (1, "")
    assert run(launcher, "/bin/cat", str(secret), sees=None) == (0, "a password")


def test_what_its_folder_holds_or_links_to_is_read(
    launcher: Launcher, scratch: Path, secret: Path
) -> None:
    (scratch / "own").write_text("own, ")
    (scratch / "deep").mkdir()
    (scratch / "deep/link").symlink_to(secret)

    code, said = run(launcher, "/bin/cat", "own", "deep/link")

    assert (code, said) == (0, "own, a password")


def test_what_is_shown_to_it_is_read(launcher: Launcher, secret: Path) -> None:
    assert run(launcher, "/bin/cat", str(secret), sees=[secret]) == (0, "a password")


@pytest.mark.parametrize(
    "attack",
    ["echo x > {secret}", "rm {secret}", "mv {secret} .", "ln {secret} here", "ls {home}"],
)
def test_what_it_links_to_and_all_else_stays_as_it_is(
    launcher: Launcher, scratch: Path, secret: Path, attack: str
) -> None:
    (scratch / "link").symlink_to(secret)

    code, _ = run(
        launcher, "/bin/sh", "-c", attack.format(secret=secret, home=secret.parent)
    )

    assert code != 0
    assert secret.read_text() == "a password"


def test_its_own_folder_is_its_own(launcher: Launcher, scratch: Path) -> None:
    words = (
        "mkdir a && echo film > a/b && mv a/b c && : > c && rm -r a && echo x >/dev/null"
    )

    code, _ = run(launcher, "/bin/sh", "-c", words)

    assert code == 0
    assert [path.name for path in scratch.iterdir()] == ["c"]


@pytest.mark.skipif(landlock_version() < 4, reason="this Landlock knows no network")
def test_it_connects_to_nothing_by_tcp(launcher: Launcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        words = f"import socket; socket.create_connection({place!r})"
        python = (sys.executable, "-I", "-S", "-c", words)

        refused, _ = run(launcher, *python, sees=PYTHON)
        free, _ = run(launcher, *python, sees=None)

    assert (refused, free) == (1, 0)


def test_ffmpeg_cannot_be_made_to_read_or_write_beside_its_folder(
    launcher: Launcher, ffmpeg: Path, scratch: Path, tmp_path: Path, clip: Path
) -> None:
    encoder = FfmpegEncoder(launcher, ffmpeg, confined=True)
    elsewhere = tmp_path / "elsewhere.mkv"
    (scratch / "in.mp4").symlink_to(clip)
    log = tmp_path / "log"

    encoder.run(["-i", "in.mp4", "-c", "copy", "out.mkv"], cwd=scratch, log=log)
    with pytest.raises((MediaError, EncodeError)):
        encoder.run(["-i", str(tmp_path / "log"), "x.mkv"], cwd=scratch, log=log)
    with pytest.raises(NommerError):
        encoder.run(["-i", "in.mp4", "-c", "copy", str(elsewhere)], cwd=scratch, log=log)

    assert (scratch / "out.mkv").stat().st_size > 0
    assert "Permission denied" in log.read_text()
    assert not elsewhere.exists()


def test_an_ffmpeg_that_reaches_for_another_place_is_known_to(
    launcher: Launcher, ffmpeg: Path, tmp_path: Path
) -> None:
    shutil.copy2(ffmpeg, tmp_path / "real")
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\nexec {tmp_path}/real "$@"\n')
    wrapper.chmod(0o755)

    assert runs_confined(launcher, ffmpeg)
    assert runs_confined(launcher, tmp_path / "real")
    assert not runs_confined(launcher, wrapper)
    assert not runs_confined(launcher, tmp_path / "nothing")
