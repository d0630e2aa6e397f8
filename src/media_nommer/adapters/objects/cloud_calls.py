"""What obstore's answers and errors mean to us, and what ours are in its words."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote_to_bytes

import obstore

from media_nommer.core.content_types import content_type_of
from media_nommer.core.errors import (
    AccessDenied,
    BadRequest,
    NoSpace,
    OutputChanged,
    OutputExists,
    SourceNotFound,
    StorageError,
    UnsupportedUrl,
)
from media_nommer.core.ports.storage import StoredObject, Traits

_SCHEMES = ("gs", "az")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = (
    obstore.exceptions.PermissionDeniedError,
    obstore.exceptions.UnauthenticatedError,
)
_WRONG = (
    obstore.exceptions.InvalidPathError,
    obstore.exceptions.UnknownConfigurationKeyError,
    obstore.exceptions.NotSupportedError,
)


def split(url: str) -> tuple[str, str]:
    """Return the root and the key that a URL names.

    Raises:
        UnsupportedUrl: it is not a URL of one of the services.
    """
    scheme, mark, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme.lower() not in _SCHEMES or not mark or not bucket:
        raise UnsupportedUrl(
            f"{url} does not name a bucket",
            advice="Write gs://bucket/name or az://box/name.",
        )
    try:
        return f"{scheme.lower()}://{bucket}", unquote_to_bytes(key).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnsupportedUrl(f"{url} holds bytes that are not UTF-8") from error


def attributes_of(key: str, traits: Traits) -> dict[str, str]:
    """Return how an object is kept and served, in obstore's words.

    Raises:
        BadRequest: it cannot be kept so.
    """
    if traits.kms_key:
        raise BadRequest(
            "a key for one object cannot be named with this storage",
            advice="Make it the default key of the bucket.",
        )
    named = {
        "Content-Type": traits.content_type or content_type_of(key),
        "Cache-Control": traits.cache_control,
        "Storage-Class": traits.storage_class,
    }
    return {name: value for name, value in named.items() if value}


def stored(meta: Any) -> StoredObject:
    """Return what stands somewhere, by what obstore tells of it."""
    return StoredObject(size=int(meta["size"]), version=version_of(meta))


def version_of(told: Any) -> str:
    """Return what names a version: Azure goes by the ETag, Google by the generation."""
    return f"{told['e_tag'] or ''} {told['version'] or ''}"


def update_of(version: str) -> dict[str, str]:
    """Return the mode of a put that is to replace just this version."""
    etag, _, number = version.partition(" ")
    return {name: value for name, value in (("e_tag", etag), ("version", number)) if value}


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise our errors for those of obstore, and of the file system, inside."""
    try:
        yield
    except FileNotFoundError as error:
        raise _missing(what, error) from error
    except obstore.exceptions.AlreadyExistsError as error:
        raise OutputExists(f"something stands at {what} already") from error
    except obstore.exceptions.PreconditionError as error:
        raise OutputChanged(f"{what} was changed by somebody else meanwhile") from error
    except _REFUSED as error:
        raise AccessDenied(
            f"{what} may not be used: {_said(error)}",
            advice="Give these credentials the right to read and write there.",
        ) from error
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace(f"no room for {what}: {error.strerror}") from error
        raise StorageError(f"{what} cannot be used: {_said(error)}") from error
    except (*_WRONG, ValueError) as error:
        raise UnsupportedUrl(f"{what} cannot be used: {_said(error)}") from error
    except obstore.exceptions.BaseError as error:
        raise StorageError(f"{what} cannot be used now: {_said(error)}") from error


def _missing(what: str, error: FileNotFoundError) -> StorageError:
    if error.errno == errno.ENOENT:
        return StorageError(f"{what} cannot be used: {error.strerror}")
    return SourceNotFound(f"there is nothing at {what}")


def _said(error: Exception) -> str:
    """Return an error's first line, without what may be a signature in a URL."""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return re.sub(r"\?\S*", "", first)
