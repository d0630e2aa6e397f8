"""Ways to encode a picture, run by FFmpeg; `make` holds each output against its plan."""

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from planning_clips import QUICK, decoded_frames, ffmpeg, make

from media_nommer.core.media import VideoStream
from media_nommer.core.ports.probe import Probe


def film(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "video": {**QUICK, **said}, "audio": None}


def picture(probe: Probe, path: Path) -> VideoStream:
    found = probe.inspect(path).picture
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("output", "codec", "pixels"),
    [
        (film("a.mp4", bit_depth=10), "h264", "yuv420p10le"),
        (film("a.mp4", codec="hevc"), "hevc", "yuv420p"),
        (film("a.mkv", codec="hevc", bit_depth=10), "hevc", "yuv420p10le"),
        (film("a.ts", codec="hevc", level="3", tune="grain"), "hevc", "yuv420p"),
        (film("a.webm", codec="vp9", bit_depth=10), "vp9", "yuv420p10le"),
        (film("a.mp4", codec="av1", bit_depth=10), "av1", "yuv420p10le"),
        (film("a.mov", codec="prores"), "prores", "yuv422p10le"),
        (film("a.mov", codec="prores", profile="4444"), "prores", "yuv444p10le"),
        (film("a.mkv", codec="dnxhr", profile="sq"), "dnxhd", "yuv422p"),
        (film("a.mov", codec="dnxhr", profile="hqx"), "dnxhd", "yuv422p10le"),
        (film("a.mov", codec="dnxhr", profile="444"), "dnxhd", "yuv444p10le"),
        (film("a.mkv", codec="ffv1"), "ffv1", "yuv420p"),
        (
            film("a.ts", profile="main", level="4", tune="film", b_frames=1),
            "h264",
            "yuv420p",
        ),
    ],
)
def test_codecs(
    output: dict[str, Any],
    codec: str,
    pixels: str,
    probe: Probe,
    clips: Path,
    tmp_path: Path,
) -> None:
    made = make(probe, clips, "plain.mp4", tmp_path, output)

    found = picture(probe, made.files[0])
    # ProRes says 12 bits of its 4444, whatever was put in
    assert (found.codec, found.pixel_format) in {(codec, pixels), (codec, "yuv444p12le")}
    assert len(decoded_frames(made.files[0])) == 50


