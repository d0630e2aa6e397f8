"""One installation as its operator has it: real daemons, started, signaled and killed."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.client import NommerClient, NoService
from media_nommer.conf import load_settings
from media_nommer.core.workflow.engine import Engine
from media_nommer.wiring import open_engine
from tests.acceptance.ground import Files, Ground, Identity
from tests.ports import held_port

BIN = Path(sys.executable).parent
FINAL = {"finished", "failed", "canceled", "abandoned"}

#: So long that a busy machine lets nobody seem dead who lives.
SETTINGS = {
    "NOMMER_CONFIG": "",
    "NOMMER_FLEET": "none",
    "NOMMER_LEASE": "60s",
    "NOMMER_PUT_AGAIN_AFTER": "120s",
    "NOMMER_BACKOFF": "0.3s",
    "NOMMER_IDLE_TIMEOUT": "300s",
    "NOMMER_DRAIN_TIMEOUT": "120s",
    "NOMMER_SLOTS": "1",
    "NOMMER_LOG_FORMAT": "console",
}

#: What is said beside these where a death is to be noticed while one waits.
MORTAL = {"lease": "4s", "put_again_after": "5s"}

#: An output of this quality is not done while the site holds it.
SLOW_QUALITY = 17

#: FFmpeg is at work all the while that it is held, at a tenth of the film's own pace.
_HELD = """\
#!/bin/sh
case "$*" in
*"-crf {quality} "*)
    {ffmpeg} -readrate 0.1 "$@" <&0 &
    while [ -e {hold} ]; do sleep 0.05; done
    kill -KILL $!
    wait $!
    ;;
