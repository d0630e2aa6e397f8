"""Encrypting files that players decrypt: whole ones, by HLS's AES-128."""

from abc import ABC, abstractmethod
from pathlib import Path


class SegmentCipher(ABC):
    """Encrypts segments. Several threads may share one."""

    @abstractmethod
    def encrypt(self, path: Path, key: bytes, number: int) -> None:
        """Encrypt a file in its place, as AES-128 of RFC 8216 has it.

        ``key`` has 16 bytes; ``number`` is the segment's in its playlist, from 0, which the
        vector begins with.
        """
