"""What goes with a film: plans and command lines, from stored inspections."""

from dataclasses import replace
from typing import Any

import pytest
from planning_media import (
    FILM,
    PICTURE,
    SILENT,
    SOUND,
    argv_of,
    graph_of,
    plans_of,
    with_picture,
)

from media_nommer.core.errors import InvalidRecipe, MediaError, NoStreams, OutputDamaged
from media_nommer.core.media import Media, SubtitleStream
from media_nommer.core.tasks import TaskKind
from media_nommer.planning.extras.animations import webp_frames
from media_nommer.planning.extras.checksums import sums_text
from media_nommer.planning.extras.sprites import SpritePlan
from media_nommer.planning.ffmpeg import peaks_commands, produced, texts_command
from media_nommer.planning.pictures.sizes import Size
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.tasks import Policy, plan_tasks

SHORT = replace(
    FILM,
    duration=10.0,
    title=None,
    video=(replace(PICTURE, frames=240, duration=10.0),),
    audio=(replace(SOUND, duration=10.0),),
)
ENGLISH = SubtitleStream(index=2, codec="subrip", language="eng", title="English")
FRENCH = SubtitleStream(index=3, codec="ass", language="fra", default=True)
SIGNS = SubtitleStream(index=4, codec="mov_text", language="fra", forced=True)
PICTURES = SubtitleStream(index=5, codec="hdmv_pgs_subtitle", language="deu")
SPOKEN = replace(SHORT, subtitles=(ENGLISH, FRENCH, SIGNS, PICTURES))

COPY = {"video": {"codec": "copy"}, "audio": None}
HEAD = ("-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters")


def only(media: Media, output: object, **of_input: object) -> OutputPlan:
    (plan,) = plans_of(media, output, **of_input)
    return plan


def jpeg(index: int, scale: str) -> tuple[str, ...]:
    return (
        *("-map", f"[v{index}]", "-map_metadata", "-1", "-c:v", "mjpeg", "-q:v", scale),
        *("-threads:v", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact"),
        *("-fps_mode:v", "passthrough", "-f", "image2", "-start_number", "1"),
        f"out-{index}-%06d.jpg",
    )


def test_sheets_come_from_the_decode_of_the_film_beside_them() -> None:
    said = argv_of(
        SHORT,
        {"kind": "sprite", "count": 50, "columns": 8, "rows": 4},
        {"name": "a.mp4", "video": {"speed": "ultrafast"}, "audio": None},
    )

    graph = said[said.index("-filter_complex") + 1]
    assert graph == (
        "[0:0]split=2[s0][p0];"
        "[s0]scale=1280:720:out_range=tv,setsar=1,format=yuv420p[v1];"
        "[p0]fps=fps=5:start_time=0.100:round=up,"
        "scale=160:90:out_range=pc:out_color_matrix=bt601,setsar=1,format=yuv420p,"
        "tpad=stop=50:stop_mode=clone,trim=end_frame=50,tile=8x4[v0]"
    )
    assert said[-21:] == jpeg(0, "7")  # after the film, whose frames are counted


def test_sheets_alone_are_made_with_a_sign_of_life() -> None:
    said = argv_of(SHORT, {"kind": "sprite"}, start=2, end=8)

    assert said[-7:] == ("-c", "copy", "-t", "8.000000", "-f", "null", "-")


def test_the_map_says_which_part_of_which_sheet_is_shown_when() -> None:
    plan = only(
        SHORT,
        {
            "kind": "sprite",
            "name": "pics/{stem} {width}.{ext}",
            "interval": 4,
            "columns": 2,
            "rows": 1,
        },
    )

    assert plan.names == (
        *("pics/film 160.vtt", "pics/film 160-001.jpg", "pics/film 160-002.jpg"),
    )
    assert plan.extra is not None
    assert isinstance(plan.extra.plan, SpritePlan)
    assert plan.extra.plan.map(("film 160-001.jpg", "film 160-002.jpg")) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:04.000\nfilm%20160-001.jpg#xywh=0,0,160,90\n\n"
        "00:00:04.000 --> 00:00:08.000\nfilm%20160-001.jpg#xywh=160,0,160,90\n\n"
        "00:00:08.000 --> 00:00:10.000\nfilm%20160-002.jpg#xywh=0,0,160,90\n"
    )
    assert [made.path for made in produced(plan)] == [
        *("out-0.vtt", "out-0-000001.jpg", "out-0-000002.jpg")
    ]


