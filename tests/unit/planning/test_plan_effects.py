"""Noise, sharpness and fades: where they come in the graph, and what cannot be."""

from typing import Any

import pytest
from planning_media import FILM, argv_of, graph_of, plans_of, with_picture

from media_nommer.core.errors import InvalidRecipe

SCALE = "scale=1280:720:out_range=tv,setsar=1,format=yuv420p"


def graph(**said: Any) -> str:
    return graph_of(FILM, {"video": said})


@pytest.mark.parametrize(
    ("said", "filters"),
    [
        ({"denoise": "light"}, "hqdn3d=2:1.5:3:2.25"),
        ({"denoise": "medium"}, "hqdn3d=4:3:6:4.5"),
        ({"sharpen": "strong"}, "unsharp=la=1.3:ca=0"),
        ({"fade_in": 1.5}, "fade=t=in:st=0:d=1.5"),
        ({"fade_out": 2}, "fade=t=out:st=594.458:d=2"),
        (
            {"fade_out": 2, "fade_in": 1, "sharpen": "light", "denoise": "strong"},
            "hqdn3d=8:6:12:9,unsharp=la=0.4:ca=0,fade=t=in:st=0:d=1,"
            "fade=t=out:st=594.458:d=2",
        ),
    ],
)
def test_effects_come_after_the_scaling_in_their_order(
    said: dict[str, Any], filters: str
) -> None:
    assert f"{SCALE},{filters}[" in graph(**said)


def test_fades_are_of_the_whole_picture_with_what_is_put_around_it() -> None:
    said = graph(width=400, height=400, resize="pad", fade_in=1)

    assert said.index("pad=400:400") < said.index("fade=t=in")


def test_a_smaller_picture_comes_from_one_that_is_denoised_already() -> None:
    said = graph_of(
        FILM,
        {"name": "a.mp4", "video": {"height": 720, "denoise": "light"}},
        {"name": "b.mp4", "video": {"height": 360, "denoise": "light"}},
    )

    assert said.count("hqdn3d") == 1


def test_a_smaller_picture_is_sharpened_by_itself() -> None:
    said = graph_of(
        FILM,
        {"name": "a.mp4", "video": {"height": 720, "sharpen": "light"}},
        {"name": "b.mp4", "video": {"height": 360, "sharpen": "light"}},
    )

    assert said.count("unsharp") == 2


def test_pictures_with_and_without_an_effect_have_nothing_to_do_with_each_other() -> None:
    said = graph_of(
        FILM,
        {"name": "a.mp4", "video": {"height": 720, "fade_in": 1}},
        {"name": "b.mp4", "video": {"height": 360}},
    )

    assert said.startswith("[0:0]split=2[s0][s1];")
    assert said.count("fade=") == 1


def test_a_sound_fades_after_all_else() -> None:
    argv = argv_of(FILM, {"video": {}, "audio": {"fade_in": 1, "fade_out": 3}})

    filters = argv[argv.index("-filter:a") + 1]
    assert filters.endswith("afade=t=in:st=0:d=1,afade=t=out:st=593.474:d=3")


def test_a_part_fades_where_the_part_ends() -> None:
    said = graph_of(FILM, {"video": {"fade_out": 1}}, start=60, duration=10)

    assert "fade=t=out:st=9:d=1" in said


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            {"video": {"fade_in": 400, "fade_out": 300}},
            "outputs[0].video.fade_out: 700 s of fades are longer than 596.458 s",
        ),
        (
            {"video": {}, "audio": {"fade_in": 600}},
            "outputs[0].audio.fade_in: 600 s are longer than 596.474 s",
        ),
        (
            {"video": {"codec": "copy", "fade_in": 1}},
            "outputs[0].video.fade_in: copy takes the picture as it is; choose a codec",
        ),
    ],
)
def test_fades_that_cannot_be_are_refused(output: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as refused:
        plans_of(FILM, output)

    assert refused.value.message == sentence


def test_an_end_that_nobody_knows_cannot_fade() -> None:
    endless = with_picture(duration=None, frames=None)
    endless = type(endless)(format="ts", size=1, video=endless.video, audio=())

    with pytest.raises(InvalidRecipe, match="nothing tells how long the source is"):
        plans_of(endless, {"video": {"fade_out": 1}})


def test_the_end_of_a_long_film_fades_to_the_thousandth() -> None:
    said = graph_of(with_picture(duration=36000.123), {"video": {"fade_out": 2}})

    assert "fade=t=out:st=35998.123:d=2" in said
