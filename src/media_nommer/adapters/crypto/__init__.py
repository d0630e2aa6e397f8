"""Encryption, by the library ``cryptography``: the extra ``drm``.

It takes a good part of an idle daemon's memory, so it is loaded with the first key alone.
"""

from importlib.util import find_spec

from media_nommer.adapters.crypto.key_file import FileKey
from media_nommer.adapters.crypto.sealer import AesSealer
from media_nommer.adapters.crypto.segments import AesSegmentCipher


def is_installed() -> bool:
    """Return whether there is what encrypts; it is not loaded for that."""
    return find_spec("cryptography") is not None


__all__ = ["AesSealer", "AesSegmentCipher", "FileKey", "is_installed"]
