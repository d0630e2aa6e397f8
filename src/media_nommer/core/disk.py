"""What a file system's errors mean to us."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from media_nommer.core.errors import AccessDenied, NoSpace, StorageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def disk_errors(what: object) -> Iterator[None]:
    """Raise our errors for those of the file system inside; ``what`` is being used there.

    Raises:
        NoSpace: there is no room for it.
        AccessDenied: it may not be used.
        StorageError: it cannot be, for another reason.
    """
    try:
        yield
    except OSError as error:
        said = error.strerror or str(error)
        if error.errno in _FULL:
            raise NoSpace(f"no room for {what}: {said}") from error
        if error.errno in _REFUSED:
            raise AccessDenied(f"{what} may not be used: {said}") from error
        raise StorageError(f"{what} cannot be used: {said}") from error
