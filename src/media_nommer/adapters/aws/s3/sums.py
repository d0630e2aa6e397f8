"""Checksums of files and of their pieces, as S3 compares them."""

import base64
import functools
import hashlib
import io
import os
import zlib
from collections.abc import Callable, Iterable
from typing import BinaryIO

from typing_extensions import Buffer, override

from media_nommer.core.errors import StorageError

#: How much is read at once: 1 MiB.
PIECE = 1 << 20
#: The polynomial of CRC-32, lowest power in the highest bit, as zlib has it.
_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31


def encoded(crc: int) -> str:
    """Return a CRC-32 as S3 writes it."""
    return base64.b64encode(crc.to_bytes(4, "big")).decode("ascii")


def joined(pieces: Iterable[tuple[int, int]]) -> int:
    """Return the CRC-32 of bytes of whose pieces, in order, CRC-32 and length are known.

    What a piece contributes to the whole is its remainder times x to the number of bits
    that follow it; so the pieces may be summed by several threads, and are read once.
    """
    whole = 0
    for crc, length in pieces:
        whole = _times(whole, _shift(length)) ^ crc
    return whole


def crc_of(file: "Slice") -> int:
    """Return the CRC-32 of all that can be read from ``file``."""
    crc = 0
    while piece := file.read(PIECE):
        crc = zlib.crc32(piece, crc)
    return crc


def sha256_of(file: BinaryIO, look: Callable[[], None]) -> str:
    """Return the SHA-256 of all that can be read, asking ``look`` every 16 MiB."""
    digest, count = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        digest.update(piece)
        count += 1
        if count % 16 == 0:
            look()
    return digest.hexdigest()


class Slice(io.RawIOBase):
    """A part of an open file as a file of its own, which others may read meanwhile."""

    def __init__(self, handle: int, start: int, length: int) -> None:
        super().__init__()
        self._handle = handle
        self._start = start
        self._length = length
        self._at = 0

    def __len__(self) -> int:
        return self._length

    @override
    def readable(self) -> bool:
        """Return True."""
        return True

    @override
    def seekable(self) -> bool:
        """Return True: what was not sent well is sent again."""
        return True

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go on reading elsewhere."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}
        self._at = max(0, origin[whence] + offset)
        return self._at

    @override
    def tell(self) -> int:
        """Return where reading goes on."""
        return self._at

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        """Read into ``buffer``; return how much, 0 at the end.

        Raises:
            StorageError: the file has become shorter than it was.
        """
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._length - self._at)
        if wanted <= 0:
            return 0
        count = os.preadv(self._handle, [view[:wanted]], self._start + self._at)
        if not count:
            raise StorageError("a file was cut short while it was being put")
        self._at += count
        return count


def _times(a: int, b: int) -> int:
    """Return the product of two polynomials modulo that of CRC-32."""
    product = 0
    while a:
        if a & _ONE:
            product ^= b
        a = (a << 1) & 0xFFFFFFFF
        b = (b >> 1) ^ (_POLYNOMIAL if b & 1 else 0)
    return product


@functools.lru_cache(maxsize=64)
def _shift(length: int) -> int:
    """Return x to the number of bits in ``length`` bytes, modulo that polynomial."""
    result, square, bits = _ONE, _ONE >> 1, length * 8
    while bits:
        if bits & 1:
            result = _times(result, square)
        square = _times(square, square)
        bits >>= 1
    return result
