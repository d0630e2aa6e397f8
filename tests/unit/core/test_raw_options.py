"""Which of FFmpeg's own options a recipe may give: none that touches a file (rule 11)."""

import re
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.recipes import parse_recipe
from media_nommer.core.recipes.raw import ALLOWED, PARAMETER_LISTS, raw_problems

ENCODERS = (
    "libx264",
    "libx265",
    "libsvtav1",
    "libaom-av1",
    "libvpx-vp9",
    "aac",
    "libopus",
    "ac3",
)


def recipe(*options: Any, **video: Any) -> Any:
    output = {"video": video, "ffmpeg_options": list(options)}
    return parse_recipe({"inputs": [{"url": "file:///a"}], "outputs": [output]}).outputs[0]


@pytest.mark.parametrize(
    "option",
    [
        ["refs", "4"],
        ["-refs:v", "4"],
        ["aac_coder", "fast"],
        ["metadata:s:a:0", "title=Director's commentary / second cut"],
        ["video_track_timescale", "90000"],
    ],
)
def test_options_that_shape_an_encoding_are_let_through(option: list[str]) -> None:
    assert recipe(option).ffmpeg_options == (tuple(option),)


@pytest.mark.parametrize(
    ("option", "video"),
    [
        (["x264-params", "rc-lookahead=60:no-mbtree=1:deblock=-1,-1"], {}),
        (["x264-params:v", "aq-mode=3"], {"bitrate": 900, "passes": 2}),
        (["x265-params", "sao=0:aq-mode=3"], {"codec": "hevc"}),
        (["svtav1-params", "film-grain=8:tune=0"], {"codec": "av1"}),
        (["aom-params", "deltaq-mode=1"], {"codec": "av1", "bitrate": 900, "passes": 2}),
    ],
)
def test_an_encoder_is_given_a_list_of_its_own_parameters(
    option: list[str], video: dict[str, Any]
) -> None:
    assert recipe(option, **video).ffmpeg_options == (tuple(option),)


@pytest.mark.parametrize(
    ("name", "video", "sentence"),
    [
        (
            "svtav1-params",
            {"codec": "av1", "bitrate": 900, "passes": 2},
            "is for av1 in one pass, by SVT-AV1, and this is av1 in two passes; "
            "allowed: aom-params",
        ),
        (
            "aom-params",
            {"codec": "av1"},
            "is for av1 in two passes, by libaom, and this is av1 in one pass; "
            "allowed: svtav1-params",
        ),
        ("x265-params", {}, "is for hevc, and this is h264 in one pass"),
        ("x264-params", {"codec": "vp9"}, "is for h264, and this is vp9 in one pass"),
        ("x264-params", {"codec": "copy"}, "is for h264, and no picture is encoded here"),
    ],
)
def test_parameters_of_another_encoder_are_refused_by_name(
    name: str, video: dict[str, Any], sentence: str
) -> None:
    """FFmpeg would pass over them, and nobody would hear of it."""
    with pytest.raises(InvalidRecipe) as refused:
        recipe([name, "aq-mode=1"], **video)

    assert f"outputs[0].ffmpeg_options[0]: {name} {sentence}" in refused.value.message


@pytest.mark.parametrize(
    ("option", "what"),
    [
        (["passlogfile", "x"], "'passlogfile' is no option that a recipe may give"),
        (["pass", "2"], "'pass' is no option that a recipe may give"),
        (["x264-params", "pass=1"], "x264-params may not hold 'pass'"),
        (["x264-params", "stats=x"], "x264-params may not hold 'stats'"),
    ],
)
def test_who_reaches_for_the_passes_is_told_the_word_for_them(
    option: list[str], what: str
) -> None:
    with pytest.raises(InvalidRecipe) as refused:
        recipe(option, bitrate=900, passes=2)

    assert f"{what}; `passes` of `video` says how many" in refused.value.message


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (["i", "/etc/passwd"], "'i' is no option that a recipe may give"),
        (["passlogfile", "x"], "'passlogfile' is no option that a recipe may give"),
        (["stats", "x"], "'stats' is no option that a recipe may give"),
        (["filter_script", "x"], "'filter_script' is no option that a recipe may give"),
        (["vf", "movie=/etc/passwd"], "'vf' is no option that a recipe may give"),
        (["f", "tee"], "'f' is no option that a recipe may give"),
        (["map", "0"], "'map' is no option that a recipe may give"),
        (["threads", "64"], "'threads' is no option that a recipe may give"),
        (
            ["ref", "4"],
            "'ref' is no option that a recipe may give; did you mean 'refs'?",
        ),
        (["refs", "../x"], "the value of refs must be a plain word or number"),
        (["x264-params", "stats=/tmp/x"], "x264-params may not hold 'stats'"),
        (["x264-params", "dump-yuv=a"], "x264-params may not hold 'dump-yuv'"),
        (["x264-params", "qpfile=a"], "x264-params may not hold 'qpfile'"),
        (
            ["x265-params", "aq-modes=1"],
            "x265-params may not hold 'aq-modes'; did you mean 'aq-mode'?",
        ),
        (
            ["x265-params", "aq-mode=a/b"],
            "x265-params: the value of aq-mode must be a plain word or number",
        ),
        (["metadata", "no pair"], "the value of metadata must be key=value"),
    ],
)
def test_what_could_touch_another_file_is_refused_by_name(
    option: list[str], sentence: str
) -> None:
    with pytest.raises(InvalidRecipe) as refused:
        recipe(option)

    assert sentence in refused.value.message
    assert "outputs[0].ffmpeg_options[0]" in refused.value.message


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), max_size=3))
def test_nothing_gets_through_that_is_not_listed(options: list[tuple[str, str]]) -> None:
    if list(raw_problems(options, "here")):
        return

    for name, value in options:
        assert re.sub(r":.*", "", name.removeprefix("-")) in ALLOWED
        assert "\n" not in value
        assert "/" not in value or name.lstrip("-").startswith("metadata")


def test_every_listed_option_of_an_encoder_takes_no_text_that_could_be_a_name() -> None:
    """As the FFmpeg that is used describes its own options."""
    named: dict[str, set[str]] = {}
    for encoder in ENCODERS:
        said = subprocess.run(
            [find_ffmpeg(), "-hide_banner", "-h", f"encoder={encoder}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name, kind in re.findall(r"^ {1,3}-(\S+) +<(\w+)>", said, re.MULTILINE):
            named.setdefault(name, set()).add(kind)

    texts = {name for name in ALLOWED & named.keys() if "string" in named[name]}
    assert texts <= {"deblock", "psy-rd", "partitions"}
    assert named["x264-params"] == {"dictionary"}
    assert not {"stats", "passlogfile", "x264opts", "x265-stats"} & ALLOWED
    files = {"stats", "qpfile", "cqmfile", "dump-yuv", "opencl-clbin", "analysis-save"}
    assert not any(files & keys for keys in PARAMETER_LISTS.values())
