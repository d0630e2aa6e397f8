"""The planned command lines, run by FFmpeg on odd media; `make` checks each output too."""

import hashlib
from fractions import Fraction
from pathlib import Path

import pytest
from planning_clips import QUICK, decoded_frames, decoded_samples, ffmpeg, make

from media_nommer.core.media import VideoStream
from media_nommer.core.ports.probe import Probe

BIG = {"name": "big.mp4", "video": QUICK}
SMALL = {"name": "small.mp4", "video": {**QUICK, "height": 90}}


def picture(probe: Probe, path: Path) -> VideoStream:
    found = probe.inspect(path).picture
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("plain.mp4", (320, 180)),
        ("ntsc.mkv", (320, 180)),
        ("odd.mp4", (852, 478)),
        ("wide.mkv", (512, 288)),
        ("silent.mp4", (320, 180)),
        ("surround.mkv", (320, 180)),
        ("variable.mp4", (320, 180)),
        ("variable.mkv", (320, 180)),
        ("broadcast.ts", (320, 180)),
        ("late-sound.mp4", (320, 180)),
        ("late-picture.mp4", (320, 180)),
        ("interlaced.mp4", (320, 180)),
        ("rgb.mkv", (320, 180)),
        ("ten-bit.mkv", (320, 180)),
        ("fast.mkv", (64, 64)),
        ("one-frame.mp4", (64, 64)),
        ("b-frames.avi", (320, 180)),
        ("live.flv", (320, 180)),
        ("turned.mp4", (180, 320)),
        ("edit-list.mp4", (320, 180)),
    ],
)
def test_odd_media_keeps_every_frame_and_its_shape(
    name: str, size: tuple[int, int], probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(
        probe, clips, name, tmp_path, BIG, SMALL, {"kind": "thumbnails", "count": 2}
    )

    source = decoded_frames(clips / name)
    big = picture(probe, made.files[0])
    assert [len(decoded_frames(path)) for path in made.files[:2]] == [len(source)] * 2
    assert (big.width, big.height, big.rotation) == (*size, 0)
    assert (big.sample_aspect, big.pixel_format) == (Fraction(1), "yuv420p")
    assert not big.interlaced
    assert all(path.stat().st_size > 0 for path in made.files[2:])


@pytest.mark.parametrize(
    "name", ["plain.mp4", "ntsc.mkv", "broadcast.ts", "b-frames.avi", "edit-list.mp4"]
)
def test_the_sound_is_whole(name: str, probe: Probe, clips: Path, tmp_path: Path) -> None:
    made = make(probe, clips, name, tmp_path, BIG, {"name": "alone.m4a"})

    source = decoded_samples(clips / name)
    for path in made.files:
        assert abs(decoded_samples(path) - source) <= 1024


@pytest.mark.parametrize("name", ["late-sound.mp4", "late-picture.mp4", "live.flv"])
def test_picture_and_sound_stay_together(
    name: str, probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(probe, clips, name, tmp_path, BIG)

    before, after = _offset(clips / name), _offset(made.files[0])
    assert abs(before - after) < 0.005


def _offset(path: Path) -> float:
    """Return by how many seconds the first heard sample comes after the first frame.

    The tone starts at once, so that what an encoder put before it, which is silent, does
    not count.
    """
    text = ffmpeg(
        path.parent,
        *("-copyts", "-i", str(path), "-map", "0:v:0", "-frames:v", "1", "-enc_time_base"),
        *("1:100000", "-c:v", "rawvideo", "-f", "framecrc", "-"),
    )
    frame = int(text.splitlines()[-1].split(",")[2]) / 100_000
    text = ffmpeg(
        path.parent,
        *(
            "-copyts",
            "-i",
            str(path),
            "-map",
            "0:a:0",
            "-ac",
            "1",
            "-ar",
            "44100",
            "-filter:a",
        ),
        *(
            "asetnsamples=n=64,astats=metadata=1:reset=1:length=0.01,"
            "ametadata=print:key=lavfi.astats.Overall.Peak_level:file=-",
        ),
        *("-f", "null", "-"),
    )
    time = 0.0
    for line in text.splitlines():
        if line.startswith("frame:"):
            time = float(line.split("pts_time:")[1])
        elif line.split("=")[1] != "-inf" and float(line.split("=")[1]) > -40:
            break
    return time - frame


def test_the_times_of_a_variable_rate_are_kept(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(probe, clips, "variable.mp4", tmp_path, BIG)

    unit = picture(probe, clips / "variable.mp4").time_base
    out_unit = picture(probe, made.files[0]).time_base
    before = [pts * unit for pts, _ in decoded_frames(clips / "variable.mp4")]
    after = [pts * out_unit for pts, _ in decoded_frames(made.files[0])]
    assert after == [time - before[0] for time in before]


def test_times_rounded_by_matroska_are_exact_again(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(probe, clips, "ntsc.mkv", tmp_path, BIG)

    unit = picture(probe, made.files[0]).time_base
    times = [pts * unit for pts, _ in decoded_frames(made.files[0])]
    assert times == [n * Fraction(1001, 24000) for n in range(48)]


def test_every_kind_of_output_from_one_decode(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    names = ("webm", "web-small", "audio", "mp3", "opus", "podcast", "thumbnails")
    film_presets = [
        {"preset": name, "video": QUICK} if name.startswith("web") else {"preset": name}
        for name in names
    ]
    made = make(
        probe,
        clips,
        "plain.mp4",
        tmp_path,
        *film_presets,
        {"name": "av1.mp4", "video": {"codec": "av1", **QUICK}, "audio": {"codec": "opus"}},
        {"preset": "av1", "video": QUICK},
        {"name": "vp9.mp4", "video": {"codec": "vp9", **QUICK}, "audio": {"codec": "mp3"}},
        {"name": "mute.mp4", "video": {**QUICK, "profile": "baseline"}, "audio": None},
    )

    assert len(made.files) == 20
    assert made.argv.count("-i") == 1
    assert probe.inspect(made.files[0]).title == "Bars and tone"


def test_chapters_and_title_are_kept_and_the_place_of_filming_is_not(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    (tmp_path / "told.txt").write_text(
        ";FFMETADATA1\ntitle=Holiday\nlocation=+48.1+011.5/\n"
        "[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1\nSTART=1\nEND=2\ntitle=Two\n"
    )
    source = ("-i", str(clips / "plain.mp4"), "-i", "told.txt", "-map_metadata", "1")
    ffmpeg(tmp_path, *source, "-map_chapters", "1", "-c", "copy", "told.mp4")

    made = make(probe, tmp_path, "told.mp4", tmp_path / "out", BIG, {"preset": "webm"})

    for path in made.files:
        told = ffmpeg(path.parent, "-i", str(path), "-f", "ffmetadata", "-")
        assert "title=Holiday" in told
        assert told.count("[CHAPTER]") == 2
        assert "title=Two" in told
        assert "48.1" not in path.read_bytes().decode("latin-1")


def test_surround_sound_stays_or_is_mixed_down(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(
        probe,
        clips,
        "surround.mkv",
        tmp_path,
        {"name": "six.mp4", "video": QUICK},
        {"preset": "opus", "audio": {"channels": 6}},
        {"preset": "web", "video": QUICK},
    )

    layouts = [stream.layout for path in made.files for stream in probe.inspect(path).audio]
    assert layouts == ["5.1", "5.1", "stereo"]


def test_cover_art_is_never_a_film(probe: Probe, clips: Path, tmp_path: Path) -> None:
    made = make(probe, clips, "song.m4a", tmp_path, {"preset": "mp3"})

    found = probe.inspect(made.files[0])
    assert (found.picture, len(found.audio)) == (None, 1)


def test_the_same_command_makes_the_same_bytes(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    outputs = (BIG, {"preset": "webm", "video": QUICK}, {"preset": "opus"})

    first = make(probe, clips, "plain.mp4", tmp_path / "a", *outputs)
    second = make(probe, clips, "plain.mp4", tmp_path / "b", *outputs)

    assert [_digest(path) for path in first.files] == [
        _digest(path) for path in second.files
    ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["big.mp4", "sound.m4a"])
def test_the_index_is_at_the_front(
    name: str, probe: Probe, clips: Path, tmp_path: Path
) -> None:
    output = {"name": name, "video": QUICK} if name == "big.mp4" else {"name": name}

    made = make(probe, clips, "plain.mp4", tmp_path, output)

    data = made.files[0].read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_thumbnails_are_the_frames_of_their_times(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(
        probe,
        clips,
        "plain.mp4",
        tmp_path,
        {"kind": "thumbnails", "times": [0, 0.5, 1.99], "quality": 100},
    )

    frames = [0, 13, 49]  # 25 a second: the first at or after each time
    for path, number in zip(made.files, frames, strict=True):
        assert _likeness(path, clips / "plain.mp4", number) > 30


def _likeness(picture: Path, film: Path, number: int) -> float:
    """Return the PSNR in decibels of a picture against one frame of a film."""
    text = ffmpeg(
        picture.parent,
        *("-i", str(picture), "-i", str(film), "-filter_complex"),
        f"[1:v]select='eq(n,{number})',setpts=0,scale=out_range=pc:out_color_matrix=bt601,"
        "format=yuv420p[b];[0:v]setpts=0,format=yuv420p[a];[a][b]psnr=stats_file=-",
        *("-frames:v", "1", "-f", "null", "-"),
    )
    return float(text.split("psnr_y:")[1].split()[0])


def test_many_thumbnails_are_not_too_deep_for_an_expression(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    times = [number / 100 for number in range(150)]

    made = make(
        probe,
        clips,
        "plain.mp4",
        tmp_path,
        {"kind": "thumbnails", "times": times, "height": 16},
    )

    assert len(made.files) == 150


def test_sought_thumbnails_are_the_same_as_selected_ones(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    ffmpeg(
        tmp_path, "-stream_loop", "11", "-i", str(clips / "gops.mp4"), "-c", "copy", "l.mp4"
    )
    thumbnails = {"kind": "thumbnails", "count": 4}

    sought = make(probe, tmp_path, "l.mp4", tmp_path / "a", thumbnails)
    selected = make(probe, tmp_path, "l.mp4", tmp_path / "b", thumbnails, {"name": "s.m4a"})

    assert sought.argv.count("-i") == 4
    assert selected.argv.count("-i") == 1
    assert [_digest(p) for p in sought.files] == [_digest(p) for p in selected.files[:4]]
