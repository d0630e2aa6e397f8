"""From a work area on the disk to S3: outputs are on their way while they are encoded."""

import hashlib
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from s3_faults import Faults
from s3_fixtures import *  # noqa: F403 - fixtures
from s3_fixtures import uploads
from tests.integration.ec2nommerd import studio as studios
from tests.integration.ec2nommerd.studio import CountingEncoder, Studio
from typing_extensions import override

from media_nommer.adapters.aws.s3 import S3Storage, growing
from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.adapters.objects import FileStorage
from media_nommer.adapters.objects.routed import RoutedStorage
from media_nommer.core.errors import EncoderCrashed
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.tasks import Task, task_id
from media_nommer.core.workflow.submitting import FIRST_KEY
from media_nommer.ec2nommerd.nommers import sending

PATIENCE = 120.0
QUICK = {"codec": "h264", "speed": "ultrafast"}
KEPT = {"cache_control": "max-age=60", "storage_class": "STANDARD_IA"}
FILM = {"name": "film.mp4", "video": {**QUICK, "height": 90}, "object": KEPT}
STREAM: dict[str, Any] = {
    "kind": "adaptive",
    "gop": 0.5,
    "formats": ["hls"],
    "video": QUICK,
    "ladder": [{"height": 90, "max_bitrate": 300}],
}


class Killed(BaseException):
    """Stands for the death of a process, after which nothing is done any more."""


