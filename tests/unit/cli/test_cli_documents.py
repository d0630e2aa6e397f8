from pathlib import Path

import pytest

from media_nommer.cli.asking import jobs_for, wishes_of
from media_nommer.cli.documents import (
    Document,
    Wishes,
    document_for,
    out_folder,
)
from media_nommer.cli.inputs import Source
from media_nommer.core.errors import BadRequest

SOURCE = Source(url="file:///films/in.mov", label="in.mov", path=Path("/films/in.mov"))


def test_without_options_a_film_becomes_web_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    document = document_for(SOURCE, Wishes())

    assert document == {
        "inputs": [{"url": "file:///films/in.mov"}],
        "destination": tmp_path.as_uri(),
        "outputs": [{"preset": "web"}],
    }


def test_what_is_typed_wins_over_the_recipe() -> None:
    recipe: Document = {
        "inputs": [{"url": "file:///other.mov"}],
        "destination": "file:///elsewhere/",
        "outputs": [{"preset": "webm"}],
        "if_exists": "fail",
        "tags": {"show": "42"},
    }
    wishes = Wishes(recipe=recipe, destination="/out", if_exists="replace", name="x.{ext}")

    document = document_for(SOURCE, wishes)

    assert document == {
        "inputs": [{"url": "file:///films/in.mov"}],
        "destination": "file:///out",
        "outputs": [{"preset": "webm", "name": "x.{ext}"}],
        "if_exists": "replace",
        "tags": {"show": "42"},
    }
    assert recipe["outputs"] == [{"preset": "webm"}]


def test_a_recipe_may_name_images_and_its_destination_by_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    marks = [{"url": "logo.png", "width": 0.1}, {"url": "https://example.com/b.png"}]
    outputs = [{"preset": "web", "video": {"watermarks": marks}}, {"preset": "poster"}]
    recipe: Document = {"destination": "served", "outputs": outputs}

    document = document_for(SOURCE, Wishes(recipe=recipe))

    assert document["destination"] == (tmp_path / "served").as_uri()
    named = [
        {"url": (tmp_path / "logo.png").as_uri(), "width": 0.1},
        {"url": "https://example.com/b.png"},
    ]
    assert document["outputs"] == [
        {"preset": "web", "video": {"watermarks": named}},
        {"preset": "poster"},
    ]
    assert marks[0]["url"] == "logo.png"


def test_several_presets_are_several_outputs_of_one_job() -> None:
    document = document_for(SOURCE, Wishes(presets=("web", "audio"), destination="/out"))

    assert document["outputs"] == [{"preset": "web"}, {"preset": "audio"}]


def test_a_deeper_source_goes_to_a_folder_of_its_own_depth() -> None:
    deeper = Source(url="file:///films/a%20b/in.mov", label="in.mov", folder="a b/c")

    document = document_for(deeper, Wishes(destination="s3://bucket/out/"))

    assert document["destination"] == "s3://bucket/out/a%20b/c"


def test_a_recipe_may_name_the_source_itself(tmp_path: Path) -> None:
    film = tmp_path / "in.mov"
    film.touch()
    wishes = Wishes(recipe={"inputs": [{"url": film.as_uri()}]}, destination="/out")

    ((source, document),) = jobs_for((), wishes)

    assert source.path == film
    assert document["inputs"] == [{"url": film.as_uri()}]


def test_nothing_to_encode_is_said_with_an_example() -> None:
    with pytest.raises(BadRequest, match="no INPUT was given") as caught:
        jobs_for((), Wishes())

    assert "nommer encode film.mov" in caught.value.advice


def test_preset_and_recipe_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="cannot be given together"):
        wishes_of(
            presets=["web"],
            recipe=tmp_path / "r.json",
            destination=None,
            name=None,
            if_exists=None,
        )


def test_outputs_do_not_go_into_a_file(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()

    with pytest.raises(BadRequest, match="is a file, and outputs go to a folder"):
        out_folder(Wishes(destination=str(taken)))


def test_a_folder_that_looks_like_a_film_is_taken_for_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"out\.mp4 looks like a file") as caught:
        out_folder(Wishes(destination=str(tmp_path / "out.mp4")))

    assert "--name" in caught.value.advice


def test_a_recipe_that_joins_inputs_is_one_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    inputs = [{"url": "a.mp4", "start": 2}, {"url": "b.mp4", "audio": [{"url": "c.wav"}]}]

    ((source, document),) = jobs_for([], Wishes(recipe={"inputs": inputs}))

    folder = tmp_path.as_uri()
    assert source.label == "a.mp4"
    assert document["inputs"] == [
        {"url": f"{folder}/a.mp4", "start": 2},
        {"url": f"{folder}/b.mp4", "audio": [{"url": f"{folder}/c.wav"}]},
    ]


def test_an_input_cannot_stand_for_those_that_a_recipe_joins(tmp_path: Path) -> None:
    recipe: Document = {"inputs": [{"url": "file:///a.mp4"}, {"url": "file:///b.mp4"}]}

    with pytest.raises(BadRequest, match="the recipe joins 2 inputs"):
        jobs_for([str(tmp_path / "c.mp4")], Wishes(recipe=recipe))
