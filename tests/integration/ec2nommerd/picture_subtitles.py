"""Subtitles that are pictures (PGS, as on Blu-ray discs), made byte by byte."""

from struct import pack

_TICKS = 90_000


def white_box(
    canvas: tuple[int, int], place: tuple[int, int], size: tuple[int, int], end: float
) -> bytes:
    """Return a .sup file that shows a white box from its beginning until ``end``."""
    (width, height), (x, y), (across, down) = canvas, place, size
    window = pack(">BHHHH", 0, x, y, across, down)
    shown = pack(">HHBHBBBB", width, height, 0x10, 0, 0x80, 0, 0, 1)
    shown += pack(">HBBHH", 0, 0, 0, x, y)
    palette = bytes([0, 0]) + bytes([1, 235, 128, 128, 255])
    line = bytes([0, 0xC0 | across >> 8, across & 255, 1, 0, 0])
    picture = pack(">HH", across, down) + line * down
    drawn = pack(">HBB", 0, 0, 0xC0) + len(picture).to_bytes(3, "big") + picture
    begin = [
        *((0x16, shown), (0x17, b"\x01" + window), (0x14, palette)),
        *((0x15, drawn), (0x80, b"")),
    ]
    gone = pack(">HHBHBBBB", width, height, 0x10, 1, 0, 0, 0, 0)
    over = [(0x16, gone), (0x17, b"\x01" + window), (0x80, b"")]
    return b"".join(
        b"PG" + pack(">IIBH", int(time * _TICKS), 0, kind, len(data)) + data
        for time, segments in ((0.0, begin), (end, over))
        for kind, data in segments
    )