def test_few_pictures_make_one_small_sheet() -> None:
    plan = only(SHORT, {"kind": "sprite", "count": 3})

    assert plan.extra is not None
    assert isinstance(plan.extra.plan, SpritePlan)
    assert (plan.extra.plan.columns, plan.extra.plan.rows) == (3, 1)


def test_a_film_of_one_frame_makes_one_picture_of_its_beginning() -> None:
    """Half of its length after it there is nothing that could be shown."""
    plan = only(with_picture(frames=1, duration=1 / 24), {"kind": "sprite"})

    assert plan.extra is not None
    assert isinstance(plan.extra.plan, SpritePlan)
    assert (plan.extra.plan.count, plan.extra.plan.inside) == (1, 0)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ({"width": 640, "columns": 40}, "a sheet would be 25600x"),
        ({"interval": 0.1}, "would make"),
    ],
)
def test_sheets_that_nobody_can_show_are_refused(output: Any, words: str) -> None:
    long = replace(FILM, video=(replace(PICTURE, duration=5000.0, frames=120_000),))

    with pytest.raises(InvalidRecipe, match=words):
        plans_of(long, {"kind": "sprite", "count": 500, **output} | _without_count(output))


def _without_count(output: dict[str, Any]) -> dict[str, Any]:
    return {"count": None} if "interval" in output else {}


def test_a_poster_is_chosen_from_measured_candidates() -> None:
    said = argv_of(SHORT, {"preset": "poster"})

    graph = said[said.index("-filter_complex") + 1]
    assert graph.startswith("[0:0]select='")
    assert graph.endswith(
        "',trim=end_frame=24,scale=1280:720:out_range=pc:out_color_matrix=bt601,"
        "setsar=1,format=yuv420p,signalstats,blurdetect,"
        "metadata=mode=print:file=out-0.txt[v0]"
    )
    assert said[-21:] == jpeg(0, "5")
    plan = only(SHORT, {"preset": "poster"})
    assert plan.names == ("film-poster.jpg",)
    assert [made.path for made in produced(plan)] == ["out-0.jpg"]


def test_an_animation_joins_pieces_of_the_film() -> None:
    said = argv_of(SHORT, {"kind": "animation", "pieces": 2, "width": 64})

    assert said == (
        *("-threads", "2", "-i", "source"),
        *("-filter_complex_threads", "2", "-filter_complex"),
        "[0:0]fps=fps=10:start_time=0,select='(between(n,20,29)+between(n,70,79))',"
        "setpts=N/(10*TB),scale=64:36:out_range=tv,setsar=1,"
        "split[g0a][g0b];[g0a]palettegen=stats_mode=diff[g0p];"
        "[g0b][g0p]paletteuse=dither=bayer:bayer_scale=4[v0]",
        *("-map", "[v0]", "-map_metadata", "-1", "-c:v", "gif", "-threads:v", "2"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact"),
        *("-loop", "0", "-f", "gif", "out-0.gif"),
        *("-map", "0:0", "-c", "copy", "-f", "null", "-"),
    )


@pytest.mark.parametrize(("length", "rate"), [(0.04, 25), (0.0335, 30), (0.1, 10)])
def test_the_shortest_film_is_an_animation_of_one_frame(length: float, rate: int) -> None:
    flash = replace(
        SHORT, duration=length, video=(replace(PICTURE, frames=1, duration=length),)
    )

    said = argv_of(flash, {"kind": "animation", "width": 64})

    assert f"fps=fps={rate}:start_time=0,select='between(n,0,0)'" in " ".join(said)


def test_the_pieces_of_a_long_film_are_sought_where_nothing_else_is_made() -> None:
    said = argv_of(FILM, {"kind": "animation", "name": "a.webp", "pieces": 2, "width": 64})

    assert said == (
        *("-threads", "1", "-ss", "148.600000", "-t", "1.100000", "-i", "source"),
        *("-threads", "1", "-ss", "446.800000", "-t", "1.100000", "-i", "source"),
        *("-filter_complex_threads", "2", "-filter_complex"),
        "[0:0]fps=fps=10:start_time=0,trim=end_frame=10[g0i0];"
        "[1:0]fps=fps=10:start_time=0,trim=end_frame=10[g0i1];"
        "[g0i0][g0i1]concat=n=2,setpts=N/(10*TB),scale=64:36:out_range=tv,setsar=1,"
        "format=yuv420p[v0]",
        *("-map", "[v0]", "-map_metadata", "-1", "-c:v", "libwebp_anim", "-q:v", "60"),
        *("-threads:v", "2", "-fflags", "+bitexact", "-flags:v", "+bitexact"),
        *("-loop", "0", "-f", "webp", "out-0.webp"),
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.webp", ("-c:v", "libwebp_anim", "-q:v", "60")),
        ("a.avif", ("-c:v", "libsvtav1", "-preset", "8", "-crf", "36")),
    ],
)
def test_the_name_of_an_animation_tells_its_format(
    name: str, words: tuple[str, ...]
) -> None:
    said = argv_of(SHORT, {"kind": "animation", "name": name})

    begin = said.index("-c:v")
    assert said[begin : begin + len(words)] == words
    assert graph_of(SHORT, {"kind": "animation", "name": name}).endswith(
        "format=yuv420p[v0]"
    )


