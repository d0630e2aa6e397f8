"""The sounds that a recipe gives an input: of other files, tracks put together, stills."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_media import FILM, PICTURE, SOUND, joined_of

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import Media
from media_nommer.planning.ffmpeg import encode_command

SHORT = replace(
    FILM, duration=10.0, video=(replace(PICTURE, frames=240, duration=10.0),),
    audio=(replace(SOUND, duration=10.0),),
)  # fmt: skip
MONO = replace(
    SOUND, channels=1, layout="mono", default=False, language=None, duration=10.0
)
TRACKS = replace(SHORT, audio=tuple(replace(MONO, index=n) for n in range(1, 9)))
DUB = Media(
    format="wav", size=9, duration=30.0, audio=(replace(MONO, index=0, duration=30.0),)
)
STILL = Media(
    format="png_pipe",
    size=9,
    video=(
        replace(
            PICTURE, codec="png", frames=None, duration=None, frame_rate=None,
            average_rate=None, pixel_format="rgb24", color_space=None,
        ),
    ),
)  # fmt: skip
MP4: dict[str, Any] = {
    "name": "film.mp4",
    "video": {"codec": "h264"},
    "audio_tracks": "all",
}
URL = "file:///dub.wav"


def made(media: Media, sounds: object, output: object = MP4, **of_input: object) -> Any:
    """Return the film, the plan of one output, and its command's words."""
    film, (plan,) = joined_of(
        [media],
        output,
        of_inputs=[{**({"audio": sounds} if sounds else {}), **of_input}],
        others={URL: DUB},
    )
    command = encode_command(film.media, [plan], source=film.source, threads=2)
    return film, plan, command.argv


def graph_in(argv: tuple[str, ...]) -> list[str]:
    return argv[argv.index("-filter_complex") + 1].split(";")


def test_tracks_are_put_together_channel_by_channel() -> None:
    wanted = [{"tracks": [0, 1, 2, 3, 4, 5], "language": "eng"}, {"tracks": [7, 6]}]

    film, plan, argv = made(TRACKS, wanted)

    graph = graph_in(argv)
    assert [sound.channels for sound in film.media.audio] == [6, 2]
    assert [audio.channels for _, audio in plan.sounds] == [6, 2]
    assert [audio.language for _, audio in plan.sounds] == ["eng", None]
    assert graph[0] == "[0:0]null[p0v]"  # the picture is as it was
    assert graph[1] == "[0:1]aresample=async=1:first_pts=0[s0t0]"
    assert graph[7].startswith(
        "[s0t0][s0t1][s0t2][s0t3][s0t4][s0t5]join=inputs=6:channel_layout=5.1:"
        "map=0.0-FL|1.0-FR|2.0-FC|3.0-LFE|4.0-BL|5.0-BR,"
    )
    assert graph[8].startswith("[0:8]")
    assert graph[9].startswith("[0:7]")
    assert "map=0.0-FL|1.0-FR," in graph[10]


def test_tracks_that_are_no_layout_are_refused() -> None:
    with pytest.raises(InvalidRecipe, match=r"audio\[0\]\.tracks: come to 3 channels; al"):
        made(TRACKS, [{"tracks": [0, 1, 2]}])


def test_a_sound_of_another_file_ends_with_the_picture() -> None:
    film, plan, argv = made(SHORT, [{"url": URL, "language": "deu"}])

    assert [argv[n + 1] for n, w in enumerate(argv) if w == "-i"] == ["source", "source-1"]
    assert graph_in(argv)[1] == (
        "[1:0]aresample=async=1:first_pts=0,atrim=end=10.000000[p0a0]"
    )
    assert plan.audio is not None
    assert (plan.audio.language, plan.audio.duration) == ("deu", 10.0)
    assert len(film.media.audio) == 1  # that of the source is no more


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("film.mp4", "handler_name=Français"),
        ("film.mov", "handler_name=Français"),
        ("film.mkv", "title=Français"),
    ],
)
def test_a_file_says_what_its_sounds_are_called(name: str, word: str) -> None:
    sounds = [{"track": 0}, {"url": URL, "title": "Français"}]

    _, _, argv = made(SHORT, sounds, {**MP4, "name": name})

    assert argv[argv.index(word) - 1] == "-metadata:s:a:1"


