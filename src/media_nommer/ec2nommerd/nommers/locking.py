"""Encrypting what is published: with keys that were sealed, opened in memory alone."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media_nommer.core.errors import CipherMissing, SecretUnreadable
from media_nommer.core.ports.cipher import SegmentCipher
from media_nommer.core.recipes.encryption import Encryption

_KEY_BYTES = 16


def _nothing_is_sealed(said: str) -> bytes:
    return said.encode()


@dataclass(frozen=True, slots=True)
class WholeLock:
    """A key, and what encrypts whole files with it."""

    key: bytes
    cipher: SegmentCipher

    def encrypt(self, path: Path, number: int) -> None:
        """Encrypt a file in its place, as the segment of this number."""
        self.cipher.encrypt(path, self.key, number)


@dataclass(frozen=True, slots=True)
class Locks:
    """What a worker encrypts with; ``opened`` gives the secret that a recipe refers to."""

    cipher: SegmentCipher | None = None
    opened: Callable[[str], bytes] = _nothing_is_sealed

    def whole(self, wanted: Encryption | None) -> WholeLock | None:
        """Return what encrypts whole files, None where nothing is to be encrypted.

        Without a given key a new one is made.

        Raises:
            CipherMissing: there is nothing here that encrypts.
            SecretUnreadable: this worker cannot open the key.
        """
        if wanted is None:
            return None
        if self.cipher is None:
            raise CipherMissing(f"nothing on this worker encrypts with {wanted.scheme}")
        return WholeLock(self._key(wanted.key), self.cipher)

    def _key(self, said: str | None) -> bytes:
        if said is None:
            return os.urandom(_KEY_BYTES)
        try:
            return bytes.fromhex(self.opened(said).decode("ascii"))
        except ValueError:
            raise SecretUnreadable("what was sealed is no key") from None


NO_LOCKS = Locks()
