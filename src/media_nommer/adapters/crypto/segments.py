"""Encrypts whole segments with AES-128-CBC."""

from pathlib import Path

from typing_extensions import override

from media_nommer.core.ports.cipher import SegmentCipher

_BLOCK_BITS = 128
_AT_ONCE = 1024 * 1024  # bytes


class AesSegmentCipher(SegmentCipher):
    """Files are read in pieces: a segment may be large."""

    @override
    def encrypt(self, path: Path, key: bytes, number: int) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.padding import PKCS7

        vector = number.to_bytes(_BLOCK_BITS // 8, "big")
        locking = Cipher(algorithms.AES128(key), modes.CBC(vector)).encryptor()
        padding = PKCS7(_BLOCK_BITS).padder()
        locked = path.with_name(f"{path.name}.locked")
        with path.open("rb") as source, locked.open("wb") as target:
            while piece := source.read(_AT_ONCE):
                target.write(locking.update(padding.update(piece)))
            target.write(locking.update(padding.finalize()) + locking.finalize())
        locked.replace(path)