def test_what_a_track_is_called_is_no_name_of_a_whole_file() -> None:
    sounds = [{"url": URL, "title": "Français"}]

    _, _, argv = made(SHORT, sounds, {"name": "sound.mp3"})

    assert not [word for word in argv if "Français" in word]


def test_the_sound_of_the_source_stands_beside_another_where_it_is_listed() -> None:
    film, _, argv = made(SHORT, [{"track": 0}, {"url": URL}])

    assert [sound.language for sound in film.media.audio] == ["eng", None]
    assert [word for word in graph_in(argv) if word.startswith("[0:1]")]


def test_a_sound_that_is_moved_keeps_to_the_part_that_is_taken() -> None:
    _, plan, argv = made(SHORT, [{"url": URL, "offset": -2.5}], start=6, end=9)

    assert argv[2:5] == ("-noaccurate_seek", "-ss", "4.000000")
    assert argv.count("-ss") == 1  # the other file is read from its beginning
    graph = graph_in(argv)
    assert graph[0].startswith("[0:0]trim=start=1.999500:end=4.999500,")
    assert graph[1].startswith("[1:0]asetpts=PTS+-2.500000/TB,atrim=start=6.000000:end=9")
    assert plan.audio is not None
    assert plan.audio.duration == 3.0


def test_a_still_lasts_as_long_as_its_sound() -> None:
    film, plan, argv = made(STILL, [{"url": URL}])

    assert plan.video is not None
    assert plan.video.timing.frames == 30 * 25
    assert film.media.duration == 30.0
    assert "loop=loop=-1:size=1:start=0" in graph_in(argv)[0]


def test_a_still_lasts_as_long_as_the_recipe_says() -> None:
    film, plan, _ = made(STILL, None, duration=4)

    assert plan.video is not None
    assert (plan.video.timing.frames, film.media.audio) == (100, ())


def test_a_track_that_a_file_has_not_is_told_by_its_place() -> None:
    with pytest.raises(NoStreams, match=r"inputs\[0\]\.audio\[1\]\.track: there is no 4"):
        made(SHORT, [{"track": 0}, {"url": URL, "track": 4}])


@pytest.mark.parametrize(
    ("sounds", "more", "said"),
    [
        ([{"track": 0, "tracks": [1]}], {}, "audio[0]: track and tracks contradict"),
        ([{"track": 0}], {"audio_track": 1}, "audio_track: audio lists the sounds already"),
        ([{"trakc": 0}], {}, "audio[0].trakc: is not known here; did you mean 'track'"),
        ([], {}, "audio: must have at least one entry"),
    ],
)
def test_what_contradicts_itself_is_refused(
    sounds: list[Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        joined_of([SHORT], MP4, of_inputs=[{"audio": sounds, **more}])

    assert f"inputs[0].{said}" in caught.value.message


def test_nothing_is_copied_where_sounds_are_given() -> None:
    with pytest.raises(
        InvalidRecipe, match=r"video\.codec: nothing of an input that lists"
    ):
        made(SHORT, [{"track": 0}], {"name": "film.mkv", "video": {"codec": "copy"}})


SOUNDS_SAID = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "url": st.just(URL),
            "tracks": st.lists(st.integers(0, 8), min_size=1, max_size=8),
            "offset": st.floats(-100, 100),
        },
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from([SHORT, TRACKS, STILL, DUB]),
    SOUNDS_SAID,
    st.fixed_dictionaries(
        {}, optional={"start": st.floats(0, 9), "duration": st.floats(1, 9)}
    ),
    st.sampled_from([None, {"channels": 2}]),
)
def test_sounds_that_are_given_make_a_plan_or_are_refused(
    media: Media, sounds: list[Any], part: dict[str, Any], join: Any
) -> None:
    said = [{"audio": sounds, "subtitles": [{"url": "file:///a.srt"}], **part}]
    outputs = ({"name": "a.mka", "audio_tracks": "all"}, {"kind": "waveform"})
    try:
        film, plans = joined_of(
            [media], *outputs, of_inputs=said, join=join, others={URL: DUB}
        )
    except (InvalidRecipe, NoStreams):
        return

    argv = encode_command(film.media, plans, source=film.source, threads=2).argv

    assert all(isinstance(word, str) and word for word in argv)
    assert len(film.media.audio) == len(sounds)
