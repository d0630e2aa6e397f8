"""``file://`` URLs and paths, each made from the other without loss."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from media_nommer.core.errors import UnsupportedUrl

_SCHEME = "file://"
#: Characters that stand for themselves; all others are percent-encoded bytes.
_PLAIN = "/-._~!$&'()*+,;=:@"


def file_url(path: Path) -> str:
    """Return the URL of a path, which is made absolute; any name can be told by it."""
    return _SCHEME + quote(os.fsencode(path.absolute()), safe=_PLAIN)


def path_of(url: str) -> Path:
    """Return the path that a ``file:///absolute/path`` URL names.

    A ``?`` or ``#`` that is not encoded is part of the name: files have no queries.

    Raises:
        UnsupportedUrl: it is not such a URL.
    """
    host, slash, rest = url.removeprefix(_SCHEME).partition("/")
    path = unquote_to_bytes(rest)
    if not url.startswith(_SCHEME) or host not in {"", "localhost"} or not slash:
        raise UnsupportedUrl(
            f"{url} does not name a file", advice="Write file:///absolute/path."
        )
    if b"\0" in path:
        raise UnsupportedUrl(f"{url} holds a byte that no path can hold")
    return Path("/" + os.fsdecode(path))


def inside(real: Path, roots: Sequence[Path]) -> bool:
    """Return whether a path is one of ``roots`` or below one; all of them real paths."""
    return any(real.is_relative_to(root) for root in roots)


def real_path(path: Path) -> Path:
    """Return the path that all links lead to, whether or not anything is there."""
    return Path(os.path.realpath(path))
