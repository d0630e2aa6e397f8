"""The sealing key that the operator keeps in a file."""

from pathlib import Path

from typing_extensions import override

from media_nommer.core.errors import InvalidSetting, SecretUnreadable
from media_nommer.core.ports.sealing_keys import SealingKey, SealingKeys, key_of


class FileKey(SealingKeys):
    """One key, read at once; it has no id, and none came before it.

    Raises:
        InvalidSetting: the file cannot be read, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self._key = SealingKey("", _read(path))

    @override
    def newest(self) -> SealingKey:
        return self._key

    @override
    def first(self) -> SealingKey:
        return self._key

    @override
    def named(self, key_id: str) -> SealingKey:
        if key_id != self._key.id:
            raise SecretUnreadable("a key was sealed with one that is not in a file")
        return self._key


def _read(path: Path) -> bytes:
    try:
        return key_of(path.read_text("ascii"))
    except OSError as error:
        raise InvalidSetting(
            f"sealing_key: {path} cannot be read: {error.strerror}"
        ) from error
    except ValueError:
        raise InvalidSetting(
            f"sealing_key: {path} holds no key; allowed: 64 hexadecimal digits",
            advice="Make one: (umask 077; openssl rand -hex 32 > FILE)",
        ) from None  # what stands in the file is nobody's to see
