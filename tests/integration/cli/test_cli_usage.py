"""What a person reads who typed something that cannot be done, or asks what can be."""

import json
import re
from pathlib import Path

import pytest
from cli_shell import Shell

COMMANDS = (
    "encode serve submit jobs show watch cancel retry logs presets probe doctor config"
)
RECIPE = {"outputs": [{"kind": "file", "video": {"codec": "h264", "hight": 360}}]}


def test_help_names_every_command(shell: Shell) -> None:
    said = shell.run("--help")

    assert said.status == 0
    for command in COMMANDS.split():
        assert f"\n  {command} " in said.out


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_it_knows_its_version(words: list[str], shell: Shell) -> None:
    said = shell.run(*words)

    assert said.status == 0
    assert said.out.startswith("media-nommer 0.")


@pytest.mark.parametrize("daemon", ["feederd", "ec2nommerd"])
def test_the_daemons_say_what_they_do(daemon: str, shell: Shell) -> None:
    said = shell.run("--help", program=daemon)

    assert said.status == 0
    assert "--data-dir" in said.out
    assert "--log-level" in said.out


def test_an_unknown_option_is_bad_usage(shell: Shell) -> None:
    said = shell.run("encode", "--presets", "web", "film.mov")

    assert said.status == 2
    assert "No such option: --presets" in said.err


def test_a_file_that_is_not_there(shell: Shell) -> None:
    said = shell.run("encode", "film.mov")

    assert (said.status, said.out) == (1, "")
    assert said.err.splitlines() == [
        "error: there is no file film.mov",
        "  Check the path or URL.",
        "  SOURCE_NOT_FOUND",
    ]


def test_one_missing_file_stops_all_before_anything_is_encoded(
    shell: Shell, film: Path
) -> None:
    said = shell.run("encode", film, "film.mov", "-o", "out")

    assert said.status == 1
    assert "there is no file film.mov" in said.err
    assert list(shell.folder.iterdir()) == []


def test_a_folder_without_media(shell: Shell) -> None:
    (shell.folder / "films").mkdir()

    said = shell.run("encode", "films")

    assert said.status == 1
    assert "error: there is no media file in the folder films" in said.err
    assert "recognised by their extensions" in said.err


def test_nothing_to_encode(shell: Shell) -> None:
    said = shell.run("encode")

    assert said.status == 2
    assert "no INPUT was given" in said.err


def test_an_unknown_preset_comes_with_the_nearest(shell: Shell, film: Path) -> None:
    said = shell.run("encode", film, "--preset", "web-smal")

    assert said.status == 2
    assert "there is no preset 'web-smal'; did you mean 'web-small'?" in said.err
    assert "`nommer presets` lists them all." in said.err


def test_a_recipe_that_is_not_json(shell: Shell, film: Path) -> None:
    (shell.folder / "recipe.json").write_text('{"outputs": [\n  {"preset": web}]}')

    said = shell.run("encode", film, "--recipe", "recipe.json")

    assert said.status == 2
    assert "the recipe recipe.json is not JSON: line 2, column 14" in said.err


def test_a_recipe_with_a_wrong_field_says_which_and_what_is_allowed(
    shell: Shell, film: Path
) -> None:
    (shell.folder / "recipe.json").write_text(json.dumps(RECIPE))

    said = shell.run("encode", film, "--recipe", "recipe.json")

    assert said.status == 2
    assert "outputs[0].video.hight: is not known here; did you mean 'height'?" in said.err
    assert "allowed: codec, width, height" in said.err


def test_a_recipe_with_a_wrong_value_says_what_is_allowed(shell: Shell, film: Path) -> None:
    wrong = {"outputs": [{"video": {"codec": "h263", "height": 7}}]}
    (shell.folder / "recipe.json").write_text(json.dumps(wrong))

    said = shell.run("encode", film, "--recipe", "recipe.json")

    assert said.status == 2
    assert (
        "outputs[0].video.codec: 'h263' is not known here; did you mean 'h264'?" in said.err
    )
    assert "outputs[0].video.height: must be at least 16, not 7" in said.err


def test_a_preset_beside_a_recipe(shell: Shell, film: Path) -> None:
    said = shell.run("encode", film, "--preset", "web", "--recipe", "recipe.json")

    assert said.status == 2
    assert "--preset and --recipe cannot be given together" in said.err


def test_two_films_that_would_become_one_file(shell: Shell, film: Path) -> None:
    for name in ("film.mov", "film.avi"):
        (shell.folder / name).symlink_to(film)

    said = shell.run("encode", ".", "-o", "out")

    assert said.status == 2
    assert "film.avi and film.mov would both become film.mp4" in said.err


def test_errors_are_json_where_json_is_wanted(shell: Shell) -> None:
    said = shell.run("encode", "film.mov", "--json")

    assert (said.status, said.err) == (1, "")
    assert said.document["error"]["code"] == "SOURCE_NOT_FOUND"
    assert said.document["error"]["advice"] == "Check the path or URL."


def test_a_setting_that_cannot_be_used_says_where_it_came_from(shell: Shell) -> None:
    said = shell.run("config", env={"NOMMER_PORT": "99999"})

    assert said.status == 2
    assert "port is '99999' (from NOMMER_PORT); allowed: a port from 0 to 65535" in said.err


def test_config_shows_where_each_value_came_from(shell: Shell) -> None:
    (shell.folder / "nommer.toml").write_text("slots = 3\n")

    said = shell.run("config", "--json", "--data-dir", "data", env={"NOMMER_PORT": "9000"})

    assert said.status == 0
    assert said.document["slots"]["source"].endswith("nommer.toml")
    assert said.document["port"] == {"value": "9000", "source": "NOMMER_PORT"}
    assert said.document["data_dir"]["source"] == "the command line"
    assert said.document["lease"]["source"] == "default"


def test_presets_are_listed_with_what_they_make(shell: Shell) -> None:
    said = shell.run("presets")

    assert said.status == 0
    assert re.search("^web +One MP4 that plays everywhere", said.out, re.MULTILINE)


@pytest.mark.parametrize(
    "words",
    [
        ["jobs"],
        ["show", "1"],
        ["watch", "1"],
        ["cancel", "1"],
        ["retry", "1"],
        ["logs", "1"],
    ],
)
def test_without_a_feederd_it_says_how_to_start_one(words: list[str], shell: Shell) -> None:
    said = shell.run(*words, "--url", "http://127.0.0.1:9")

    assert said.status == 1
    assert "error: nobody answers at http://127.0.0.1:9" in said.err
    assert "`nommer serve`" in said.err


def test_the_service_may_be_named_by_the_environment(shell: Shell) -> None:
    said = shell.run("jobs", env={"NOMMER_URL": "http://127.0.0.1:9"})

    assert "nobody answers at http://127.0.0.1:9" in said.err


def test_an_unexpected_error_says_where_its_details_are(shell: Shell) -> None:
    broken = {"PYTHONPATH": str(shell.folder)}
    (shell.folder / "sitecustomize.py").write_text(
        "import media_nommer.core.presets as p\np.load_presets = lambda: 1 / 0\n"
    )

    said = shell.run("presets", env=broken)

    assert said.status == 1
    assert "ZeroDivisionError" in said.err
    assert "Traceback" not in said.err
    (details,) = shell.temporary.glob("nommer-*.log")
    assert str(details) in said.err
    assert "Traceback" in details.read_text()
    assert "Traceback" in shell.run("presets", env=broken | {"NOMMER_DEBUG": "1"}).err
