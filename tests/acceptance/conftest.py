"""Films to encode, and a site for each test."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from tests.acceptance.site import Site, site

#: Six seconds that take x264 several more of work at this speed, on any machine of today.
SLOW: dict[str, Any] = {
    "kind": "file",
    "name": "slow.mp4",
    "video": {"codec": "h264", "quality": 16, "speed": "veryslow"},
}
SLOW_FRAMES = 150

QUICK: dict[str, Any] = {
    "kind": "file",
    "video": {"codec": "h264", "height": 90, "speed": "ultrafast"},
}

#: So many files that publishing them takes a while.
MANY: dict[str, Any] = {
    "kind": "thumbnails",
    "name": "{number:04d}.jpg",
    "count": 500,
    "height": 36,
}
MANY_FILES = 500


def _film(path: Path, picture: str, *sound: str) -> Path:
    inputs = ["-f", "lavfi", "-i", picture]
    if sound:
        inputs += ["-f", "lavfi", "-i", *sound]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    ffmpeg = [str(find_ffmpeg()), "-v", "error", "-nostdin"]
    subprocess.run([*ffmpeg, *inputs, *coded, str(path)], check=True)
    return path


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of film with sound."""
    return _film(
        tmp_path_factory.mktemp("films") / "film.mp4",
        "testsrc2=size=640x360:rate=25:duration=6",
        "sine=frequency=440:duration=6",
    )


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of very small film, for many thumbnails."""
    return _film(
        tmp_path_factory.mktemp("films") / "long.mp4",
        "testsrc2=size=64x36:rate=10:duration=60",
    )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """A site without a fleet: feederd starts no workers."""
    with site(tmp_path) as made:
        yield made
