"""Pictures cut, drawn on and paced by real FFmpeg, through the real nommers."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from studio import FANNED_OUT, WHOLE, Studio

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.core.jobs import Job, JobState
from media_nommer.planning.tasks import Policy

QUICK: dict[str, Any] = {"codec": "h264", "speed": "ultrafast"}


def ffmpeg(*words: str | Path, cwd: Path | None = None) -> bytes:
    done = subprocess.run(
        [find_ffmpeg(), "-v", "error", "-nostdin", "-y", *words],
        cwd=cwd,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@pytest.fixture(scope="session")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a wide picture between black bars, with a tone."""
    folder = tmp_path_factory.mktemp("boxed")
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=160x66:r=10:d=4,pad=160:90:0:12"),
        *("-f", "lavfi", "-i", "sine=f=440:d=4:r=8000", "-c:v", "libx264", "-g", "5"),
        *("-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "film.mp4"),
        cwd=folder,
    )
    return folder / "film.mp4"


def finished(studio: Studio, job: Job) -> dict[str, dict[str, Any]]:
    """Return the facts of each output of a job that must have finished, by its name."""
    job = studio.service.get(job.id)
    assert job.state is JobState.FINISHED, job.failure
    return {output.name: dict(output.facts) for output in job.outputs}


@pytest.mark.parametrize("cutting", [WHOLE, FANNED_OUT])
def test_black_bars_are_found_and_cut_off_by_every_task(
    boxed: Path, tmp_path: Path, cutting: Policy
) -> None:
    studio = Studio(tmp_path, boxed)
    job = studio.submit(
        {"name": "{height}.mp4", "video": {**QUICK, "crop": "auto"}, "audio": None},
        {"name": "sound.m4a", "audio": {"codec": "aac"}},
    )

    studio.work(cutting=cutting)

    facts = next(iter(finished(studio, job).values()))
    assert (facts["width"], facts["height"]) == (160, 66)
    assert studio.published() == ["66.mp4", "sound.m4a"]
