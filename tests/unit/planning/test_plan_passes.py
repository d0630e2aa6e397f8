"""Average bit rates in two passes: what each run does, and what lies between them."""

from typing import Any

from planning_media import FILM, plans_of

from media_nommer.planning.ffmpeg import encode_command, first_pass_command
from media_nommer.planning.ffmpeg.passes import PassLog
from media_nommer.planning.room import expected_bytes

TWICE = {"bitrate": 900, "passes": 2}


def film(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "video": {**TWICE, **said}}


def first(*outputs: Any, **of_input: Any) -> tuple[str, ...]:
    plans = plans_of(FILM, *outputs, **of_input)
    return first_pass_command(FILM, plans, source="source", threads=2)


def test_the_first_run_makes_all_films_of_two_passes_from_one_decode_for_nobody() -> None:
    argv = first(film("a.mp4"), {"name": "b.mp4", "video": {}}, film("c.mp4", height=360))

    assert " ".join(argv) == (
        "-threads 2 -i source -filter_complex_threads 2 -filter_complex "
        "[0:0]scale=1280:720:out_range=tv,setsar=1,format=yuv420p,split=2[v0][s1];"
        "[s1]scale=640:360:out_range=tv,setsar=1[v2] "
        "-map [v0] -c:v libx264 -preset medium -b:v 900k -profile:v high -threads:v 2 "
        "-pass:v 1 -passlogfile:v pass1-0 -g 240 -fps_mode:v vfr -enc_time_base:v 1:24 "
        "-f null - "
        "-map [v2] -c:v libx264 -preset medium -b:v 900k -profile:v high -threads:v 2 "
        "-pass:v 1 -passlogfile:v pass1-2 -g 240 -fps_mode:v vfr -enc_time_base:v 1:24 "
        "-f null - "
        "-map 0:0 -c copy -f null -"
    )


def test_the_second_run_finds_what_the_first_one_learned_by_its_own_count() -> None:
    plans = plans_of(FILM, {"name": "b.mp4", "video": {}}, film("a.mp4"))

    command = encode_command(FILM, plans, source="source", threads=2)

    assert command.logs == (PassLog("pass1-1-0.log", "pass2-1-2.log"),)
    place = command.argv.index("-pass:v")
    assert command.argv[place : place + 4] == (
        *("-pass:v", "2", "-passlogfile:v", "pass2-1"),
    )


def test_x265_is_told_the_file_outright() -> None:
    output = film("a.mp4", codec="hevc")
    plans = plans_of(FILM, output)

    command = encode_command(FILM, plans, source="source", threads=2)

    said = "pass={}:stats=pass-0.log:slow-firstpass=0"
    assert said.format(1) in " ".join(first(output))
    assert said.format(2) in " ".join(command.argv)
    assert command.logs == ()


def test_vp9_is_passed_twice_too() -> None:
    argv = first(film("a.mkv", codec="vp9"))

    assert argv[argv.index("-pass:v") + 1] == "1"


def test_av1_is_passed_twice_by_libaom_and_once_by_svt() -> None:
    output = film("a.mkv", codec="av1", gop=2, fixed_gop=True)
    plans = plans_of(FILM, output)
    command = encode_command(FILM, plans, source="source", threads=2)

    for number, argv in ((1, first(output)), (2, command.argv)):
        assert (
            "-c:v libaom-av1 -usage good -cpu-used 6 -b:v 900k -undershoot-pct 0 "
            "-overshoot-pct 0 -row-mt 1 -tiles 4x1 "
            f"-threads:v 2 -pass:v {number} -passlogfile:v pass{number}-0 "
            "-g 48 -keyint_min 48 -fps_mode:v vfr"
        ) in " ".join(argv)
    once = plans_of(FILM, film("a.mkv", codec="av1", passes=1))
    argv = encode_command(FILM, once, source="source", threads=2).argv
    assert argv[argv.index("-c:v") + 1] == "libsvtav1"


def test_vp9_learns_nothing_in_real_time() -> None:
    argv = first(film("a.mkv", codec="vp9", speed="ultrafast"))

    assert argv[argv.index("-deadline") + 1] == "good"


def test_renditions_take_two_passes_each() -> None:
    output = {
        "kind": "adaptive",
        "video": {"passes": 2},
        "ladder": [{"height": 720, "bitrate": 2000}, {"height": 360, "bitrate": 600}],
    }

    argv = first(output)

    assert [argv[n + 1] for n, word in enumerate(argv) if word == "-passlogfile:v"] == [
        *("pass1-0v1", "pass1-0v2"),
    ]


def test_options_of_ffmpegs_own_for_pictures_are_in_both_passes() -> None:
    raw = [["refs", "2"], ["x264-params", "aq-mode=3"], ["movie_timescale", "1000"]]
    argv = first({**film("a.mp4"), "ffmpeg_options": raw})

    assert "-refs" in argv
    assert "-x264-params" in argv
    assert "-movie_timescale" not in argv


def test_a_part_is_learned_of_alone() -> None:
    argv = first(film("a.mp4"), start=60, duration=10)

    assert argv[argv.index("-ss") + 1] == "58.000000"
    assert argv[-6:] == ("copy", "-t", "12.000000", "-f", "null", "-")


def test_nothing_runs_first_where_one_pass_is_enough() -> None:
    assert first({"name": "a.mp4", "video": {"bitrate": 900}}) == ()
    assert first({"name": "a.m4a", "audio": {}}) == ()


def test_there_is_room_for_what_lies_between_the_passes() -> None:
    once = expected_bytes(plans_of(FILM, film("a.mp4", passes=1)), FILM)
    twice = expected_bytes(plans_of(FILM, film("a.mp4")), FILM)

    assert twice - once > 14315 * 7200
