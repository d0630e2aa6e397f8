"""What the probe finds in real files, and what it says of bad ones."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.adapters.ffmpeg.probe import AvProbe
from media_nommer.core.errors import (
    AccessDenied,
    EmptySource,
    HandedBack,
    NommerError,
    NoStreams,
    NotMedia,
    ReaderTimeout,
    SourceNotFound,
    TruncatedMedia,
)

WaitUntil = Callable[..., None]
MakeClip = Callable[..., Path]

PICTURE = ("-f", "lavfi", "-i", "testsrc=s=160x120:d=1:r=25")
SOUND = ("-f", "lavfi", "-i", "sine=d=1:r=48000")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def server_of(launcher: Launcher) -> psutil.Process:
    (server,) = psutil.Process(launcher.helper_pid).children()
    return server


def gone(process: psutil.Process) -> bool:
    """Whether it has ended; nobody may have buried it yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_an_ordinary_film_is_described_whole(probe: AvProbe, clip: Path) -> None:
    media = probe.inspect(clip)

    assert media.format.startswith("mov,mp4")
    assert media.size == clip.stat().st_size
    assert media.duration == pytest.approx(2.0, abs=0.03)
    assert media.title == "A clip"
    assert media.bit_rate == pytest.approx(media.size * 8 / (media.duration or 1), rel=0.01)
    picture, sound = media.picture, media.sound
    assert picture is not None
    assert sound is not None
    assert (picture.codec, picture.width, picture.height) == ("h264", 160, 120)
    assert (picture.frame_rate, picture.average_rate) == (Fraction(25), Fraction(25))
    assert (picture.frames, picture.duration, picture.start_time) == (50, 2.0, 0.0)
    assert (picture.pixel_format, picture.bit_depth) == ("yuv420p", 8)
    assert (picture.rotation, picture.interlaced) == (0, False)
    assert picture.sample_aspect == 1
    assert (sound.codec, sound.channels, sound.sample_rate) == ("aac", 2, 48000)
    assert (sound.layout, sound.language, sound.index) == ("stereo", "nld", 1)


@pytest.mark.parametrize(
    ("counterclockwise", "clockwise"), [(0, 0), (90, 270), (-90, 90), (180, 180), (270, 90)]
)
def test_rotation_is_what_a_player_turns_clockwise(
    probe: AvProbe,
    make_clip: MakeClip,
    clip: Path,
    tmp_path: Path,
    counterclockwise: int,
    clockwise: int,
) -> None:
    out = tmp_path / "turned.mp4"
    make_clip(out, "-display_rotation", str(counterclockwise), "-i", clip, "-c", "copy")

    picture = probe.inspect(out).picture

    assert picture is not None
    assert (picture.rotation, picture.width, picture.height) == (clockwise, 160, 120)


def test_turning_by_the_rotation_found_gives_the_picture_that_players_show(
    probe: AvProbe, make_clip: MakeClip, clip: Path, tmp_path: Path
) -> None:
    turned = make_clip(
        tmp_path / "turned.mp4", "-display_rotation", "90", "-i", clip, "-c", "copy"
    )
    picture = probe.inspect(turned).picture
    assert picture is not None
    by_hand = {90: "transpose=clock", 270: "transpose=cclock"}[picture.rotation]
    one = ("-frames:v", "1", "-f", "rawvideo")

    shown = make_clip(tmp_path / "shown", "-i", turned, *one)
    ours = make_clip(tmp_path / "ours", "-noautorotate", "-i", turned, "-vf", by_hand, *one)

    assert shown.read_bytes() == ours.read_bytes()


def test_depth_colours_shape_and_fields_are_found(
    probe: AvProbe, make_clip: MakeClip, tmp_path: Path
) -> None:
    out = make_clip(
        tmp_path / "hdr.mkv",
        *("-f", "lavfi", "-i", "testsrc=s=160x120:d=0.4:r=30000/1001"),
        "-vf",
        "format=yuv420p10le,setsar=4/3,setfield=tff,setparams=range=tv"
        ":color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc",
        *("-c:v", "libx264", "-flags", "+ildct+ilme", "-preset", "ultrafast"),
    )

    picture = probe.inspect(out).picture

    assert picture is not None
    assert (picture.pixel_format, picture.bit_depth) == ("yuv420p10le", 10)
    assert (picture.color_primaries, picture.color_transfer) == ("bt2020", "smpte2084")
    assert (picture.color_space, picture.color_range) == ("bt2020nc", "tv")
    assert picture.sample_aspect == Fraction(4, 3)
    assert picture.interlaced
    assert picture.frame_rate == Fraction(30000, 1001)
    assert picture.duration == pytest.approx(0.4, abs=0.05)


