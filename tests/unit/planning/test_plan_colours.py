"""Colours of other primaries: where they stay, and where they become BT.709's."""

from dataclasses import replace

import pytest
from planning_media import PICTURE, graph_of, joined_of, plans_of, with_picture

from media_nommer.core.media import Media
from media_nommer.planning.pictures.colours import narrowing

WIDE = with_picture(
    color_primaries="bt2020", color_transfer="bt2020-10", color_space="bt2020nc"
)
DEEP = replace(
    WIDE, video=(replace(WIDE.video[0], pixel_format="yuv420p10le", bit_depth=10),)
)
NARROWED = (
    "zscale=pin=bt2020:tin=bt2020-10:min=bt2020nc:rin=tv:p=bt709:t=bt2020-10:m=bt709:r=tv,"
    "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709"
)


def test_wide_colours_become_those_of_bt709_by_their_light() -> None:
    found = graph_of(WIDE, {"name": "a.mp4", "video": {"height": 360}})

    assert found.endswith(
        f"scale=640:360:out_range=tv,setsar=1,format=yuv420p10le,{NARROWED},format=yuv420p[v0]"
    )


@pytest.mark.parametrize(
    ("video", "narrowed"),
    [
        ({}, True),
        ({"hdr": "keep"}, False),
        ({"codec": "hevc"}, True),
        ({"codec": "hevc", "bit_depth": 10}, False),
        ({"codec": "hevc", "bit_depth": 10, "hdr": "sdr"}, True),
        ({"bit_depth": 10}, True),  # players of 10 bits of H.264 do not know such colours
        ({"codec": "prores"}, False),
        ({"codec": "ffv1"}, False),
        ({"codec": "ffv1", "hdr": "sdr"}, True),
    ],
)
def test_wide_colours_stay_where_players_show_them(
    video: dict[str, object], *, narrowed: bool
) -> None:
    (plan,) = plans_of(WIDE, {"video": video})

    assert plan.video is not None
    assert plan.video.tone_mapped is narrowed


@pytest.mark.parametrize(
    ("told", "begin"),
    [
        ({"color_primaries": "smpte432"}, "zscale=pin=smpte432:tin=bt709:min=bt709:"),
        ({"color_primaries": None, "color_space": "bt2020nc"}, "zscale=pin=bt2020:"),
        (
            {"color_primaries": "bt2020", "color_space": None},
            "zscale=pin=bt2020:tin=bt709:min=bt2020nc",
        ),
        (
            {"color_primaries": "bt2020", "pixel_format": "gbrp"},
            "zscale=pin=bt2020:tin=bt709:min=bt709:",
        ),
        (
            {"color_primaries": "smpte432", "color_transfer": "bt1361e"},
            "zscale=pin=smpte432:tin=bt709:",
        ),
    ],
)
def test_what_is_not_told_of_colours_is_what_players_guess(
    told: dict[str, object], begin: str
) -> None:
    assert begin in graph_of(with_picture(**told), {"name": "a.mp4", "video": {}})


def test_small_pictures_stay_in_the_colours_of_their_standard() -> None:
    old = with_picture(
        width=640, height=480, color_primaries="smpte170m", color_space="smpte170m"
    )

    assert "zscale" not in graph_of(old, {"name": "a.mp4", "video": {}})


def test_jpeg_has_no_primaries_but_those_of_bt709() -> None:
    old = with_picture(color_primaries="smpte170m", color_space="smpte170m")

    found = graph_of(old, {"kind": "thumbnails", "times": [0]}, {"name": "a.m4a"})

    assert f"{narrowing(old.video[0])},format=yuv444p,scale=out_range=pc" in found


@pytest.mark.parametrize("told", ["bt2020", "smpte170m", "bt470bg"])
def test_inputs_of_other_primaries_are_joined_in_those_of_bt709(told: str) -> None:
    other = replace(PICTURE, color_primaries=told)
    found = [with_picture(), Media(format="mov", size=1, duration=10.0, video=(other,))]

    film, _ = joined_of(found, {"name": "a.mp4", "video": {}})

    assert not isinstance(film.source, str)
    assert "zscale" not in film.source.pictures[0]
    assert (
        f"{narrowing(other)},format=yuv420p,setparams=range=tv" in film.source.pictures[1]
    )


def test_red_green_and_blue_of_a_high_dynamic_range_are_told_as_such() -> None:
    bright = with_picture(
        pixel_format="gbrp10le",
        bit_depth=10,
        color_transfer="smpte2084",
        color_primaries="bt2020",
        color_space="gbr",
    )

    kept = graph_of(bright, {"name": "a.mp4", "video": {"codec": "hevc", "bit_depth": 10}})
    made = graph_of(bright, {"name": "a.mp4", "video": {}})

    assert ":out_color_matrix=bt2020," in kept
    assert "color_primaries=bt2020:color_trc=smpte2084[v0]" in kept
    assert ":out_color_matrix=bt2020,setsar=1,format=yuv420p10le,setparams" in made
    assert made.endswith("CONTENT_LIGHT_LEVEL,format=yuv420p[v0]")


def test_the_look_of_ten_bits_is_brought_over_in_ten() -> None:
    found = graph_of(DEEP, {"name": "a.mov", "video": {"codec": "prores", "hdr": "sdr"}})

    assert f"format=yuv422p10le,{NARROWED},format=yuv422p10le" in found
