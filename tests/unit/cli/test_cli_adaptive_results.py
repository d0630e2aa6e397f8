"""What people read of an adaptive output when it is done."""

import pytest

from media_nommer.cli.results import Ended, show_outputs
from media_nommer.core.jobs import JobState, Output, OutputState, PublishedFile
from media_nommer.testing.samples import a_job


def test_manifests_come_first_and_each_rendition_has_a_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = tuple(
        PublishedFile(url=f"s3://films/film/{name}", size=size, sha256="", own=own)
        for name, size, own in (
            ("v1-720p-id.mp4", 9_000_000, True),
            ("a1-eng-id.m4a", 1_000_000, True),
            ("index.m3u8", 500, False),
            ("index.mpd", 700, False),
        )
    )
    facts = {
        "format": "hls+dash",
        "duration": 60.0,
        "renditions": [
            {
                "name": "720p",
                "video": "h264",
                "width": 1280,
                "height": 720,
                "bandwidth": 2_345_678,
                "size": 9_000_000,
            },
            {"name": "eng", "audio": "aac", "bandwidth": 130_000, "size": 1_000_000},
        ],
    }
    output = Output(name="film", state=OutputState.FINISHED, files=files, facts=facts)
    job = a_job(1, outputs=(output,), state=JobState.FINISHED)

    show_outputs([Ended(job=job, label="film.mp4", seconds=30.0)])

    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[1:] == [
        [
            *("s3://films/film/index.m3u8,", "s3://films/film/index.mpd"),
            *("HLS", "+", "DASH,", "4", "files", "1:00", "10", "MB", "30.0", "s", "2.0x"),
        ],
        [*("720p", "H.264", "1280x720,", "up", "to", "2.35", "Mbit/s", "9", "MB")],
        [*("eng", "AAC,", "up", "to", "0.13", "Mbit/s", "1", "MB")],
    ]
