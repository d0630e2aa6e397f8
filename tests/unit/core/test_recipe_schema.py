"""The JSON Schema of recipes agrees with the documents and with what reads recipes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from media_nommer.cli.yaml_reading import read_yaml
from media_nommer.core.presets import load_presets
from media_nommer.core.recipes.schema import recipe_schema

DOCS = Path(__file__).parents[3] / "docs"
WHOLE = recipe_schema(load_presets(), submitted=True)
FILE = recipe_schema(load_presets(), submitted=False)
SUBMITTED: dict[str, Any] = {
    "inputs": [{"url": "file:///film.mp4"}],
    "destination": "file:///out/",
}


def allowed(document: object, schema: dict[str, Any] = WHOLE) -> bool:
    return bool(Draft202012Validator(schema).is_valid(document))


def examples() -> list[Any]:
    """Return every document in the page on recipes, made into a whole recipe."""
    text = (DOCS / "recipes.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:json|yaml)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [as_recipe(read_yaml(block).value) for block in blocks]


def as_recipe(found: Any) -> Any:
    if "outputs" in found:
        return {**SUBMITTED, **found}
    return {**SUBMITTED, "inputs": [found]} if "url" in found else with_output(found)


def with_output(output: object) -> dict[str, Any]:
    return {**SUBMITTED, "outputs": [output]}


@pytest.mark.parametrize("schema", [WHOLE, FILE], ids=["submitted", "file"])
def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)

    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["$id"].startswith("urn:media-nommer:")


def test_every_document_and_field_is_described() -> None:
    for name, document in {**WHOLE["$defs"], "Recipe": WHOLE}.items():
        assert document["description"], name
        for field, said in document["properties"].items():
            assert said.get("description") or "anyOf" in said, f"{name}.{field}"


def test_the_examples_of_the_docs_are_allowed() -> None:
    found = examples()

    assert len(found) >= 3
    for document in found:
        Draft202012Validator(WHOLE).validate(document)


def test_presets_are_allowed_by_name_and_written_out() -> None:
    for name, preset in load_presets().items():
        assert allowed(with_output({"preset": name, "name": "a.mp4"}))
        assert allowed(with_output(json.loads(json.dumps(preset.output))))


@pytest.mark.parametrize(
    "output",
    [
        {"preset": "wbe"},
        {"preset": "web", "vidoe": {}},
        {"preset": "web", "from_preset": "web"},
        {"kind": "movie"},
        {"kind": "thumbnails", "video": {}},
        {"video": {"codec": "vp8"}},
        {"video": {"height": 3}},
    ],
)
def test_what_is_not_known_is_refused(output: object) -> None:
    assert not allowed(with_output(output))


def test_a_file_may_leave_out_what_the_command_line_says() -> None:
    document = {"inputs": [{"start": 3}], "outputs": [{"preset": "web"}]}

    assert allowed(document, FILE)
    assert not allowed(document)
