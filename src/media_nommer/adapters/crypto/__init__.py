"""Encryption, by the library ``cryptography``: the extra ``drm``."""

from media_nommer.adapters.crypto.sealer import AesSealer, read_key
from media_nommer.adapters.crypto.segments import AesSegmentCipher

__all__ = ["AesSealer", "AesSegmentCipher", "read_key"]
