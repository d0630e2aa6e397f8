"""Nothing that the launcher started outlives whoever it was started for."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.adapters.ffmpeg.launcher_child import IGNORED
from media_nommer.adapters.ffmpeg.process import Limits
from media_nommer.core.errors import (
    EncodeError,
    EncoderCrashed,
    EncoderLimit,
    EncoderMissing,
    Fenced,
    HandedBack,
    InvalidSetting,
    NommerError,
)

WaitUntil = Callable[..., None]

#: A shell with a child of its own, in the background, that writes both their numbers.
FAMILY = ["/bin/sh", "-c", "sleep 300 & echo $$ $! > pids.tmp; mv pids.tmp pids; wait"]
WORKER = """
import sys
from pathlib import Path
from media_nommer.adapters.ffmpeg.launcher import Launcher
scratch = Path(sys.argv[1])
with Launcher(scratch) as launcher:
    launcher.run(sys.argv[2:], cwd=scratch)
"""


def gone(*pids: int) -> bool:
    """Whether none of these runs; a zombie that nobody has buried yet does not run."""
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            continue
    return True


def family(scratch: Path, wait_until: WaitUntil) -> tuple[int, ...]:
    wait_until((scratch / "pids").exists)
    return tuple(int(word) for word in (scratch / "pids").read_text().split())


def output(launcher: Launcher, *argv: str, **more: object) -> str:
    parts: list[bytes] = []
    ended = launcher.run(
        argv,
        cwd=launcher.scratch_root,
        on_stdout=parts.append,
        **more,  # type: ignore[arg-type]
    )
    assert ended.code == 0
    return b"".join(parts).decode()


def stop_when(ready: Callable[[], object]) -> Callable[[], NommerError | None]:
    return lambda: Fenced("somebody else has it") if ready() else None


@pytest.mark.parametrize("code", [0, 1, 77])
def test_an_exit_status_comes_back(launcher: Launcher, scratch: Path, code: int) -> None:
    ended = launcher.run(["/bin/sh", "-c", f"exit {code}"], cwd=scratch)

    assert (ended.code, ended.killed_by) == (code, None)


def test_a_signal_comes_back_by_name(launcher: Launcher, scratch: Path) -> None:
    ended = launcher.run(["/bin/sh", "-c", "kill -SEGV $$"], cwd=scratch)

    assert ended.killed_by is signal.SIGSEGV


def test_processor_time_and_memory_are_measured(launcher: Launcher, scratch: Path) -> None:
    burn = "x = bytearray(50_000_000); sum(i * i for i in range(1_000_000))"

    ended = launcher.run([sys.executable, "-I", "-S", "-c", burn], cwd=scratch)

    assert 0.01 < ended.cpu_seconds < 30
    assert ended.peak_memory > 50_000_000
    assert ended.wall_seconds > 0


def test_both_streams_arrive_whole(launcher: Launcher, scratch: Path) -> None:
    said: dict[str, list[bytes]] = {"out": [], "err": []}

    launcher.run(
        ["/bin/sh", "-c", "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2"],
        cwd=scratch,
        on_stdout=said["out"].append,
        on_stderr=said["err"].append,
    )

    assert {k: len(b"".join(v)) for k, v in said.items()} == {
        "out": 3000000,
        "err": 2000000,
    }


def test_nothing_of_the_worker_reaches_a_child(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    leak = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(leak, True)
    try:
        environment = output(launcher, "/usr/bin/env")
        descriptors = output(launcher, "/bin/ls", "/proc/self/fd").split()
    finally:
        os.close(leak)

    assert "hush" not in environment
    assert set(descriptors) == {"0", "1", "2", "3"}  # the last is ls reading the folder


def test_a_child_can_be_interrupted_though_the_helper_cannot(launcher: Launcher) -> None:
    said = output(launcher, "/bin/sh", "-c", "grep SigIgn /proc/self/status")

    ignored = int(said.split()[1], 16)
    assert [s.name for s in IGNORED if ignored & (1 << (s - 1))] == []


def test_what_is_piped_in_is_its_standard_input(launcher: Launcher) -> None:
    read, write = os.pipe()
    os.write(write, b"hello")
    os.close(write)
    try:
        assert output(launcher, "/bin/cat", stdin=read) == "hello"
    finally:
        os.close(read)


@pytest.mark.parametrize(
    ("argv", "cwd", "kind"),
    [
        pytest.param(["/no/such/ffmpeg"], ".", EncoderMissing, id="no program"),
        pytest.param(["/etc/hostname"], ".", EncoderMissing, id="not a program"),
        pytest.param(["/bin/true"], "absent", EncodeError, id="no folder"),
        pytest.param(["/bin/true", "x" * 300_000], ".", EncodeError, id="too long"),
    ],
)
def test_what_cannot_start_says_why(
    launcher: Launcher, scratch: Path, argv: list[str], cwd: str, kind: type[NommerError]
) -> None:
    with pytest.raises(kind) as caught:
        launcher.run(argv, cwd=scratch / cwd)

    assert type(caught.value) is kind
    assert launcher.run(["/bin/true"], cwd=scratch).code == 0


def test_stopping_kills_the_grandchildren_too(
    launcher: Launcher, scratch: Path, wait_until: WaitUntil
) -> None:
    with pytest.raises(Fenced):
        launcher.run(FAMILY, cwd=scratch, watch=stop_when((scratch / "pids").exists))

    pids = family(scratch, wait_until)
    wait_until(lambda: gone(*pids))


def test_a_child_that_stopped_itself_is_killed_all_the_same(
    launcher: Launcher, scratch: Path, wait_until: WaitUntil
) -> None:
    told = "echo $$ > pids.tmp; mv pids.tmp pids; kill -STOP $$"
    frozen = ["/bin/sh", "-c", told]
    with pytest.raises(Fenced):
        launcher.run(frozen, cwd=scratch, watch=stop_when((scratch / "pids").exists))

    assert gone(*family(scratch, wait_until))


def test_what_a_child_leaves_running_dies_with_it(
    launcher: Launcher, scratch: Path, wait_until: WaitUntil
) -> None:
    launcher.run(["/bin/sh", "-c", "sleep 300 & echo $! > pids"], cwd=scratch)

    pids = family(scratch, wait_until)
    wait_until(lambda: gone(*pids))


def test_an_error_in_a_callback_kills_the_child(launcher: Launcher, scratch: Path) -> None:
    def fail(_chunk: bytes) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        launcher.run(
            ["/bin/sh", "-c", "echo $$ > pids; echo go; sleep 300"],
            cwd=scratch,
            on_stdout=fail,
        )

    assert gone(int((scratch / "pids").read_text()))


def test_a_worker_killed_outright_leaves_no_process_and_no_scratch(
    scratch: Path, wait_until: WaitUntil
) -> None:
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(scratch), *FAMILY])
    pids = family(scratch, wait_until)
    (scratch / "half-made").mkdir()
    (scratch / "half-made" / "chunk.nut").write_bytes(b"x")

    worker.kill()
    worker.wait()

    wait_until(lambda: gone(*pids))
    wait_until(lambda: not scratch.exists())


def test_a_helper_asked_politely_to_die_does_not(launcher: Launcher, scratch: Path) -> None:
    launcher.run(["/bin/true"], cwd=scratch)
    helper = launcher.helper_pid
    assert helper is not None

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(helper, number)

    assert launcher.run(["/bin/true"], cwd=scratch).code == 0
    assert launcher.helper_pid == helper
    assert os.getsid(helper) != os.getsid(0)


def test_a_dead_helper_takes_its_children_along_and_is_replaced(
    launcher: Launcher, scratch: Path, wait_until: WaitUntil
) -> None:
    launcher.run(["/bin/true"], cwd=scratch)
    helper = launcher.helper_pid
    assert helper is not None
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(launcher.run, FAMILY, cwd=scratch)
        pids = family(scratch, wait_until)

        os.kill(helper, signal.SIGKILL)
        with pytest.raises(EncoderCrashed) as caught:
            run.result(120)

    assert caught.value.retryable
    wait_until(lambda: gone(*pids))
    assert launcher.run(["/bin/true"], cwd=scratch).code == 0
    assert launcher.helper_pid != helper


def test_a_child_outlives_the_thread_that_started_it(
    launcher: Launcher, scratch: Path
) -> None:
    started = []
    thread = threading.Thread(
        target=lambda: started.append(
            launcher.start(["/bin/cat"], cwd=scratch, pipes=True, stdin=read)
        )
    )
    read, write = os.pipe()
    thread.start()
    thread.join()
    said: list[bytes] = []

    os.write(write, b"still here")
    os.close(write)
    with started[0] as process:
        ended = process.wait(on_stdout=said.append)
    os.close(read)

    assert (ended.code, b"".join(said)) == (0, b"still here")


def test_closing_kills_what_runs_and_keeps_the_scratch_folder(
    scratch: Path, wait_until: WaitUntil
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with Launcher(scratch) as launcher:
            run = pool.submit(launcher.run, FAMILY, cwd=scratch)
            pids = family(scratch, wait_until)

        with pytest.raises(HandedBack):
            run.result(120)
    wait_until(lambda: gone(*pids))
    assert scratch.is_dir()
    with pytest.raises(HandedBack):
        launcher.run(["/bin/true"], cwd=scratch)


def test_many_threads_may_launch_at_once(launcher: Launcher, scratch: Path) -> None:
    def run(number: int) -> int:
        return launcher.run(["/bin/sh", "-c", f"exit {number}"], cwd=scratch).code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(run, range(60)))

    assert codes == list(range(60))


def test_no_descriptor_is_left_behind(
    launcher: Launcher, scratch: Path, wait_until: WaitUntil
) -> None:
    launcher.run(["/bin/true"], cwd=scratch)
    assert launcher.helper_pid is not None
    ours, helper = psutil.Process(), psutil.Process(launcher.helper_pid)
    before = ours.num_fds(), helper.num_fds()

    for _ in range(20):
        launcher.run(["/bin/true"], cwd=scratch)
        with pytest.raises(EncoderMissing):
            launcher.run(["/no/such/program"], cwd=scratch)

    assert ours.num_fds() < before[0] + 20  # others in this process open some, too
    wait_until(lambda: helper.num_fds() <= before[1])


def test_a_time_limit_holds(launcher: Launcher, scratch: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(EncoderLimit):
        launcher.run(
            ["/bin/sleep", "1000"],
            cwd=scratch,
            limits=Limits(wall=timedelta(milliseconds=200)),
        )

    assert time.monotonic() - begun < 250


def test_a_processor_limit_holds(launcher: Launcher, scratch: Path) -> None:
    ended = launcher.run(
        ["/bin/sh", "-c", "while :; do :; done"],
        cwd=scratch,
        limits=Limits(cpu=timedelta(seconds=1)),
    )

    assert ended.killed_by is signal.SIGXCPU


def test_a_file_limit_holds(launcher: Launcher, scratch: Path) -> None:
    ended = launcher.run(
        ["/usr/bin/head", "-c", "200000", "/dev/zero"],
        cwd=scratch,
        limits=Limits(file_size=1000),
        on_stdout=None,
    )
    assert ended.code == 0  # a pipe is no file

    ended = launcher.run(
        ["/bin/sh", "-c", "exec head -c 200000 /dev/zero > big"],
        cwd=scratch,
        limits=Limits(file_size=1000),
    )
    assert ended.killed_by is signal.SIGXFSZ
    assert (scratch / "big").stat().st_size == 1000


def test_a_memory_limit_holds(launcher: Launcher, scratch: Path) -> None:
    ended = launcher.run(
        [sys.executable, "-I", "-S", "-c", "bytearray(10**9)"],
        cwd=scratch,
        limits=Limits(memory=200_000_000),
    )

    assert ended.code == 1


def test_a_folder_with_something_in_it_is_refused_as_scratch(tmp_path: Path) -> None:
    (tmp_path / "film.mov").touch()

    with pytest.raises(InvalidSetting):
        Launcher(tmp_path)
