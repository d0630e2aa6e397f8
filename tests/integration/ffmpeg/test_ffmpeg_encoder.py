"""Real encodes: what comes out, what is told meanwhile, and how they are ended."""

import os
import re
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from typing_extensions import override

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg, inspect_ffmpeg
from media_nommer.adapters.ffmpeg.encoder import FfmpegEncoder
from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.adapters.ffmpeg.process import Limits
from media_nommer.adapters.ffmpeg.progress import Progress
from media_nommer.core.clock import SystemClock
from media_nommer.core.errors import (
    CodecMissing,
    EncodeError,
    EncoderLimit,
    EncoderMissing,
    EncoderStalled,
    HandedBack,
    JobOver,
    NommerError,
    NoSpace,
    NotMedia,
    TruncatedMedia,
)

WaitUntil = Callable[..., None]
MakeClip = Callable[..., Path]

ENDLESS = ("-re", "-f", "lavfi", "-i", "testsrc=s=160x120:r=25", "-f", "null", "-")
COPY = ("-c", "copy")


def test_an_encode_makes_its_file_and_tells_how_it_went(
    encoder: FfmpegEncoder, clip: Path, scratch: Path
) -> None:
    seen: list[Progress] = []

    encoded = encoder.run(
        ["-i", str(clip), "-c:v", "libx264", "-an", "out.mp4"],
        cwd=scratch,
        log=scratch / "log",
        on_progress=seen.append,
    )

    assert (scratch / "out.mp4").stat().st_size > 1000
    assert (seen[-1].frame, seen[-1].done) == (50, True)
    assert seen[-1].out_time == pytest.approx(2.0, abs=0.1)
    assert 0 < encoded.cpu_seconds < 60
    assert 0 < encoded.wall_seconds < 60
    assert len(encoded.log_tail) <= 20


