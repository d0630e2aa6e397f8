"""`nommer encode` to the end, and what is left behind: the outputs and nothing else."""

import contextlib
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from cli_shell import Shell, make_film

Start = Callable[..., subprocess.Popen[str]]


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_film_becomes_an_mp4_in_the_current_folder(shell: Shell, film: Path) -> None:
    said = shell.run("encode", film)

    assert said.status == 0, said.err
    assert names_in(shell.folder) == ["film.mp4"]
    head, row = said.out.splitlines()
    assert head.split() == ["FILE", "WHAT", "LENGTH", "SIZE", "TOOK", "SPEED"]
    assert row.startswith("film.mp4  H.264 160x120 + AAC    0:01")
    assert shell.left_behind() == []


def test_progress_comes_as_plain_lines_where_there_is_no_terminal(
    shell: Shell, film: Path
) -> None:
    said = shell.run("encode", film)

    assert "\x1b" not in said.out + said.err
    lines = said.err.splitlines()
    assert lines[-1].startswith(f"{film}: finished in ")


def test_json_is_one_document_and_nothing_else(shell: Shell, film: Path) -> None:
    said = shell.run("encode", film, "-o", "out", "--json")

    assert (said.status, said.err) == (0, "")
    document = said.document
    assert (document["state"], document["progress"]) == ("finished", 1.0)
    (output,) = document["outputs"]
    assert output["files"][0]["url"] == (shell.folder / "out/film.mp4").as_uri()
    assert output["files"][0]["size"] == (shell.folder / "out/film.mp4").stat().st_size


def test_a_folder_is_a_job_for_each_film(shell: Shell, film: Path) -> None:
    films = shell.folder / "films"
    (films / "deep er").mkdir(parents=True)
    for name in ("b.mkv", "a.mkv", "deep er/a.mkv"):
        (films / name).symlink_to(film)

    said = shell.run("encode", "films", "-o", "out", "--recursive", "--preset", "audio")

    assert said.status == 0, said.err
    assert names_in(shell.folder / "out") == ["a.m4a", "b.m4a", "deep er", "deep er/a.m4a"]


def test_several_presets_come_from_one_run(shell: Shell, film: Path) -> None:
    said = shell.run("encode", film, "-p", "web-small", "-p", "thumbnails", "-o", "out")

    assert said.status == 0, said.err
    assert len(names_in(shell.folder / "out")) == 11
    assert "10 files JPEG 160x120" in said.out


def test_a_recipe_and_a_template_say_what_is_made(shell: Shell, film: Path) -> None:
    recipe = {"outputs": [{"video": {"codec": "h264", "height": 60, "speed": "ultrafast"}}]}
    (shell.folder / "recipe.json").write_text(json.dumps(recipe))

    said = shell.run(
        *("encode", film, "--recipe", "recipe.json", "-o", "out"),
        *("--name", "{stem}-{height}p.{ext}"),
    )

    assert said.status == 0, said.err
    assert names_in(shell.folder / "out") == ["film-60p.mp4"]


def test_odd_names_of_files_and_folders_are_kept(shell: Shell, film: Path) -> None:
    odd = "100% ünïque #1? [x]"
    (shell.folder / f"{odd}.mkv").symlink_to(film)

    said = shell.run("encode", f"{odd}.mkv", "-o", "où?", "--preset", "audio")

    assert said.status == 0, said.err
    assert names_in(shell.folder / "où?") == [f"{odd}.m4a"]


def test_a_film_in_its_own_folder_keeps_its_source(shell: Shell, film: Path) -> None:
    (shell.folder / "film.mp4").write_bytes(film.read_bytes())

    said = shell.run("encode", "film.mp4")

    assert said.status == 0, said.err
    assert names_in(shell.folder) == ["film-web.mp4", "film.mp4"]
    assert (shell.folder / "film.mp4").read_bytes() == film.read_bytes()


def test_an_output_that_exists_is_left_alone(shell: Shell, film: Path) -> None:
    (shell.folder / "film.mp4").write_text("precious")

    said = shell.run("encode", film)

    assert said.status == 1
    assert "film.mp4 exists already" in said.err
    assert "--if-exists replace" in said.err
    assert said.err.rstrip().endswith("OUTPUT_EXISTS")
    assert (shell.folder / "film.mp4").read_text() == "precious"


def test_an_output_that_exists_is_replaced_where_that_is_wished(
    shell: Shell, film: Path
) -> None:
    (shell.folder / "film.mp4").write_text("old")

    said = shell.run("encode", film, "--if-exists", "replace")

    assert said.status == 0, said.err
    assert (shell.folder / "film.mp4").stat().st_size > 1000


