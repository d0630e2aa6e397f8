"""Films encrypted under given keys, through the real nommers, sandbox and all."""

from pathlib import Path
from typing import Any

import pytest
from studio import Studio
from tests.adaptive_films import ffmpeg

from media_nommer.core import wire
from media_nommer.core.jobs import JobState, OutputState

KEY, KEY_ID = "8c5d3f01a7b94e6690cd12ef34ab5678", "a0" * 16
STREAM: dict[str, Any] = {
    "kind": "adaptive",
    "segment_duration": 2,
    "video": {"codec": "h264", "speed": "ultrafast", "height": 48},
}
FRAMED = {"scheme": "cbcs", "key": KEY, "key_id": KEY_ID, "key_url": "skd://film"}
WHOLE = {"scheme": "aes-128", "key": KEY, "key_url": "https://keys.example/1"}
SONG = {"name": "song.m4a"}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=1"),
        *("-f", "lavfi", "-i", "sine=d=1", "-c:v", "libx264", "-c:a", "aac", str(path)),
    )
    return path


def test_rule_12_no_key_stands_where_anybody_can_read_it(
    film: Path, tmp_path: Path
) -> None:
    """Rule 12: records, logs, the work area, what is published, and what is left."""
    studio = Studio(tmp_path, film)
    job = studio.submit(
        {**STREAM, "encryption": FRAMED},
        {**STREAM, "name": "whole/index.m3u8", "encryption": WHOLE},
    )
    sealed = list((tmp_path / "work" / "jobs" / job.id / "sealed").iterdir())

    studio.work()

    done = studio.engine.store.get_job(job.id)
    assert done.state is JobState.FINISHED, done.failure
    assert [output.facts["encryption"] for output in done.outputs] == ["cbcs", "aes-128"]
    assert len(sealed) == 1
    assert not any(path.exists() for path in sealed)
    tasks = studio.engine.store.tasks_of(job.id, 1)
    told = [wire.dump(done), *map(wire.dump, tasks)]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    logs = [path.read_bytes() for path in files if path.suffix == ".log"]
    assert any(b"--flagfile" in log for log in logs)
    for text in (*(each.encode() for each in told), *(p.read_bytes() for p in files)):
        assert KEY.encode() not in text
        assert bytes.fromhex(KEY) not in text


def test_a_worker_without_the_part_fails_that_output_and_no_other(
    film: Path, tmp_path: Path
) -> None:
    studio = Studio(tmp_path, film, encrypts=False)
    job = studio.submit({**STREAM, "encryption": FRAMED}, SONG)

    commands = studio.work()

    done = studio.engine.store.get_job(job.id)
    assert len(commands) == 1  # that which cannot be published was not encoded
    states = [output.state for output in done.outputs]
    assert states == [OutputState.FAILED, OutputState.FINISHED]
    assert done.outputs[0].failure is not None
    assert done.outputs[0].failure.code == "CIPHER_MISSING"
    assert "media-nommer[drm]" in done.outputs[0].failure.advice
