"""Adaptive outputs through the real nommers, beside other outputs and on several nodes."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from studio import FANNED_OUT, WHOLE, Studio

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.core.jobs import JobState
from media_nommer.planning.tasks import Policy

QUICK = {"codec": "h264", "speed": "ultrafast"}
STREAM: dict[str, Any] = {
    "kind": "adaptive",
    "gop": 0.5,
    "segment_duration": 1,
    "video": QUICK,
    "ladder": [{"height": 90, "max_bitrate": 200}, {"height": 48, "max_bitrate": 100}],
}
FILM = {"name": "film.mp4", "video": {**QUICK, "height": 90}}
SONG = {"name": "song.m4a"}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    film = tmp_path / "film.mp4"
    subprocess.run(
        [
            *(str(find_ffmpeg()), "-v", "error", "-nostdin"),
            *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=1.4"),
            *("-f", "lavfi", "-i", "sine=d=1.4"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", str(film)),
        ],
        check=True,
        timeout=200,
    )
    folder = tmp_path / "studio"
    folder.mkdir()
    return Studio(folder, film)


@pytest.mark.parametrize(("cutting", "runs"), [(WHOLE, 1), (FANNED_OUT, 2)])
def test_a_stream_is_made_beside_a_film_from_one_decode(
    studio: Studio, cutting: Policy, runs: int
) -> None:
    job = studio.submit(STREAM, FILM, SONG)

    commands = studio.work(cutting=cutting)

    done = studio.engine.store.get_job(job.id)
    assert done.state is JobState.FINISHED
    assert len(commands) == runs
    assert {"film.mp4", "song.m4a", "index.m3u8", "index.mpd"} < set(studio.published())
    streamed = done.outputs[0]
    assert [f.url.rpartition("/")[2] for f in streamed.files[-2:]] == [
        *("index.m3u8", "index.mpd"),
    ]
    assert streamed.facts["frames"] == 35
    assert [r["height"] for r in streamed.facts["renditions"][:2]] == [90, 48]  # type: ignore[index]


def test_another_run_replaces_manifests_and_takes_its_old_segments_away(
    studio: Studio,
) -> None:
    job = studio.submit({**STREAM, "segments": "files"})
    studio.work()
    before = {p for p in studio.out.rglob("*") if p.is_file()}
    studio.service.retry(job.id, whole=True)

    studio.work()

    after = {p for p in studio.out.rglob("*") if p.is_file()}
    assert studio.engine.store.get_job(job.id).state is JobState.FINISHED
    assert len(after) == len(before)
    assert {p.name for p in before & after} == {"index.m3u8", "index.mpd"}
    assert len({p.parent for p in after}) == 4
