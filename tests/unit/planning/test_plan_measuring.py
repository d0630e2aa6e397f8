"""How whole outputs are compared with their source, word for word."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from planning_media import FILM, plans_of, with_picture

from media_nommer.core.errors import ExpectationMissed
from media_nommer.core.media import Media
from media_nommer.core.recipes.base import Expect
from media_nommer.planning.gates import check_expected
from media_nommer.planning.measuring import measured_in, measuring_command
from media_nommer.planning.plan import renditions_of

LOG = [
    "[Parsed_ssim_6 @ 0x1] [info] SSIM Y:0.98 (18.9) U:0.99 (21) V:0.99 (20) All:0.986612 "
    "(18.733)",
    "[Parsed_psnr_7 @ 0x2] [info] PSNR y:39.1 u:44 v:45 average:40.327 min:36.0 max:inf",
    "[Parsed_libvmaf_5 @ 0x3] [info] VMAF score: 94.126783",
]


def film(*metrics: str, **video: Any) -> dict[str, Any]:
    return {"video": video, "audio": None, "measure": metrics or ("vmaf",)}


def graph_of(media: Media, output: dict[str, Any], **of_input: object) -> str:
    (plan,) = plans_of(media, output, **of_input)
    words = measuring_command(media, plan, "out.mp4", source="source", threads=2)
    return words[words.index("-filter_complex") + 1]


def test_an_output_is_enlarged_to_its_source_and_compared_frame_by_frame() -> None:
    (plan,) = plans_of(FILM, film("vmaf", "psnr", height=360))

    argv = measuring_command(FILM, plan, "out.mp4", source="source", threads=2)

    assert argv == (
        *("-threads", "2", "-i", "source", "-threads", "2", "-i", "out.mp4"),
        *("-filter_complex_threads", "2", "-filter_complex"),
        "[0:0]scale=1280:720:out_range=tv,setsar=1,format=yuv420p[v0];"
        "[v0]settb=1/25,setpts=N,split=2[r0][r1];"
        "[1:v:0]scale=1280:720:flags=bicubic,setsar=1,format=yuv420p,"
        "settb=1/25,setpts=N,split=2[m0][m1];"
        "[m0][r0]libvmaf=n_threads=2[vmaf];[m1][r1]psnr[psnr]",
        *("-map", "[vmaf]", "-map", "[psnr]", "-f", "null", "-"),
    )


@pytest.mark.parametrize(
    ("video", "reference", "enlarged"),
    [
        pytest.param({}, "scale=1280:720", "[1:v:0]format=", id="its size is kept"),
        pytest.param(
            {"height": 1080, "upscale": True},
            "scale=1920:1080",
            "[1:v:0]format=",
            id="it is larger than its source",
        ),
        pytest.param(
            {"width": 360, "height": 360, "resize": "fill"},
            "crop=720:720:280:0,scale=720:720",
            "scale=720:720:flags=bicubic",
            id="cut off at the sides",
        ),
        pytest.param(
            {"width": 640, "height": 640, "resize": "pad"},
            "scale=1280:720",
            "[1:v:0]crop=640:360:0:140,scale=1280:720:flags=bicubic",
            id="what lies around it is no part of the source",
        ),
        pytest.param(
            {"height": 360, "fade_in": 1},
            "format=yuv420p,fade=t=in:st=0:d=1[v0]",
            "scale=1280:720:flags=bicubic",
            id="a fade is no loss",
        ),
        pytest.param(
            {"max_frame_rate": 12},
            "fps=12,scale=1280:720",
            "[1:v:0]format=",
            id="the frames that were left out are missed on neither side",
        ),
        pytest.param(
            {"bit_depth": 10},
            "format=yuv420p10le[v0]",
            "[1:v:0]format=yuv420p10le",
            id="ten bits",
        ),
    ],
)
def test_what_is_meant_to_differ_is_done_to_both(
    video: dict[str, Any], reference: str, enlarged: str
) -> None:
    graph = graph_of(FILM, film(**video))

    assert reference in graph.partition(";")[0]
    assert enlarged in graph


def test_a_wide_pixel_is_squared_and_a_turned_picture_upright_before() -> None:
    turned = with_picture(
        width=720, height=576, sample_aspect=Fraction(64, 45), rotation=90
    )

    graph = graph_of(turned, film(height=320, crop={"aspect": "1:1"}))

    assert "crop=576:404:0:158,scale=576:574" in graph


def test_of_a_part_of_the_source_only_that_is_read() -> None:
    (plan,) = plans_of(FILM, film(), start=60, duration=10)

    argv = measuring_command(FILM, plan, "out.mp4", source="source", threads=2)

    assert argv[2:6] == ("-noaccurate_seek", "-ss", "58.000000", "-i")
    graph = argv[argv.index("-filter_complex") + 1]
    assert graph.startswith("[0:0]trim=start=1.999500:end=11.999500")


def test_each_rendition_of_the_picture_is_measured() -> None:
    output = {"kind": "adaptive", "measure": ["ssim"], "ladder": [{"height": 360}]}
    (plan,) = plans_of(FILM, output)

    assert [part.measure for part in renditions_of(plan)] == [("ssim",), ()]


def test_a_log_tells_each_metric() -> None:
    found = measured_in(LOG, ("vmaf", "ssim", "psnr"))

    assert found == {"vmaf": 94.13, "ssim": 0.98661, "psnr": 40.33}


def test_what_has_no_difference_has_a_psnr_all_the_same() -> None:
    assert measured_in(["PSNR y:inf average:inf min:inf"], ("psnr",)) == {"psnr": 100.0}


def test_what_a_log_does_not_tell_is_left_out() -> None:
    assert measured_in(LOG[:2], ("vmaf", "ssim")) == {"ssim": 0.98661}


def test_a_vmaf_that_is_expected_is_measured() -> None:
    (plan,) = plans_of(FILM, {"video": {}, "expect": {"min_vmaf": 90}, "measure": ["psnr"]})

    assert plan.measure == ("psnr", "vmaf")


def test_a_source_without_a_picture_has_nothing_to_measure() -> None:
    song = replace(FILM, video=())

    (plan,) = plans_of(song, {"kind": "adaptive", "measure": ["vmaf"]})

    assert plan.measure == ()


@pytest.mark.parametrize(
    ("facts", "missed"),
    [
        ({"measured": {"vmaf": 91.0}}, None),
        (
            {"measured": {"vmaf": 89.99}},
            "it comes to a VMAF of 89.99, and at least 90 is expected",
        ),
        ({"measured": {"psnr": 40}}, "nothing tells its VMAF"),
        ({}, "nothing tells its VMAF"),
    ],
)
def test_the_vmaf_is_a_gate(facts: dict[str, object], missed: str | None) -> None:
    expect = Expect(min_vmaf=90)

    if missed is None:
        check_expected(expect, 1, facts)
    else:
        with pytest.raises(ExpectationMissed, match=missed):
            check_expected(expect, 1, facts)
