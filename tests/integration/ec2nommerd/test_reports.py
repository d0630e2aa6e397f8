"""The report on a job: what was found and made, also once the job was archived."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from studio import Studio
from test_real_films import FILM, QUICK, film

from media_nommer.core.workflow.archiving import archive_job

assert film  # a fixture of that module, which this one has too


@pytest.fixture
def studio(tmp_path: Path, film: Path) -> Studio:
    return Studio(tmp_path, film)


def coded(name: str, codec: str, **more: Any) -> dict[str, Any]:
    video = {**QUICK, "codec": codec, "height": 64, **more.pop("bits", {})}
    return {"kind": "file", "name": name, "video": video, "audio": None, **more}


def test_a_report_tells_all_of_a_job_and_goes_to_the_archive_with_it(
    studio: Studio, film: Path
) -> None:
    missed = {"expect": {"max_size": 100, "max_duration": 9}}
    job = studio.submit(
        {**FILM, "expect": {"min_duration": 0.5}}, {**FILM, "name": "b.mp4", **missed}
    )
    studio.work()

    report = studio.service.report(job.id)

    assert (report.version, report.state) == (1, "failed")
    assert report.source.found is not None
    assert report.source.found["video"][0]["width"] == 320
    good, bad = report.outputs
    assert good.size == (studio.out / "film.mp4").stat().st_size
    assert good.bit_rate == round(good.size * 8 / (good.duration or 0))
    assert (good.codecs or "").startswith("avc1.42c0")
    assert (good.codecs or "").endswith(",mp4a.40.2")
    assert [(g.name, g.wanted, g.met) for g in good.gates] == [("min_duration", 0.5, True)]
    assert [(g.name, g.met) for g in bad.gates] == [
        ("max_size", False),
        ("max_duration", True),
    ]
    assert bad.gates[0].found == bad.size
    assert bad.failure is not None
    (attempt,) = report.attempts
    assert len(attempt.commands) == 1
    assert "libx264" in attempt.commands[0]
    assert report.machine_seconds > 0
    ended = studio.engine.clock.now() + timedelta(days=1)
    assert archive_job(studio.engine, job.id, ended_by=ended)
    assert studio.service.report(job.id) == report


def test_files_name_their_codecs_as_manifests_do_that_were_read_from_boxes(
    studio: Studio,
) -> None:
    capped = {"max_bitrate": 200, "buffer": 2}
    ladder = [{"height": 64, **capped}]
    bits = {**capped, "gop": 2, "fixed_gop": True}
    streamed: dict[str, dict[str, Any]] = {
        codec: {
            "kind": "adaptive",
            "name": f"{codec}/index.{{ext}}",
            "video": {**QUICK, "codec": codec},
            "ladder": ladder,
            "audio": None,
        }
        for codec in ("h264", "hevc", "vp9")
    }
    names = {"h264": ("a.mkv", "a.ts"), "hevc": ("b.mkv", "b.ts"), "vp9": ("c.webm",)}
    files = [
        coded(name, codec, bits=bits) for codec, all_ in names.items() for name in all_
    ]
    job = studio.submit(
        *streamed.values(), *files, coded("d.mov", "prores", audio={"codec": "aac"})
    )

    studio.work()

    made = studio.service.get(job.id).outputs
    told = {output.name: output.facts for output in made}
    for output, (codec, all_) in zip(made, names.items(), strict=False):
        (rendition,) = output.facts["renditions"]
        for name in all_:
            ours, theirs = told[name]["codecs"], rendition["codecs"]
            assert ours == theirs, codec
    assert told["d.mov"]["codecs"] == "apch,mp4a.40.2"
