"""From media and recipe to exact facts, and what is refused."""

from dataclasses import replace
from fractions import Fraction

import pytest
from planning_media import (
    FILM,
    PICTURE,
    SILENT,
    SONG,
    SOUND,
    plans_of,
    recipe_of,
    with_picture,
)

from media_nommer.core.errors import InvalidRecipe, MediaError, NoStreams
from media_nommer.core.media import Media
from media_nommer.planning.outputs import plan_outputs
from media_nommer.planning.pictures.timing import timing_of


@pytest.mark.parametrize(
    ("picture", "video", "size"),
    [
        pytest.param({}, {"height": 360}, (640, 360), id="box"),
        pytest.param({}, {"height": 2160}, (1280, 720), id="never upscaled"),
        pytest.param({"width": 853, "height": 479}, {}, (852, 478), id="odd"),
        pytest.param({"rotation": 90}, {}, (720, 1280), id="turned"),
        pytest.param({"rotation": 180}, {}, (1280, 720), id="upside down"),
        pytest.param(
            {"width": 720, "height": 576, "sample_aspect": Fraction(64, 45)},
            {},
            (1024, 576),
            id="anamorphic",
        ),
        pytest.param(
            {"width": 720, "height": 480, "sample_aspect": Fraction(8, 9)},
            {},
            (720, 540),
            id="narrow pixels",
        ),
        pytest.param(
            {
                "width": 720,
                "height": 576,
                "sample_aspect": Fraction(64, 45),
                "rotation": 270,
            },
            {"height": 512},
            (288, 512),
            id="anamorphic and turned",
        ),
        pytest.param({"sample_aspect": Fraction(0)}, {}, (1280, 720), id="no aspect"),
        pytest.param({"sample_aspect": Fraction(999)}, {}, (1280, 720), id="mad aspect"),
        pytest.param(
            {"width": 1080, "height": 1920},
            {"width": 640, "height": 360, "turn_box": True},
            (360, 640),
            id="box turned",
        ),
        pytest.param(
            {"width": 1080, "height": 1920},
            {"width": 640, "height": 360},
            (202, 360),
            id="box not turned",
        ),
        pytest.param({"width": 1, "height": 1}, {}, (2, 2), id="one pixel"),
    ],
)
def test_sizes(
    picture: dict[str, object], video: dict[str, object], size: tuple[int, int]
) -> None:
    (plan,) = plans_of(with_picture(**picture), {"video": video})

    assert plan.video is not None
    assert (plan.video.width, plan.video.height) == size


@pytest.mark.parametrize(
    ("picture", "kind", "frames"),
    [
        pytest.param({}, "constant", 14315, id="plain film"),
        pytest.param({"average_rate": Fraction(20)}, "source", None, id="variable"),
        pytest.param({"frame_rate": None}, "source", None, id="no rate"),
        pytest.param({"start_time": 0.017}, "source", 14315, id="starts between frames"),
        pytest.param({"start_time": 0.5}, "constant", 14315, id="starts late, on the grid"),
        pytest.param({"frames": 14400}, "source", None, id="edit list hides frames"),
        pytest.param(
            {"frames": None, "duration": None, "time_base": Fraction(1, 1000)},
            "snapped",
            None,
            id="matroska",
        ),
    ],
)
def test_which_clock_the_frames_keep(
    picture: dict[str, object], kind: str, frames: int | None
) -> None:
    media = with_picture(**picture)

    timing = timing_of(media.video[0], media)

    assert (timing.kind, timing.frames) == (kind, frames)


def test_names_are_filled_in() -> None:
    first, second = plans_of(
        FILM,
        {"preset": "web", "name": "{preset}/{stem}-{width}x{height}-{codec}.{ext}"},
        {"kind": "thumbnails", "times": [1, 2], "name": "{stem}_{number:03d}.jpg"},
    )

    assert first.names == ("web/film-1280x720-h264.mp4",)
    assert second.names == ("film_001.jpg", "film_002.jpg")


def test_a_stem_cannot_lead_out_of_the_destination() -> None:
    plans = plan_outputs(FILM, recipe_of({"preset": "web"}), stem="../../etc/\x00passwd")

    assert plans[0].names == ("_.._etc__passwd.mp4",)


def test_two_outputs_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidRecipe) as caught:
        plans_of(FILM, {"preset": "web"}, {"name": "Film.mp4", "video": {}})

    assert caught.value.message == (
        "outputs[1].name: outputs[0] is called 'Film.mp4' too; "
        "give one of them another name"
    )


