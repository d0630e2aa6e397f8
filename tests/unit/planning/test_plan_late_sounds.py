"""Sounds that begin long after their film: read for themselves, and put in their places."""

from dataclasses import replace

from planning_media import FILM, PICTURE, SOUND, argv_of, graph_of, joined_of, plans_of

from media_nommer.core.media import Media
from media_nommer.planning.ffmpeg import encode_command, measure_commands, peaks_commands

WEB = {"name": "film.mp4", "video": {"height": 360}}
SONG = {"name": "song.m4a"}
ADAPTIVE = {"kind": "adaptive", "ladder": [{"height": 360, "bitrate": 900}]}

LATE = replace(SOUND, start_time=31.4, late=30.0, duration=566.458)
TS = replace(
    FILM,
    format="mpegts",
    start_time=1.4,
    video=(replace(PICTURE, frames=None, start_time=1.4),),
    audio=(LATE,),
)
MKV = replace(FILM, format="matroska,webm", audio=(replace(LATE, start_time=30.0),))
PUT = "asetpts=PTS-STARTPTS+30.000000/TB"


def maps(argv: tuple[str, ...]) -> list[str]:
    return [argv[n + 1] for n, word in enumerate(argv) if word == "-map"]


def heard(argv: tuple[str, ...]) -> list[str]:
    """Return the filters of each sound."""
    return [argv[n + 1] for n, word in enumerate(argv) if word.startswith("-filter:a")]


def with_sounds(media: Media, *begins: float) -> Media:
    """Return a film with sounds that begin so many seconds after it."""
    sounds = (
        replace(
            SOUND,
            index=number,
            default=number == 1,
            start_time=media.start_time + begin,
            late=begin if begin > 0.02 else None,
        )
        for number, begin in enumerate(begins, start=1)
    )
    return replace(media, audio=tuple(sounds))


def test_each_output_reads_a_late_sound_for_itself() -> None:
    argv = argv_of(TS, WEB, ADAPTIVE)

    assert argv.count("-i") == 3
    assert maps(argv) == ["[v0]", "1:1", "[v1v1]", "2:1"]


def test_a_sound_whose_times_leap_is_put_where_it_begins() -> None:
    web, adaptive = heard(argv_of(TS, WEB, ADAPTIVE))

    assert web == f"{PUT},aresample=async=1"
    assert adaptive == f"{PUT},aresample=async=1:first_pts=0"


def test_a_sound_whose_times_do_not_leap_is_where_it_begins() -> None:
    argv = argv_of(MKV, WEB)

    assert maps(argv) == ["[v0]", "1:1"]
    assert heard(argv) == ["aresample=async=1"]


def test_a_sound_that_begins_within_a_second_waits_for_nobody_in_a_file() -> None:
    soon = with_sounds(TS, 0.9)

    assert maps(argv_of(soon, WEB)) == ["[v0]", "0:1"]
    assert heard(argv_of(soon, WEB)) == ["aresample=async=1"]
    assert maps(argv_of(soon, ADAPTIVE)) == ["[v0v1]", "1:1"]


def test_a_sound_without_its_picture_keeps_its_place() -> None:
    """FFmpeg would begin to count at the sound, and a part be another one."""
    (alone,) = heard(argv_of(with_sounds(TS, 0.9), SONG, start=35))

    assert alone.startswith("asetpts=PTS-STARTPTS+0.900000/TB,atrim=start=35.000000,")


def test_a_late_sound_is_counted_from_what_is_read_with_the_picture() -> None:
    """FFmpeg counts from the first stream that is used, not from the first there is."""
    early = replace(TS.video[0], start_time=1.8)
    film = replace(with_sounds(TS, 0.0, 30.0), video=(early,))

    one = argv_of(film, WEB, audio_track=1)
    both = argv_of(film, {**WEB, "audio_tracks": "all"})

    assert heard(one) == ["asetpts=PTS-STARTPTS+29.600000/TB,aresample=async=1"]
    assert maps(both) == ["[v0]", "0:1", "1:2"]
    assert heard(both) == ["aresample=async=1", f"{PUT},aresample=async=1"]


def test_a_part_is_cut_of_a_late_sound_once_it_is_in_its_place() -> None:
    before, after = (heard(argv_of(TS, WEB, start=start)) for start in (20, 40))

    assert before[0].startswith(f"{PUT},atrim=start=20.000000,")
    assert after[0].startswith(f"{PUT},atrim=start=40.000000,")


def test_a_part_that_ends_before_a_late_sound_has_none() -> None:
    (plan,) = plans_of(TS, WEB, end=20)

    assert plan.audio is None


def test_what_is_measured_of_a_late_sound_is_what_is_encoded() -> None:
    loud = {**WEB, "audio": {"codec": "aac", "loudness": {}}}
    plans = plans_of(TS, loud, {"kind": "waveform"}, start=40)

    (measured,) = measure_commands(plans, source="source", threads=2)
    (peaks,) = peaks_commands(plans, source="source", threads=2)

    assert heard(measured.argv)[0].startswith(f"{PUT},atrim=start=40.000000,")
    assert heard(peaks.argv)[0].startswith(f"{PUT},atrim=start=40.000000,")


def test_a_copy_is_read_for_itself_where_it_need_not_be_put_anywhere() -> None:
    copied = {"name": "film.mkv", "video": {"height": 360}, "audio": {"codec": "copy"}}

    assert maps(argv_of(MKV, copied)) == ["[v0]", "1:1"]
    assert maps(argv_of(TS, copied)) == ["[v0]", "0:1"]


def test_a_copy_that_is_not_is_known_before_ffmpeg_begins() -> None:
    """Muxers are told what is copied, and begin with that."""
    copied = {"name": "film.mkv", "video": {"height": 360}, "audio": {"codec": "copy"}}
    look = ("-analyzeduration", "35000000", "-probesize", "268435456")

    assert argv_of(TS, copied)[:7] == ("-threads", "2", *look, "-i")
    assert "-probesize" not in argv_of(TS, WEB)
    assert "-probesize" not in argv_of(MKV, copied)


def test_a_joined_film_reads_late_sounds_for_themselves() -> None:
    film, plans = joined_of([TS, FILM], WEB)
    argv = encode_command(film.media, plans, source=film.source, threads=2).argv
    graph = argv[argv.index("-filter_complex") + 1]

    assert [argv[n + 1] for n, word in enumerate(argv) if word == "-i"] == [
        *("source", "source-1", "source"),
    ]
    assert f"[2:1]{PUT},aresample=44100:async=1:first_pts=0" in graph
    assert "[1:1]aresample=44100:async=1:first_pts=0" in graph
    assert all(sound.late is None for sound in film.media.audio)


def test_a_sound_of_another_file_keeps_its_place() -> None:
    dub = {"audio": [{"url": "file:///dub.ts"}]}
    film, _ = joined_of([FILM], WEB, of_inputs=[dub], others={"file:///dub.ts": TS})

    assert film.source != "source"
    assert PUT in str(film.source)
    assert PUT not in graph_of(FILM, WEB)
