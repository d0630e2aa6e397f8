"""Peaks of a sound: from FFmpeg's words to JSON and PNG."""

import json
import struct
import zlib
from dataclasses import replace

import pytest

from media_nommer.core.errors import OutputDamaged
from media_nommer.core.recipes.extras import WaveformPicture
from media_nommer.planning.extras.waveforms import (
    Peaks,
    WaveformPlan,
    as_json,
    as_png,
    check_peaks,
    peaks_in,
)

PLAN = WaveformPlan(stream=1, channels=2, sample_rate=48000, samples_per_pixel=256, bits=16)
SAID = """\
frame:0    pts:0       pts_time:0
lavfi.astats.1.Min_level=-16090.000000
lavfi.astats.1.Max_level=16279.000000
lavfi.astats.2.Min_level=-3.000000
lavfi.astats.2.Max_level=40000.000000
frame:1    pts:256     pts_time:0.00533333
lavfi.astats.1.Min_level=-32768.000000
lavfi.astats.1.Max_level=0.000000
lavfi.astats.2.Min_level=5.000000
lavfi.astats.2.Max_level=511.000000
"""


def peaks(channels: int = 2) -> Peaks:
    return peaks_in(SAID.splitlines(), channels)


def written(plan: WaveformPlan) -> dict[str, object]:
    document: dict[str, object] = json.loads("".join(as_json(plan, peaks())))
    return document


def test_the_peaks_of_all_channels_are_interleaved_as_audiowaveform_does() -> None:
    assert written(PLAN) == {
        "version": 2,
        "channels": 2,
        "sample_rate": 48000,
        "samples_per_pixel": 256,
        "bits": 16,
        "length": 2,
        "data": [-16090, 16279, -3, 32767, -32768, 0, 5, 511],
    }


def test_eight_bits_are_rounded_towards_nought() -> None:
    assert written(replace(PLAN, bits=8))["data"] == [-62, 63, 0, 127, -128, 0, 0, 1]


def test_a_channel_that_was_not_planned_or_not_measured_is_refused() -> None:
    with pytest.raises(OutputDamaged, match="planned 1 channels"):
        peaks(1)
    with pytest.raises(OutputDamaged, match="not of the same number"):
        peaks_in(SAID.splitlines()[:-1], 2)


def test_a_sound_cut_short_is_refused() -> None:
    plan = replace(PLAN, samples_per_pixel=24_000, duration=1.0)

    check_peaks(plan, peaks())
    with pytest.raises(OutputDamaged, match="planned 200 peaks, the output has 2"):
        check_peaks(replace(plan, duration=100.0), peaks())
    with pytest.raises(OutputDamaged, match="no peaks"):
        check_peaks(plan, peaks_in([], 2))


def test_the_picture_has_a_band_for_each_channel() -> None:
    picture = WaveformPicture(width=16, height=20, color="#ff0000", background="#00ff0080")

    drawn = as_png(picture, peaks())

    size, palette, alpha, pixels = chunks(drawn)
    assert struct.unpack(">II", size[:8]) == (16, 20)
    assert (palette, alpha) == (bytes.fromhex("00ff00ff0000"), b"\x80\xff")
    rows = [pixels[n * 17 + 1 : (n + 1) * 17] for n in range(20)]
    left = [row[0] for row in rows]
    assert left == [0, 0, *[1] * 6, 0, 0, *[1] * 6, *[0] * 4]


def chunks(png: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the head, colours, see-through and pixels of a picture of colours."""
    found: dict[bytes, bytes] = {}
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert png[at + 8 + length : at + 12 + length] == struct.pack(
            ">I", zlib.crc32(kind + data)
        )
        found[kind] = data
        at += 12 + length
    pixels = zlib.decompress(found[b"IDAT"])
    return found[b"IHDR"], found[b"PLTE"], found[b"tRNS"], pixels
