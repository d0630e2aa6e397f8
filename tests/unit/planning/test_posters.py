"""Which picture stands for a film."""

from planning_media import FILM, PICTURE, with_picture

from media_nommer.planning.extras.posters import Measures, chosen, measures_in, poster_times

BLACK = Measures(light=4, spread=3, blur=0)
WHITE = Measures(light=250, spread=60, blur=3)
FLAT = Measures(light=120, spread=6, blur=2)
DIM = Measures(light=40, spread=60, blur=4)
SOFT = Measures(light=110, spread=90, blur=9)
GOOD = Measures(light=110, spread=90, blur=4)


def test_the_first_good_one_is_taken() -> None:
    assert chosen([BLACK, FLAT, WHITE, GOOD, GOOD]) == 3
    assert chosen([GOOD, BLACK]) == 0


def test_one_that_fades_in_or_is_blurred_waits_for_a_better_one() -> None:
    assert chosen([BLACK, DIM, SOFT, GOOD, GOOD, GOOD]) == 3


def test_of_none_that_is_good_the_one_with_most_to_show_is_taken() -> None:
    assert chosen([BLACK, Measures(light=20, spread=18, blur=1), BLACK]) == 1
    assert chosen([BLACK, BLACK]) == 0


def test_what_ffmpeg_measured_is_read_by_candidate() -> None:
    text = (
        "frame:0    pts:0       pts_time:0\n"
        "lavfi.signalstats.YLOW=0\nlavfi.signalstats.YAVG=0.5\n"
        "lavfi.signalstats.YHIGH=1\nlavfi.blur=-nan\n"
        "frame:1    pts:25      pts_time:2.04\n"
        "lavfi.signalstats.YLOW=29\nlavfi.signalstats.YAVG=122.577\n"
        "lavfi.signalstats.YHIGH=226\nlavfi.blur=3.25\n"
    )

    assert measures_in(text) == (
        Measures(light=0.5, spread=1, blur=0, time=0),
        Measures(light=122.577, spread=197, blur=3.25, time=2.04),
    )


def test_candidates_are_closest_where_films_begin_and_within_five_minutes() -> None:
    times = poster_times(FILM, PICTURE)

    assert len(times) == 24
    assert times[0] == 0
    assert times[1] < 1
    assert 250 < times[-1] < 300
    assert list(times) == sorted(times)


def test_a_film_of_unknown_length_has_candidates_too() -> None:
    media = with_picture(duration=None, frames=None)

    assert poster_times(media, media.video[0])[-1] < 300
