"""What the headers of an answer say: pure, and wary of servers that say it wrongly."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx2

from media_nommer.adapters.http.links import shown
from media_nommer.adapters.http.trouble import Interrupted
from media_nommer.core.errors import (
    AccessDenied,
    SourceNotFound,
    SourceRefused,
    StorageError,
)
from media_nommer.core.ports.storage import StoredObject

REDIRECTS = frozenset({301, 302, 303, 307, 308})
GONE = frozenset({404, 410})
WHOLE = frozenset({200, 203})
PART = 206
OUT_OF_RANGE = 416

_REFUSED = frozenset({401, 403, 407})
_PASSING = frozenset({408, 425, 429})
_RANGE = re.compile(r"bytes +(?:(\d{1,19})-(\d{1,19})|\*)/(?:(\d{1,19})|\*)", re.ASCII)
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)
#: By how much a change must be past for its second to name one version (RFC 9110, 8.8.2.2).
_SETTLED = timedelta(seconds=60)
#: Encodings that change bytes. Other words are seen there by mistake, and mean nothing.
_ENCODINGS = frozenset(
    {"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz"}
)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an object: from ``start`` up to ``end``, of ``total`` bytes if known.

    Where there is no such part, both are 0.
    """

    start: int
    end: int
    total: int | None


def trouble(
    status: int, headers: httpx2.Headers, link: httpx2.URL, now: datetime
) -> StorageError | None:
    """Return what an answer means that holds no bytes of the object, else None."""
    if status in WHOLE or status == PART:
        return None
    where = shown(link)
    if status in GONE:
        return SourceNotFound(f"there is nothing at {where} (HTTP {status})")
    if status in _REFUSED:
        return AccessDenied(
            f"{where} may not be read (HTTP {status})",
            advice="If this is a link that expires, make a new one; if not, let those "
            "who have the link read the file.",
        )
    if status in _PASSING or status >= 500:
        return Interrupted(
            f"{where} cannot be read now (HTTP {status})", wait=retry_after(headers, now)
        )
    return SourceRefused(f"{where} cannot be read (HTTP {status})")


def retry_after(headers: httpx2.Headers, now: datetime) -> timedelta | None:
    """Return how long the server wants to be left alone, None where it does not say."""
    said = headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(said):
        return timedelta(seconds=min(int(said), 1 << 30))
    moment = _moment(said)
    return None if moment is None else max(moment - now, timedelta())


def encodings(headers: httpx2.Headers) -> tuple[str, ...]:
    """Return how the bytes were changed for the way, first change first."""
    words = headers.get_list("content-encoding", split_commas=True)
    return tuple(word for word in map(_plain, words) if word in _ENCODINGS)


def length(headers: httpx2.Headers) -> int | None:
    """Return how many bytes a whole answer holds, None where that is not known."""
    said = headers.get("content-length", "").strip()
    return int(said) if _NUMBER.fullmatch(said) and not encodings(headers) else None


def span(headers: httpx2.Headers) -> Span | None:
    """Return which part an answer holds, None where it does not say so properly."""
    found = _RANGE.fullmatch(headers.get("content-range", "").strip())
    if found is None:
        return None
    first, last, total = (None if n is None else int(n) for n in found.groups())
    if first is None or last is None:
        return Span(0, 0, total)
    if first > last or (total is not None and last >= total):
        return None
    return Span(first, last + 1, total)


def stored(headers: httpx2.Headers, size: int | None) -> StoredObject:
    """Return what stands there: a size of 0 where it is not known.

    Where a server tells neither a tag nor a date, its size must do for a version.
    """
    tag, date = headers.get("etag"), headers.get("last-modified")
    known = 0 if size is None else size
    return StoredObject(size=known, version=tag or f"{date or ''}-{known}")


def validator(headers: httpx2.Headers) -> str | None:
    """Return what names exactly these bytes, for If-Range; None where nothing does."""
    tag = headers.get("etag", "")
    if tag:
        return None if tag.startswith("W/") or not tag.startswith('"') else tag
    changed = headers.get("last-modified", "")
    then, now = _moment(changed), _moment(headers.get("date", ""))
    if then is None or now is None or now - then < _SETTLED:
        return None
    return changed


def same(headers: httpx2.Headers, mark: str) -> bool:
    """Return whether an answer is not known to be of other bytes than ``mark`` names."""
    said = headers.get("etag") if mark.startswith('"') else headers.get("last-modified")
    return said is None or said == mark


def _plain(word: str) -> str:
    return word.strip().lower()


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
