"""Real FFmpeg through the real nommers, records in memory, bytes in files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typing_extensions import override

from media_nommer.adapters.crypto import AesSealer, AesSegmentCipher
from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.adapters.ffmpeg.encoder import FfmpegEncoder
from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.adapters.ffmpeg.packager import ShakaPackager, find_packager
from media_nommer.adapters.ffmpeg.probe import AvProbe
from media_nommer.adapters.memory import MemoryKeys, MemoryQueue, MemoryStore
from media_nommer.adapters.objects import FileStorage, file_url
from media_nommer.core.clock import system_clock
from media_nommer.core.jobs import Job
from media_nommer.core.nodes import NodeId
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.nommers.fetching import Kit
from media_nommer.ec2nommerd.nommers.media import shipped_nommers
from media_nommer.ec2nommerd.scratch import Scratch
from media_nommer.ec2nommerd.worker import Worker
from media_nommer.feederd.service import JobService
from media_nommer.planning.tasks import Policy

WHOLE = Policy()
FANNED_OUT = Policy(nodes=2, split_above=0)


class CountingEncoder(FfmpegEncoder):
    """Remembers the command lines that it ran."""

    def __init__(self, launcher: Launcher, ffmpeg: Path, *, confined: bool) -> None:
        super().__init__(launcher, ffmpeg, confined=confined)
        self.runs: list[tuple[str, ...]] = []

    @override
    def run(self, args: Any, **words: Any) -> Any:
        self.runs.append(tuple(args))
        return super().run(args, **words)


class Studio:
    """An installation whose workers are driven by the test, one task at a time."""

    def __init__(self, folder: Path, film: Path, *, encrypts: bool = True) -> None:
        self.folder, self.film = folder, film
        self.out = folder / "out"
        work = folder / "work"
        self.engine = Engine(
            MemoryStore(),
            MemoryQueue(system_clock),
            FileStorage(own=[work]),
            file_url(work),
            system_clock,
            AesSealer(MemoryKeys(bytes(range(32)))),
        )
        self._encrypts = encrypts
        self.service = JobService(engine=self.engine, outside=self.engine.storage)

    def submit(self, *outputs: dict[str, Any], **more: Any) -> Job:
        return self.service.submit(
            {
                "inputs": [{"url": file_url(self.film)}],
                "destination": file_url(self.out),
                "outputs": list(outputs),
                **more,
            }
        )

    @contextmanager
    def workers(
        self, *names: str, cutting: Policy = WHOLE, ffmpeg: Path | None = None
    ) -> Iterator[tuple[list[Worker], CountingEncoder]]:
        """Give workers that share one launcher; what they do they do at once."""
        with (
            Scratch(self.folder / "scratch", "node") as scratch,
            Launcher(scratch.folder) as launcher,
            AvProbe(launcher) as probe,
        ):
            encoder = CountingEncoder(
                launcher, ffmpeg or find_ffmpeg(), confined=ffmpeg is None
            )
            kit = Kit(
                probe=probe,
                encoder=encoder,
                check_room=scratch.check_room,
                threads=1,
                cutting=cutting,
                cipher=AesSegmentCipher() if self._encrypts else None,
                packager=_packager(launcher) if self._encrypts else None,
            )
            policy = WorkPolicy(max_attempts=1)
            runner = AttemptRunner(
                engine=self.engine,
                policy=policy,
                nommers=shipped_nommers(kit),
                scratch=scratch.attempt,
            )
            yield (
                [
                    Worker(
                        self.engine,
                        policy,
                        runner,
                        node=NodeId(name),
                        slots=1,
                        spawn=lambda work: work(),
                    )
                    for name in names or ("node-1",)
                ],
                encoder,
            )
        assert not (self.folder / "scratch").exists()

    def work(self, **how: Any) -> list[tuple[str, ...]]:
        """Let one worker do all there is; return the encoders' command lines."""
        with self.workers(**how) as ((worker,), encoder):
            while worker.tick():
                pass
            return encoder.runs

    def published(self) -> list[str]:
        return sorted(p.name for p in self.out.rglob("*") if p.is_file())


def _packager(launcher: Launcher) -> ShakaPackager:
    program = find_packager()
    assert program is not None
    return ShakaPackager(launcher, program)
