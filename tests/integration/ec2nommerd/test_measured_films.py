"""Whole outputs measured by real FFmpeg, and held against what is expected of them."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from studio import Studio

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.core.jobs import JobState, OutputState

QUICK = {"codec": "h264", "speed": "ultrafast"}
ALL = ["vmaf", "ssim", "psnr"]


@pytest.fixture(scope="session")
def trip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds with frames at odd times, a moving picture and a tone."""
    path = tmp_path_factory.mktemp("films") / "trip.mkv"
    subprocess.run(
        [
            *(str(find_ffmpeg()), "-v", "error", "-nostdin"),
            *("-f", "lavfi", "-i", "testsrc2=s=192x108:r=24000/1001:d=2"),
            *("-f", "lavfi", "-i", "sine=f=440:d=2"),
            *("-vf", "select='not(eq(mod(n,7),3))'", "-fps_mode", "vfr"),
            *("-c:v", "ffv1", "-pix_fmt", "yuv420p", "-c:a", "flac", str(path)),
        ],
        check=True,
    )
    return path


def film(name: str, video: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "video": {**QUICK, **video},
        "audio": None,
        "measure": ALL,
        **more,
    }


def test_a_film_tells_how_near_its_source_it_is_and_fails_where_that_is_too_little(
    tmp_path: Path, trip: Path
) -> None:
    studio = Studio(tmp_path, trip)
    part = {"start": 0.5, "end": 1.5}
    job = studio.submit(
        film("same.mkv", {"codec": "ffv1", "speed": "medium"}),
        film("good.mp4", {"quality": 18}, expect={"min_vmaf": 60}),
        film("small.mp4", {"height": 54}),
        film("poor.mp4", {"quality": 48}, expect={"min_vmaf": 60}),
        inputs=[{"url": trip.as_uri(), **part}],
    )

    studio.work()

    made = studio.service.get(job.id)
    same, good, small, poor = (output.facts["measured"] for output in made.outputs)
    assert same["psnr"] == 100
    assert same["ssim"] == 1
    assert same["vmaf"] > 97
    for metric in ALL:
        assert same[metric] > good[metric] > poor[metric]
        assert good[metric] > small[metric]
    failure = made.outputs[3].failure
    assert made.state is JobState.FAILED
    assert failure is not None
    assert failure.code == "EXPECTATION_MISSED"
    assert studio.published() == ["good.mp4", "same.mkv", "small.mp4"]


def test_an_encoder_that_is_missing_fails_its_output_and_each_rendition_is_measured(
    tmp_path: Path, trip: Path
) -> None:
    studio = Studio(tmp_path, trip)
    ladder = [{"quality": 20}, {"quality": 45}]
    job = studio.submit(
        {"kind": "file", "name": "song.m4a", "audio": {"profile": "he"}},
        {
            "kind": "adaptive",
            "video": QUICK,
            "ladder": ladder,
            "measure": ["psnr"],
            "audio": None,
            "formats": ["hls"],
        },
    )

    studio.work()

    song, streamed = studio.service.get(job.id).outputs
    assert song.failure is not None
    assert song.failure.code == "CODEC_MISSING"
    assert "libfdk_aac" in song.failure.message
    assert streamed.state is OutputState.FINISHED
    told = streamed.facts["renditions"]
    poor, good = sorted(told, key=lambda each: each["bandwidth"])
    assert good["measured"]["psnr"] > poor["measured"]["psnr"] + 5
    assert streamed.facts["measured"] == told[0]["measured"]
