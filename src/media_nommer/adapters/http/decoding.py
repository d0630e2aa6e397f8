"""Undoing what a server did to the bytes for the way, though it was asked not to."""

import zlib
from collections.abc import Iterator, Sequence

from media_nommer.adapters.http.trouble import Interrupted
from media_nommer.core.errors import SourceRefused

#: How much comes out at once, however well it was packed: 1 MiB.
_PIECE = 1 << 20
_GZIP = zlib.MAX_WBITS | 16


def decoded(pieces: Iterator[bytes], encodings: Sequence[str]) -> Iterator[bytes]:
    """Return the bytes as they were before ``encodings``.

    Raises:
        SourceRefused: one of them cannot be undone here.
        Interrupted: the bytes end early, or are damaged.
    """
    for encoding in reversed(encodings):
        if encoding in {"gzip", "x-gzip"}:
            pieces = _inflated(pieces, _GZIP)
        elif encoding == "deflate":
            pieces = _deflated(pieces)
        else:
            raise SourceRefused(
                f"the server sends the file encoded ({encoding}), though asked not to",
                advice="Have the server send media files as they are.",
            )
    return pieces


def _deflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Inflate with or without zlib's header, which many servers leave out."""
    first = next((piece for piece in pieces if piece), b"")
    wrapped = first[:1] != b"" and first[0] & 0x0F == zlib.DEFLATED
    wbits = zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
    return _inflated(_joined(first, pieces), wbits)


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _inflated(pieces: Iterator[bytes], wbits: int) -> Iterator[bytes]:
    """Inflate one stream, or several one after another, each to its end."""
    machine, begun = zlib.decompressobj(wbits), False
    for piece in pieces:
        rest = piece
        while rest:
            if machine.eof:
                machine = zlib.decompressobj(wbits)
            begun = True
            try:
                yield machine.decompress(rest, _PIECE)
            except zlib.error as error:
                raise Interrupted("the server sends damaged encoded bytes") from error
            rest = machine.unconsumed_tail or machine.unused_data
    if begun and not machine.eof:
        raise Interrupted("the server's encoded bytes end early")