def test_hevc_in_mp4_is_called_as_apples_players_want_it(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(probe, clips, "plain.mp4", tmp_path, film("a.mp4", codec="hevc"))

    assert b"hvc1" in made.files[0].read_bytes()


@pytest.mark.parametrize("name", ["plain.mp4", "broadcast.ts", "variable.mp4"])
def test_a_copy_has_the_very_frames_of_the_source(
    name: str, probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(probe, clips, name, tmp_path, {"name": "a.mkv", "video": {"codec": "copy"}})

    before, after = decoded_frames(clips / name), decoded_frames(made.files[0])
    assert [checksum for _, checksum in after] == [checksum for _, checksum in before]


def test_a_copy_of_a_turned_film_is_still_turned(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(
        probe, clips, "turned.mp4", tmp_path, {"name": "a.mov", "video": {"codec": "copy"}}
    )

    found = picture(probe, made.files[0])
    assert (found.width, found.height, found.rotation) == (320, 180, 90)


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds that no encoder finds easy."""
    folder = tmp_path_factory.mktemp("noise")
    source = "testsrc2=s=320x180:r=25:d=3,noise=alls=40:allf=t"
    ffmpeg(folder, "-f", "lavfi", "-i", source, "-preset", "ultrafast", "n.mp4")
    return folder


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "h264"), ("a.mp4", "hevc"), ("a.webm", "vp9"), ("a.mp4", "av1")],
)
def test_a_cap_or_an_average_is_held(
    name: str, codec: str, probe: Probe, noise: Path, tmp_path: Path
) -> None:
    made = make(
        probe,
        noise,
        "n.mp4",
        tmp_path,
        film(name, codec=codec),
        film(f"b{name}", codec=codec, max_bitrate=500, buffer=1),
        film(f"c{name}", codec=codec, bitrate=500),
    )

    free, capped, average = (path.stat().st_size * 8 / 3000 for path in made.files)
    assert free > 2500
    assert capped < 1000  # the buffer is a third of so short a film
    assert 250 < average < 1200


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1"])
def test_fixed_groups_begin_where_they_should(
    codec: str, probe: Probe, clips: Path, tmp_path: Path
) -> None:
    said = film("a.mp4", codec=codec, gop=0.4, fixed_gop=True)

    made = make(probe, clips, "plain.mp4", tmp_path, said)

    assert _key_times(made.files[0]) == [0.0, 0.4, 0.8, 1.2, 1.6]


def test_groups_of_a_variable_rate_are_of_equal_time(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    said = film("a.mp4", gop=0.5, fixed_gop=True)

    made = make(probe, clips, "variable.mp4", tmp_path, said)

    assert _key_times(made.files[0]) == pytest.approx([0.0, 0.5, 1.0, 1.5], abs=0.09)


def _key_times(path: Path) -> list[float]:
    argv = ("-i", str(path), "-vf", "select=key", "-fps_mode", "passthrough")
    text = ffmpeg(path.parent, *argv, "-enc_time_base", "1:1000", "-f", "framemd5", "-")
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    return [int(row[2]) / 1000 for row in rows]


@pytest.mark.parametrize(
    ("source", "said", "frames"),
    [
        ("plain.mp4", {"frame_rate": 50}, 100),
        ("plain.mp4", {"max_frame_rate": 15}, 25),
        ("plain.mp4", {"frame_rate": 23.976}, 48),
        ("ntsc.mkv", {"frame_rate": 12}, 24),
        ("variable.mp4", {"frame_rate": 25}, 50),
        ("fast.mkv", {"max_frame_rate": 60}, 29),
    ],
)
def test_frame_rates_are_converted(
    source: str,
    said: dict[str, Any],
    frames: int,
    probe: Probe,
    clips: Path,
    tmp_path: Path,
) -> None:
    made = make(probe, clips, source, tmp_path, film("a.mp4", **said))

    times = [pts for pts, _ in decoded_frames(made.files[0])]
    assert abs(len(times) - frames) <= 1
    assert len({after - before for before, after in itertools.pairwise(times)}) == 1
    plan = made.plans[0].video
    assert plan is not None
    assert picture(probe, made.files[0]).frame_rate == plan.timing.rate
    assert picture(probe, made.files[0]).sample_aspect == Fraction(1)


def test_ffv1_loses_nothing(probe: Probe, clips: Path, tmp_path: Path) -> None:
    made = make(probe, clips, "ten-bit.mkv", tmp_path, film("a.mkv", codec="ffv1"))

    assert _pictures(made.files[0]) == _pictures(clips / "ten-bit.mkv")


def _pictures(path: Path) -> list[str]:
    return [checksum for _, checksum in decoded_frames(path)]


@pytest.mark.parametrize("codec", ["hevc", "av1", "prores", "dnxhr"])
def test_the_same_threads_make_the_same_bytes(
    codec: str, probe: Probe, clips: Path, tmp_path: Path
) -> None:
    output = film("a.mkv", codec=codec)

    first = make(probe, clips, "plain.mp4", tmp_path / "a", output)
    second = make(probe, clips, "plain.mp4", tmp_path / "b", output)

    assert first.files[0].read_bytes() == second.files[0].read_bytes()


@pytest.mark.parametrize(
    ("source", "said", "size"),
    [
        ("plain.mp4", {"width": 120, "height": 120, "resize": "fill"}, (120, 120)),
        ("plain.mp4", {"width": 120, "height": 120, "resize": "stretch"}, (120, 120)),
        ("plain.mp4", {"width": 640, "height": 640, "upscale": True}, (640, 360)),
        ("turned.mp4", {"width": 200, "height": 100, "resize": "pad"}, (200, 100)),
        ("wide.mkv", {"crop": {"aspect": "1:1"}}, (288, 288)),
        ("odd.mp4", {"crop": {"left": 3, "top": 5}, "bit_depth": 10}, (848, 472)),
    ],
)
def test_shapes(
    source: str,
    said: dict[str, Any],
    size: tuple[int, int],
    probe: Probe,
    clips: Path,
    tmp_path: Path,
) -> None:
    made = make(probe, clips, source, tmp_path, film("a.mp4", **said))

    found = picture(probe, made.files[0])
    assert (found.width, found.height) == size
    assert (found.sample_aspect, found.rotation) == (Fraction(1), 0)


def test_what_is_put_around_a_picture_has_the_colour_asked_for(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    said = {"width": 320, "height": 320, "resize": "pad", "pad_color": "#20a0ff"}

    made = make(probe, clips, "plain.mp4", tmp_path, film("a.mp4", **said))

    ffmpeg(
        tmp_path,
        *("-i", str(made.files[0]), "-frames:v", "1", "-vf", "crop=2:2:100:20"),
        *("-pix_fmt", "rgb24", "-f", "rawvideo", "corner.rgb"),
    )
    red, green, blue = (tmp_path / "corner.rgb").read_bytes()[:3]
    assert abs(red - 0x20) + abs(green - 0xA0) + abs(blue - 0xFF) < 12


@pytest.mark.parametrize("source", ["pq.mp4", "hlg.mkv"])
def test_high_dynamic_range_becomes_standard_and_looks_right(
    source: str, probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(
        probe,
        clips,
        source,
        tmp_path,
        film("a.mp4", quality=5),
        {"kind": "thumbnails", "times": [0], "quality": 100},
    )

    found = picture(probe, made.files[0])
    told = (found.color_primaries, found.color_transfer, found.color_space)
    assert told == ("bt709", "bt709", "bt709")
    assert "MaxCLL" not in _told(made.files[0])
    for path in made.files:
        # the plain squares of the test picture: red, green, yellow, blue, magenta
        assert [max(_square(path, x)) > 180 for x in (20, 70, 105, 170, 215)] == [True] * 5
        red, green, blue = _square(path, 20)
        assert red > 180 > 60 > max(green, blue)


def _told(path: Path) -> str:
    argv = ("-i", str(path), "-frames:v", "1", "-vf", "showinfo", "-loglevel", "info")
    return ffmpeg(path.parent, *argv, "-f", "null", "-", errors=True)


def _square(path: Path, x: int) -> tuple[int, int, int]:
    argv = ("-i", str(path), "-frames:v", "1", "-vf", f"crop=4:4:{x}:150:exact=1")
    ffmpeg(path.parent, *argv, "-pix_fmt", "rgb24", "-f", "rawvideo", "square.rgb")
    red, green, blue = (path.parent / "square.rgb").read_bytes()[:3]
    return red, green, blue


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "hevc"), ("a.webm", "vp9"), ("a.mp4", "av1")]
)
def test_high_dynamic_range_is_kept_with_all_that_is_told_of_it(
    name: str, codec: str, probe: Probe, clips: Path, tmp_path: Path
) -> None:
    made = make(probe, clips, "pq.mp4", tmp_path, film(name, codec=codec, bit_depth=10))

    found = picture(probe, made.files[0])
    told = (found.color_primaries, found.color_transfer, found.color_space)
    assert told == ("bt2020", "smpte2084", "bt2020nc")
    shown = _told(made.files[0])
    assert "MaxCLL=1000" in shown
    assert "max_luminance=1000" in shown


@pytest.mark.parametrize(("said", "whole"), [("auto", True), ("off", False)])
def test_fields_are_made_whole_unless_that_is_off(
    said: str, probe: Probe, clips: Path, tmp_path: Path, *, whole: bool
) -> None:
    made = make(
        probe, clips, "interlaced.mp4", tmp_path, film("a.mp4", deinterlace=said, quality=5)
    )

    text = ffmpeg(
        tmp_path,
        *("-i", str(made.files[0]), "-vf", "idet", "-loglevel", "info", "-f", "null", "-"),
        errors=True,
    )
    line = [line for line in text.splitlines() if "Multi frame detection" in line][-1]
    progressive = int(line.split("Progressive:")[1].split()[0])
    assert (progressive > 25) is whole


def test_the_presets_make_what_their_table_says(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    quick = {"video": QUICK}

    made = make(
        probe,
        clips,
        "surround.mkv",
        tmp_path,
        {"preset": "web-4k", **quick},
        {"preset": "social-square", **quick},
        {"preset": "social-vertical", **quick},
        {"preset": "preview", **quick},
        {"preset": "archive"},
    )

    found = [
        (
            seen.video[0].codec,
            seen.video[0].width,
            seen.video[0].height,
            seen.audio[0].codec,
        )
        for seen in (made.found(place) for place in range(5))
    ]
    assert found == [
        ("hevc", 320, 180, "aac"),
        ("h264", 1080, 1080, "aac"),
        ("h264", 1080, 1920, "aac"),
        ("h264", 320, 180, "aac"),
        ("prores", 320, 180, "pcm_s24le"),
    ]
    assert len(decoded_frames(made.files[3])) == 25
