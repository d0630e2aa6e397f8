"""Black bars: when they are sure, and what a recipe then says."""

from dataclasses import replace
from fractions import Fraction

from planning_media import FILM, PICTURE, joined_of, plans_of, recipe_of, with_picture

from media_nommer.planning.inputs.bars import (
    NO_BARS,
    Bars,
    Profile,
    bars_commands,
    bars_in,
    profile_in,
    watched_of,
    without_bars,
)
from media_nommer.planning.inputs.joining import Film
from media_nommer.planning.outputs import plan_outputs
from media_nommer.planning.pictures.sizes import Size

AUTO = {"name": "a.mp4", "video": {"crop": "auto"}}


def moment(top: int = 0, bottom: int = 0, *, lit: float = 1.0, side: int = 0) -> Profile:
    """Return a moment of a picture of 100 x 100, and of how much of it is lit."""
    rows, columns = (100 - 2 * side) / 100 * lit, (100 - top - bottom) / 100 * lit
    return Profile(
        (*[0.0] * top, *[rows] * (100 - top - bottom), *[0.0] * bottom),
        (*[0.0] * side, *[columns] * (100 - 2 * side), *[0.0] * side),
    )


def test_what_is_dark_at_every_moment_and_ends_straight_is_a_bar() -> None:
    assert bars_in([[moment(12, 10)] * 8]) == Bars(top=12, bottom=10)


def test_bars_all_around_are_found() -> None:
    assert bars_in([[moment(12, 12, side=10)] * 8]) == Bars(10, 10, 12, 12)


def test_an_odd_bar_is_cut_to_the_next_even_row() -> None:
    assert bars_in([[moment(11, 11)] * 8]) == Bars(top=12, bottom=12)


def test_a_film_without_bars_keeps_all_of_its_picture() -> None:
    assert bars_in([[moment()] * 8]) == NO_BARS


def test_dark_scenes_neither_make_bars_nor_hide_them() -> None:
    dark = [moment(40, 30, lit=0.2)] * 10

    assert bars_in([[moment()] * 6 + dark]) == NO_BARS
    assert bars_in([[moment(12, 12)] * 6 + dark]) == Bars(top=12, bottom=12)
    assert bars_in([dark]) == NO_BARS


def test_what_is_lit_in_a_bar_once_keeps_both() -> None:
    subtitled = Profile((*[0.0] * 12, *[1.0] * 78, *[0.3] * 6, *[0.0] * 4), (0.9,) * 100)

    assert bars_in([[moment(12, 10)] * 8 + [subtitled]]) == NO_BARS


def test_pictures_of_several_shapes_leave_the_bars_that_all_have() -> None:
    assert bars_in([[moment(20, 20)] * 6 + [moment(10, 10)] * 6]) == Bars(top=10, bottom=10)


def test_a_small_thing_on_black_is_no_picture_with_bars() -> None:
    assert bars_in([[moment(35, 35, side=30)] * 8]) == NO_BARS


def test_black_alone_has_no_bars() -> None:
    assert bars_in([[moment(50, 50)] * 8]) == NO_BARS
    assert bars_in([]) == NO_BARS


def test_moments_are_looked_for_all_over_the_part_that_is_taken() -> None:
    recipe = recipe_of(AUTO, start=100, duration=50)

    commands = bars_commands(watched_of(Film(FILM, "source"), recipe))

    times = [
        float(one.argv[n + 1])
        for one in commands
        for n, word in enumerate(one.argv)
        if word == "-ss"
    ]
    assert len(times) == 24
    assert times == sorted(times)
    assert 101 <= times[0] < times[-1] <= 149


def test_what_is_left_of_a_moment_is_read_if_it_is_of_the_films_size() -> None:
    small = Size(4, 2)

    found = profile_in(bytes([255] * 64 + [0] * 64), bytes([255, 0, 0, 255] * 64), small)

    assert found == Profile((1.0, 0.0), (1.0, 0.0, 0.0, 1.0))
    assert profile_in(b"", b"", small) is None


def test_bars_become_a_crop_in_pixels_as_shown() -> None:
    anamorphic = with_picture(width=720, height=576, sample_aspect=Fraction(64, 45))
    recipe = recipe_of(AUTO, {"name": "b.mp4", "video": {}})

    settled = without_bars(
        recipe, Film(anamorphic, "source"), Bars(left=0, right=0, top=72, bottom=72)
    )

    first, second = plan_outputs(anamorphic, settled, stem="film")
    assert first.video is not None
    assert second.video is not None
    assert (first.video.width, first.video.height) == (1024, 432)
    assert (second.video.width, second.video.height) == (1024, 576)


def test_where_no_bars_are_sure_nothing_is_cut_off() -> None:
    settled = without_bars(recipe_of(AUTO), Film(FILM, "source"), NO_BARS)

    (plan,) = plan_outputs(FILM, settled, stem="film")
    assert plan.video is not None
    assert plan.video.shape.crop is None


def test_what_is_only_planned_is_planned_without_a_crop() -> None:
    (plan,) = plans_of(FILM, AUTO)

    assert plan.video is not None
    assert plan.video.height == 720


def test_it_is_enough_that_one_input_shows_the_edge_of_bars_that_all_have() -> None:
    wide, wider = [moment(10, 10)] * 6, [moment(20, 20)] * 40
    night = [moment(30, 30, lit=0.01)] * 6

    assert bars_in([wide, wider]) == Bars(top=10, bottom=10)
    assert bars_in([wider, night]) == Bars(top=20, bottom=20)
    assert bars_in([wider, [moment()] * 6]) == NO_BARS


def test_what_is_lit_in_an_input_that_is_all_in_the_dark_is_not_cut_off() -> None:
    title = Profile((*[0.0] * 5, *[0.3] * 4, *[0.0] * 91), (*[0.0] * 40, *[0.04] * 60))

    assert bars_in([[moment(20, 20)] * 12, [title] * 6]) == NO_BARS


def test_each_input_is_looked_at_as_large_as_it_is_in_the_film() -> None:
    tall = replace(PICTURE, width=720, height=576, sample_aspect=Fraction(64, 45))
    found = [
        replace(FILM, duration=100.0),
        replace(FILM, duration=20.0, video=(replace(tall, duration=20.0),)),
    ]
    inputs = [{"start": 40, "end": 90}, {}]
    film, _ = joined_of(found, AUTO, of_inputs=inputs)

    commands = bars_commands(watched_of(film, recipe_of(AUTO)))

    assert [one.place for one in commands] == [0, 0, 0, 1, 1]
    assert {one.size for one in commands} == {Size(1280, 720)}
    first, last = commands[0].argv, commands[-1].argv
    assert first[first.index("-i") + 1] == "source"
    assert float(first[first.index("-ss") + 1]) > 40
    assert last[last.index("-i") + 1] == "source-1"
    graph = last[last.index("-filter_complex") + 1]
    assert "[0:0]scale=1280:720:out_range=tv,setsar=1,scale=out_range=pc" in graph


def test_bars_of_a_joined_film_become_a_crop_of_it() -> None:
    film, _ = joined_of([FILM, FILM], AUTO)

    settled = without_bars(recipe_of(AUTO), film, Bars(top=40, bottom=40))

    (plan,) = plan_outputs(film.media, settled, stem="film")
    assert plan.video is not None
    assert (plan.video.width, plan.video.height) == (1280, 640)
