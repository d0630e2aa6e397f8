"""Command lines, word for word, from stored inspections."""

from dataclasses import replace
from fractions import Fraction

from planning_media import FILM, PICTURE, SILENT, SONG, plans_of, with_picture

from media_nommer.core.media import Media
from media_nommer.planning.ffmpeg import EncodeCommand, Produced, encode_command


def command(media: Media, *outputs: object) -> EncodeCommand:
    return encode_command(media, plans_of(media, *outputs), source="source", threads=2)


def graph(media: Media, *outputs: object) -> str:
    argv = command(media, *outputs).argv
    return argv[argv.index("-filter_complex") + 1]


def test_the_preset_web() -> None:
    made = command(FILM, {"preset": "web"})

    assert made.argv == (
        *("-threads", "2", "-i", "source"),
        *("-filter_complex_threads", "2", "-filter_complex"),
        "[0:0]scale=1280:720:out_range=tv,setsar=1,format=yuv420p[v0]",
        *("-map", "[v0]", "-map", "0:1"),
        *("-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", "0"),
        *("-metadata", "title=Big Buck Bunny", "-metadata:s:a:0", "language=eng"),
        *("-c:v", "libx264", "-preset", "medium", "-crf", "22"),
        *("-profile:v", "high", "-threads:v", "2", "-g", "240"),
        *("-fps_mode:v", "vfr", "-enc_time_base:v", "1:24"),
        *("-c:a", "aac", "-b:a", "160k", "-ac", "2", "-ar", "44100"),
        *("-filter:a", "aresample=async=1"),
        *("-fflags", "+bitexact", "-movflags", "+faststart", "-f", "mp4", "out-0.mp4"),
    )
    assert made.produces == (Produced(0, "out-0.mp4", "film.mp4"),)


