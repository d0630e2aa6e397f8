"""media-nommer as it stands on this machine, packed as a wheel for another one.

It needs no index and no build tools, so that also a changed source tree can be sent out.
"""

import base64
import hashlib
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

import media_nommer
from media_nommer.core.errors import SetupFailed

#: What a machine of Amazon's is to be able to do.
EXTRA = "aws"

_NAME = "media-nommer"
_FOLDER = "media_nommer"
#: By this file Twisted knows our daemons; Twisted itself is no part of it.
_PLUGIN = "twisted/plugins/media_nommer_plugin.py"
#: The same files make the same wheel: archives know no earlier day.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_WHEEL = """\
Wheel-Version: 1.0
Generator: media-nommer
Root-Is-Purelib: true
Tag: py3-none-any
"""


class _Papers(NamedTuple):
    """What an installer wants to know: METADATA and entry_points.txt."""

    version: str
    metadata: str
    entry_points: str


def pack_ourselves(folder: Path, *, also: Sequence[str] = ()) -> Path:
    """Make the wheel of this very media-nommer in ``folder``; return its path.

    Whoever installs it for ``EXTRA`` gets what the requirements ``also`` name.

    Raises:
        SetupFailed: what an installer wants to know of it is nowhere.
    """
    package = Path(media_nommer.__file__).parent
    papers = _papers(package)
    info = f"{_FOLDER}-{papers.version}.dist-info"
    files = {
        **dict(_files(package)),
        f"{info}/METADATA": _with_more(papers.metadata, also).encode(),
        f"{info}/WHEEL": _WHEEL.encode(),
        f"{info}/entry_points.txt": papers.entry_points.encode(),
    }
    return write_wheel(folder / f"{_FOLDER}-{papers.version}-py3-none-any.whl", files, info)


def write_wheel(path: Path, files: Mapping[str, bytes], info: str) -> Path:
    """Write a wheel of ``files``, whose papers are in ``info``; return its path."""
    record = f"{info}/RECORD"
    whole = {**files, record: _record(files, record).encode()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in whole.items():
            member = zipfile.ZipInfo(name, _NO_TIME)
            member.external_attr = 0o644 << 16
            wheel.writestr(member, data, zipfile.ZIP_DEFLATED)
    return path


def _with_more(metadata: str, also: Sequence[str]) -> str:
    """Return METADATA with more requirements among its own, before any description."""
    more = "".join(f"Requires-Dist: {each}; extra == '{EXTRA}'\n" for each in also)
    head, blank, text = metadata.partition("\n\n")
    return f"{head.rstrip()}\n{more}{blank[1:]}{text}"


def _files(package: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(package.parent).as_posix(), path.read_bytes()
    plugin = package.parent / _PLUGIN
    if plugin.is_file():
        yield _PLUGIN, plugin.read_bytes()


def _papers(package: Path) -> _Papers:
    """Return the papers of the source tree that we run from, else the installed ones.

    Those that an editable installation wrote may be older than the tree.
    """
    tree = package.parent.parent / "pyproject.toml"
    if package.parent.name == "src" and tree.is_file():
        project = tomllib.loads(tree.read_text("utf-8"))["project"]
        if project["name"] == _NAME:
            return _papers_of(project)
    try:
        installed = distribution(_NAME)
    except PackageNotFoundError as error:
        raise SetupFailed(
            "media-nommer runs from files that nobody installed",
            advice="Install it: `pip install 'media-nommer[aws]'`.",
        ) from error
    return _Papers(
        installed.version,
        installed.read_text("METADATA") or "",
        installed.read_text("entry_points.txt") or "",
    )


def _papers_of(project: Mapping[str, Any]) -> _Papers:
    version = media_nommer.__version__
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {_NAME}",
        f"Version: {version}",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {wanted}" for wanted in project["dependencies"]),
    ]
    for extra, wanted in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {each}; extra == '{extra}'" for each in wanted]
    scripts = [f"{name} = {place}" for name, place in sorted(project["scripts"].items())]
    return _Papers(
        version,
        "\n".join(lines) + "\n",
        "\n".join(["[console_scripts]", *scripts]) + "\n",
    )


def _record(files: Mapping[str, bytes], own: str) -> str:
    """Return the list of a wheel's files, each with its digest but its own."""
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    return "\n".join([*lines, f"{own},,"]) + "\n"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