esac
exec {ffmpeg} "$@"
"""


def wait_until(
    what: str, happened: Callable[[], Any], *, timeout: float = 120, every: float = 0.05
) -> Any:
    """Return what ``happened`` answers as soon as it is true; fail if it never is."""
    end = time.monotonic() + timeout
    while True:
        answer = happened()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout:g} s in vain until {what}: {answer}")
        time.sleep(every)


class Site:
    """A data directory, what it stands on, and the processes that work there."""

    def __init__(self, folder: Path, ground: Ground | None = None, **settings: str) -> None:
        self.data = folder / "data"
        self.ground = ground or Files(folder)
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        self._started: list[subprocess.Popen[bytes]] = []
        self._stack = contextlib.ExitStack()
        self.port = self._stack.enter_context(held_port())
        mine = {f"NOMMER_{key.upper()}": value for key, value in settings.items()}
        others = {k: v for k, v in os.environ.items() if not k.startswith("NOMMER_")}
        here = {"NOMMER_DATA_DIR": str(self.data), **self.ground.environment}
        self._hold = folder / "hold"
        here["NOMMER_FFMPEG"] = str(_held_ffmpeg(folder / "ffmpeg-held", self._hold))
        self._environment = others | SETTINGS | here | mine

    def feederd(self) -> subprocess.Popen[bytes]:
        """Start feederd and wait until it answers."""
        started = self.feederd_alone()
        self.wait_for_answers(started)
        return started

    def feederd_alone(
        self, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start feederd, with more in its environment, and wait for nothing."""
        return self._start("feederd", "--port", str(self.port), **(environment or {}))

    def wait_for_answers(self, feederd: subprocess.Popen[bytes]) -> None:
        """Wait until feederd answers."""

        def answers() -> bool:
            assert feederd.poll() is None, self.said()
            with contextlib.suppress(NoService), self.client as client:
                return bool(client.health())
            return False

        wait_until("feederd answers", answers)

    def worker(
        self, environment: Mapping[str, str] | None = None, **settings: str
    ) -> subprocess.Popen[bytes]:
        """Start a worker by hand, with more in its environment."""
        mine = {f"NOMMER_{key.upper()}": value for key, value in settings.items()}
        return self._start("ec2nommerd", **(environment or {}), **mine)

    def workers(self, count: int) -> list[subprocess.Popen[bytes]]:
        """Start some workers by hand."""
        return [self.worker() for _ in range(count)]

    def _start(self, program: str, *words: str, **more: str) -> subprocess.Popen[bytes]:
        name = f"{program}-{len(self._started)}.log"
        with (self.logs / name).open("wb") as log:
            started = subprocess.Popen(
                [str(BIN / program), *words],
                env=self._environment | more,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._started.append(started)
        return started

    @property
    def client(self) -> NommerClient:
        return NommerClient(f"http://127.0.0.1:{self.port}")

    @cached_property
    def _asker(self) -> NommerClient:
        """A client for what is asked again and again; making one takes a while."""
        return self._stack.enter_context(self.client)

    @cached_property
    def _engine(self) -> Engine:
        mine = {k: v for k, v in self._environment.items() if k.startswith("NOMMER_")}
        return self._stack.enter_context(open_engine(load_settings({}, environ=mine)))

    def close(self) -> None:
        """Kill what runs, and close what was opened to look at it."""
        self.kill_all()
        self._stack.close()

    def submit(self, source: Path, *outputs: Mapping[str, Any], **more: Any) -> str:
        """Submit a job and return its id."""
        document = {
            "inputs": [{"url": self.ground.url_of(source)}],
            "destination": self.ground.destination,
            "outputs": list(outputs),
            **more,
        }
        with self.client as client:
            return str(client.submit(document)["id"])

    def hold(self) -> None:
        """Have no encode of ``SLOW_QUALITY`` come to its end before ``let_go``."""
        self._hold.touch()

    def let_go(self) -> None:
        """Let what is held be done, as fast as can be."""
        self._hold.unlink()

    def job(self, job_id: str) -> Any:
        return self._asker.job(job_id)

    def ends(self, job_id: str) -> list[str | None]:
        """Return how the attempts at a job ended, in turn."""
        return [attempt["end"] for attempt in self._asker.logs(job_id)["attempts"]]

    def wait_for(self, job_id: str, state: str = "finished", timeout: float = 200) -> Any:
        """Return a job once it is final; it must have ended as ``state``."""

        def ended() -> Any:
            job = self.job(job_id)
            return job if job["state"] in FINAL else None

        job = wait_until(f"job {job_id} is final", ended, timeout=timeout, every=0.2)
        assert job["state"] == state, (job, self.said())
        return job

    def encoding(self, job_id: str, at_least: float = 0.02) -> bool:
        """Whether a job is being encoded, and has got somewhere."""
        job = self.job(job_id)
        assert job["state"] not in FINAL, (job, self.said())
        return bool(job["phase"] == "encoding" and job["progress"] >= at_least)

    def processes(self) -> list[psutil.Process]:
        """Return every process that works for this site, whoever started it."""
        mine = f"NOMMER_DATA_DIR={self.data}"
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                environment = process.environ()
                said = f"NOMMER_DATA_DIR={environment.get('NOMMER_DATA_DIR')}"
                if said == mine or str(self.data) in process.cwd():
                    found.append(process)
        return found

    def encoders(self) -> list[psutil.Process]:
        """Return the FFmpegs that read something in this site's scratch space.

        One that only tells a starting worker what it is, or can do, reads nothing.
        """
        found, scratch = [], str(self.data / "scratch")
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                reads = "-i" in process.cmdline()
                if reads and "ffmpeg" in process.name() and scratch in process.cwd():
                    found.append(process)
        return found

    def at_its_encoder(
        self, workers: list[subprocess.Popen[bytes]]
    ) -> subprocess.Popen[bytes] | None:
        """Return the one of these workers whose FFmpeg runs, if any does."""
        for encoder in self.encoders():
            with contextlib.suppress(psutil.Error):
                above = {process.pid for process in encoder.parents()}
                for worker in workers:
                    if worker.pid in above:
                        return worker
        return None

    def depth(self) -> int:
        """Return how many messages are on the queues, waiting, hidden or delayed."""
        return self._engine.queue.depth()

    def comes_to_rest(self) -> None:
        """Wait until there is no message and no work left, here or on the queue."""
        wait_until("no message is left", lambda: self.depth() == 0, every=0.3)
        wait_until("no work is left", lambda: not self.at_work() and not self.encoders())

    def leaves_nothing(self) -> None:
        """Wait until nothing is left of jobs that have ended; their logs may stay."""
        self.comes_to_rest()
        wait_until("the work area is tidy", lambda: not self.ground.left_behind())

    def scratch(self) -> list[Path]:
        """Return what is in scratch space now."""
        return sorted((self.data / "scratch" / "nommer-scratch").glob("*"))

    def at_work(self) -> list[Path]:
        """Return the scratch folders of attempts."""
        return list((self.data / "scratch" / "nommer-scratch").glob("*/*"))

    def published(self) -> Mapping[str, Identity]:
        """Return what can be seen at the destination, half-made things included."""
        return self.ground.published()

    def kill_all(self) -> None:
        """Kill everything at once, as a power cut does, but for the disk's cache."""
        while processes := self.processes():
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    process.send_signal(signal.SIGKILL)
            psutil.wait_procs(processes, timeout=5)
        self.reap()

    def reap(self) -> None:
        """Collect the exit statuses of all that was started; what is left is killed."""
        for started in self._started:
            started.kill()  # it may have been overlooked in the moment that it began
            started.wait()

    def has_logged(self, event: str) -> bool:
        """Whether a daemon has told of something."""
        return any(event in log.read_text(errors="replace") for log in self._logs())

    def said(self) -> str:
        """Return the ends of all logs, for a person who must find out."""
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}"
            for log in self._logs()
        )

    def _logs(self) -> list[Path]:
        found = (*self.logs.glob("*"), *self.data.glob("logs/*"))
        return [log for log in found if log.is_file()]


