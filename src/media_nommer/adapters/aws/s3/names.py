"""``s3://`` URLs and the objects they name, each made from the other without loss."""

from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from media_nommer.core.errors import UnsupportedUrl

_SCHEME = "s3://"
#: Characters that stand for themselves; all others are percent-encoded bytes.
_PLAIN = "/-._~!$&'()*+,;=:@"
#: As many bytes as S3 takes.
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """One object's place; below it, where it stands for a folder.

    The key of a folder is empty, or ends with a slash.
    """

    bucket: str
    key: str

    @property
    def url(self) -> str:
        """Return the URL of this place."""
        return f"{_SCHEME}{self.bucket}/{quote(self.key, safe=_PLAIN)}"


def place_of(url: str) -> Place:
    """Return the place that an ``s3://bucket/key`` URL names.

    A ``?`` or ``#`` that is not encoded is part of the name: objects have no queries.

    Raises:
        UnsupportedUrl: it is not such a URL.
    """
    place = _split(url)
    if not place.key or place.key.endswith("/"):
        raise UnsupportedUrl(
            f"{url} does not name an object", advice="Write s3://bucket/name."
        )
    return place


def folder_of(prefix: str) -> Place:
    """Return the folder that an ``s3://bucket/folder`` URL names, or a whole bucket.

    Raises:
        UnsupportedUrl: it is not such a URL.
    """
    place = _split(prefix)
    key = place.key.rstrip("/")
    return Place(place.bucket, f"{key}/" if key else "")


def _split(url: str) -> Place:
    scheme, bucket_and_key = url[: len(_SCHEME)], url[len(_SCHEME) :]
    bucket, _, rest = bucket_and_key.partition("/")
    if scheme.lower() != _SCHEME or not bucket:
        raise UnsupportedUrl(
            f"{url} does not name a bucket", advice="Write s3://bucket/name."
        )
    raw = unquote_to_bytes(rest)
    try:
        key = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnsupportedUrl(
            f"{url} holds bytes that are not UTF-8: S3 has no such names"
        ) from error
    if len(raw) > _LONGEST:
        raise UnsupportedUrl(f"{url} is longer than the {_LONGEST} bytes that S3 takes")
    if {".", ".."} & set(key.split("/")):
        raise UnsupportedUrl(
            f"{url} has a step . or .. in it, which would lead elsewhere as a link"
        )
    return Place(bucket, key)
