"""What becomes of fields and of high dynamic range."""

from typing import Any

import pytest
from planning_media import graph_of, plans_of, with_picture

PQ = with_picture(
    codec="hevc",
    pixel_format="yuv420p10le",
    bit_depth=10,
    color_transfer="smpte2084",
    color_primaries="bt2020",
    color_space="bt2020nc",
)
FIELDS = with_picture(interlaced=True)
MAPPED = (
    "setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084,"
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,"
    "tonemap=tonemap=mobius:param=0.7:peak=49.261:desat=0,zscale=t=bt709:m=bt709:r=tv,"
    "sidedata=mode=delete:type=MASTERING_DISPLAY_METADATA,"
    "sidedata=mode=delete:type=CONTENT_LIGHT_LEVEL"
)


def test_high_dynamic_range_becomes_standard_in_eight_bits_once_for_all_sizes() -> None:
    found = graph_of(
        PQ, {"name": "a.mp4", "video": {}}, {"name": "b.mp4", "video": {"height": 360}}
    )

    assert found == (
        "[0:0]scale=1280:720:out_range=tv,setsar=1,format=yuv420p10le,"
        f"{MAPPED},format=yuv420p,split=2[v0][s1];"
        "[s1]scale=640:360:out_range=tv,setsar=1[v1]"
    )


def test_a_thumbnail_of_a_high_dynamic_range_is_a_standard_one() -> None:
    found = graph_of(PQ, {"kind": "thumbnails", "times": [0]}, {"name": "a.m4a"})

    assert f"scale=1280:720:out_range=tv,setsar=1,format=yuv420p10le,{MAPPED}," in found


@pytest.mark.parametrize(
    ("video", "mapped", "depth"),
    [
        ({"codec": "h264"}, True, 8),
        ({"codec": "h264", "bit_depth": 10}, True, 10),
        ({"codec": "hevc"}, True, 8),
        ({"codec": "hevc", "bit_depth": 10}, False, 10),
        ({"codec": "hevc", "bit_depth": 10, "hdr": "sdr"}, True, 10),
        ({"codec": "av1", "hdr": "keep"}, False, 10),
        ({"codec": "vp9", "profile": None, "bit_depth": 10}, False, 10),
        ({"codec": "prores"}, False, 10),
    ],
)
def test_when_high_dynamic_range_is_kept(
    video: dict[str, Any], *, mapped: bool, depth: int
) -> None:
    (plan,) = plans_of(PQ, {"container": "mkv", "video": video})

    assert plan.video is not None
    assert (plan.video.tone_mapped, plan.video.bit_depth) == (mapped, depth)


def test_a_standard_film_is_never_tone_mapped_nor_made_deeper() -> None:
    (plan,) = plans_of(with_picture(), {"video": {"codec": "hevc", "hdr": "keep"}})

    assert plan.video is not None
    assert (plan.video.tone_mapped, plan.video.bit_depth) == (False, 8)


SCALE = "scale=1280:720:out_range=tv,setsar=1,format=yuv420p"


@pytest.mark.parametrize(
    ("said", "chain"),
    [
        ("auto", f"bwdif=mode=send_frame:deint=interlaced,{SCALE}"),
        ("on", f"bwdif=mode=send_frame:deint=all,{SCALE}"),
        ("off", SCALE),
    ],
)
def test_fields(said: str, chain: str) -> None:
    assert graph_of(FIELDS, {"video": {"deinterlace": said}}) == f"[0:0]{chain}[v0]"


def test_outputs_may_differ_in_what_becomes_of_fields() -> None:
    found = graph_of(
        FIELDS,
        {"name": "a.mp4", "video": {}},
        {"name": "b.mp4", "video": {"deinterlace": "off", "height": 360}},
    )

    assert found == (
        "[0:0]split=2[s0][s1];"
        f"[s0]bwdif=mode=send_frame:deint=interlaced,{SCALE}[v0];"
        "[s1]scale=640:360:out_range=tv,setsar=1,format=yuv420p[v1]"
    )