def test_several_outputs_from_one_decode() -> None:
    made = command(
        replace(FILM, title=None),
        {"preset": "web-small"},
        {"preset": "webm", "audio": None},
        {"preset": "av1", "video": {"height": 720, "speed": "fast"}},
        {"preset": "mp3"},
        {"kind": "thumbnails", "times": [1, 2.5], "height": 180},
    )

    assert made.argv == (
        *("-threads", "2", "-i", "source"),
        *("-filter_complex_threads", "2", "-filter_complex"),
        "[0:0]split=2[s0][p4];"
        "[s0]scale=1280:720:out_range=tv,setsar=1,format=yuv420p,split=3[v1][v2][s1];"
        "[s1]scale=640:360:out_range=tv,setsar=1[v0];"
        "[p4]select='(gte(t,1.000000)*(isnan(prev_t)+lt(prev_t,1.000000))"
        "+gte(t,2.500000)*(isnan(prev_t)+lt(prev_t,2.500000)))',"
        "scale=320:180:out_range=pc:out_color_matrix=bt601,setsar=1,format=yuv420p,"
        "tpad=stop=2:stop_mode=clone,trim=end_frame=2[v4]",
        *("-map", "[v0]", "-map", "0:1"),
        *("-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", "0"),
        *("-metadata:s:a:0", "language=eng"),
        *("-c:v", "libx264", "-preset", "medium", "-crf", "24"),
        *("-profile:v", "main", "-threads:v", "2", "-g", "240"),
        *("-fps_mode:v", "vfr", "-enc_time_base:v", "1:24"),
        *("-c:a", "aac", "-b:a", "96k", "-ac", "2", "-ar", "44100"),
        *("-filter:a", "aresample=async=1"),
        *("-fflags", "+bitexact", "-movflags", "+faststart", "-f", "mp4", "out-0.mp4"),
        *("-map", "[v1]"),
        *("-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", "0"),
        *("-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "3"),
        *("-crf", "32", "-b:v", "0", "-row-mt", "1", "-tile-columns", "2"),
        *("-threads:v", "2", "-g", "240"),
        *("-fps_mode:v", "vfr", "-enc_time_base:v", "1:24"),
        *("-fflags", "+bitexact", "-cues_to_front", "1", "-f", "webm", "out-1.webm"),
        *("-map", "[v2]", "-map", "0:1"),
        *("-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", "0"),
        *("-metadata:s:a:0", "language=eng"),
        *("-c:v", "libsvtav1", "-preset", "8", "-crf", "32"),
        *("-svtav1-params", "lp=2", "-g", "240"),
        *("-fps_mode:v", "vfr", "-enc_time_base:v", "1:24"),
        *("-c:a", "libopus", "-b:a", "128k", "-ac", "2", "-ar", "48000"),
        *("-filter:a", "aresample=async=1"),
        *("-fflags", "+bitexact", "-cues_to_front", "1", "-f", "webm", "out-2.webm"),
        *("-map", "0:1"),
        *("-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", "0"),
        *("-metadata:s:a:0", "language=eng"),
        *("-c:a", "libmp3lame", "-b:a", "192k", "-ac", "2", "-ar", "44100"),
        *("-filter:a", "aresample=async=1"),
        *("-fflags", "+bitexact", "-f", "mp3", "out-3.mp3"),
        *("-map", "[v4]", "-map_metadata", "-1", "-c:v", "mjpeg", "-q:v", "5"),
        *("-threads:v", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact"),
        *("-fps_mode:v", "passthrough", "-f", "image2", "-start_number", "1"),
        "out-4-%06d.jpg",
    )
    assert [made.name for made in made.produces] == [
        "film-small.mp4",
        "film.webm",
        "film-av1.webm",
        "film.mp3",
        "film-0001.jpg",
        "film-0002.jpg",
    ]
    assert made.produces[-1].path == "out-4-000002.jpg"


def test_sound_alone_decodes_no_picture() -> None:
    made = command(replace(SONG, title=None, video=()), {"preset": "audio"})

    assert made.argv == (
        *("-threads", "2", "-i", "source", "-map", "0:1"),
        *("-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", "0"),
        *("-metadata:s:a:0", "language=eng"),
        *("-c:a", "aac", "-b:a", "160k", "-ac", "2", "-ar", "44100"),
        *("-filter:a", "aresample=async=1"),
        *("-fflags", "+bitexact", "-movflags", "+faststart", "-f", "ipod", "out-0.m4a"),
    )


def test_thumbnails_alone_of_a_long_film_are_sought() -> None:
    made = command(SILENT, {"kind": "thumbnails", "times": [0, 300], "height": 90})

    scale = "scale=160:90:out_range=pc:out_color_matrix=bt601,setsar=1,format=yuv420p"
    jpeg = (
        *("-map_metadata", "-1", "-c:v", "mjpeg", "-q:v", "5", "-threads:v", "1"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-f", "image2", "-update", "1"),
    )
    assert made.argv == (
        *("-threads", "1", "-i", "source"),
        *("-threads", "1", "-ss", "300.000000", "-i", "source"),
        *("-map", "0:0", "-filter:v", scale, "-frames:v", "1", *jpeg, "out-0-000001.jpg"),
        *("-map", "1:0", "-filter:v", scale, "-frames:v", "1", *jpeg, "out-0-000002.jpg"),
    )


def test_an_interlaced_film_is_deinterlaced_once() -> None:
    found = graph(with_picture(interlaced=True), {"preset": "web"}, {"preset": "web-small"})

    assert found == (
        "[0:0]bwdif=mode=send_frame:deint=interlaced,"
        "scale=1280:720:out_range=tv,setsar=1,format=yuv420p,split=2[v0][s1];"
        "[s1]scale=640:360:out_range=tv,setsar=1[v1]"
    )


def test_times_rounded_by_matroska_go_back_on_the_grid() -> None:
    rate = Fraction(24000, 1001)
    media = with_picture(
        frames=None, frame_rate=rate, average_rate=rate, time_base=Fraction(1, 1000)
    )

    made = command(media, {"preset": "web"})

    assert made.argv[made.argv.index("-enc_time_base:v") + 1] == "filter"
    assert graph(media, {"preset": "web"}) == (
        "[0:0]settb=1001/2400000,setpts='if(lte(abs(STARTPTS+100*round((PTS-STARTPTS)/100)"
        "-PTS),4),STARTPTS+100*round((PTS-STARTPTS)/100),PTS)',"
        "scale=1280:720:out_range=tv,setsar=1,format=yuv420p[v0]"
    )


def test_a_variable_rate_keeps_its_own_clock() -> None:
    made = command(with_picture(average_rate=Fraction(19)), {"preset": "web"})

    assert made.argv[made.argv.index("-enc_time_base:v") + 1] == "demux"


def test_an_untagged_high_picture_is_tagged_before_it_is_made_small() -> None:
    found = graph(with_picture(color_space=None), {"preset": "web-small"})

    assert found.startswith(
        "[0:0]setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709,scale=640:360"
    )


def test_an_untagged_low_picture_is_converted_before_it_is_made_high() -> None:
    """Players guess BT.601 for the one, and BT.709 for the other."""
    low = {"width": 320, "height": 180, "color_space": None}

    found = graph(with_picture(**low), {"preset": "social-square"})

    assert found == (
        "[0:0]crop=180:180:70:0,"
        "scale=1080:1080:out_range=tv:in_color_matrix=bt601:out_color_matrix=bt709,"
        "setsar=1,format=yuv420p,"
        "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709[v0]"
    )


def test_what_players_guess_of_a_picture_goes_by_its_lines_before_it_is_turned() -> None:
    turned = with_picture(width=854, height=480, rotation=90, color_space=None)
    upright = with_picture(width=480, height=854, color_space=None)

    assert "in_color_matrix=bt601" in graph(turned, {"preset": "web"})
    assert graph(upright, {"preset": "web"}).startswith("[0:0]setparams=colorspace=bt709")


def test_rgb_becomes_bt709() -> None:
    media = with_picture(pixel_format="gbrp", color_space="gbr")

    assert graph(media, {"preset": "web"}) == (
        "[0:0]scale=1280:720:out_range=tv:out_color_matrix=bt709,setsar=1,format=yuv420p,"
        "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709[v0]"
    )


def test_a_size_almost_as_large_is_not_scaled_twice() -> None:
    found = graph(
        FILM,
        {"name": "a.mp4", "video": {"height": 720}},
        {"name": "b.mp4", "video": {"height": 640}},
        {"name": "c.mp4", "video": {"height": 360}},
    )

    assert found == (
        "[0:0]split=2[s0][s1];"
        "[s0]scale=1280:720:out_range=tv,setsar=1,format=yuv420p[v0];"
        "[s1]scale=1138:640:out_range=tv,setsar=1,format=yuv420p,split=2[v1][s2];"
        "[s2]scale=640:360:out_range=tv,setsar=1[v2]"
    )


def test_nothing_of_a_hostile_source_reaches_the_command_but_its_title() -> None:
    stream = replace(PICTURE, language="x;movie=/etc/passwd")
    media = replace(FILM, video=(stream,), title="-f lavfi")

    made = command(media, {"preset": "web"})

    assert [word for word in made.argv if "passwd" in word] == []
    assert [word for word in made.argv if "lavfi" in word] == ["title=-f lavfi"]
