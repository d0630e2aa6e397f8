"""From what people type to the documents that jobs are submitted with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from media_nommer.cli.inputs import MEDIA_EXTENSIONS, Source, path_of, url_of
from media_nommer.core.errors import BadRequest

Document = dict[str, Any]

DEFAULT_PRESET = "web"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the options of `encode` and `submit` say; None and empty mean not said.

    ``destination`` is the text after -o. ``recipe`` is the document of the recipe file.
    """

    presets: Sequence[str] = ()
    recipe: Document | None = None
    destination: str | None = None
    name: str | None = None
    if_exists: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def inputs_of(recipe: Document | None) -> list[str]:
    """Return the inputs that a recipe itself names, for where none is typed."""
    inputs = (recipe or {}).get("inputs")
    if not isinstance(inputs, list):
        return []
    urls = [i.get("url") for i in inputs if isinstance(i, dict)]
    return [url for url in urls if isinstance(url, str)]


def _said_of_inputs(recipe: Document, count: int) -> list[Document]:
    """Return what a recipe says of so many inputs beside their places: parts, tracks."""
    inputs = recipe.get("inputs")
    if isinstance(inputs, list) and len(inputs) == count:
        return [_with_urls(said) if isinstance(said, dict) else {} for said in inputs]
    return [{}] * count


def _with_urls(said: Document) -> Document:
    """Return an input whose other files, sounds and subtitles, are named by URL."""
    whole = dict(said)
    for kind in ("audio", "subtitles"):
        if isinstance(whole.get(kind), list):
            whole[kind] = [_with_url(each) for each in whole[kind]]
    return whole


def _with_url(said: object) -> object:
    url = said.get("url") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(url, str) or not url:
        return said
    return {**said, "url": url_of(url)}


def _with_marks(outputs: object) -> object:
    """Return outputs whose watermarks are named by URL."""
    if not isinstance(outputs, list):
        return outputs
    return [_with_mark_urls(output) for output in outputs]


def _with_mark_urls(output: object) -> object:
    video = output.get("video") if isinstance(output, dict) else None
    marks = video.get("watermarks") if isinstance(video, dict) else None
    if not (
        isinstance(output, dict) and isinstance(video, dict) and isinstance(marks, list)
    ):
        return output
    named = [_with_url(mark) for mark in marks]
    return {**output, "video": {**video, "watermarks": named}}


def document_for(source: Source, wishes: Wishes, *others: Source) -> Document:
    """Return the document of the job that encodes ``source``; what was typed wins.

    ``others`` are the inputs that a recipe joins to it.
    """
    document = dict(wishes.recipe or {})
    sources = (source, *others)
    document["inputs"] = [
        {**said, "url": each.url}
        for said, each in zip(_said_of_inputs(document, len(sources)), sources, strict=True)
    ]
    document["destination"] = _below(_destination(wishes), source.folder)
    if wishes.presets or "outputs" not in document:
        document["outputs"] = [
            {"preset": preset} for preset in wishes.presets or (DEFAULT_PRESET,)
        ]
    document["outputs"] = _with_marks(document["outputs"])
    if wishes.if_exists:
        document["if_exists"] = wishes.if_exists
    if wishes.tags:
        document["tags"] = {**_object(document.get("tags")), **wishes.tags}
    return document if wishes.name is None else _named(document, wishes.name)


def out_folder(wishes: Wishes) -> Path | None:
    """Return the folder of this machine that outputs go to, None where they go elsewhere.

    Raises:
        BadRequest: what -o names is a file, or looks like one.
    """
    folder = path_of(_destination(wishes))
    if folder is None:
        return None
    if folder.is_dir():
        return folder
    looks_like_a_film = folder.suffix.lstrip(".").lower() in MEDIA_EXTENSIONS
    if folder.exists() or looks_like_a_film:
        what = "is a file" if folder.exists() else "looks like a file"
        raise BadRequest(
            f"{folder} {what}, and outputs go to a folder",
            advice="Give a folder after -o; --name says how files in it are called.",
        )
    return folder


def _destination(wishes: Wishes) -> str:
    if wishes.destination is not None:
        return url_of(wishes.destination)
    said = (wishes.recipe or {}).get("destination")
    return url_of(said if isinstance(said, str) and said else ".")


def _below(destination: str, folder: str) -> str:
    if not folder:
        return destination
    return f"{destination.rstrip('/')}/{quote(folder)}"


def _named(document: Document, name: str) -> Document:
    """Return the document with one template for the name of every output."""
    outputs = document["outputs"]
    if not isinstance(outputs, list):
        return document
    named = [{**o, "name": name} if isinstance(o, dict) else o for o in outputs]
    return {**document, "outputs": named}


def _object(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}