def test_a_film_shorter_than_its_pieces_is_taken_whole() -> None:
    said = graph_of(SHORT, {"kind": "animation", "pieces": 6, "seconds": 3})

    assert "select='between(n,0,99)'" in said


def test_an_avif_that_the_encoder_cannot_make_is_refused() -> None:
    with pytest.raises(InvalidRecipe, match="at least 64 pixels"):
        plans_of(SHORT, {"kind": "animation", "format": "avif", "width": 64})


@pytest.mark.parametrize(
    "output",
    [{"kind": "sprite"}, {"kind": "animation"}, {"kind": "animation", "pieces": 2}],
)
def test_what_depends_on_a_length_that_nothing_tells_is_refused(output: object) -> None:
    media = replace(FILM, duration=None, video=(replace(PICTURE, duration=None),))
    media = replace(media, video=(replace(media.video[0], frames=None),))

    with pytest.raises(MediaError, match="does not tell how long"):
        plans_of(media, output)


def test_peaks_are_measured_in_a_run_of_their_own() -> None:
    waveform = {"kind": "waveform", "samples_per_pixel": 512}
    plans = plans_of(FILM, waveform, {"kind": "thumbnails", "count": 1}, start=60)

    (command,) = peaks_commands(plans, source="source", threads=2)

    assert command.argv == (
        *("-threads", "2", "-noaccurate_seek", "-ss", "58.000000", "-i", "source"),
        *("-map", "0:1", "-filter:a"),
        "atrim=start=2.000000,asetpts='max(0,round(PTS-2.000000/TB))',aresample=async=1,"
        "aformat=sample_fmts=s16:channel_layouts=mono,asetnsamples=n=512:p=0,"
        "astats=metadata=1:reset=1:measure_perchannel=Min_level+Max_level"
        ":measure_overall=none,ametadata=mode=print:file=out-0.txt",
        *("-f", "null", "-"),
    )


def test_a_waveform_needs_sound() -> None:
    with pytest.raises(NoStreams, match="needs sound"):
        plans_of(SILENT, {"kind": "waveform"})


def test_captions_are_the_track_that_a_player_would_show() -> None:
    plan = only(SPOKEN, {"kind": "captions", "name": "{stem}.{language}.{ext}"})

    assert plan.names == ("film.fra.vtt",)
    command = texts_command([plan], source="source")
    assert command is not None
    assert command.argv == (
        *("-sub_charenc_mode:3", "ignore", "-i", "source"),
        *("-map", "0:3", "-c:s", "subrip", "-f", "srt", "text-3.srt"),
    )
    assert argv_of(SPOKEN, {"kind": "captions"}) == ()


