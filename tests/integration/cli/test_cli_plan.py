"""`nommer plan`: what would be done, told without doing it."""

import json
import subprocess
from pathlib import Path

from cli_shell import Shell

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg


def test_plan_tells_tasks_commands_and_an_estimate_and_leaves_nothing(
    shell: Shell, film: Path
) -> None:
    said = shell.run("plan", film, "--preset", "web-small", "--preset", "thumbnails")

    assert said.status == 0, said.err
    assert "inspect" in said.out
    assert "film-small.mp4" in said.out
    assert "libx264" in said.out
    assert "costs    $0.00 to $0.00 on local" in said.out
    assert "nothing learned yet" in said.out
    assert shell.left_behind() == []
    assert list(shell.folder.iterdir()) == []


def test_the_command_of_a_plan_makes_what_the_plan_says(
    shell: Shell, film: Path, tmp_path: Path
) -> None:
    said = shell.run("plan", film, "--preset", "web-small", "--json")
    (task,) = said.document["tasks"]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "source").symlink_to(film)

    done = subprocess.run(task["command"], cwd=scratch, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert (task["key"], task["outputs"]) == ("inspect", ["film-small.mp4"])
    assert (scratch / "out-0.mp4").stat().st_size > 1000


def test_a_recipe_may_come_first(shell: Shell, film: Path) -> None:
    recipe = shell.folder / "recipe.json"
    recipe.write_text(json.dumps({"outputs": [{"preset": "podcast"}]}))

    first = shell.run("plan", "recipe.json", film, "--json")
    named = shell.run("plan", film, "--recipe", "recipe.json", "--json")

    assert first.status == 0, first.err
    assert first.document == named.document
    assert first.document["tasks"][0]["outputs"][0].startswith("film")


def test_what_is_typed_after_encode_is_planned_with_the_names_that_it_would_make(
    shell: Shell, film: Path
) -> None:
    source = shell.folder / "film.mp4"
    source.write_bytes(film.read_bytes())

    beside = shell.run("plan", source, "-p", "web", "--json")
    elsewhere = shell.run("plan", source, "-o", "out", "-p", "web", "--json")

    names = [said.document["tasks"][0]["outputs"] for said in (beside, elsewhere)]
    assert names == [["film-web.mp4"], ["film.mp4"]]
    assert not (shell.folder / "out").exists()


def test_a_long_film_for_several_nodes_is_planned_as_several_tasks(
    shell: Shell, film: Path
) -> None:
    long = shell.folder / "long.mkv"
    argv = ["-stream_loop", "-1", "-t", "700", "-i", str(film), "-c", "copy"]
    subprocess.run([find_ffmpeg(), "-v", "error", *argv, str(long)], check=True)

    said = shell.run(
        *("plan", long, "-p", "web-small", "-p", "podcast", "--json"),
        env={"NOMMER_MAX_NODES": "4"},
    )

    tasks = said.document["tasks"]
    assert [task["key"] for task in tasks] == [
        "inspect",
        "encode-0",
        "audio-0",
        "assemble-0",
    ]
    assert tasks[3]["needs"] == ["encode-0", "audio-0"]
    assert [task["command"] is None for task in tasks] == [True, False, False, True]
    assert said.document["estimate"]["film_seconds"] > 600


def test_the_runs_before_are_told_with_names_for_what_they_find(
    shell: Shell, film: Path
) -> None:
    recipe = shell.folder / "recipe.json"
    video = {"target_vmaf": 90, "crop": "auto"}
    audio = {"loudness": {}}
    recipe.write_text(json.dumps({"outputs": [{"video": video, "audio": audio}]}))

    text = shell.run("plan", "recipe.json", film)
    (task,) = shell.run("plan", "recipe.json", film, "--json").document["tasks"]

    assert text.status == 0, text.err
    assert "before inspect, look for black bars; later commands are as if" in text.out
    assert "try a quality for VMAF 90, 1 to 4 times; finds <quality-0>:" in text.out
    assert [run["key"] for run in task["before"]] == [
        *("bars-0", "bars-1", "bars-2", "bars-3", "samples-0", "trial-0", "score-0"),
        *("loudness-0", "level-0s0-0", "level-0s0-1"),
    ]
    assert all(run["command"][0] == task["command"][0] for run in task["before"])
    assert "<quality-0>" in task["command"]


def test_what_cannot_be_planned_says_why(shell: Shell, film: Path) -> None:
    elsewhere = shell.run("plan", "https://films.example/film.mov")
    nothing = shell.run("plan")
    unknown = shell.run("plan", film, "--preset", "wep")

    assert elsewhere.status == 2
    assert "is not on this machine" in elsewhere.err
    assert nothing.status == 2
    assert unknown.status == 2
    assert "web" in unknown.err
