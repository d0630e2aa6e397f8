"""Seals with AES-256-GCM, under keys that the operator keeps."""

import os
from typing import TYPE_CHECKING

from typing_extensions import override

from media_nommer.core.errors import SecretUnreadable
from media_nommer.core.ports.sealer import Sealer
from media_nommer.core.ports.sealing_keys import KEY_BYTES, SealingKeys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_REFERENCE_BYTES = 16

#: What a seal begins with; then come the id of its key, a colon, and the nonce. Those of
#: the old form have no id, and no colon either.
_FORM, _OLD_FORM = b"nommer-seal-2:", b"nommer-seal-1:"


class AesSealer(Sealer):
    """The newest key seals, another made of the first one names what was sealed."""

    def __init__(self, keys: SealingKeys) -> None:
        self._keys = keys

    @override
    def reference(self, secret: bytes, context: str) -> str:
        from cryptography.hazmat.primitives import hashes, hmac

        naming = hmac.HMAC(_derived(self._keys.first().secret, b"name"), hashes.SHA256())
        naming.update(context.encode() + b"\0" + secret)
        return naming.finalize()[:_REFERENCE_BYTES].hex()

    @override
    def seal(self, secret: bytes, context: str) -> bytes:
        key, nonce = self._keys.newest(), os.urandom(_NONCE_BYTES)
        sealed = _cipher(key.secret).encrypt(nonce, secret, context.encode())
        return _FORM + key.id.encode() + b":" + nonce + sealed

    @override
    def unseal(self, sealed: bytes, context: str) -> bytes:
        from cryptography.exceptions import InvalidTag

        key_id, body = _parts(sealed)
        nonce, rest = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        cipher = _cipher(self._keys.named(key_id).secret)
        try:
            return cipher.decrypt(nonce, rest, context.encode())
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable("a key that was sealed cannot be opened here") from error


def _parts(sealed: bytes) -> tuple[str, bytes]:
    """Return the id of the key that sealed, and what it sealed with its nonce."""
    if sealed.startswith(_OLD_FORM):
        return "", sealed.removeprefix(_OLD_FORM)
    key_id, colon, body = sealed.removeprefix(_FORM).partition(b":")
    if not sealed.startswith(_FORM) or not colon or not key_id.isascii():
        raise SecretUnreadable("a key that was sealed is not there whole")
    return key_id.decode(), body


def _cipher(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_derived(key, b"seal"))


def _derived(key: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(
        hashes.SHA256(), KEY_BYTES, salt=None, info=b"media-nommer " + purpose
    ).derive(key)