def test_captions_of_a_language_prefer_those_that_are_not_forced() -> None:
    other = replace(FRENCH, index=6, default=False)
    media = replace(SPOKEN, subtitles=(SIGNS, other))

    plan = only(media, {"kind": "captions", "language": "fra", "format": "srt"})

    command = texts_command([plan], source="source")
    assert command is not None
    assert command.tracks[0].stream == 6
    assert plan.names == ("film.srt",)


def test_an_encoding_that_is_told_is_told_to_ffmpeg() -> None:
    plans = plans_of(
        SPOKEN,
        {"kind": "captions", "track": 0, "encoding": "windows-1251", "name": "a.vtt"},
        {"kind": "captions", "track": 0, "name": "b.vtt"},
    )

    command = texts_command(plans, source="source")

    assert command is not None
    assert command.argv == (
        *("-sub_charenc:2", "windows-1251", "-i", "source"),
        *("-sub_charenc_mode:2", "ignore", "-i", "source"),
        *("-map", "0:2", "-c:s", "subrip", "-f", "srt", "text-2-windows-1251.srt"),
        *("-map", "1:2", "-c:s", "subrip", "-f", "srt", "text-2.srt"),
    )


@pytest.mark.parametrize(
    ("media", "output", "words"),
    [
        (SHORT, {}, "the source has none"),
        (SPOKEN, {"track": 4}, "there is no 4; the source has 4, counted from 0"),
        (SPOKEN, {"language": "spa"}, "there is no 'spa'; the source has: deu, eng, fra"),
        (SPOKEN, {"track": 3}, r"stream 5 \(hdmv_pgs_subtitle\) are pictures"),
        (SPOKEN, {"language": "deu"}, "are pictures"),
    ],
)
def test_captions_that_cannot_be_made_are_refused(
    media: Media, output: dict[str, object], words: str
) -> None:
    with pytest.raises(NoStreams, match=words):
        plans_of(media, {"kind": "captions", **output})


def test_a_whole_film_keeps_its_subtitles_as_its_container_can() -> None:
    assert argv_of(SPOKEN, {"name": "a.mp4", **COPY}) == (
        *("-threads", "2", "-i", "source"),
        *("-f", "srt", "-i", "text-2.srt", "-f", "srt", "-i", "text-3.srt"),
        *("-map", "0:0", "-map", "1:0", "-map", "2:0", "-map", "0:4", *HEAD, "0"),
        *("-c:v", "copy"),
        *("-c:s:0", "mov_text", "-metadata:s:s:0", "language=eng"),
        *("-metadata:s:s:0", "handler_name=English", "-disposition:s:0", "0"),
        *("-c:s:1", "mov_text", "-metadata:s:s:1", "language=fra"),
        *("-disposition:s:1", "default"),
        *("-c:s:2", "copy", "-metadata:s:s:2", "language=fra"),
        *("-disposition:s:2", "forced"),
        *("-fflags", "+bitexact", "-movflags", "+faststart", "-f", "mp4", "out-0.mp4"),
    )
    matroska = argv_of(SPOKEN, {"name": "a.mkv", **COPY})
    assert [matroska[n + 1] for n, w in enumerate(matroska) if w.startswith("-c:s:")] == [
        *("copy", "copy", "subrip", "copy")
    ]


def test_a_part_keeps_text_alone_which_is_cut() -> None:
    film = {"name": "a.mkv", "video": {"speed": "ultrafast"}, "audio": None}

    said = argv_of(SPOKEN, film, start=2)

    assert [said[n + 1] for n, word in enumerate(said) if word == "-map"] == [
        *("[v0]", "1:0", "2:0", "3:0")
    ]


@pytest.mark.parametrize(
    "output",
    [
        {"name": "a.mp4", **COPY, "subtitles": None},
        {"name": "a.ts", **COPY},
        {"name": "a.m4a"},
    ],
)
def test_files_without_subtitles(output: object) -> None:
    plan = only(SPOKEN, output)

    assert plan.subtitles == ()
    assert texts_command([plan], source="source") is None


