"""Recipe files in YAML and JSON: read alike, and refused with the line."""

import json
from pathlib import Path

import pytest

from media_nommer.cli.asking import recipe_among
from media_nommer.cli.recipe_files import read_recipe
from media_nommer.core.errors import BadRequest, InvalidRecipe, UnknownPreset

YAML = """\
# What the site needs
inputs:
  - start: 1.5
outputs:
  - preset: web
  - name: "{stem}-small.mp4"
    video: &small {codec: h264, height: 360, crop: {aspect: 16:9}}
  - name: small.webm
    video:
      <<: *small
      codec: vp9
tags: {show: "42"}
royalty_free: false
"""


def written(folder: Path, text: str, name: str = "recipe.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def refusal(folder: Path, text: str, name: str = "recipe.yaml") -> str:
    with pytest.raises(InvalidRecipe) as caught:
        read_recipe(written(folder, text, name))
    return caught.value.message


def test_yaml_says_the_same_as_json(tmp_path: Path) -> None:
    document = read_recipe(written(tmp_path, YAML))

    small = {"codec": "h264", "height": 360, "crop": {"aspect": "16:9"}}
    assert document == {
        "inputs": [{"start": 1.5}],
        "outputs": [
            {"preset": "web"},
            {"name": "{stem}-small.mp4", "video": small},
            {"name": "small.webm", "video": {**small, "codec": "vp9"}},
        ],
        "tags": {"show": "42"},
        "royalty_free": False,
    }
    as_json = written(tmp_path, json.dumps(document), "recipe.json")
    assert read_recipe(as_json) == document


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"outputs": [], "outputs": [{"preset": "web"}]}', '"outputs" is there twice'),
        ('{"pass_through": NaN}', "NaN is no number"),
        ('{"pass_through": -Infinity}', "-Infinity is no number"),
        (f'{{"pass_through": {"1" * 5000}}}', "is not JSON"),
    ],
)
def test_json_that_other_readers_would_take_otherwise_is_refused(
    tmp_path: Path, text: str, fault: str
) -> None:
    assert fault in refusal(tmp_path, text, "recipe.json")


def test_words_that_yaml_once_took_for_something_else_are_texts(tmp_path: Path) -> None:
    file = written(tmp_path, "tags: {country: no, day: 2026-01-01, shape: 4:3}\n")

    assert read_recipe(file) == {
        "tags": {"country": "no", "day": "2026-01-01", "shape": "4:3"}
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("outputs:\n  - preset: web\n    vidoe: {}\n", "line 3: outputs[0].vidoe: "),
        ("outputs:\n  - preset: web\n    video:\n      heigth: 3\n", "line 4: "),
        ("outputs:\n- name: a.mp4\n  video: {codec: vp8}\n", "line 3: outputs[0].video"),
        ("output:\n- preset: web\n", "line 1: output: is not known here; did you mean"),
        ("outputs:\n- preset: web\noutputs: []\n", "line 3: outputs is there twice"),
        ("outputs:\n  - preset: web\n - b\n", "line 3, column 2"),
        ("tags: !!python/object:os.system {}\n", "line 1: tag:yaml.org,2002:python"),
        ("tags: &a {x: *a}\n", "line 1: this part holds itself"),
        ("- preset: web\n", "YAML, but no list of `key: value`"),
        ("", "YAML, but no list"),
        ("[" * 5000, "nested too deeply"),
        (f"tags: {{a: {'[' * 200}{']' * 200}}}", "line 1: there is too much in it"),
    ],
)
def test_what_is_wrong_in_yaml_is_told_with_its_line(
    text: str, words: str, tmp_path: Path
) -> None:
    assert words in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param('{"outputs": [}', "line 1, column 14", id="not JSON"),
        pytest.param("[1]", "not an object", id="not an object"),
        pytest.param("[" * 200_000, "nested too deeply", id="nested too deeply"),
        pytest.param('{"outputs":\n[{"prest":\n"web"}]}', "line 2: ", id="unknown key"),
    ],
)
def test_what_is_wrong_in_json_is_told_with_its_line(
    content: str, words: str, tmp_path: Path
) -> None:
    assert words in refusal(tmp_path, content, "recipe.json")


def test_a_preset_that_is_not_there_is_told_with_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, "outputs:\n  - preset: wbe\n")

    with pytest.raises(UnknownPreset, match=r"line 2: .*did you mean 'web'"):
        read_recipe(file)


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe")

    with pytest.raises(InvalidRecipe, match="not text in UTF-8"):
        read_recipe(tmp_path / "a.yaml")
    with pytest.raises(BadRequest, match="there is no recipe file"):
        read_recipe(tmp_path / "missing.yml")


@pytest.mark.parametrize("name", ["r.yaml", "r.yml", "r.json"])
def test_a_recipe_may_stand_first_where_a_plan_is_asked_for(name: str) -> None:
    assert recipe_among([name, "film.mov"], None) == (Path(name), ["film.mov"])
