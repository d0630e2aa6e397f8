"""Seals with AES-256-GCM, under a key that the operator keeps in a file."""

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from media_nommer.core.errors import InvalidSetting, SecretUnreadable
from media_nommer.core.ports.sealer import Sealer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_REFERENCE_BYTES = 16
_FORM = b"nommer-seal-1:"  # what a seal begins with


class AesSealer(Sealer):
    """One key seals, another made of the same one names what was sealed."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @cached_property
    def _cipher(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(_derived(self._key, b"seal"))

    @cached_property
    def _naming(self) -> bytes:
        return _derived(self._key, b"name")

    @override
    def reference(self, secret: bytes, context: str) -> str:
        from cryptography.hazmat.primitives import hashes, hmac

        naming = hmac.HMAC(self._naming, hashes.SHA256())
        naming.update(context.encode() + b"\0" + secret)
        return naming.finalize()[:_REFERENCE_BYTES].hex()

    @override
    def seal(self, secret: bytes, context: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._cipher.encrypt(nonce, secret, context.encode())

    @override
    def unseal(self, sealed: bytes, context: str) -> bytes:
        from cryptography.exceptions import InvalidTag

        body = sealed.removeprefix(_FORM)
        nonce, rest = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, context.encode())
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable("a key that was sealed cannot be opened here") from error


def read_key(path: Path) -> bytes:
    """Return the key that a file holds.

    Raises:
        InvalidSetting: it cannot be read, or holds something else.
    """
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise InvalidSetting(
            f"sealing_key_file {path} cannot be read: {error.strerror}"
        ) from error
    except ValueError:
        key = b""  # what stands in the file is nobody's to see
    if len(key) != KEY_BYTES:
        raise InvalidSetting(
            f"sealing_key_file {path} holds no key; allowed: {2 * KEY_BYTES} hexadecimal "
            "digits",
            advice="Make one: (umask 077; openssl rand -hex 32 > FILE)",
        )
    return key


def _derived(key: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(
        hashes.SHA256(), KEY_BYTES, salt=None, info=b"media-nommer " + purpose
    ).derive(key)
