"""What becomes of a picture's shape, and that no recipe makes an impossible one."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_media import FILM, graph_of, plans_of, with_picture

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.media import Media
from media_nommer.planning.pictures.shapes import Shape

SQUARE = {"width": 400, "height": 400}
BIG = {"width": 1920, "height": 1920}


def shape(media: Media, said: dict[str, Any]) -> Shape:
    (plan,) = plans_of(media, {"video": said})
    assert plan.video is not None
    return plan.video.shape


@pytest.mark.parametrize(
    ("said", "chain"),
    [
        pytest.param(SQUARE, "scale=400:224:{},setsar=1,{}", id="fit"),
        pytest.param(
            {**SQUARE, "resize": "fill"},
            "crop=720:720:280:0,scale=400:400:{},setsar=1,{}",
            id="fill",
        ),
        pytest.param(
            {**SQUARE, "resize": "pad", "pad_color": "#20a0FF"},
            "scale=400:224:{},setsar=1,{},pad=400:400:0:88:color=0x20a0FF",
            id="pad",
        ),
        pytest.param(
            {**SQUARE, "resize": "stretch"}, "scale=400:400:{},setsar=1,{}", id="stretch"
        ),
        pytest.param(
            {**BIG, "resize": "fill"},
            "crop=720:720:280:0,scale=720:720:{},setsar=1,{}",
            id="fill, never enlarged",
        ),
        pytest.param(
            {**BIG, "resize": "fill", "upscale": True},
            "crop=720:720:280:0,scale=1920:1920:{},setsar=1,{}",
            id="fill, enlarged",
        ),
        pytest.param(
            {**BIG, "resize": "pad"},
            "scale=1280:720:{},setsar=1,{},pad=1920:1920:320:600:color=0x000000",
            id="pad, never enlarged",
        ),
        pytest.param(
            {**BIG, "resize": "stretch"},
            "scale=1280:720:{},setsar=1,{}",
            id="stretch, never enlarged",
        ),
        pytest.param(
            {"height": 1080, "upscale": True}, "scale=1920:1080:{},setsar=1,{}", id="larger"
        ),
        pytest.param(
            {"upscale": True}, "scale=1280:720:{},setsar=1,{}", id="larger than no box"
        ),
        pytest.param(
            {"crop": {"left": 40, "right": 40, "top": 11}},
            "crop=1200:708:40:10,scale=1200:708:{},setsar=1,{}",
            id="edges",
        ),
        pytest.param(
            {"crop": {"left": 40, "top": 11, "width": 600, "height": 400}},
            "crop=600:400:40:10,scale=600:400:{},setsar=1,{}",
            id="a part of it",
        ),
        pytest.param(
            {"crop": {"aspect": "9:16"}, "height": 360},
            "crop=404:720:438:0,scale=202:360:{},setsar=1,{}",
            id="aspect",
        ),
    ],
)
def test_shapes(said: dict[str, Any], chain: str) -> None:
    wanted = chain.format("out_range=tv", "format=yuv420p")

    assert graph_of(FILM, {"video": said}) == f"[0:0]{wanted}[v0]"


def test_the_box_turns_for_every_way_to_fill_it() -> None:
    upright = with_picture(width=1080, height=1920)

    said = {"width": 640, "height": 480, "turn_box": True, "resize": "fill"}
    found = shape(upright, said)

    assert (found.size.width, found.size.height) == (480, 640)


def test_a_crop_is_told_in_pixels_as_shown() -> None:
    anamorphic = with_picture(width=720, height=576, sample_aspect=Fraction(64, 45))

    found = shape(anamorphic, {"crop": {"left": 512}})

    assert (found.size.width, found.size.height) == (512, 576)
    assert found.crop is not None
    assert (found.crop.x, found.crop.width) == (360, 360)


def test_a_crop_of_a_turned_film_is_of_the_picture_as_shown() -> None:
    found = shape(with_picture(rotation=90), {"crop": {"top": 80}})

    assert found.crop is not None
    assert (found.crop.x, found.crop.y) == (0, 80)
    assert (found.crop.width, found.crop.height) == (720, 1200)


@pytest.mark.parametrize(
    ("size", "crop"),
    [((853, 479), (480, 478)), ((479, 853), (478, 480)), ((64, 3), (4, 2))],
)
def test_a_picture_of_odd_sides_is_cut_and_not_bent(
    size: tuple[int, int], crop: tuple[int, int]
) -> None:
    said = {**SQUARE, "resize": "fill", "upscale": True}

    cut = shape(with_picture(width=size[0], height=size[1]), said).crop

    assert cut is not None
    assert (cut.width, cut.height) == crop


def test_a_crop_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(InvalidRecipe) as caught:
        plans_of(FILM, {"video": {"crop": {"left": 640, "right": 640}}})

    assert caught.value.message == (
        "outputs[0].video.crop: leaves nothing of a picture of 1280x720"
    )


def test_a_padded_picture_is_made_from_a_plain_one_and_never_the_other_way() -> None:
    found = graph_of(
        FILM,
        {"name": "a.mp4", "video": {}},
        {"name": "b.mp4", "video": {**SQUARE, "resize": "pad"}},
        {"name": "c.mp4", "video": {"height": 90}},
    )

    assert found == (
        "[0:0]scale=1280:720:out_range=tv,setsar=1,format=yuv420p,split=3[v0][s1][s2];"
        "[s1]scale=400:224:out_range=tv,setsar=1,pad=400:400:0:88:color=0x000000[v1];"
        "[s2]scale=160:90:out_range=tv,setsar=1[v2]"
    )


SIDES = st.none() | st.integers(16, 4000)
EDGES = st.integers(0, 600)


@settings(deadline=None)
@given(
    st.builds(
        with_picture,
        width=st.integers(1, 9000),
        height=st.integers(1, 9000),
        sample_aspect=st.fractions(0, 20, max_denominator=100),
        rotation=st.sampled_from([0, 90, 180, 270]),
    ),
    st.sampled_from(["fit", "fill", "pad", "stretch"]),
    SIDES,
    SIDES,
    st.booleans(),
    st.none()
    | st.builds(dict, left=EDGES, right=EDGES, top=EDGES, bottom=EDGES)
    | st.builds(dict, aspect=st.sampled_from(["1:1", "16:9", "1:9", "2.39:1"])),
)
def test_every_shape_lies_within_its_source_and_its_box(
    media: Media,
    resize: str,
    width: int | None,
    height: int | None,
    upscale: bool,
    crop: dict[str, Any] | None,
) -> None:
    said = {"resize": resize, "width": width, "height": height, "upscale": upscale}
    try:
        found = shape(media, {**said, "crop": crop})
    except InvalidRecipe as error:
        assert "leaves nothing" in error.message or "needs a width" in error.message  # noqa: PT017
        return

    source = media.video[0]
    across, down = source.width, source.height
    if source.rotation % 180:
        across, down = down, across
    if found.crop:
        cut = found.crop
        assert min(cut.x, cut.y) >= 0
        assert cut.x + cut.width <= across
        assert cut.y + cut.height <= down
    assert found.size.width % 2 == found.size.height % 2 == 0
    assert found.scaled.width <= found.size.width <= max(width or 16384, 2)
    assert found.scaled.height <= found.size.height <= max(height or 16384, 2)


def test_a_crop_beyond_the_picture_is_refused() -> None:
    with pytest.raises(InvalidRecipe) as refused:
        plans_of(FILM, {"video": {"crop": {"left": 1000, "width": 400}}})

    assert refused.value.message == (
        "outputs[0].video.crop: goes beyond a picture of 1280x720"
    )
