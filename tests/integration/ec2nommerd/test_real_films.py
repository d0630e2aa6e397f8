"""Real FFmpeg through the real nommers, records in memory, bytes in files."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from studio import FANNED_OUT, Studio

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.adapters.objects import file_url
from media_nommer.core.jobs import Job, JobState, OutputState
from media_nommer.core.tasks import AttemptEnd, TaskKind
from media_nommer.ec2nommerd.worker import Worker

QUICK = {"codec": "h264", "speed": "ultrafast"}
FILM: dict[str, Any] = {"kind": "file", "name": "film.mp4", "video": QUICK}
SMALL: dict[str, Any] = {
    "kind": "file",
    "name": "small.mp4",
    "video": {**QUICK, "height": 90},
}
SONG: dict[str, Any] = {"kind": "file", "name": "song.m4a"}
OPUS: dict[str, Any] = {"kind": "file", "name": "song.opus"}
PICTURES: dict[str, Any] = {
    "kind": "thumbnails",
    "name": "p{number}.jpg",
    "count": 3,
    "height": 36,
}


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    subprocess.run(
        [
            *(str(find_ffmpeg()), "-v", "error", "-nostdin"),
            *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=1"),
            *("-f", "lavfi", "-i", "sine=f=440:d=1"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
            str(path),
        ],
        check=True,
    )
    return path


@pytest.fixture
def studio(tmp_path: Path, film: Path) -> Studio:
    return Studio(tmp_path, film)


@pytest.fixture
def ffmpeg_without(tmp_path: Path) -> Callable[[str], Path]:
    """An FFmpeg that refuses one encoder, whatever else it is asked for."""

    def make(encoder: str) -> Path:
        script = tmp_path / "ffmpeg"
        script.write_text(
            "#!/bin/sh\n"
            f'case " $* " in *" {encoder} "*)\n'
            f'  echo "[error] {encoder}: this picture is not to my taste" >&2; exit 234;;\n'
            "esac\n"
            f'exec "{find_ffmpeg()}" "$@"\n'
        )
        script.chmod(0o755)
        return script

    return make


def states(job: Job) -> list[OutputState]:
    return [output.state for output in job.outputs]


GOOD, BAD = OutputState.FINISHED, OutputState.FAILED


def test_several_outputs_come_from_one_decode(studio: Studio) -> None:
    job = studio.submit(FILM, SMALL, SONG, PICTURES)

    runs = studio.work()

    job = studio.service.get(job.id)
    assert (job.state, job.progress) == (JobState.FINISHED, 1.0)
    assert len(runs) == 1
    assert runs[0].count("-i") == 1
    assert studio.published() == [
        *("film.mp4", "p1.jpg", "p2.jpg", "p3.jpg", "small.mp4", "song.m4a")
    ]
    assert [o.facts.get("frames") for o in job.outputs[:2]] == [25, 25]
    assert job.outputs[3].facts["files"] == 3


def test_an_output_that_cannot_be_made_costs_no_other(
    studio: Studio, ffmpeg_without: Callable[[str], Path]
) -> None:
    job = studio.submit(FILM, OPUS, SMALL)

    runs = studio.work(ffmpeg=ffmpeg_without("libopus"))

    job = studio.service.get(job.id)
    assert job.state is JobState.FAILED
    assert states(job) == [GOOD, BAD, GOOD]
    assert studio.published() == ["film.mp4", "small.mp4"]
    assert job.failure is not None
    assert job.failure == job.outputs[1].failure
    assert any("not to my taste" in line for line in job.failure.log_tail)
    assert len(runs) == 4


def test_an_output_that_is_damaged_costs_none_that_was_looked_at_before_it(
    studio: Studio, tmp_path: Path
) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text(
        f'#!/bin/sh\n"{find_ffmpeg()}" "$@" || exit\n'
        'case " $* " in *" libopus "*)\n'
        '  for last; do :; done; echo rubbish > "${last#file:}";;\n'
        "esac\n"
    )
    script.chmod(0o755)
    job = studio.submit(FILM, OPUS)

    studio.work(ffmpeg=script)

    job = studio.service.get(job.id)
    assert states(job) == [GOOD, BAD]
    assert job.failure is not None
    assert job.failure.code == "OUTPUT_DAMAGED"
    assert studio.published() == ["film.mp4"]


def test_an_output_that_kills_its_encoder_costs_no_other(
    studio: Studio, tmp_path: Path
) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text(
        "#!/bin/sh\n"
        'case " $* " in *" libopus "*) kill -SEGV $$;; esac\n'
        f'exec "{find_ffmpeg()}" "$@"\n'
    )
    script.chmod(0o755)
    job = studio.submit(FILM, OPUS)

    studio.work(ffmpeg=script)

    job = studio.service.get(job.id)
    assert (job.state, states(job)) == (JobState.FAILED, [GOOD, BAD])
    assert job.failure is not None
    assert job.failure.code == "ENCODER_CRASHED"
    assert studio.published() == ["film.mp4"]


def test_what_could_not_be_made_is_all_that_a_retry_makes(
    studio: Studio, ffmpeg_without: Callable[[str], Path]
) -> None:
    job = studio.submit(FILM, OPUS)
    studio.work(ffmpeg=ffmpeg_without("libopus"))
    before = (studio.out / "film.mp4").stat()
    studio.service.retry(job.id)

    runs = studio.work()

    job = studio.service.get(job.id)
    assert (job.state, job.run) == (JobState.FINISHED, 2)
    assert len(runs) == 1
    assert "libx264" not in runs[0]
    after = (studio.out / "film.mp4").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_rule_7_an_output_whose_place_is_taken_is_not_even_encoded(studio: Studio) -> None:
    studio.out.mkdir()
    (studio.out / "film.mp4").write_bytes(b"somebody else's")
    job = studio.submit(FILM, SMALL)

    runs = studio.work()

    job = studio.service.get(job.id)
    assert (job.state, states(job)) == (JobState.FAILED, [BAD, GOOD])
    assert job.failure is not None
    assert job.failure.code == "OUTPUT_EXISTS"
    assert (studio.out / "film.mp4").read_bytes() == b"somebody else's"
    assert len(runs) == 1
    assert "scale=" in " ".join(runs[0])


def test_rule_10_the_exact_command_of_an_attempt_is_kept(studio: Studio) -> None:
    job = studio.submit(FILM)
    runs = studio.work()

    (kept,) = studio.service.logs(job.id)

    assert kept.text is not None
    command = kept.text.splitlines()[0]
    assert command.startswith(f"$ {find_ffmpeg()} ")
    assert f"-map {runs[0][runs[0].index('-map') + 1]}" in command.replace("'", "")
    assert kept.attempt.cpu_seconds
    left = [p for p in (studio.folder / "work").rglob("*") if p.is_file()]
    assert [p.suffix for p in left] == [".log"]


def test_rule_11_ffmpeg_is_given_no_url(studio: Studio) -> None:
    """Rule 11: its source is a file in the attempt's own folder, under a name of ours."""
    studio.submit(FILM)
    (argv,) = studio.work()

    assert argv[argv.index("-i") + 1] in {"source", "file:source"}
    assert not any("://" in word for word in argv)


