"""Checksums of a job's outputs, as ``sha256sum -c`` reads them."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from media_nommer.core.recipes.documents import Recipe
from media_nommer.core.recipes.extra_settling import usual_name
from media_nommer.core.recipes.extras import ChecksumsOutput
from media_nommer.core.recipes.names import fill_template, safe_stem


def checksums_name(output: ChecksumsOutput, stem: str) -> str:
    """Return what an output of checksums is called, which the recipe alone tells."""
    return fill_template(
        output.name or usual_name(output),
        {
            "stem": safe_stem(stem),
            "preset": safe_stem(output.from_preset or output.kind),
            "ext": "sha256",
        },
    )


def checksums_of(recipe: Recipe, stem: str) -> dict[int, str]:
    """Return the name of each output of checksums, by its index."""
    return {
        index: checksums_name(output, stem)
        for index, output in enumerate(recipe.outputs)
        if isinstance(output, ChecksumsOutput)
    }


def sums_text(sums: Mapping[str, str], name: str) -> str:
    """Return a file called ``name`` of the sums of files, both below the destination.

    Files are named as seen from the folder of the list, where it is to be checked. A name
    with a backslash or a line's end is written as ``sha256sum`` writes it.
    """
    folder = PurePosixPath(name).parent.parts
    return "".join(_line(_from(folder, key), sums[key]) for key in sorted(sums))


def _from(folder: tuple[str, ...], key: str) -> str:
    """Return the way from a folder to a file, both below the destination."""
    parts = PurePosixPath(key).parts
    same = 0
    while same < min(len(folder), len(parts) - 1) and folder[same] == parts[same]:
        same += 1
    return "/".join((*[".."] * (len(folder) - same), *parts[same:]))


def _line(path: str, digest: str) -> str:
    escaped = path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != path else ""
    return f"{mark}{digest}  {escaped}\n"
