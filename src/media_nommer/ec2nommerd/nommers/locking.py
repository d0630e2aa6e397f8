"""Encrypting what is published: with keys that were sealed, opened in memory alone."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from media_nommer.core.errors import CipherMissing, SecretUnreadable
from media_nommer.core.ports.cipher import SegmentCipher
from media_nommer.core.recipes.encryption import Encryption
from media_nommer.planning.packaging.cenc import Keys, cenc_command, key_flags
from media_nommer.planning.packaging.packed import Packed

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
class FramesLock:
    """Keys, and what encrypts frames with them."""

    wanted: Encryption
    keys: Keys
    package: Callable[[Sequence[str]], None]
    scratch: Path

    def encrypt(self, packed: Packed, source: str, target: str) -> None:
        """Encrypt the frames of a rendition; keys are in a file for so long alone."""
        flags = self.scratch / f"{target}.flags"
        command = cenc_command(
            packed, self.wanted, source=source, target=target, flags=flags.name
        )
        flags.touch(mode=0o600)
        try:
            flags.write_text(key_flags(self.wanted, self.keys), encoding="ascii")
            self.package(command)
        finally:
            flags.unlink()


@dataclass(frozen=True, slots=True)
class Locks:
    """What a worker encrypts one output with; ``opened`` gives the secrets of its recipe.

    Where that has none, the key is ``drawn``.
    ``cipher`` encrypts whole files, and ``package`` runs what encrypts frames, in scratch.
    """

    cipher: SegmentCipher | None = None
    opened: Callable[[str], bytes] = _nothing_is_sealed
    package: Callable[[Sequence[str]], None] | None = None
    drawn: bytes = field(default_factory=lambda: os.urandom(_KEY_BYTES), repr=False)

    def check(self, wanted: Encryption | None) -> None:
        """Check that what is wanted can be encrypted, before anything is encoded.

        Raises:
            CipherMissing: there is nothing here that does.
            SecretUnreadable: this worker cannot open a key.
        """
        if wanted is None:
            return
        if (self.cipher if wanted.whole else self.package) is None:
            raise CipherMissing(f"nothing on this worker encrypts with {wanted.scheme}")
        for said in (wanted.key, wanted.audio_key):
            self._key(said)

    def whole(self, wanted: Encryption | None) -> WholeLock | None:
        """Return what encrypts whole files, None where nothing is to be encrypted.

        Without a given key it is the one that was drawn.

        Raises:
            CipherMissing: there is nothing here that encrypts.
            SecretUnreadable: this worker cannot open the key.
        """
        if wanted is None or not wanted.whole:
            return None
        if self.cipher is None:
            raise CipherMissing(f"nothing on this worker encrypts with {wanted.scheme}")
        return WholeLock(self._key(wanted.key), self.cipher)

    def frames(self, wanted: Encryption, scratch: Path) -> "FramesLock":
        """Return what encrypts frames.

        Raises:
            CipherMissing: there is nothing here that does.
            SecretUnreadable: this worker cannot open a key.
        """
        if self.package is None:
            raise CipherMissing(f"nothing on this worker encrypts with {wanted.scheme}")
        picture = self._key(wanted.key)
        sound = picture if wanted.audio_key is None else self._key(wanted.audio_key)
        return FramesLock(wanted, Keys(picture, sound), self.package, scratch)

    def _key(self, said: str | None) -> bytes:
        if said is None:
            return self.drawn
        try:
            return bytes.fromhex(self.opened(said).decode("ascii"))
        except ValueError:
            raise SecretUnreadable("what was sealed is no key") from None


NO_LOCKS = Locks()