def test_a_fanned_out_job_is_made_by_two_workers(studio: Studio) -> None:
    job = studio.submit(FILM, SONG, PICTURES)
    with studio.workers("node-1", "node-2", cutting=FANNED_OUT) as (workers, _encoder):
        for _ in range(10):
            for worker in workers:
                one_task(worker)

    job = studio.service.get(job.id)
    assert job.state is JobState.FINISHED
    tasks = {t.kind: t for t in studio.engine.store.tasks_of(job.id, 1)}
    assert set(tasks) == set(TaskKind)
    assert all(t.settled and t.succeeded for t in tasks.values())
    assert {t.attempts[0].node for t in tasks.values()} == {"node-1", "node-2"}
    assert studio.published() == ["film.mp4", "p1.jpg", "p2.jpg", "p3.jpg", "song.m4a"]


def one_task(worker: Worker) -> None:
    """Let a worker do one task and no more."""
    delivery = worker._engine.queue.take(worker._policy.lease)
    if delivery is not None:
        worker._consider(delivery)


def test_a_sibling_that_cannot_be_made_costs_no_other(
    studio: Studio, ffmpeg_without: Callable[[str], Path]
) -> None:
    """What is true of outputs from one decode is true of those of several tasks."""
    job = studio.submit(FILM, OPUS, PICTURES)

    studio.work(cutting=FANNED_OUT, ffmpeg=ffmpeg_without("libopus"))

    job = studio.service.get(job.id)
    assert (job.state, states(job)) == (JobState.FAILED, [GOOD, BAD, GOOD])
    assert job.outputs[1].failure is not None
    assert any("taste" in line for line in job.outputs[1].failure.log_tail)
    assert studio.published() == ["film.mp4", "p1.jpg", "p2.jpg", "p3.jpg"]


def test_an_encoder_that_leaves_rubbish_is_blamed_and_not_the_source(
    studio: Studio, tmp_path: Path
) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text('#!/bin/sh\nfor last; do :; done\necho rubbish > "${last#file:}"\n')
    script.chmod(0o755)
    job = studio.submit(FILM)

    studio.work(ffmpeg=script)

    job = studio.service.get(job.id)
    assert job.failure is not None
    assert job.failure.code == "OUTPUT_DAMAGED"
    assert studio.published() == []
    (task,) = studio.engine.store.tasks_of(job.id, 1)
    assert [a.end for a in task.attempts] == [AttemptEnd.FAILED]


def test_a_loudness_is_measured_before_the_part_is_encoded(studio: Studio) -> None:
    loud = {"kind": "file", "name": "loud.wav", "audio": {"codec": "pcm", "loudness": {}}}
    part = {"url": file_url(studio.film), "start": 0.2, "end": 0.8}
    job = studio.submit(FILM, loud, inputs=[part])

    measuring, encoding = studio.work()

    assert measuring[-3:] == ("-f", "null", "-")
    gains = [word for word in encoding if ",volume=" in word]
    assert len(gains) == 1
    made = studio.service.get(job.id)
    assert made.state is JobState.FINISHED
    facts = [output.facts for output in made.outputs]
    assert (facts[0]["frames"], facts[1]["duration"]) == (15, 0.6)
