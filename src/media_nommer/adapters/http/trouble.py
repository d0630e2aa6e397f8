"""What may go wrong on the web, as far as the rest of the code has no word for it yet."""

from datetime import timedelta

from media_nommer.core.errors import StorageError


class Interrupted(StorageError):
    """This connection gave less than was asked for; another may give the rest.

    ``wait`` is how long the server wants to be left alone, None where it did not say.
    """

    def __init__(self, message: str, *, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait
