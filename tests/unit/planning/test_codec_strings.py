"""The names of codecs, from what containers keep for decoders."""

from fractions import Fraction
from typing import Any

import pytest

from media_nommer.planning.codec_strings import Coded, codec_string

AVCC = bytes.fromhex("01640028ffe1")
SPS = bytes.fromhex("0000000167640028ac")
HVCC = bytes.fromhex("0101600000009000000000005d")
HEVC_UNITS = bytes.fromhex(
    "000000014001"  # a unit of another kind before it
    "0000000142010101600000030090000003000003005da0"
)
AV1C = bytes.fromhex("81084c00")


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"codec": "h264", "extradata": AVCC}, "avc1.640028"),
        ({"codec": "h264", "extradata": SPS}, "avc1.640028"),
        ({"codec": "hevc", "extradata": HVCC}, "hvc1.1.6.L93.90"),
        ({"codec": "hevc", "extradata": HEVC_UNITS}, "hvc1.1.6.L93.90"),
        ({"codec": "av1", "extradata": AV1C}, "av01.0.08M.10"),
        (
            {"codec": "vp9", "width": 1280, "height": 720, "rate": Fraction(30)},
            "vp09.00.31.08",
        ),
        (
            {"codec": "vp9", "width": 64, "height": 64, "bit_depth": 10},
            "vp09.02.10.10",
        ),
        (
            {"codec": "vp9", "width": 64, "height": 64, "pixel_format": "yuv444p"},
            "vp09.01.10.08",
        ),
        ({"codec": "aac", "extradata": bytes.fromhex("1210")}, "mp4a.40.2"),
        ({"codec": "aac", "extradata": bytes.fromhex("2b92")}, "mp4a.40.5"),
        ({"codec": "aac"}, "mp4a.40.2"),
        ({"codec": "mp3", "sample_rate": 44100}, "mp4a.6B"),
        ({"codec": "mp3", "sample_rate": 24000}, "mp4a.69"),
        ({"codec": "opus"}, "opus"),
        ({"codec": "eac3"}, "ec-3"),
        ({"codec": "prores", "tag": "apch"}, "apch"),
        ({"codec": "prores", "tag": "[0][0][0][0]"}, None),
        ({"codec": "ffv1"}, None),
        ({"codec": "h264"}, None),
        ({"codec": "h264", "extradata": b"\1\x64"}, None),
        ({"codec": "hevc", "extradata": b"\0\0\1\x42"}, None),
        ({"codec": "av1", "extradata": b"\x81"}, None),
    ],
)
def test_a_codec_is_called_as_players_ask_for_it(
    told: dict[str, Any], name: str | None
) -> None:
    coded = Coded(**{"pixel_format": "yuv420p", **told})

    assert codec_string(coded) == name
