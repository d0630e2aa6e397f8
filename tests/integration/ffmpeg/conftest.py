"""Clips made once, a launcher per test, and a way to wait for a condition."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.adapters.ffmpeg.encoder import FfmpegEncoder
from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.adapters.ffmpeg.probe import AvProbe

WaitUntil = Callable[..., None]
MakeClip = Callable[..., Path]


@pytest.fixture
def wait_until() -> WaitUntil:
    """Return a function that waits for a predicate, and fails if it stays false."""

    def wait(predicate: Callable[[], object], seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        pause = threading.Event()
        while not predicate():
            assert time.monotonic() < deadline, "the condition never came true"
            pause.wait(0.01)

    return wait


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    return find_ffmpeg()


@pytest.fixture(scope="session")
def make_clip(ffmpeg: Path) -> MakeClip:
    """Return a function that runs FFmpeg with the given words and returns the last one."""

    def make(out: Path, *words: str | Path) -> Path:
        argv = [ffmpeg, "-v", "error", "-nostdin", "-y", *words, f"file:{out}"]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=200)
        return out

    return make


@pytest.fixture(scope="session")
def clip(make_clip: MakeClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of H.264 with a B-frame pyramid and stereo AAC, index at the end."""
    return make_clip(
        tmp_path_factory.mktemp("clips") / "clip.mp4",
        *("-f", "lavfi", "-i", "testsrc=s=160x120:d=2:r=25"),
        *("-f", "lavfi", "-i", "sine=d=2:r=48000"),
        *("-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p", "-preset", "fast"),
        *("-c:a", "aac", "-ac", "2", "-metadata:s:a:0", "language=nld", "-shortest"),
        *("-metadata", "title=A clip"),
    )


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


@pytest.fixture
def launcher(scratch: Path) -> Iterator[Launcher]:
    with Launcher(scratch) as launcher:
        yield launcher


@pytest.fixture
def probe(launcher: Launcher) -> Iterator[AvProbe]:
    with AvProbe(launcher) as probe:
        yield probe


@pytest.fixture
def encoder(launcher: Launcher, ffmpeg: Path) -> FfmpegEncoder:
    return FfmpegEncoder(launcher, ffmpeg)
