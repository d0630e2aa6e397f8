"""Headers that say where a file ends are read right, and distrusted where they lie."""

import pytest

from media_nommer.adapters.ffmpeg.truncation import matroska_end, riff_end

EBML = bytes.fromhex("1a45dfa3 84 42868101")
SEGMENT = bytes.fromhex("18538067")


@pytest.mark.parametrize(
    ("head", "end"),
    [
        pytest.param(EBML + SEGMENT + b"\x8a", 9 + 4 + 1 + 10, id="one byte of size"),
        pytest.param(
            EBML + SEGMENT + b"\x01" + (1000).to_bytes(7, "big"),
            21 + 1000,
            id="eight bytes",
        ),
        pytest.param(EBML + SEGMENT + b"\x01" + b"\xff" * 7, 0, id="a live stream"),
        pytest.param(EBML + SEGMENT, 0, id="cut before the size"),
        pytest.param(EBML[:3], 0, id="cut in the first header"),
        pytest.param(b"\0" * 64, 0, id="zeros"),
        pytest.param(b"", 0, id="nothing"),
    ],
)
def test_where_a_matroska_file_says_it_ends(head: bytes, end: int) -> None:
    assert matroska_end(head) == end


@pytest.mark.parametrize(
    ("size", "end"),
    [
        pytest.param(100_000, 100_008 - 4096, id="said"),
        pytest.param(0, 0, id="never filled in"),
        pytest.param(0xFFFF_FFFF, 0, id="written to a pipe"),
        pytest.param(0x7FFF_FFFF, 0, id="written to a pipe by others"),
    ],
)
def test_where_a_riff_file_says_it_ends(size: int, end: int) -> None:
    assert riff_end(b"RIFF" + size.to_bytes(4, "little") + b"WAVE") == end


def test_what_is_no_riff_file_says_nothing() -> None:
    assert riff_end(b"RF64aaaaWAVE") == 0