@dataclass
class Ground:
    """A machine that publishes to a bucket.

    ``amid`` happens when an encode is over and ``films`` are on their way; ``seen`` is what
    anybody could see then.
    """

    studio: Studio
    s3: Any
    bucket: str
    films: int = 1
    amid: Callable[[], object] = lambda: None
    seen: list[list[str]] = field(default_factory=list)

    def submit(self, *outputs: dict[str, Any], **more: Any) -> Job:
        destination = f"s3://{self.bucket}/out"
        return self.studio.submit(*outputs, destination=destination, **more)

    def job(self, job: Job) -> Job:
        return self.studio.engine.store.get_job(job.id)

    def task(self, job: Job) -> Task:
        return self.studio.engine.store.get_task(task_id(job.id, job.run, FIRST_KEY))

    def let_go(self, job: Job) -> None:
        """Take the task from whoever has it, and let others have it."""
        engine = self.studio.engine
        freed = self.task(job).let_go(at=engine.clock.now())
        engine.store.swap_task(freed)
        engine.put(freed)

    def visible(self) -> list[str]:
        """Return the keys of what anybody can see."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [str(found["Key"]) for found in listed]

    def await_parts(self) -> None:
        """Wait until something of each film is there."""
        until = time.monotonic() + PATIENCE
        while not self._on_their_way() and time.monotonic() < until:
            threading.Event().wait(0.02)

    def _on_their_way(self) -> bool:
        going = self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        with_parts = [
            upload["Key"]
            for upload in going
            if self.s3.list_parts(
                Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
            ).get("Parts")
        ]
        return len(with_parts) >= self.films


@pytest.fixture
def ground(
    tmp_path: Path,
    s3: Any,
    bucket: str,
    storage: S3Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> Ground:
    for name, size in (("HEAD", 2000), ("AHEAD", 4000), ("WET", 500)):
        monkeypatch.setattr(growing, name, size)
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 0)
    film, folder = tmp_path / "source.mp4", tmp_path / "studio"
    subprocess.run(
        [
            *(str(find_ffmpeg()), "-v", "error", "-nostdin"),
            *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=24:d=1.5"),
            *("-c:v", "libx264", "-preset", "ultrafast", str(film)),
        ],
        check=True,
        timeout=PATIENCE,
    )
    folder.mkdir()
    studio = Studio(folder, film)
    files = FileStorage(own=[folder / "work"])
    both = RoutedStorage({"file": lambda: files, "s3": lambda: storage})
    studio.engine = replace(studio.engine, storage=both)
    studio.service = replace(studio.service, engine=studio.engine, outside=both)
    ground = Ground(studio, s3, bucket)

    class Watched(CountingEncoder):
        @override
        def run(self, args: Any, **words: Any) -> Any:
            encoded = super().run(args, **words)
            ground.await_parts()
            ground.seen.append(ground.visible())
            ground.amid()
            return encoded

    monkeypatch.setattr(studios, "CountingEncoder", Watched)
    return ground


def test_outputs_are_sent_while_they_are_encoded_and_seen_when_they_are_published(
    ground: Ground, faults: Faults
) -> None:
    job = ground.submit(FILM, STREAM)
    ahead: list[str] = []
    ground.films = 2
    ground.amid = lambda: ahead.extend(ground.job(job).begun)

    ground.studio.work()

    done = ground.job(job)
    files = [file for output in done.outputs for file in output.files]
    assert done.state is JobState.FINISHED
    assert ground.seen == [[]]
    assert {file.url for file in files if file.url.endswith(".mp4")} == set(ahead)
    for file in files:
        data = ground.studio.engine.storage.read(file.url)
        assert hashlib.sha256(data).hexdigest() == file.sha256
    puts = [r.url for r in faults.requests if r.method == "PUT" and "uploadId" not in r.url]
    assert [
        url for url in puts if url.endswith(".mp4")
    ] == []  # none went whole, in the end
    assert uploads(ground.s3, ground.bucket) == []


def test_what_goes_ahead_is_kept_as_its_recipe_says(ground: Ground) -> None:
    ground.submit(FILM)

    ground.studio.work()

    head = ground.s3.head_object(Bucket=ground.bucket, Key="out/film.mp4")
    said = head["ContentType"], head["CacheControl"], head["StorageClass"]
    assert said == ("video/mp4", "max-age=60", "STANDARD_IA")


def test_what_somebody_puts_there_meanwhile_stays(ground: Ground) -> None:
    job = ground.submit(FILM)
    ground.amid = lambda: ground.s3.put_object(
        Bucket=ground.bucket, Key="out/film.mp4", Body=b"a stranger's"
    )

    ground.studio.work()

    (output,) = ground.job(job).outputs
    assert output.failure is not None
    assert output.failure.code == "OUTPUT_EXISTS"
    assert ground.studio.engine.storage.read(f"s3://{ground.bucket}/out/film.mp4") == (
        b"a stranger's"
    )
    assert uploads(ground.s3, ground.bucket) == []


def crash(_ground: Ground, _job: Job) -> None:
    raise EncoderCrashed("it died")


def cancel(ground: Ground, job: Job) -> None:
    ground.studio.service.cancel(job.id)


def take_away(ground: Ground, job: Job) -> None:
    ground.studio.engine.store.swap_task(
        ground.task(job).let_go(at=ground.studio.engine.clock.now())
    )


@pytest.mark.parametrize("end", [crash, cancel, take_away])
def test_an_attempt_that_comes_to_nothing_leaves_nothing_at_the_bucket(
    ground: Ground, end: Callable[[Ground, Job], None]
) -> None:
    job, on_its_way = ground.submit(FILM), list[str]()

    def amid() -> None:
        on_its_way.extend(uploads(ground.s3, ground.bucket))
        end(ground, job)

    ground.amid = amid
    with ground.studio.workers() as ((worker,), _):
        worker.tick()

    assert on_its_way == ["out/film.mp4"]
    assert uploads(ground.s3, ground.bucket) == []
    assert ground.visible() == []


def test_what_a_killed_attempt_had_on_its_way_is_aborted_by_the_next(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, left = ground.submit(FILM), list[list[str]]()

    def die() -> None:
        raise Killed

    ground.amid = die
    with monkeypatch.context() as dead:
        dead.setattr(growing.S3BegunPut, "drop", lambda _self: None)
        with pytest.raises(Killed):
            ground.studio.work()
    stranded = ground.s3.list_multipart_uploads(Bucket=ground.bucket)["Uploads"]
    old = [upload["UploadId"] for upload in stranded]
    ground.let_go(job)

    def look() -> None:
        going = ground.s3.list_multipart_uploads(Bucket=ground.bucket)["Uploads"]
        left.append([u["UploadId"] for u in going if u["UploadId"] in old])

    ground.amid = look
    ground.studio.work()

    assert len(old) == 1
    assert left == [[]]
    assert ground.job(job).state is JobState.FINISHED
    assert ground.visible() == ["out/film.mp4"]
    assert uploads(ground.s3, ground.bucket) == []