@pytest.mark.parametrize(
    ("media", "output", "sentence"),
    [
        (
            SONG,
            {"preset": "web"},
            "outputs[0]: needs a picture, and the source has only sound",
        ),
        (
            SONG,
            {"preset": "thumbnails"},
            "outputs[0]: needs a picture, and the source has only sound",
        ),
        (SILENT, {"preset": "mp3"}, "outputs[0]: needs sound, and the source has none"),
    ],
)
def test_a_missing_stream_is_named(media: Media, output: object, sentence: str) -> None:
    with pytest.raises(NoStreams) as caught:
        plans_of(media, output)

    assert caught.value.message == sentence


def test_a_source_without_sound_makes_a_silent_film() -> None:
    (plan,) = plans_of(SILENT, {"preset": "web"})

    assert plan.audio is None


def test_cover_art_is_no_film_but_the_song_is_heard() -> None:
    (plan,) = plans_of(SONG, {"preset": "audio"})

    assert plan.audio is not None
    assert plan.video is None


@pytest.mark.parametrize(
    ("sound", "audio", "planned"),
    [
        ({}, {}, (2, 44100, 128)),
        ({"channels": 1}, {"channels": 2}, (1, 44100, 80)),
        ({"channels": 6}, {}, (6, 44100, 320)),
        ({"channels": 6}, {"codec": "mp3"}, (2, 44100, 160)),
        ({"channels": 3}, {}, (2, 44100, 128)),
        ({"channels": 64}, {}, (8, 44100, 448)),
        ({}, {"codec": "opus"}, (2, 48000, 96)),
        ({"sample_rate": 96000}, {}, (2, 48000, 128)),
        ({"sample_rate": 88200}, {}, (2, 44100, 128)),
        ({"sample_rate": 37800}, {}, (2, 44100, 128)),
        ({"sample_rate": 8000, "channels": 1}, {"bitrate": 320}, (1, 8000, 48)),
        ({"sample_rate": 8000}, {"codec": "mp3", "bitrate": 320}, (2, 8000, 64)),
        ({"channels": 1}, {"codec": "opus", "bitrate": 640}, (1, 48000, 256)),
    ],
)
def test_sound(
    sound: dict[str, object], audio: dict[str, object], planned: tuple[int, int, int]
) -> None:
    media = replace(FILM, audio=(replace(SOUND, **sound),))  # type: ignore[arg-type]

    (plan,) = plans_of(media, {"container": "mp4", "video": {}, "audio": audio})

    assert plan.audio is not None
    found = (plan.audio.channels, plan.audio.sample_rate, plan.audio.bitrate)
    assert found == planned


def test_pictures_are_spread_over_the_film() -> None:
    (plan,) = plans_of(with_picture(duration=10.0), {"kind": "thumbnails", "count": 4})

    assert plan.thumbnails is not None
    assert plan.thumbnails.times == (1.25, 3.75, 6.25, 8.75)


def test_there_are_never_more_pictures_than_frames() -> None:
    media = with_picture(duration=1 / 24, frames=1)

    (plan,) = plans_of(media, {"preset": "thumbnails"})

    assert plan.thumbnails is not None
    assert plan.thumbnails.times == (0.0,)


def test_times_after_the_end_are_left_out() -> None:
    media = with_picture(duration=10.0)

    (plan,) = plans_of(media, {"kind": "thumbnails", "times": [9.99, 3, 11]})

    assert plan.thumbnails is not None
    assert plan.thumbnails.times == (3, 9.9375)


def test_times_that_are_all_after_the_end_are_refused() -> None:
    with pytest.raises(
        InvalidRecipe, match=r"the film ends before the first, after 10\.000 s"
    ):
        plans_of(with_picture(duration=10.0), {"kind": "thumbnails", "times": [11]})


def test_a_film_of_unknown_length_is_not_guessed_at() -> None:
    media = replace(with_picture(duration=None, frames=None), duration=None)

    with pytest.raises(MediaError, match="does not tell how long it is"):
        plans_of(media, {"preset": "thumbnails"})


def test_a_title_cannot_break_the_command_line() -> None:
    (plan,) = plans_of(replace(FILM, title="a\x00b\nc" + "x" * 900), {"preset": "web"})

    assert plan.title is not None
    assert plan.title.startswith("a b cxx")
    assert len(plan.title) == 500


def test_the_picture_is_the_one_a_player_shows() -> None:
    extra = replace(PICTURE, index=3, default=False, width=64, height=64)

    (plan,) = plans_of(replace(FILM, video=(extra, PICTURE)), {"preset": "web"})

    assert plan.video is not None
    assert (plan.video.stream, plan.video.width) == (0, 1280)
