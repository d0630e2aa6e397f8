"""Clips that take an encoder no time, and the jobs that are made of them."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg

_PICTURES = (
    ("tiny.mp4", "testsrc2=size=64x36:rate=10:duration=0.3", False),
    ("small.mp4", "testsrc2=size=96x54:rate=20:duration=0.6", True),
    ("noise.mp4", "testsrc2=size=160x90:rate=20:duration=1,noise=alls=80:allf=t", True),
)


def make_clips(folder: Path) -> tuple[Path, ...]:
    """Make one clip of each kind."""
    return tuple(_clip(folder / name, film, sound) for name, film, sound in _PICTURES)


def _clip(path: Path, picture: str, sound: bool) -> Path:
    inputs = ["-f", "lavfi", "-i", picture]
    if sound:
        inputs += ["-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-shortest"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    ffmpeg = [str(find_ffmpeg()), "-v", "error", "-nostdin", "-y"]
    subprocess.run([*ffmpeg, *inputs, *coded, str(path)], check=True)
    return path


def _film(name: str, height: int) -> dict[str, Any]:
    video = {"codec": "h264", "height": height, "speed": "ultrafast", "quality": 18}
    return {"kind": "file", "name": name, "video": video}


_ONE = (_film("one.mp4", 36),)
_LARGE = (_film("large.mp4", 90),)
_TWO = (_film("large.mp4", 90), _film("small.mp4", 54))
_PICTURED = (
    _film("film.mp4", 54),
    {"kind": "thumbnails", "name": "{number:02d}.jpg", "count": 3, "height": 36},
)
#: Ten jobs: which clip, and what is made of it.
_JOBS: Sequence[tuple[int, Sequence[dict[str, Any]]]] = (
    *((0, _ONE), (1, _ONE), (2, _LARGE), (2, _TWO), (1, _TWO), (2, _PICTURED)),
    *((0, _ONE), (1, _PICTURED), (2, _LARGE), (0, _ONE)),
)


def jobs(clips: Sequence[str], bucket: str) -> list[dict[str, Any]]:
    """Return the documents of ten jobs, each with a folder of its own in ``bucket``."""
    return [
        {
            "inputs": [{"url": clips[clip]}],
            "destination": f"s3://{bucket}/job-{number}/",
            "outputs": list(outputs),
        }
        for number, (clip, outputs) in enumerate(_JOBS)
    ]