def test_the_log_opens_with_a_command_line_that_can_be_run_again(
    encoder: FfmpegEncoder, clip: Path, scratch: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "it's $HOME.mp4"
    odd.symlink_to(clip)

    encoded = encoder.run(
        ["-i", f"file:{odd}", *COPY, "out.mp4"], cwd=scratch, log=scratch / "log"
    )

    first, _, rest = (scratch / "log").read_text().partition("\n")
    assert first == f"$ {encoded.command}"
    assert "Stream mapping" in rest
    (scratch / "out.mp4").unlink()
    assert os.system(f"cd '{scratch}' && {encoded.command} > again 2>&1") == 0
    assert (scratch / "out.mp4").exists()


def test_two_attempts_share_one_log(
    encoder: FfmpegEncoder, clip: Path, scratch: Path
) -> None:
    for name in ("one.mp4", "two.mp4"):
        encoder.run(["-i", str(clip), *COPY, name], cwd=scratch, log=scratch / "log")

    text = (scratch / "log").read_text()
    assert text.count("\n$ ") + text.startswith("$ ") == 2


def test_a_stop_ends_the_encode_with_its_own_error(
    encoder: FfmpegEncoder, launcher: Launcher, scratch: Path
) -> None:
    seen: list[Progress] = []

    def stop() -> NommerError | None:
        return JobOver("the job was canceled") if seen else None

    with pytest.raises(JobOver) as caught:
        encoder.run(
            ENDLESS, cwd=scratch, log=scratch / "log", on_progress=seen.append, stop=stop
        )

    assert caught.value.log_tail
    assert psutil.Process(launcher.helper_pid).children() == []


def test_an_encoder_that_reads_what_never_comes_has_stalled(
    launcher: Launcher, ffmpeg: Path, scratch: Path
) -> None:
    encoder = FfmpegEncoder(launcher, ffmpeg, stall_after=timedelta(milliseconds=300))
    read, write = os.pipe()
    try:
        with pytest.raises(EncoderStalled) as caught:
            encoder.run(
                ["-i", "pipe:0", "-f", "null", "-"],
                cwd=scratch,
                log=scratch / "log",
                stdin=read,
            )
    finally:
        os.close(read)
        os.close(write)

    assert caught.value.retryable


def test_an_encoder_that_was_frozen_has_stalled(
    launcher: Launcher, ffmpeg: Path, scratch: Path, wait_until: WaitUntil
) -> None:
    frozen: list[int] = []

    class Hurried(SystemClock):
        """A second is ten minutes once it is frozen."""

        @override
        def monotonic(self) -> float:
            return super().monotonic() * (600 if frozen else 1)

    encoder = FfmpegEncoder(
        launcher, ffmpeg, stall_after=timedelta(minutes=5), clock=Hurried()
    )

    def freeze(_: Progress) -> None:
        if not frozen:
            (child,) = psutil.Process(launcher.helper_pid).children()
            frozen.append(child.pid)
            os.kill(child.pid, signal.SIGSTOP)

    with pytest.raises(EncoderStalled):
        encoder.run(ENDLESS, cwd=scratch, log=scratch / "log", on_progress=freeze)

    wait_until(lambda: not psutil.pid_exists(frozen[0]))


def test_closing_the_launcher_hands_the_work_back(scratch: Path, ffmpeg: Path) -> None:
    with Launcher(scratch) as launcher:
        encoder = FfmpegEncoder(launcher, ffmpeg)

        with pytest.raises(HandedBack):
            encoder.run(
                ENDLESS,
                cwd=scratch,
                log=scratch / "log",
                on_progress=lambda _: launcher.close(),
            )


@pytest.mark.parametrize(
    ("args", "kind", "word"),
    [
        pytest.param(
            ["-i", "clip", "-c:v", "no_such", "o.mp4"],
            CodecMissing,
            "no_such",
            id="encoder",
        ),
        pytest.param(
            ["-i", "clip", "-bogus", "1", "o.mp4"], EncodeError, "bogus", id="option"
        ),
        pytest.param(
            ["-i", "clip", "-vf", "no_such", "o.mp4"], EncodeError, "no_such", id="filter"
        ),
        pytest.param(["-i", "text", *COPY, "o.mp4"], NotMedia, "read", id="text"),
        pytest.param(["-i", "half", *COPY, "o.mp4"], TruncatedMedia, "cut", id="half"),
        pytest.param(["-i", "list", *COPY, "o.mp4"], NotMedia, "read", id="ffconcat"),
        pytest.param(
            ["-i", "clip", *COPY, "-f", "nut", "/dev/full"], NoSpace, "full", id="full"
        ),
    ],
)
def test_each_refusal_has_its_error(
    encoder: FfmpegEncoder,
    clip: Path,
    scratch: Path,
    args: list[str],
    kind: type[NommerError],
    word: str,
) -> None:
    (scratch / "clip").write_bytes(clip.read_bytes())
    (scratch / "half").write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    (scratch / "text").write_text("This is no film.\n" * 100)
    (scratch / "list").write_text("ffconcat version 1.0\nfile clip\n")

    with pytest.raises(NommerError) as caught:
        encoder.run(args, cwd=scratch, log=scratch / "log")

    assert type(caught.value) is kind
    assert word in caught.value.message
    assert caught.value.log_tail


def test_our_own_concat_list_is_read(
    encoder: FfmpegEncoder, clip: Path, scratch: Path
) -> None:
    (scratch / "list").write_text(f"file '{clip}'\nfile '{clip}'\n")

    encoder.run(
        ["-f", "concat", "-safe", "0", "-i", "list", *COPY, "out.mp4"],
        cwd=scratch,
        log=scratch / "log",
    )

    assert (scratch / "out.mp4").stat().st_size > clip.stat().st_size


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(Limits(memory=200 * 1024**2), id="memory"),
        pytest.param(Limits(cpu=timedelta(seconds=1)), id="processor"),
        pytest.param(Limits(file_size=100_000), id="file"),
        pytest.param(Limits(wall=timedelta(seconds=0.5)), id="time"),
    ],
)
def test_each_limit_ends_the_encode(
    launcher: Launcher, ffmpeg: Path, scratch: Path, limits: Limits
) -> None:
    encoder = FfmpegEncoder(launcher, ffmpeg, limits=limits)
    source = ("-f", "lavfi", "-i", "testsrc2=s=1920x1080:d=600")

    with pytest.raises(EncoderLimit):
        encoder.run(
            [*source, "-c:v", "mpeg2video", "-qscale:v", "2", "out.ts"],
            cwd=scratch,
            log=scratch / "log",
        )


def test_what_the_bundled_ffmpeg_can_do_is_known() -> None:
    build = inspect_ffmpeg(find_ffmpeg())

    assert re.search(r"\d", build.version)
    assert {"libx264", "libx265", "libsvtav1", "libopus", "aac"} <= build.encoders
    assert {"scale", "libvmaf"} <= build.filters


@pytest.mark.parametrize("setting", ["{tmp}/absent", "{tmp}/notes.txt", "no-such-ffmpeg"])
def test_a_setting_that_names_no_program_is_refused(setting: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch(mode=0o600)

    with pytest.raises(EncoderMissing) as caught:
        find_ffmpeg(setting.format(tmp=tmp_path))

    assert "setting" in caught.value.advice


def test_a_program_that_is_no_ffmpeg_is_refused() -> None:
    with pytest.raises(EncoderMissing):
        inspect_ffmpeg(find_ffmpeg("true"))
