"""The recipe as JSON Schema, for editors, forms and other people's checks."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from pydantic import BaseModel

from media_nommer.core.errors import NommerBroken
from media_nommer.core.recipes.descriptions import DESCRIPTIONS, OF_ALL_OUTPUTS
from media_nommer.core.recipes.documents import OUTPUT_KINDS, Recipe
from media_nommer.core.recipes.own import OwnOutput
from media_nommer.core.recipes.own_nommers import own_kinds, own_nommer
from media_nommer.core.recipes.preset_reading import USUAL_OUTPUTS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = "urn:media-nommer:recipe"
_OURS = "from_preset"  # kept in stored recipes, and for nobody to write

Schema = dict[str, Any]


def recipe_schema(presets: Collection[str], *, submitted: bool) -> Schema:
    """Return the schema of a recipe that may name ``presets``.

    One that is ``submitted`` over HTTP needs its input and its destination; in a file the
    command line may say both. What depends on several fields at once (which codec a
    container holds) is not in it: a document that it lets through may still be refused.
    """
    schema = Recipe.model_json_schema()
    documents: dict[str, Schema] = schema["$defs"]
    for name, kind in OUTPUT_KINDS.items():
        if name != "file":  # the only one that need not say what it is
            documents[kind.__name__]["required"] = ["kind"]
    _put_own_kinds(schema)
    for name, document in (*documents.items(), ("Recipe", schema)):
        _tell(document, DESCRIPTIONS.get(name, {}))
    _put_presets(schema, presets)
    required = ["inputs", "destination"] if submitted else []
    if not submitted:  # INPUT may be all that there is to say of it
        documents["Input"].pop("required")
    schema.update({"title": "A media-nommer recipe", "required": required})
    head = {"$schema": DIALECT, "$id": _ID if submitted else f"{_ID}:file"}
    return head | schema


def _put_own_kinds(schema: Schema) -> None:
    """Put the documents of installed own kinds in the place of what stands for them.

    Those whose nommer cannot be loaded are left out.
    """
    documents: dict[str, Schema] = schema["$defs"]
    del documents[OwnOutput.__name__]
    choices: list[Schema] = schema["properties"]["outputs"]["items"]["oneOf"]
    choices.remove({"$ref": f"#/$defs/{OwnOutput.__name__}"})
    for kind in own_kinds():
        with suppress(NommerBroken):
            nommer = own_nommer(kind)
            if nommer is not None and kind not in OUTPUT_KINDS:
                name = f"own-{kind}"
                choices.append({"$ref": f"#/$defs/{name}"})
                documents |= _own_document(nommer.document, kind, name)


def _put_presets(schema: Schema, presets: Collection[str]) -> None:
    """Let an output start from a preset, and be the usual one where there is none."""
    documents: dict[str, Schema] = schema["$defs"]
    documents["PresetOutput"] = _preset(documents, presets)
    outputs: Schema = schema["properties"]["outputs"]
    outputs["items"]["oneOf"].append({"$ref": "#/$defs/PresetOutput"})
    outputs["default"] = list(USUAL_OUTPUTS)


def _own_document(document: type[BaseModel], kind: str, name: str) -> dict[str, Schema]:
    """Return an own kind's schema under its name, and those that it refers to."""
    schema = document.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    inside: dict[str, Schema] = schema.pop("$defs", {})
    schema["properties"]["kind"] = {"const": kind, "type": "string"}
    schema["required"] = ["kind", *schema.get("required", ())]
    return {name: schema, **{f"{name}.{each}": said for each, said in inside.items()}}


def _tell(document: Schema, said: Mapping[str, str]) -> None:
    """Put descriptions on a document and its fields, and take off what helps nobody."""
    document["description"] = _first_sentence(document.get("description", ""))
    document["properties"].pop(_OURS, None)
    for name, field in document["properties"].items():
        field.pop("title", None)
        if field.get("default", ...) is None:  # often it means: what the rest says
            del field["default"]
        told = said.get(name) or OF_ALL_OUTPUTS.get(name) or field.get("description", "")
        field["description"] = told


def _first_sentence(text: str) -> str:
    return text.split("\n\n")[0].replace("\n", " ").replace("``", "`")


def _preset(documents: Mapping[str, Schema], presets: Collection[str]) -> Schema:
    """Return what an output from a preset may say: all that any kind of output may."""
    fields: dict[str, list[Schema]] = {}
    for kind in OUTPUT_KINDS.values():
        for name, field in documents[kind.__name__]["properties"].items():
            if field not in fields.setdefault(name, []):
                fields[name].append(field)
    properties: dict[str, Schema] = {
        "preset": {"enum": list(presets), "description": OF_ALL_OUTPUTS["preset"]},
        **{name: _any_of(found) for name, found in fields.items()},
    }
    return {
        "type": "object",
        "description": "An output that starts from a preset; what else it says wins.",
        "properties": properties,
        "required": ["preset"],
        "additionalProperties": False,
    }


def _any_of(fields: list[Schema]) -> Schema:
    """Return what any of ``fields`` allows; a default is the preset's to say."""
    bare = [{k: v for k, v in field.items() if k != "default"} for field in fields]
    return bare[0] if len(bare) == 1 else {"anyOf": bare}
