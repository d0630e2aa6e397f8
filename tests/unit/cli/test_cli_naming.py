from pathlib import Path
from typing import Any

import pytest

from media_nommer.cli.documents import Wishes, document_for
from media_nommer.cli.inputs import Source
from media_nommer.cli.naming import settle_names
from media_nommer.core.errors import BadRequest, InvalidRecipe, UnknownPreset
from media_nommer.core.presets import load_presets

FILMS = Path("/films")


def outputs_of(*names: str, **wishes: Any) -> list[list[dict[str, Any]]]:
    """Return the outputs of the jobs that encode files of one folder into it."""
    said = Wishes(**{"destination": str(FILMS), **wishes})
    sources = [
        Source(url=(FILMS / name).as_uri(), label=name, path=FILMS / name) for name in names
    ]
    jobs = [(source, document_for(source, said)) for source in sources]
    return [document["outputs"] for _, document in settle_names(jobs, load_presets())]


def test_a_film_is_never_called_what_its_source_is_called() -> None:
    assert outputs_of("film.mp4") == [
        [{"preset": "web", "name": "{stem}-{preset}.{ext}"}],
    ]


def test_a_name_that_is_free_stays_what_the_preset_says() -> None:
    assert outputs_of("film.mov") == [[{"preset": "web"}]]


def test_an_output_without_preset_is_told_from_its_source_by_its_codec() -> None:
    recipe = {"outputs": [{"video": {"codec": "h264"}}]}

    ((output,),) = outputs_of("film.mp4", recipe=recipe)

    assert output["name"] == "{stem}-{codec}.{ext}"


@pytest.mark.parametrize(
    ("names", "wishes", "words"),
    [
        pytest.param(
            ["film.mp4"],
            {"name": "{stem}.mp4"},
            "would take the place of itself",
            id="its own source, by name",
        ),
        pytest.param(
            ["film.mp4", "film-web.mp4"],
            {},
            "film-web.mp4, an output of film.mp4, would take the place of the INPUT",
            id="another INPUT",
        ),
        pytest.param(
            ["film.mov", "film.avi"],
            {},
            "film.mov and film.avi would both become film.mp4",
            id="one name for two",
        ),
        pytest.param(["film.mov", "film.mov"], {}, "given twice", id="the same twice"),
        pytest.param(
            ["a.mov", "b.mov"],
            {"name": "{height}.mp4"},
            "would both become",
            id="a name that only differs in height",
        ),
    ],
)
def test_names_that_meet_are_refused_before_anything_runs(
    names: list[str], wishes: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadRequest, match=words):
        outputs_of(*names, **wishes)


def test_the_same_name_in_two_folders_is_no_matter() -> None:
    sources = [
        Source(url=f"file:///films/{folder}/in.mov", label=folder, folder=folder)
        for folder in ("a", "b")
    ]
    jobs = [(one, document_for(one, Wishes(destination="/out"))) for one in sources]

    assert settle_names(jobs, load_presets()) == jobs


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UnknownPreset, match="did you mean 'webm'"):
        outputs_of("film.mov", presets=["webmm"])


def test_a_recipe_with_a_wrong_field_is_refused_here_already() -> None:
    with pytest.raises(InvalidRecipe, match=r"outputs\[0\].video.hight"):
        outputs_of("film.mov", recipe={"outputs": [{"video": {"hight": 360}}]})
