"""URLs of the web: what is accepted as one, and what of it may be shown to people."""

import httpx2

from media_nommer.core.errors import SourceRefused, UnsupportedUrl

SCHEMES = ("http", "https")

_HOW_TO_WRITE = "Write https://host/path, odd characters percent-encoded."


def parse(url: str) -> httpx2.URL:
    """Return the parts of a URL; what is percent-encoded in it stays as it is.

    Raises:
        UnsupportedUrl: it is not a URL of the web, or user and password stand in it.
    """
    try:
        link = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        # What the parser says may quote a password.
        raise UnsupportedUrl("the URL cannot be understood", advice=_HOW_TO_WRITE) from None
    if link.scheme not in SCHEMES:
        raise UnsupportedUrl(
            f"{link.scheme or 'no scheme'}:// is not read over the web",
            advice="URLs that begin with http:// or https:// are.",
        )
    if link.userinfo:
        raise UnsupportedUrl(
            f"user and password stand in the URL of {shown(link)}",
            advice="URLs are stored and shown, so take them out; give a link that needs "
            "none, such as a presigned one.",
        )
    port = 80 if link.port is None else link.port
    if not link.host or not 0 < port < 1 << 16:
        raise UnsupportedUrl(
            "the URL names no host that can be asked", advice=_HOW_TO_WRITE
        )
    return link.copy_with(fragment=None)


def shown(link: httpx2.URL) -> str:
    """Return a URL as people may see it: without its query, which may be a secret."""
    path = link.raw_path.partition(b"?")[0].decode("ascii")
    return f"{link.scheme}://{link.netloc.decode('ascii')}{path}"


def next_hop(link: httpx2.URL, location: str) -> httpx2.URL:
    """Return where a redirect from ``link`` leads.

    Raises:
        SourceRefused: a redirect may not lead there.
    """
    try:
        target = parse(str(link.join(location)))
    except (httpx2.InvalidURL, ValueError, UnsupportedUrl):
        raise SourceRefused(
            f"{shown(link)} redirects to something that is not a plain URL of the web"
        ) from None
    if link.scheme == "https" and target.scheme == "http":
        raise SourceRefused(
            f"{shown(link)} redirects to http://, where anybody on the way could read "
            "and change it",
            advice="Give the http:// URL itself if that is meant.",
        )
    return target