@contextlib.contextmanager
def site(folder: Path, ground: Ground | None = None, **settings: str) -> Iterator[Site]:
    """Give a site of one's own, and leave no process behind."""
    made = Site(folder, ground, **settings)
    try:
        yield made
    finally:
        made.close()


def stop(worker: subprocess.Popen[bytes], ground: Ground) -> None:
    """Pause a worker, and wait until it really stands still.

    One that is stopped while it writes to SQLite locks all others out until it goes on; so
    it is stopped at another moment.
    """
    process = psutil.Process(worker.pid)
    while True:
        worker.send_signal(signal.SIGSTOP)
        wait_until("it stands still", lambda: process.status() == psutil.STATUS_STOPPED)
        if ground.takes_writes():
            return
        worker.send_signal(signal.SIGCONT)


def go_on(worker: subprocess.Popen[bytes]) -> None:
    """Let a stopped worker go on."""
    worker.send_signal(signal.SIGCONT)


def lost_then_committed(ends: list[str | None]) -> bool:
    """Whether the last attempt was committed, and each before it, one at least, lost.

    A busy machine may keep its beats from being told, and have one more seem dead.
    """
    return len(ends) > 1 and {*ends[:-1]} == {"lost"} and ends[-1] == "committed"


def as_told(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is told of a job that has ended, but for what its last seconds add."""
    return {key: job[key] for key in job.keys() - {"machine_seconds", "cost"}}


def ended_well(process: subprocess.Popen[bytes], timeout: float = 150) -> bool:
    """Wait for a daemon to end, and return whether it did so in good order."""
    return process.wait(timeout) == 0


def _held_ffmpeg(script: Path, hold: Path) -> Path:
    """Write a program that is FFmpeg, but does not end with what is held."""
    ffmpeg, held = (shlex.quote(str(path)) for path in (find_ffmpeg(), hold))
    script.write_text(_HELD.format(quality=SLOW_QUALITY, hold=held, ffmpeg=ffmpeg))
    script.chmod(0o755)
    return script


__all__ = [
    "MORTAL",
    "SLOW_QUALITY",
    "Site",
    "as_told",
    "ended_well",
    "go_on",
    "lost_then_committed",
    "site",
    "stop",
    "wait_until",
]