def test_cover_art_subtitles_and_data_are_told_apart(
    probe: AvProbe, make_clip: MakeClip, tmp_path: Path
) -> None:
    (tmp_path / "s.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    cover = make_clip(tmp_path / "c.jpg", *PICTURE, "-frames:v", "1")
    out = make_clip(
        tmp_path / "all.mp4",
        *(*PICTURE, *SOUND, "-i", cover, "-i", tmp_path / "s.srt"),
        *("-map", "2", "-map", "0", "-map", "1", "-map", "1", "-map", "3"),
        *("-c:v:0", "mjpeg", "-disposition:v:0", "attached_pic", "-c:v:1", "libx264"),
        *("-c:s", "mov_text", "-metadata:s:s:0", "language=fra", "-write_tmcd", "1"),
        *("-timecode", "01:00:00:00"),
    )

    media = probe.inspect(out)

    assert [v.attached_picture for v in media.video].count(True) == 1
    assert media.picture is not None
    assert media.picture.codec == "h264"
    assert len(media.audio) == 2
    assert {other.kind for other in media.other} == {"data"}
    assert [(s.codec, s.language, s.is_text) for s in media.subtitles] == [
        ("mov_text", "fra", True)
    ]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("still.jpg", "mjpeg"),
        ("still.png", "png"),
        ("still.webp", "webp"),
        ("s.bmp", "bmp"),
    ],
)
def test_a_picture_is_media_that_lasts_no_time(
    probe: AvProbe, make_clip: MakeClip, tmp_path: Path, name: str, codec: str
) -> None:
    out = make_clip(tmp_path / name, *PICTURE, "-frames:v", "1")

    media = probe.inspect(out)

    assert media.duration is None
    assert [(v.codec, v.width, v.height) for v in media.video] == [(codec, 160, 120)]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("x.mkv", *X264), id="matroska"),
        pytest.param(("x.webm", "-c:v", "libvpx-vp9", "-cpu-used", "8"), id="webm"),
        pytest.param(("x.ts", *X264), id="transport stream"),
        pytest.param(("x.avi", "-c:v", "mpeg4"), id="avi"),
        pytest.param(("x.mpg", "-c:v", "mpeg2video"), id="program stream"),
        pytest.param(("x.gif",), id="gif"),
        pytest.param(("x.h264", *X264), id="bare H.264"),
        pytest.param(("x.y4m", "-pix_fmt", "yuv420p"), id="y4m"),
        pytest.param(("x.flv", *X264), id="flv"),
        pytest.param(("x.mxf", "-c:v", "mpeg2video"), id="mxf"),
    ],
)
def test_each_common_format_is_read_by_its_content(
    probe: AvProbe, make_clip: MakeClip, tmp_path: Path, words: tuple[str, ...]
) -> None:
    name, *options = words
    out = make_clip(tmp_path / name, *PICTURE, *options)
    bare = out.rename(tmp_path / "no-extension")

    media = probe.inspect(bare)

    assert media.picture is not None
    assert (media.picture.width, media.picture.height) == (160, 120)


