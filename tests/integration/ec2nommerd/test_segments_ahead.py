"""Segments that are files go to a work area far away while their renditions are encoded."""

import hashlib
import itertools
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import studio as studios
from studio import CountingEncoder, Studio
from typing_extensions import override

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.adapters.ffmpeg.encoder import FfmpegEncoder
from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.adapters.ffmpeg.probe import AvProbe
from media_nommer.adapters.objects import FileStorage
from media_nommer.core.jobs import Job, JobState
from media_nommer.ec2nommerd.nommers.segmenting import (
    SegmentFeed,
    cut_bytes,
    cut_transport,
)

PATIENCE = 120.0
STREAM: dict[str, Any] = {
    "kind": "adaptive",
    "gop": 0.5,
    "segment_duration": 1,
    "segments": "files",
    "formats": ["hls"],
    "video": {"codec": "h264", "speed": "ultrafast"},
    "ladder": [{"height": 48, "max_bitrate": 100}],
}
LOCKED = {"encryption": {"scheme": "aes-128", "publish_key": True}}
#: With frames that change places, whose times have a way of their own into MPEG-TS.
TRANSPORT = {"segments": "ts", "video": {"codec": "h264", "speed": "medium"}}


class FarFiles(FileStorage):
    """Files of which it is said that they are far away."""

    @override
    def is_near(self, url: str) -> bool:
        return False


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    film, folder = tmp_path / "film.mp4", tmp_path / "studio"
    subprocess.run(
        [
            *(str(find_ffmpeg()), "-v", "error", "-nostdin"),
            *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=24:d=3"),
            *("-f", "lavfi", "-i", "sine=d=3"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", str(film)),
        ],
        check=True,
        timeout=PATIENCE,
    )
    folder.mkdir()
    far = Studio(folder, film)
    far.engine = replace(far.engine, storage=FarFiles(own=[folder / "work"]))
    return far


@pytest.fixture
def as_written(studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A rendition as it is before the end; the encode lasts until a segment is placed."""
    kept = tmp_path / "as-written.mp4"

    class Unhurried(CountingEncoder):
        @override
        def run(self, args: Any, *, cwd: Path, **words: Any) -> Any:
            if "copy" in args:  # of segments of MPEG-TS
                return super().run(args, cwd=cwd, **words)
            apart = [word.replace("+global_sidx", "") for word in args]
            (cwd / "apart").mkdir()
            (cwd / "apart/source").symlink_to((cwd / "source").resolve())
            super().run(apart, cwd=cwd / "apart", **words)
            (cwd / "apart/out-0-v1.mp4").rename(kept)
            encoded = super().run(args, cwd=cwd, **words)
            until = time.monotonic() + PATIENCE
            while not placed(studio) and time.monotonic() < until:
                threading.Event().wait(0.05)
            return encoded

    monkeypatch.setattr(studios, "CountingEncoder", Unhurried)
    return kept


def placed(studio: Studio) -> list[str]:
    """Return what was placed before the end."""
    listed = studio.engine.storage.list(studio.engine.work_url)
    return [url for url in listed if "/ahead/" in url]


@pytest.mark.parametrize(
    "more",
    [{}, LOCKED, TRANSPORT, {**TRANSPORT, **LOCKED}],
    ids=["clear", "locked", "ts", "ts-locked"],
)
def test_segments_that_are_placed_are_what_is_published(
    studio: Studio, as_written: Path, more: dict[str, object]
) -> None:
    job = studio.submit({**STREAM, **more})

    studio.work()

    done = studio.engine.store.get_job(job.id)
    files = done.outputs[0].files
    assert done.state is JobState.FINISHED
    assert any("/ahead/" in file.work_url for file in files)
    for file in files:
        data = studio.engine.storage.read(file.url)
        assert hashlib.sha256(data).hexdigest() == file.sha256
    if "encryption" not in more:
        grown = as_it_grows(studio, as_written, ts="segments" in more)
        assert grown == segments(done, "v1")[:-1]


def as_it_grows(studio: Studio, whole: Path, *, ts: bool) -> list[str]:
    """Return the sums of what a feed places of a file that grows piece by piece."""
    sums: list[str] = []
    scratch = studio.folder / "looking"
    path, data = studio.folder / "growing.mp4", whole.read_bytes()

    def place(piece: Path) -> None:
        sums.append(hashlib.sha256(piece.read_bytes()).hexdigest())

    clock = itertools.count(step=10)
    with (
        Launcher(scratch) as launcher,
        AvProbe(launcher) as probe,
    ):
        encoder = FfmpegEncoder(launcher, find_ffmpeg(), confined=True)

        def encode(argv: Sequence[str]) -> None:
            encoder.run(argv, cwd=studio.folder, log=studio.folder / "log")

        cut = partial(cut_transport, encode) if ts else cut_bytes
        feed = SegmentFeed(
            *(probe, path), seconds=1.0, place=place, cut=cut, now=lambda: next(clock)
        )
        for size in (0, 7, 5000, len(data) // 2, len(data) // 2 + 100, len(data)):
            path.write_bytes(data[:size])
            while feed.send():
                pass
    return sums


def segments(job: Job, rendition: str) -> list[str]:
    """Return the sums of a rendition's segments, in order."""
    files = [f for f in job.outputs[0].files if f"/{rendition}-" in f.url]
    return [f.sha256 for f in files if f.url.endswith((".m4s", ".ts"))]