def truncated(film: Path) -> bytes:
    """Return the first half of an MP4 whose index lies at its end."""
    whole = make_film(film.with_name("whole.mp4"), seconds=2).read_bytes()
    return whole[: len(whole) // 2]


@pytest.mark.parametrize(
    ("content", "code", "advice"),
    [
        pytest.param(lambda _: b"", "EMPTY_SOURCE", "has no content", id="empty"),
        pytest.param(lambda _: b"a letter\n" * 99, "NOT_MEDIA", "Send a video", id="text"),
        pytest.param(truncated, "TRUNCATED", "cut short", id="truncated"),
    ],
)
def test_a_source_that_cannot_be_encoded_says_why(
    content: Callable[[Path], bytes], code: str, advice: str, shell: Shell, film: Path
) -> None:
    (shell.folder / "bad.mp4").write_bytes(content(film))

    said = shell.run("encode", "bad.mp4", "-o", "out")

    assert (said.status, said.out) == (1, "")
    assert "error: bad.mp4 " in said.err
    assert advice in said.err
    assert said.err.rstrip().endswith(code)
    assert "Traceback" not in said.err
    assert names_in(shell.folder) == ["bad.mp4"]
    assert shell.left_behind() == []


def test_a_source_without_the_streams_that_are_needed(shell: Shell, film: Path) -> None:
    assert shell.run("encode", film, "--preset", "audio").status == 0

    said = shell.run("encode", "film.m4a", "--preset", "web", "-o", "out")

    assert said.status == 1
    assert "needs a picture, and the source has only sound" in said.err
    assert "`nommer probe FILE` shows what the file holds." in said.err


def test_one_bad_film_does_not_cost_the_others(shell: Shell, film: Path) -> None:
    (shell.folder / "bad.mp4").touch()

    said = shell.run("encode", "bad.mp4", film, "-o", "out", "--preset", "audio")

    assert said.status == 1
    assert names_in(shell.folder / "out") == ["film.m4a"]
    assert "out/film.m4a" in said.out
    assert "EMPTY_SOURCE" in said.err


def test_json_has_a_line_for_each_job_failed_or_not(shell: Shell, film: Path) -> None:
    (shell.folder / "bad.mp4").touch()

    said = shell.run("encode", "bad.mp4", film, "-o", "out", "-p", "audio", "--json")

    bad, good = map(json.loads, said.out.splitlines())
    assert (said.status, said.err) == (1, "")
    assert (bad["state"], bad["failure"]["code"]) == ("failed", "EMPTY_SOURCE")
    assert (good["state"], good["failure"]) == ("finished", None)


def test_without_an_ffmpeg_it_says_which_setting_is_wrong(shell: Shell, film: Path) -> None:
    said = shell.run("encode", film, env={"NOMMER_FFMPEG": "/nowhere/ffmpeg"})

    assert said.status == 1
    assert "/nowhere/ffmpeg" in said.err
    assert "Correct the setting, or remove it" in said.err
    assert said.err.rstrip().endswith("ENCODER_MISSING")


def test_a_destination_without_room_says_so(
    shell: Shell, film: Path, tiny_disk: Path
) -> None:
    said = shell.run("encode", film, "-o", tiny_disk / "out")

    assert said.status == 1
    assert "NO_SPACE" in said.err
    assert "Free some space" in said.err
    assert "Traceback" not in said.err
    assert names_in(tiny_disk) == ["full"]


def test_a_scratch_folder_without_room_says_so(
    shell: Shell, film: Path, tiny_disk: Path
) -> None:
    said = shell.run("encode", film, env={"NOMMER_SCRATCH_DIR": str(tiny_disk / "scratch")})

    assert said.status == 1
    assert "NO_SPACE" in said.err
    assert "set `scratch_dir` to a larger disk" in said.err
    assert names_in(shell.folder) == []
    assert names_in(tiny_disk) == ["full"]


def test_a_folder_that_may_not_be_written_to_is_said(shell: Shell, film: Path) -> None:
    said = shell.run("encode", film, "-o", "/proc/nommer")

    assert said.status == 1
    assert "/proc" in said.err
    assert "Traceback" not in said.err


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that comes true soon."""
    deadline, pause = time.monotonic() + 120, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        pause.wait(0.02)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param(signal.SIGINT, 130, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 143, id="SIGTERM"),
    ],
)
def test_stopping_leaves_nothing_but_what_was_finished(
    number: int, status: int, shell: Shell, film: Path, long_film: Path, started: Start
) -> None:
    (shell.folder / "long.mkv").symlink_to(long_film)

    encoding = started("encode", film, "long.mkv", "-o", "out")
    until(lambda: (shell.folder / "out/film.mp4").exists())
    family = psutil.Process(encoding.pid)
    until(lambda: any(name.startswith("ffmpeg") for name in _names_below(family)))
    children = _below(family)
    encoding.send_signal(number)
    _, err = encoding.communicate(timeout=200)

    assert encoding.returncode == status
    assert "Traceback" not in err
    assert names_in(shell.folder) == ["long.mkv", "out", "out/film.mp4"]
    assert shell.left_behind() == []
    until(lambda: not any(child.is_running() for child in children))


def _names_below(process: psutil.Process) -> Iterator[str]:
    for child in _below(process):
        with contextlib.suppress(psutil.NoSuchProcess):  # it was only passing
            yield child.name()


def _below(process: psutil.Process) -> list[psutil.Process]:
    return process.children(recursive=True)