@pytest.mark.parametrize("name", ["x.mp3", "x.wav", "x.flac", "x.ogg", "x.m4a", "x.opus"])
def test_sound_alone_is_media(
    probe: AvProbe, make_clip: MakeClip, tmp_path: Path, name: str
) -> None:
    media = probe.inspect(make_clip(tmp_path / name, *SOUND))

    assert media.picture is None
    assert media.duration == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    "name",
    [
        "-y.mp4",
        "a%03d.mp4",
        'it\'s "odd" $HOME `x`.mp4',
        "file:clip.mp4",
        "concat:a|b.mp4",
        "pipe:0",
        "über 映画.mp4",
        "new\nline.mp4",
        "*?[a].png",
    ],
)
def test_a_name_is_only_a_name(
    probe: AvProbe, clip: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(clip.read_bytes())
    monkeypatch.chdir(tmp_path)

    assert probe.inspect(Path(name)).picture is not None
    assert len(probe.count(Path(name))) == 2


def test_a_source_that_is_not_there_is_said_so(probe: AvProbe, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"gone\.mp4"):
        probe.inspect(tmp_path / "gone.mp4")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"", EmptySource, id="empty"),
        pytest.param(b"Dear diary,\n" * 500, NotMedia, id="text"),
        pytest.param(os.urandom(50_000), NotMedia, id="noise"),
        pytest.param(b"#EXTM3U\n#EXTINF:2,\n/etc/passwd\n", NotMedia, id="hls"),
        pytest.param(b"\xef\xbb\xbf\n#EXTM3U\n", NotMedia, id="hls behind a mark"),
        pytest.param(b"ffconcat version 1.0\nfile clip.mp4\n", NotMedia, id="ffconcat"),
        pytest.param(b"<?xml version='1.0'?><MPD></MPD>", NotMedia, id="dash"),
        pytest.param(b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", NotMedia, id="sdp"),
        pytest.param(b";FFMETADATA1\ntitle=x\n", NotMedia, id="ffmetadata"),
        pytest.param(b"1\n00:00:00,000 --> 00:00:01,000\nHi\n\n" * 9, NotMedia, id="srt"),
    ],
)
def test_what_is_no_media_is_refused_by_name(
    probe: AvProbe, clip: Path, tmp_path: Path, content: bytes, kind: type[NommerError]
) -> None:
    (tmp_path / "clip.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "film.mp4").write_bytes(content)

    with pytest.raises(kind) as caught:
        probe.inspect(tmp_path / "film.mp4")

    assert type(caught.value) is kind
    assert caught.value.message.startswith("film.mp4 ")
    assert caught.value.advice
    assert "Traceback" not in caught.value.message


def test_a_folder_and_a_pipe_are_no_media(probe: AvProbe, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(NotMedia, match="folder"):
        probe.inspect(tmp_path)
    with pytest.raises(NotMedia, match="plain file"):
        probe.inspect(tmp_path / "pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_we_may_not_read_is_said_so(
    probe: AvProbe, clip: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(clip.read_bytes())
    secret.chmod(0)

    with pytest.raises(AccessDenied):
        probe.inspect(secret)


def test_subtitles_alone_are_nothing_to_encode(
    probe: AvProbe, make_clip: MakeClip, tmp_path: Path
) -> None:
    (tmp_path / "s.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    out = make_clip(tmp_path / "s.mkv", "-i", tmp_path / "s.srt")

    with pytest.raises(NoStreams):
        probe.inspect(out)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("x.mp4", *X264), id="mp4, index at the end"),
        pytest.param(("x.mp4", *X264, "-movflags", "+faststart"), id="mp4, index in front"),
        pytest.param(("x.mkv", *X264), id="matroska"),
        pytest.param(("x.avi", "-c:v", "mjpeg"), id="avi"),
    ],
)
def test_a_file_cut_in_half_is_truncated(
    probe: AvProbe, make_clip: MakeClip, tmp_path: Path, words: tuple[str, ...]
) -> None:
    name, *options = words
    whole = make_clip(tmp_path / name, *PICTURE, *SOUND, *options)
    half = tmp_path / f"half-{name}"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    probe.inspect(whole)
    with pytest.raises(TruncatedMedia, match=half.name):
        probe.inspect(half)
    with pytest.raises(TruncatedMedia):
        probe.count(half)


def test_one_byte_short_is_truncated(
    probe: AvProbe, make_clip: MakeClip, tmp_path: Path
) -> None:
    whole = make_clip(tmp_path / "x.mp4", *PICTURE, *X264, "-movflags", "+faststart")
    (tmp_path / "y.mp4").write_bytes(whole.read_bytes()[:-1])

    with pytest.raises(TruncatedMedia):
        probe.inspect(tmp_path / "y.mp4")


def test_counting_is_exact(probe: AvProbe, clip: Path) -> None:
    video, audio = probe.count(clip)

    assert (video.index, video.kind, video.packets, video.keyframes) == (0, "video", 50, 2)
    assert (video.first_pts, video.duration, video.monotonic) == (0.0, 2.0, True)
    assert audio.packets == audio.keyframes > 90
    assert audio.first_pts == pytest.approx(-1024 / 48000)
    assert audio.duration == pytest.approx(2.0, abs=0.05)
    assert audio.time_base == Fraction(1, 48000)


def test_a_killed_server_is_replaced_and_the_file_is_not_blamed(
    probe: AvProbe, launcher: Launcher, clip: Path
) -> None:
    probe.inspect(clip)
    first = server_of(launcher)

    first.kill()
    first.wait()

    assert probe.inspect(clip).picture is not None
    assert server_of(launcher).pid != first.pid


def test_a_file_that_crashes_the_reader_is_not_media_and_harms_no_other(
    launcher: Launcher, clip: Path
) -> None:
    with AvProbe(launcher, memory=1) as starved, AvProbe(launcher) as probe:
        with pytest.raises(NotMedia, match=r"clip\.mp4"):
            starved.inspect(clip)

        assert probe.inspect(clip).picture is not None


def test_a_reader_that_takes_too_long_is_ended_and_the_file_not_blamed(
    launcher: Launcher, clip: Path
) -> None:
    with AvProbe(launcher, wall=timedelta(microseconds=1)) as hasty:
        with pytest.raises(ReaderTimeout, match="within") as raised:
            hasty.inspect(clip)

        assert raised.value.retryable
    with AvProbe(launcher) as probe:
        assert probe.count(clip)


def test_a_closed_launcher_hands_the_work_back(
    scratch: Path, clip: Path, wait_until: WaitUntil
) -> None:
    with Launcher(scratch) as launcher:
        probe = AvProbe(launcher)
        probe.inspect(clip)
        server = server_of(launcher)

    wait_until(lambda: gone(server))
    with probe, pytest.raises(HandedBack):
        probe.inspect(clip)


def test_the_server_dies_with_the_helper(
    probe: AvProbe, launcher: Launcher, clip: Path, wait_until: WaitUntil
) -> None:
    probe.inspect(clip)
    server, helper = server_of(launcher), launcher.helper_pid
    assert helper is not None

    os.kill(helper, signal.SIGKILL)

    wait_until(lambda: gone(server))
    assert probe.inspect(clip).picture is not None
