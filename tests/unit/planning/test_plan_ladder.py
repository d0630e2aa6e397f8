"""Which renditions a film is streamed in."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_nommer.core.recipes.codecs import VideoCodec
from media_nommer.planning.pictures.sizes import Size
from media_nommer.planning.streaming.ladder import (
    LEAST_STEP,
    auto_ladder,
    share_of_source,
    usual_kbits,
)

sides = st.integers(1, 2160).map(lambda half: 2 * half)
sizes = st.builds(Size, sides, sides)
codecs: st.SearchStrategy[VideoCodec] = st.sampled_from(["h264", "hevc", "vp9", "av1"])
rates = st.none() | st.floats(1, 240)
shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("top", "rate", "kbits", "rungs"),
    [
        pytest.param(
            *((1920, 1080), 30, None),
            [
                "1920x1080@5000",
                "1280x720@2700",
                "960x540@1750",
                "640x360@950",
                "426x240@500",
            ],
            id="full HD",
        ),
        pytest.param(
            *((1280, 720), 60, None),
            ["1280x720@3850", "960x540@2500", "640x360@1350", "426x240@750"],
            id="twice the frames take 1.4 times the bits",
        ),
        pytest.param(
            *((1600, 900), 30, None),
            ["1600x900@3800", "960x540@1750", "640x360@950", "426x240@500"],
            id="720p is too near to 900p",
        ),
        pytest.param(
            *((720, 1280), 30, None),
            ["720x1280@2700", "540x960@1750", "360x640@950", "240x426@500"],
            id="an upright film",
        ),
        pytest.param(
            *((1280, 536), 24, None),
            ["1280x536@1950", "960x402@1250", "640x268@700", "426x178@350"],
            id="a wide film",
        ),
        pytest.param(
            *((1920, 1080), 30, 1000.0),
            [
                "1920x1080@2500",
                "1280x720@1350",
                "960x540@900",
                "640x360@500",
                "426x240@250",
            ],
            id="a source of few bits has no use for many",
        ),
        pytest.param((320, 180), 25, None, ["320x180@300"], id="a small film"),
        pytest.param((2, 2), None, None, ["2x2@100"], id="next to nothing"),
    ],
)
def test_ladders(
    top: tuple[int, int], rate: float | None, kbits: float | None, rungs: list[str]
) -> None:
    share = share_of_source(Size(*top), kbits, codec="h264", rate=rate)
    steps = auto_ladder(Size(*top), rate=rate, share=share)

    said = [f"{s.size.width}x{s.size.height}@{s.max_bitrate}" for s in steps]
    assert said == rungs


@settings(deadline=None)
@given(sizes, codecs, rates, shares)
def test_no_ladder_goes_above_its_source_or_has_rungs_too_near(
    top: Size, codec: VideoCodec, rate: float | None, share: float
) -> None:
    steps = auto_ladder(top, codec=codec, rate=rate, share=share)

    assert steps[0].size == top
    assert len(steps) <= 8
    for above, below in itertools.pairwise(steps):
        assert below.size.width < above.size.width
        assert below.size.height < above.size.height
        assert below.max_bitrate * LEAST_STEP <= above.max_bitrate
    assert all(s.size.width % 2 == s.size.height % 2 == 0 for s in steps)


@settings(deadline=None)
@given(sizes, sizes, codecs, rates)
def test_more_pixels_never_take_fewer_bits(
    one: Size, other: Size, codec: VideoCodec, rate: float | None
) -> None:
    small, large = sorted((one, other), key=lambda size: size.width * size.height)

    assert usual_kbits(small, codec=codec, rate=rate) <= usual_kbits(
        large, codec=codec, rate=rate
    )


@pytest.mark.parametrize("codec", ["hevc", "vp9", "av1"])
def test_newer_codecs_take_fewer_bits(codec: VideoCodec) -> None:
    assert usual_kbits(Size(1920, 1080), codec=codec) < usual_kbits(Size(1920, 1080))


@given(sizes, st.floats(1, 200_000), st.sampled_from(["h264", "hevc", "mpeg2video"]), rates)
@settings(deadline=None)
def test_more_bits_in_the_source_are_never_of_less_use(
    shown: Size, kbits: float, codec: str, rate: float | None
) -> None:
    share = share_of_source(shown, kbits, codec=codec, rate=rate)

    assert 0 < share <= 1
    assert share <= share_of_source(shown, kbits * 2, codec=codec, rate=rate)


def test_a_thrifty_codec_says_more_with_the_same_bits() -> None:
    shares = [
        share_of_source(Size(1920, 1080), 500, codec=codec, rate=30)
        for codec in ("mpeg2video", "h264", "hevc")
    ]

    assert shares == [0.25, 0.25, pytest.approx(0.25 / 0.6)]
    assert share_of_source(Size(1920, 1080), None, codec="h264", rate=30) == 1
