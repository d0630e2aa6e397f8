"""The options that each way to encode a picture comes to, word for word."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_media import (
    FILM,
    argv_of,
    encoder_of,
    graph_of,
    plans_of,
    recipe_of,
    with_picture,
)

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.media import Media
from media_nommer.core.recipes.powers import POWERS
from media_nommer.planning.ffmpeg import encode_command
from media_nommer.planning.outputs import plan_outputs
from media_nommer.planning.pictures.timing import exact_rate


def video(container: str = "mp4", **said: Any) -> dict[str, Any]:
    return {"container": container, "video": said, "audio": None}


@pytest.mark.parametrize(
    ("output", "words"),
    [
        pytest.param(
            video(quality=20, max_bitrate=4000, buffer=1.5),
            "-c:v libx264 -preset medium -crf 20 -maxrate:v 4000k -bufsize:v 6000k "
            "-profile:v high -threads:v 2 -g 240",
            id="h264 capped",
        ),
        pytest.param(
            video(bitrate=900, max_bitrate=1200, speed="fast"),
            "-c:v libx264 -preset fast -b:v 900k -maxrate:v 1200k -bufsize:v 2400k "
            "-profile:v high -threads:v 2 -g 240",
            id="h264 average",
        ),
        pytest.param(
            video(
                profile="main", level="4.1", gop=2, fixed_gop=True, b_frames=2, tune="film"
            ),
            "-c:v libx264 -preset medium -crf 22 -profile:v main -level:v 4.1 "
            "-tune film -bf 2 -threads:v 2 -g 48 -keyint_min 48 -sc_threshold 0",
            id="h264 in every detail",
        ),
        pytest.param(
            video(bit_depth=10),
            "-c:v libx264 -preset medium -crf 22 -profile:v high10 -threads:v 2 -g 240",
            id="h264 10 bits",
        ),
        pytest.param(
            video(codec="hevc"),
            "-c:v libx265 -preset medium -crf 26 -profile:v main -x265-params "
            "log-level=error:pools=2:frame-threads=1:open-gop=0 -tag:v hvc1 -g 240",
            id="hevc",
        ),
        pytest.param(
            video(
                "mkv",
                codec="hevc",
                bit_depth=10,
                level="5.1",
                gop=4,
                fixed_gop=True,
                tune="grain",
                bitrate=3000,
            ),
            "-c:v libx265 -preset medium -b:v 3000k -profile:v main10 -tune grain "
            "-x265-params log-level=error:pools=2:frame-threads=1:open-gop=0:scenecut=0:"
            "level-idc=5.1 -g 96 -keyint_min 96",
            id="hevc in every detail",
        ),
        pytest.param(
            video("webm", codec="vp9", max_bitrate=2000),
            "-c:v libvpx-vp9 -deadline good -cpu-used 3 -crf 32 -b:v 2000k "
            "-maxrate:v 2000k -bufsize:v 4000k -row-mt 1 -tile-columns 2 -threads:v 2 "
            "-g 240",
            id="vp9 capped",
        ),
        pytest.param(
            video("webm", codec="vp9", bitrate=2000, bit_depth=10),
            "-c:v libvpx-vp9 -deadline good -cpu-used 3 -b:v 2000k -row-mt 1 "
            "-tile-columns 2 -threads:v 2 -g 240",
            id="vp9 average",
        ),
        pytest.param(
            video("webm", codec="av1", quality=30, max_bitrate=2000),
            "-c:v libsvtav1 -preset 7 -crf 30 -maxrate:v 2000k -bufsize:v 4000k "
            "-svtav1-params lp=2 -g 240",
            id="av1 capped",
        ),
        pytest.param(
            video("mov", codec="prores", profile="lt"),
            "-c:v prores_ks -profile:v lt -vendor apl0 -threads:v 2",
            id="prores",
        ),
        pytest.param(
            video("mov", codec="dnxhr", profile="hqx"),
            "-c:v dnxhd -profile:v dnxhr_hqx -threads:v 2",
            id="dnxhr",
        ),
        pytest.param(
            video("mkv", codec="ffv1"),
            "-c:v ffv1 -level 3 -coder 1 -context 1 -g 1 -slices 24 -slicecrc 1 "
            "-threads:v 2",
            id="ffv1",
        ),
    ],
)
def test_encoders(output: dict[str, Any], words: str) -> None:
    assert encoder_of(FILM, output) == tuple(words.split())


@pytest.mark.parametrize(
    ("output", "pixels"),
    [
        (video(), "yuv420p"),
        (video(profile="high10"), "yuv420p10le"),
        (video(codec="hevc", bit_depth=10), "yuv420p10le"),
        (video("mov", codec="prores"), "yuv422p10le"),
        (video("mov", codec="prores", profile="4444"), "yuv444p10le"),
        (video("mov", codec="dnxhr"), "yuv422p"),
        (video("mov", codec="dnxhr", bit_depth=10), "yuv422p10le"),
        (video("mov", codec="dnxhr", profile="444"), "yuv444p10le"),
        (video("mkv", codec="ffv1"), "yuv420p"),
        (video("mkv", codec="ffv1", bit_depth=10), "yuv420p10le"),
    ],
)
def test_pixels(output: dict[str, Any], pixels: str) -> None:
    assert graph_of(FILM, output).endswith(f"format={pixels}[v0]")


@pytest.mark.parametrize(
    ("own", "depth", "pixels"),
    [
        ("yuv422p10le", 10, "yuv422p10le"),
        ("yuv444p12le", 12, "yuv444p12le"),
        ("yuvj420p", 8, "yuv420p"),
        ("nv12", 8, "yuv420p"),
        ("gbrp10le", 10, "yuv444p10le"),
    ],
)
def test_ffv1_keeps_the_pixels_of_its_source(own: str, depth: int, pixels: str) -> None:
    source = with_picture(pixel_format=own, bit_depth=depth)

    assert f"format={pixels}" in graph_of(source, video("mkv", codec="ffv1"))


def test_outputs_of_other_pixels_are_not_made_from_each_other() -> None:
    found = graph_of(
        FILM,
        video(),
        {**video(codec="hevc", bit_depth=10, height=360), "name": "b.mp4"},
        {**video(height=360), "name": "c.mp4"},
    )

    assert found == (
        "[0:0]split=2[s0][s2];"
        "[s0]scale=1280:720:out_range=tv,setsar=1,format=yuv420p,split=2[v0][s1];"
        "[s1]scale=640:360:out_range=tv,setsar=1[v2];"
        "[s2]scale=640:360:out_range=tv,setsar=1,format=yuv420p10le[v1]"
    )


def test_a_copy_is_mapped_past_the_graph() -> None:
    argv = argv_of(replace(FILM, title=None), video("mkv", codec="copy"))

    assert argv == (
        *("-threads", "2", "-i", "source", "-map", "0:0"),
        *("-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", "0"),
        *("-c:v", "copy", "-fflags", "+bitexact", "-cues_to_front", "1"),
        *("-f", "matroska", "out-0.mkv"),
    )


def test_a_copy_that_the_container_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidRecipe) as caught:
        plans_of(FILM, video("webm", codec="copy"))

    assert caught.value.message == (
        "outputs[0].video.codec: webm cannot hold a copy of h264; allowed: vp8, vp9, av1, "
        "or another codec from: vp9, av1"
    )


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"level": "3"},
            "3 of h264 has no room for 1280x720 at 24 a second; allowed from: 3.1",
        ),
        (
            {"codec": "hevc", "level": "3.1", "frame_rate": 60},
            "3.1 of hevc has no room for 1280x720 at 60 a second; allowed from: 4",
        ),
    ],
)
def test_a_level_too_low_is_refused(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        plans_of(FILM, video(**said))

    assert caught.value.message == f"outputs[0].video.level: {sentence}"


@pytest.mark.parametrize(
    ("rate", "said", "planned"),
    [
        pytest.param("24", {"max_frame_rate": 30}, None, id="slow enough"),
        pytest.param("60", {"max_frame_rate": 30}, "30", id="every second"),
        pytest.param("50", {"max_frame_rate": 30}, "25", id="every second of 50"),
        pytest.param("60000/1001", {"max_frame_rate": 30}, "30000/1001", id="NTSC"),
        pytest.param("120", {"max_frame_rate": 50}, "40", id="every third"),
        pytest.param("24", {"frame_rate": 29.97}, "30000/1001", id="asked for"),
        pytest.param("25", {"frame_rate": 25}, None, id="asked for and there"),
        pytest.param("1000", {}, None, id="any rate"),
        pytest.param("1000", {"codec": "av1"}, "200", id="faster than its encoder takes"),
    ],
)
def test_frame_rates(rate: str, said: dict[str, Any], planned: str | None) -> None:
    whole = Fraction(rate)
    media = with_picture(
        frame_rate=whole, average_rate=whole, frames=600, duration=float(600 / whole)
    )

    graph = graph_of(media, video(**said))

    fps = f"[0:0]fps={planned}," if planned else "[0:0]"
    assert graph == f"{fps}scale=1280:720:out_range=tv,setsar=1,format=yuv420p[v0]"


def test_key_frames_of_an_unknown_rate_are_asked_for_by_time() -> None:
    media = with_picture(average_rate=Fraction(19))

    words = encoder_of(media, video(gop=2.5, fixed_gop=True))

    assert words[-8:] == (
        *("-g", "14400", "-sc_threshold", "0"),
        *("-force_key_frames:v", "expr:gte(t,n_forced*2.5)", "-forced-idr", "1"),
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (23.976, "24000/1001"),
        (23.98, "24000/1001"),
        (29.97, "30000/1001"),
        (59.94, "60000/1001"),
        (25, "25"),
        (12.5, "25/2"),
        (30, "30"),
    ],
)
def test_the_rate_that_people_mean(said: float, meant: str) -> None:
    assert exact_rate(said) == Fraction(meant)


CODECS = sorted(POWERS)
VIDEOS = st.fixed_dictionaries(
    {"codec": st.sampled_from(CODECS)},
    optional={
        "width": st.integers(16, 4000),
        "height": st.integers(16, 4000),
        "quality": st.floats(0, 63),
        "bitrate": st.integers(10, 10_000),
        "max_bitrate": st.integers(10, 10_000),
        "buffer": st.floats(0.1, 60),
        "profile": st.sampled_from(["main", "high", "main10", "hq", "444", "4444", "lb"]),
        "level": st.sampled_from(["1", "3.1", "4", "5.1", "6.2"]),
        "bit_depth": st.sampled_from([8, 10]),
        "gop": st.floats(0.1, 60),
        "fixed_gop": st.booleans(),
        "frame_rate": st.floats(1, 240),
        "max_frame_rate": st.floats(1, 240),
        "b_frames": st.integers(0, 16),
        "tune": st.sampled_from(["film", "grain"]),
        "resize": st.sampled_from(["fit", "fill", "pad", "stretch"]),
        "upscale": st.booleans(),
        "deinterlace": st.sampled_from(["auto", "on", "off"]),
        "hdr": st.sampled_from(["auto", "keep", "sdr"]),
        "crop": st.fixed_dictionaries(
            {"aspect": st.sampled_from(["1:1", "2.39:1", "9:16"])}
        )
        | st.fixed_dictionaries({"left": st.integers(0, 900), "top": st.integers(0, 900)}),
    },
)
RATES = st.none() | st.sampled_from(
    [Fraction(24), Fraction(30000, 1001), Fraction(1000), Fraction(1, 5), Fraction(90000)]
)
FILMS: st.SearchStrategy[Media] = st.builds(
    with_picture,
    width=st.integers(1, 9000),
    height=st.integers(1, 9000),
    codec=st.sampled_from(["h264", "prores", "vp9"]),
    color_transfer=st.sampled_from([None, "bt709", "smpte2084", "arib-std-b67"]),
    interlaced=st.booleans(),
    frame_rate=RATES,
    average_rate=RATES,
    frames=st.none() | st.integers(1, 10**6),
    duration=st.none() | st.floats(0.001, 10**6),
)


@settings(deadline=None)
@given(
    FILMS, st.lists(VIDEOS, min_size=1, max_size=4), st.sampled_from(["mp4", "mov", "mkv"])
)
def test_every_recipe_that_is_read_is_planned_or_refused_with_a_sentence(
    media: Media, videos: list[dict[str, Any]], container: str
) -> None:
    recipes = [
        {**video(container, **said), "name": f"{number}.{{ext}}"}
        for number, said in enumerate(videos)
    ]
    try:
        plans = plan_outputs(media, recipe_of(*recipes), stem="film")
    except InvalidRecipe as error:
        told = error.message.splitlines()
    else:
        command = encode_command(media, plans, source="source", threads=3)
        told = []
        assert not any("None" in word for word in command.argv)

    assert all(line.startswith("outputs[") for line in told)