def test_a_file_may_have_all_sounds_each_with_its_language() -> None:
    french = replace(SOUND, index=7, channels=1, default=False, language="fra")
    media = replace(SHORT, audio=(french, SOUND))
    film = {"name": "a.mkv", "video": {"codec": "copy"}, "audio_tracks": "all"}

    said = argv_of(media, {**film, "audio": {"codec": "aac"}})

    assert said[4:] == (
        *("-map", "0:0", "-map", "0:1", "-map", "0:7", *HEAD, "0"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"),
        *("-c:v", "copy"),
        *("-c:a:0", "aac", "-b:a:0", "128k", "-ac:a:0", "2", "-ar:a:0", "44100"),
        *("-filter:a:0", "aresample=async=1"),
        *("-c:a:1", "aac", "-b:a:1", "80k", "-ac:a:1", "1", "-ar:a:1", "44100"),
        *("-filter:a:1", "aresample=async=1"),
        *("-fflags", "+bitexact", "-cues_to_front", "1", "-f", "matroska", "out-0.mkv"),
    )
    assert only(media, {**film, "audio_tracks": "one"}).more_audio == ()


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ({"name": "a.mp3"}, "mp3 holds one"),
        ({"name": "a.mp4", "video": {}, "audio": None}, "there is no audio"),
    ],
)
def test_several_sounds_that_cannot_be_are_refused(
    output: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidRecipe, match=words):
        plans_of(SHORT, {**output, "audio_tracks": "all"})


def test_documents_need_no_encoder() -> None:
    assert argv_of(FILM, {"kind": "metadata"}, {"kind": "checksums"}) == ()


def test_thumbnails_are_still_sought_beside_what_needs_no_encoder() -> None:
    said = argv_of(FILM, {"kind": "metadata"}, {"kind": "thumbnails", "times": [300]})

    assert said[:6] == ("-threads", "1", "-ss", "300.000000", "-i", "source")


def test_a_job_in_tasks_makes_lists_of_sums_last() -> None:
    outputs = plans_of(
        SPOKEN,
        {"kind": "checksums"},
        {"kind": "captions"},
        {"kind": "sprite", "name": "a.vtt"},
        {"kind": "waveform"},
        {"name": "a.mp4", "video": {}},
    )

    tasks = plan_tasks(SPOKEN, outputs, Policy(nodes=2, split_above=0))

    assert [(task.kind, task.outputs) for task in tasks] == [
        (TaskKind.ENCODE, (4, 1)),
        (TaskKind.AUDIO, (3,)),
        (TaskKind.THUMBNAILS, (2,)),
        (TaskKind.ASSEMBLE, (0,)),
    ]
    assert sum(task.weight for task in tasks) == pytest.approx(1)


def test_a_list_of_sums_names_files_as_seen_from_its_own_folder() -> None:
    sums = {"a/b/film.mp4": "1", "a/lists/x.vtt": "2", "pic\\1.jpg": "3"}

    assert sums_text(sums, "a/lists/all.sha256") == (
        "1  ../b/film.mp4\n2  x.vtt\n\\3  ../../pic\\\\1.jpg\n"
    )
    assert sums_text({"film.mp4": "1"}, "all.sha256") == "1  film.mp4\n"


def test_the_frames_of_a_webp_are_counted() -> None:
    frame = b"ANMF" + (3).to_bytes(4, "little") + b"abc\0"
    sides = (63).to_bytes(3, "little") + (35).to_bytes(3, "little")
    head = b"RIFF\0\0\0\0WEBPVP8X" + (10).to_bytes(4, "little") + bytes(4) + sides

    assert webp_frames(head + frame + frame) == (Size(64, 36), 2)
    with pytest.raises(OutputDamaged, match="cut short"):
        webp_frames(head + frame[:-3])
    with pytest.raises(OutputDamaged, match="no animated WebP"):
        webp_frames(b"RIFF")


def test_one_frame_alone_is_a_still_webp() -> None:
    sides = (128).to_bytes(2, "little") + (96).to_bytes(2, "little")
    still = b"RIFF\0\0\0\0WEBPVP8 " + bytes(4) + b"\x70\x21\x00\x9d\x01\x2a" + sides

    assert webp_frames(still + bytes(50)) == (Size(128, 96), 1)
