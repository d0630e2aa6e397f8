"""Several inputs become one film: what it is, and the command that makes it."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_media import FILM, PICTURE, SILENT, SONG, SOUND, joined_of
from test_plan_properties import FILMS, MEDIA, PICTURE_SETS, named

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import Media
from media_nommer.planning.extras.media_documents import media_document
from media_nommer.planning.ffmpeg import encode_command, measure_commands, peaks_commands
from media_nommer.planning.vmaf import sample_command

SHORT = replace(PICTURE, frames=240, duration=10.0)
FIRST = replace(FILM, duration=10.0, video=(SHORT,), audio=(replace(SOUND, duration=10.0),))
SECOND = replace(
    FIRST,
    format="matroska,webm",
    duration=4.0,
    video=(
        replace(
            SHORT, width=320, height=240, frames=None, duration=4.0, color_space=None,
            frame_rate=Fraction(30), average_rate=Fraction(30),
        ),
    ),
    audio=(replace(SOUND, channels=1, sample_rate=22050, duration=3.9, language=None),),
)  # fmt: skip
HDR = replace(
    FIRST,
    video=(
        replace(
            SHORT, pixel_format="yuv420p10le", bit_depth=10, color_primaries="bt2020",
            color_transfer="smpte2084", color_space="bt2020nc",
        ),
    ),
)  # fmt: skip
STREAM = replace(FIRST, format="mpegts", video=(replace(SHORT, frames=None),))
MP4 = {"name": "film.mp4", "video": {"codec": "h264"}}


def command_of(*found: Media, output: object = MP4, **said: Any) -> tuple[str, ...]:
    film, plans = joined_of(found, output, **said)
    return encode_command(film.media, plans, source=film.source, threads=2).argv


def graph_of(*found: Media, output: object = MP4, **said: Any) -> list[str]:
    argv = command_of(*found, output=output, **said)
    return argv[argv.index("-filter_complex") + 1].split(";")


def test_two_films_are_made_alike_in_the_graph_and_joined() -> None:
    argv = command_of(FIRST, SECOND)

    assert argv[: argv.index("-filter_complex")] == (
        *("-threads", "2", "-reinit_filter", "0", "-i", "source"),
        *("-threads", "2", "-reinit_filter", "0", "-i", "source-1"),
        *("-filter_complex_threads", "2"),
    )
    assert argv[argv.index("-filter_complex") + 1].split(";") == [
        "[0:0]fps=24:start_time=0,scale=1280:720:out_range=tv:out_color_matrix=bt709,"
        "setsar=1,format=yuv420p,setparams=range=tv:colorspace=bt709:"
        "color_primaries=bt709:color_trc=bt709,tpad=stop=5:stop_mode=clone,"
        "trim=end_frame=240[p0v]",
        "[0:1]aresample=44100:async=1:first_pts=0,aformat=sample_fmts=fltp:"
        "sample_rates=44100:channel_layouts=stereo,apad,atrim=end_sample=441000[p0a0]",
        "[1:0]fps=24:start_time=0,setparams=colorspace=smpte170m,scale=960:720:"
        "out_range=tv:out_color_matrix=bt709,setsar=1,format=yuv420p,setparams=range=tv:"
        "colorspace=bt709:color_primaries=bt709:color_trc=bt709,"
        "pad=1280:720:160:0:color=black,tpad=stop=26:stop_mode=clone,"
        "trim=end_frame=96[p1v]",
        "[1:1]aresample=44100:async=1:first_pts=0,pan=stereo|FL=c0|FR=c0,"
        "aformat=sample_fmts=fltp:sample_rates=44100:channel_layouts=stereo,apad,"
        "atrim=end_sample=176400[p1a0]",
        "[p0v][p0a0][p1v][p1a0]concat=n=2:v=1:a=1[joined][j0]",
        "[j0]anull[t0s0]",
        "[t0s0]aresample=async=1[a0s0]",
        "[joined]scale=1280:720:out_range=tv,setsar=1,format=yuv420p[v0]",
    ]
    maps = [argv[n + 1] for n, word in enumerate(argv) if word.startswith("-map")]
    assert maps == ["[v0]", "[a0s0]", "-1", "-1", "-1"]  # no chapters of the first alone
    assert "-filter:a" not in argv


def test_a_joined_film_is_counted_and_timed_before_it_is_made() -> None:
    film, (plan,) = joined_of([FIRST, SECOND, FIRST], MP4)

    assert plan.video is not None
    assert plan.audio is not None
    assert (plan.video.timing.kind, plan.video.timing.frames) == ("constant", 576)
    assert (plan.video.duration, plan.audio.duration) == (24.0, 24.0)
    assert film.media.duration == 24.0


def test_what_the_recipe_says_of_the_whole_wins_over_the_first_input() -> None:
    said = {"width": 640, "height": 480, "frame_rate": 29.97, "channels": 1}

    film, _ = joined_of([FIRST, SECOND], MP4, join={**said, "sample_rate": 48000})

    picture, sound = film.media.video[0], film.media.audio[0]
    assert (picture.width, picture.height) == (640, 480)
    assert picture.frame_rate == Fraction(30000, 1001)
    assert (sound.channels, sound.sample_rate) == (1, 48000)
    assert picture.frames == round(14 * 30000 / 1001)


def test_an_input_without_sound_is_silent_for_its_time() -> None:
    silent = replace(FIRST, audio=())

    assert graph_of(FIRST, silent)[3] == (
        "anullsrc=r=44100:cl=stereo,atrim=end_sample=441000[p1a0]"
    )


def test_an_input_without_a_picture_is_black_for_its_time() -> None:
    song = replace(SONG, video=(), audio=(replace(SOUND, duration=2.5),))

    assert graph_of(FIRST, song)[2] == (
        "color=c=black:s=1280x720:r=24,format=yuv420p,setparams=range=tv:colorspace=bt709:"
        "color_primaries=bt709:color_trc=bt709,trim=end_frame=60[p1v]"
    )


def test_a_part_of_each_input_is_sought_and_cut() -> None:
    parts = [{"start": 6, "end": 9}, {"duration": 1}]

    argv = command_of(FIRST, SECOND, of_inputs=parts)

    assert argv[2:5] == ("-noaccurate_seek", "-ss", "4.000000")
    graph = argv[argv.index("-filter_complex") + 1].split(";")
    assert graph[0].startswith(
        "[0:0]trim=start=1.999500:end=4.999500,setpts='max(0,round(PTS-2.000000/TB))',fps="
    )
    assert graph[0].endswith("trim=end_frame=72[p0v]")
    assert graph[1].startswith("[0:1]atrim=start=2.000000:end=5.000000,asetpts=")
    assert graph[2].startswith("[1:0]trim=end=0.999500,fps=")
    assert graph[3].endswith("atrim=end_sample=44100[p1a0]")


def test_a_part_between_frames_lasts_no_longer_than_it_is() -> None:
    film, _ = joined_of([FIRST] * 2, MP4, of_inputs=[{"start": 0.05, "duration": 0.25}] * 2)

    assert film.media.video[0].frames == 12
    assert film.media.audio[0].duration == 0.5


def test_sounds_of_one_language_go_on_in_one_another() -> None:
    french, english = replace(SOUND, index=1, language="fra"), replace(SOUND, index=2)
    dubbed = replace(FIRST, audio=(french, replace(english, default=False)))

    film, _ = joined_of([FIRST, dubbed], {**MP4, "audio_tracks": "all"})
    graph = graph_of(FIRST, dubbed)

    assert [sound.language for sound in film.media.audio] == ["eng"]
    assert graph[3].startswith("[1:2]aresample")


def test_every_sound_of_the_first_input_goes_on_or_is_silent() -> None:
    french = replace(SOUND, index=2, language="fra", default=False, duration=10.0)
    dubbed = replace(FIRST, audio=(*FIRST.audio, french))

    graph = graph_of(dubbed, FIRST, output={**MP4, "audio_tracks": "all"})

    assert graph[5].startswith("anullsrc=")
    assert graph[6].endswith("concat=n=2:v=1:a=2[joined][j0][j1]")
    assert graph[7:11] == [
        "[j0]anull[t0s0]",
        "[j1]anull[t0s1]",
        "[t0s0]aresample=async=1[a0s0]",
        "[t0s1]aresample=async=1[a0s1]",
    ]


def test_sound_alone_is_joined_without_a_look_at_pictures() -> None:
    argv = command_of(FIRST, SECOND, output={"name": "film.m4a"})

    graph = argv[argv.index("-filter_complex") + 1]
    assert "[0:0]" not in graph
    assert "[p0a0][p1a0]concat=n=2:v=0:a=1[j0]" in graph


def test_songs_are_joined_for_as_long_as_each_is() -> None:
    songs = [
        replace(FIRST, video=(), audio=(replace(SOUND, duration=length),))
        for length in (2.5, 1.25)
    ]

    film, (plan,) = joined_of(songs, {"name": "both.flac"})

    assert plan.audio is not None
    assert plan.audio.duration == 3.75
    assert film.media.video == ()


def test_what_no_header_tells_surely_is_joined_as_it_comes() -> None:
    film, (plan,) = joined_of([FIRST, STREAM], MP4)
    graph = graph_of(FIRST, STREAM)

    assert plan.video is not None
    assert plan.video.timing.frames is None
    assert plan.video.timing.kind == "snapped"
    assert plan.video.duration == 20.0
    assert film.media.format == "joined,mpegts"
    assert not graph[2].endswith("trim=end_frame=240[p1v]")
    assert "apad" not in graph[3]


def test_high_range_is_kept_where_all_have_the_same() -> None:
    film, _ = joined_of([HDR, HDR], MP4)

    picture = film.media.video[0]
    assert (picture.color_transfer, picture.bit_depth) == ("smpte2084", 10)
    assert "tonemap" not in graph_of(HDR, HDR)[0]


@pytest.mark.parametrize("found", [(FIRST, HDR), (HDR, FIRST)])
def test_high_and_standard_range_are_not_joined_unasked(found: tuple[Media, ...]) -> None:
    with pytest.raises(InvalidRecipe, match=r'inputs\[1\]: is of .*"hdr": "sdr"'):
        joined_of(found, MP4)


def test_high_range_becomes_standard_where_the_recipe_says_so() -> None:
    graph = graph_of(FIRST, HDR, join={"hdr": "sdr"})

    assert "tonemap" in graph[2]
    assert "tonemap" not in graph[0]


def test_fields_are_made_whole_before_they_are_joined() -> None:
    interlaced = replace(FIRST, video=(replace(SHORT, interlaced=True),))

    film, _ = joined_of([interlaced, FIRST], MP4)

    assert "bwdif" in graph_of(interlaced, FIRST)[0]
    assert not film.media.video[0].interlaced


def test_a_still_needs_to_be_told_how_long_it_stands() -> None:
    still = Media(format="png_pipe", size=9, video=(replace(
        PICTURE, codec="png", frames=None, duration=None, frame_rate=None,
        average_rate=None, pixel_format="rgb24", color_space=None,
    ),))  # fmt: skip

    graph = graph_of(still, FIRST, of_inputs=[{"duration": 2}, {}])

    assert "loop=loop=-1:size=1:start=0" in graph[0]
    assert graph[0].endswith("trim=end_frame=48[p0v]")
    with pytest.raises(InvalidRecipe, match=r"inputs\[0\]: is a still picture; say its"):
        joined_of([still, FIRST], MP4)


def test_a_track_that_an_input_has_not_is_refused_by_its_place() -> None:
    with pytest.raises(NoStreams, match=r"inputs\[1\]\.audio_track: there is no 3"):
        joined_of([FIRST, FIRST], MP4, of_inputs=[{}, {"audio_track": 3}])


@pytest.mark.parametrize("part", ["video", "audio"])
def test_nothing_is_copied_out_of_what_is_joined(part: str) -> None:
    with pytest.raises(InvalidRecipe, match=f"{part}.codec: a copy cannot be joined"):
        joined_of([FIRST, FIRST], {"name": "film.mkv", part: {"codec": "copy"}})


def test_loudness_and_peaks_are_measured_of_the_joined_sound() -> None:
    loud = {**MP4, "audio": {"codec": "aac", "loudness": {}}}
    film, plans = joined_of([FIRST, SECOND], loud, {"kind": "waveform"})

    (measure,) = measure_commands(plans, source=film.source, threads=2)
    (peaks,) = peaks_commands(plans, source=film.source, threads=2)

    for argv in (measure.argv, peaks.argv):
        graph = argv[argv.index("-filter_complex") + 1]
        assert "concat=n=2:v=0:a=1[j0];[j0]anull[taken];[taken]" in graph
        assert argv[-5:] == ("-map", "[sound]", "-f", "null", "-")


def test_samples_for_a_target_are_taken_out_of_the_joined_film() -> None:
    aimed = {"name": "film.mp4", "video": {"codec": "h264", "target_vmaf": 90}}
    film, plans = joined_of([FILM, FIRST], aimed)

    argv = sample_command(film.media, plans[0], source=film.source, threads=2)

    graph = argv[argv.index("-filter_complex") + 1]
    assert "concat=n=2:v=1:a=0[film];[film]trim=end=" in graph
    assert argv.count("-i") == 2


def test_sheets_of_a_joined_film_show_that_they_are_being_made() -> None:
    argv = command_of(FIRST, SECOND, output={"kind": "sprite"})

    graph = argv[argv.index("-filter_complex") + 1]
    assert "[joined]split[joined0][life];[joined0]" in graph
    assert argv[-5:] == ("-map", "[life]", "-f", "null", "-")


def test_the_list_of_what_was_found_has_each_input() -> None:
    film, _ = joined_of([FIRST, SILENT], MP4)

    document = media_document(film.media, [FIRST, SILENT])

    assert [len(each["audio"]) for each in document["inputs"]] == [1, 0]
    assert document["duration"] == film.media.duration


@settings(deadline=None, max_examples=15)
@given(
    st.lists(MEDIA | st.just(SILENT) | st.just(STREAM), min_size=2, max_size=4),
    st.lists(FILMS | PICTURE_SETS, min_size=1, max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "width": st.integers(16, 4000),
            "height": st.integers(16, 4000),
            "frame_rate": st.floats(1, 240),
            "channels": st.sampled_from([1, 2, 6, 8]),
            "sample_rate": st.sampled_from([8000, 44100, 96000]),
        },
    ),
)
def test_every_join_that_validates_can_be_built(
    found: list[Media], outputs: list[dict[str, Any]], join: dict[str, Any]
) -> None:
    wanted = [named(output, place) for place, output in enumerate(outputs)]

    film, plans = joined_of(found, *wanted, join=join)
    command = encode_command(film.media, plans, source=film.source, threads=3)

    assert all(isinstance(word, str) and word for word in command.argv)
    assert len(command.produces) == sum(len(plan.names) for plan in plans)
    picture = film.media.video[0]
    assert picture.width % 2 == picture.height % 2 == 0
    assert picture.frames is None or picture.frames > 0
