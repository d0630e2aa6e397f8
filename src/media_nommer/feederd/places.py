"""What callers may name as sources and as a destination (rule 13)."""

from urllib.parse import unquote, urlsplit

from media_nommer.core.errors import PathNotAllowed, SourceNotFound, UnsupportedUrl
from media_nommer.core.ports.storage import Storage


def check_source(outside: Storage, place: str, url: str, *, work_url: str) -> None:
    """Check what can be checked at once: that we may read it, and that a file exists.

    ``place`` is where the document says it. What is not on this machine is looked at by the
    worker, who has the time.

    Raises:
        UnsupportedUrl: no storage serves it.
        PathNotAllowed: callers may not touch it.
        SourceNotFound: it is a file that is not there.
    """
    if "://" not in url:
        raise UnsupportedUrl(
            f"{place}: {url!r} is not a URL; allowed: one such as file:///films/film.mov"
        )
    _check_not_ours(place, url, work_url)
    outside.check(url)
    if urlsplit(url).scheme == "file" and outside.stat(url) is None:
        raise SourceNotFound(f"there is no file at {url}")


def check_destination(outside: Storage, url: str, *, work_url: str) -> None:
    """Check that a file could be put below the destination, as far as its URL tells.

    Raises:
        UnsupportedUrl: no storage serves it.
        PathNotAllowed: callers may not touch it.
    """
    if "://" not in url:
        raise UnsupportedUrl(
            f"destination: {url!r} is not a URL; allowed: that of a folder, "
            "such as file:///films/out/"
        )
    _check_not_ours("destination", url, work_url)
    outside.check(f"{url.rstrip('/')}/output", to_write=True)


def _check_not_ours(what: str, url: str, work_url: str) -> None:
    """Check that a caller does not reach into the work area of an object store.

    Whether its files may be reached, ``file_roots`` says.
    """
    work = f"{unquote(work_url)}/"
    inside = f"{unquote(url).rstrip('/')}/".startswith(work)
    if inside and urlsplit(work).scheme not in {"file", "memory"}:
        raise PathNotAllowed(
            f"{what}: {url} is in the work area",
            advice="Choose a place outside it: what is in it comes and goes.",
        )
