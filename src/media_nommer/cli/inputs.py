"""From what people type as INPUT to the sources that jobs are made of."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from media_nommer.core.errors import AccessDenied, BadRequest, NotMedia, SourceNotFound

#: What is taken from a folder; a file that is named itself may be called anything.
MEDIA_EXTENSIONS = frozenset(
    {"3g2", "3gp", "avi", "flv", "m2ts", "m2v", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg"}
    | {"mts", "mxf", "ogv", "ts", "vob", "webm", "wmv", "asf"}
    | {
        "aac",
        "aif",
        "aiff",
        "flac",
        "m4a",
        "mka",
        "mp3",
        "oga",
        "ogg",
        "opus",
        "wav",
        "wma",
    }
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source. ``label`` is what to call it before people.

    ``folder`` is where below the destination its outputs go, so that a tree of folders
    stays one; empty for the destination itself. ``path`` is None for
    what is not a file of this machine.
    """

    url: str
    label: str
    folder: str = ""
    path: Path | None = None

    @property
    def stem(self) -> str:
        """The file's name without its extension."""
        return PurePosixPath(unquote(urlsplit(self.url).path)).stem


def find_sources(
    inputs: Sequence[str], *, recursive: bool = False, leave_out: Path | None = None
) -> list[Source]:
    """Return the sources that INPUTs name: files, URLs, and the media files in folders.

    Those of a folder come sorted by name. ``leave_out`` is a folder not to look into: the
    one where outputs go.

    Raises:
        BadRequest: an INPUT is one that cannot be read here.
        SourceNotFound: there is no such file.
        NotMedia: there is no media file in a folder, or it is neither file nor folder.
    """
    sources: list[Source] = []
    for text in inputs:
        sources += _sources_of(text, recursive, leave_out)
    return sources


def is_url(text: str) -> bool:
    """Return whether ``text`` is a URL rather than a path."""
    return _URL.match(text) is not None


def url_of(text: str) -> str:
    """Return a URL as it is, and a path of this machine as a ``file://`` URL."""
    return text if is_url(text) else whole_path(text).as_uri()


def path_of(url: str) -> Path | None:
    """Return the path behind a ``file://`` URL, None for any other."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def whole_path(text: str | Path) -> Path:
    """Return an absolute path without ``..`` and ``~``; links stay links."""
    return Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100


def _sources_of(text: str, recursive: bool, leave_out: Path | None) -> list[Source]:
    if text == "-":
        raise BadRequest(
            "standard input cannot be encoded: parts of a film are read more than once",
            advice="Save it to a file first, and give that file's name.",
        )
    if not text:
        raise BadRequest("an INPUT is empty", advice="Give the path of a file or folder.")
    if is_url(text):
        return [Source(url=text, label=text, path=path_of(text))]
    path = whole_path(text)
    if path.is_dir():
        return _media_in(path, text, recursive, leave_out)
    if not os.path.lexists(path):
        raise SourceNotFound(f"there is no file {text}")
    if not path.is_file():
        raise NotMedia(f"{text} is neither a file nor a folder")
    return [Source(url=path.as_uri(), label=text, path=path)]


def _media_in(
    folder: Path, label: str, recursive: bool, leave_out: Path | None
) -> list[Source]:
    try:
        found = sorted(_walk(folder, recursive, leave_out))
    except PermissionError as error:
        raise AccessDenied(f"the folder {label} may not be read") from error
    if not found:
        deeper = "" if recursive else " (--recursive looks into folders in it too)"
        raise NotMedia(
            f"there is no media file in the folder {label}",
            advice=f"Files are recognised by their extensions, such as .mp4{deeper}.",
        )
    return [
        Source(
            url=path.as_uri(),
            label=str(Path(label) / path.relative_to(folder)),
            folder=_below(path.parent, folder),
            path=path,
        )
        for path in found
    ]


def _below(folder: Path, root: Path) -> str:
    return "" if folder == root else folder.relative_to(root).as_posix()


def _walk(folder: Path, recursive: bool, leave_out: Path | None) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if recursive and entry != leave_out and not entry.is_symlink():
                yield from _walk(entry, recursive, leave_out)
        elif entry.suffix.lstrip(".").lower() in MEDIA_EXTENSIONS and entry.is_file():
            yield entry
