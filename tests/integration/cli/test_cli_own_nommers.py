"""The worked example of an own nommer, installed beside us and used as people use it."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from cli_shell import Shell
from tests.own_nommers import EXAMPLE, installed

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds: black, then white, then blue for two."""
    path = tmp_path_factory.mktemp("films") / "scenes.mp4"
    colours = (("black", 1), ("white", 1), ("blue", 2))
    inputs = [
        word
        for colour, length in colours
        for word in ("-f", "lavfi", "-i", f"color={colour}:s=96x54:r=10:d={length}")
    ]
    subprocess.run(
        [
            *(str(find_ffmpeg()), "-v", "error", "-nostdin", *inputs),
            *("-filter_complex", "[0][1][2]concat=n=3:v=1:a=0"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path)),
        ],
        check=True,
    )
    return path


@pytest.fixture
def with_example(shell: Shell, tmp_path: Path) -> Shell:
    (tmp_path / "site").mkdir()
    site = installed(tmp_path / "site", EXAMPLE)
    known = os.environ.get("PYTHONPATH", "")
    shell.env["PYTHONPATH"] = f"{site}{os.pathsep}{known}".rstrip(os.pathsep)
    return shell


def recipe(shell: Shell, *outputs: object, **more: object) -> str:
    path = shell.folder / "recipe.json"
    path.write_text(json.dumps({"outputs": outputs, **more}))
    return path.name


def test_an_output_of_an_own_kind_is_made_and_published_like_any_other(
    with_example: Shell, scenes: Path
) -> None:
    sheet = {"kind": "contact-sheet", "columns": 2, "rows": 2, "width": 64, "scenes": 0.2}
    said = recipe(with_example, sheet, {"kind": "checksums"})

    wanted = ("--recipe", said, "-o", "out", "--report", "report.json", "--json")
    made = with_example.run("encode", scenes, *wanted)

    assert made.status == 0, made.err
    output = made.document["outputs"][0]
    assert output["facts"] == {
        "format": "jpeg",
        "video": "mjpeg",
        "width": 128,
        "height": 72,
        "pictures": 4,
        "scenes": 3,
        "files": 2,
    }
    out = with_example.folder / "out"
    assert json.loads((out / "scenes-contact.json").read_text())["scenes"] == [0, 1, 2]
    listed = (out / "scenes.sha256").read_text()
    assert "scenes-contact.jpg" in listed
    assert "scenes-contact.json" in listed
    assert with_example.left_behind() == []
    (line,) = (with_example.folder / "report.json").read_text().splitlines()
    report = json.loads(line)
    assert (report["version"], report["outputs"][0]["kind"]) == (1, "contact-sheet")
    assert report["outputs"][0]["size"] > 0
    assert len(report["attempts"][0]["commands"]) == 2


def test_what_cannot_be_made_or_told_is_refused_before_anything_is_done(
    with_example: Shell, scenes: Path
) -> None:
    wrong = {"kind": "contact-sheet", "colums": 2, "rows": 0, "name": "a.png"}

    wanted = recipe(with_example, wrong)
    said = with_example.run("encode", scenes, "--recipe", wanted)
    nowhere = with_example.run("encode", scenes, "--report", "no/such/folder.json")

    assert said.status == 2
    assert "outputs[0].rows: must be at least 1, not 0" in said.err
    assert "outputs[0].colums: is not known here; did you mean 'columns'?" in said.err
    assert nowhere.status == 2
    assert "no/such/folder.json cannot be written" in nowhere.err
    assert [path.name for path in with_example.folder.iterdir()] == ["recipe.json"]
