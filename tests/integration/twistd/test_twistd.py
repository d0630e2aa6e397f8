"""The daemons under `twistd`: real processes, real signals, several reactors."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.acceptance.conftest import QUICK, SLOW
from tests.acceptance.conftest import film as film
from tests.acceptance.site import BIN, Site, ended_well, wait_until
from typing_extensions import override


class TwistdSite(Site):
    """A site whose daemons are twistd's; ``twistd`` are its own words, which come first."""

    twistd: tuple[str, ...] = ()

    @override
    def _start(self, program: str, *words: str, **more: str) -> subprocess.Popen[bytes]:
        under = ("-n", "--pidfile=", *self.twistd, program)
        return super()._start("twistd", *under, *words, **more)

    def run(self, *words: str) -> tuple[int, str]:
        """Run twistd to its end; return its status and what it said."""
        done = subprocess.run(
            [BIN / "twistd", *words],
            env=self._environment,
            cwd=self.logs,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TwistdSite]:
    made = TwistdSite(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_both_daemons_do_a_job_and_end_well(place: TwistdSite, film: Path) -> None:
    place.twistd = ("--reactor=poll",)
    feederd = in_the_background(place)

    job = place.submit(film, {**QUICK, "name": "quick.mp4"})
    place.twistd = ("--reactor=asyncio",)
    worker = place.worker(idle_timeout="0.5s")

    place.wait_for(job)
    assert ended_well(worker)  # by itself, since there was nothing left to do
    assert logged(place).count("[ec2nommerd#info] node_joined") == 1
    feederd.terminate()
    wait_until("it has ended", lambda: not feederd.is_running())
    assert not (place.logs / "feederd.pid").exists()
    log = (place.logs / "feederd.log").read_text()
    assert log.count("[feederd#info] feederd_started") == 1
    assert log.count("[feederd#info] feederd_stopped") == 1
    assert not place.processes()


def logged(place: TwistdSite) -> str:
    return "".join(log.read_text() for log in place.logs.glob("*.log"))


def in_the_background(place: TwistdSite) -> psutil.Process:
    """Let feederd leave its terminal; wait until it answers."""
    log, pid = place.logs / "feederd.log", place.logs / "feederd.pid"
    words = (f"--logfile={log}", f"--pidfile={pid}", "feederd", f"--port={place.port}")
    assert place.run(*place.twistd, *words) == (0, "")
    wait_until("it has started", lambda: "feederd_started" in log.read_text())
    with place.client as client:
        assert client.health()
    return psutil.Process(int(pid.read_text()))


def test_the_first_signal_ends_a_daemon_and_the_second_hurries_it(
    place: TwistdSite, film: Path
) -> None:
    pid = place.logs / "feederd.pid"
    place.twistd = ("--reactor=select", f"--pidfile={pid}")
    feederd = place.feederd()
    place.twistd = ("--reactor=select",)
    place.hold()
    worker = place.worker()
    job = place.submit(film, SLOW)
    wait_until("it is being encoded", place.encoders)

    worker.send_signal(signal.SIGINT)
    wait_until("it drains", lambda: place.has_logged("node_draining"))
    worker.send_signal(signal.SIGINT)

    assert ended_well(worker)
    assert place.has_logged("node_handing_back")
    assert place.job(job)["state"] == "running"
    assert not place.encoders()
    assert pid.read_text() == str(feederd.pid)
    feederd.send_signal(signal.SIGTERM)
    assert ended_well(feederd)
    assert not pid.exists()
    assert not place.has_logged("Traceback")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("feederd", "--port", "x"), "feederd: port is 'x' (from the command line)"),
        (("ec2nommerd", "--slots", "0"), "ec2nommerd: slots is '0' (from the command"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_in_a_sentence(
    place: TwistdSite, words: tuple[str, ...], sentence: str
) -> None:
    status, said = place.run(*words)

    assert status == 1
    assert said.startswith(sentence)
    assert len(said.splitlines()) <= 2


def test_a_daemon_that_cannot_start_ends_twistd_with_1(place: TwistdSite) -> None:
    pid = place.logs / "twistd.pid"
    with socket.create_server(("127.0.0.1", place.port)):
        feederd = place.run("-n", f"--pidfile={pid}", "feederd", f"--port={place.port}")
    ec2nommerd = place.run("-n", f"--pidfile={pid}", "ec2nommerd", "--ffmpeg=/no/ffmpeg")

    for (status, said), sentence in (
        (feederd, f"[feederd#error] feederd cannot listen on 127.0.0.1 port {place.port}"),
        (ec2nommerd, "[ec2nommerd#error] "),
    ):
        assert status == 1, said
        assert said.count(sentence) == 1
        assert "Traceback" not in said
        assert not pid.exists()


def test_twistd_lists_both_daemons(place: TwistdSite) -> None:
    status, said = place.run("--help")

    assert status == 0
    assert "Accept encoding jobs over HTTP" in said
    assert "Take encoding tasks" in said
