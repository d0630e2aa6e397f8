"""Parts of films and their streams, run by FFmpeg and compared with the whole."""

from pathlib import Path

import pytest
from planning_clips import QUICK, decoded_frames, decoded_samples, ffmpeg, make

from media_nommer.core.ports.probe import Probe

LOSSLESS = {"name": "a.mp4", "video": {**QUICK, "quality": 0}}


@pytest.fixture(scope="session")
def long(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds with open groups of three, as MP4, Matroska and MPEG-TS."""
    folder = tmp_path_factory.mktemp("long")
    x264 = ("-c:v", "libx264", "-preset", "veryfast", "-x264-params", "open-gop=1", "-g")
    film = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=12")
    tone = ("-f", "lavfi", "-i", "sine=f=440:d=12")
    ffmpeg(folder, *film, *tone, *x264, "75", "-c:a", "aac", "l.mp4")
    for name in ("l.mkv", "l.ts"):
        ffmpeg(folder, "-i", "l.mp4", "-c", "copy", name)
    return folder


@pytest.mark.parametrize("name", ["l.mp4", "l.mkv", "l.ts"])
@pytest.mark.parametrize(
    ("start", "end", "first", "count"),
    [(0, 1, 0, 25), (1.52, 2.52, 38, 25), (7.04, 7.12, 176, 2), (11, 99, 275, 25)],
)
def test_the_frames_of_a_part_are_those_of_the_whole(
    name: str,
    start: float,
    end: float,
    first: int,
    count: int,
    probe: Probe,
    long: Path,
    tmp_path: Path,
) -> None:
    thumbnail = {"kind": "thumbnails", "times": [0], "quality": 100}

    made = make(probe, long, name, tmp_path, LOSSLESS, thumbnail, start=start, end=end)

    frames = decoded_frames(made.files[0])
    assert len(frames) == count
    assert _likeness(made.files[0], long / name, first, count) > 45


def _likeness(part: Path, whole: Path, first: int, count: int) -> float:
    """Return the worst PSNR in decibels of the part's frames against the whole's."""
    last = first + count
    graph = (
        "[0:v]settb=1/100,setpts=N[a];"
        f"[1:v]trim=start_frame={first}:end_frame={last},settb=1/100,setpts=N[b];"
        "[a][b]psnr=stats_file=-"
    )
    argv = ("-i", str(part), "-i", str(whole), "-filter_complex", graph)
    text = ffmpeg(part.parent, *argv, "-f", "null", "-")
    told = [line.split("psnr_y:")[1].split()[0] for line in text.splitlines()]
    assert len(told) == count
    return min(float(value) for value in told)


@pytest.mark.parametrize("name", ["l.mp4", "l.mkv", "l.ts"])
def test_the_sound_of_a_part_has_exactly_its_samples(
    name: str, probe: Probe, long: Path, tmp_path: Path
) -> None:
    made = make(probe, long, name, tmp_path, {"name": "a.wav"}, start=7.3, end=8.4)

    assert decoded_samples(made.files[0]) == round(1.1 * 44100)


def test_a_sound_is_chosen_by_its_language(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    two = ("-i", str(clips / "plain.mp4"), "-i", str(clips / "surround.mkv"))
    said = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra")
    ffmpeg(tmp_path, *two, "-map", "0", "-map", "1:a", *said, "-c", "copy", "two.mkv")

    made = make(
        probe, tmp_path, "two.mkv", tmp_path / "o", {"name": "a.m4a"}, audio_language="fra"
    )

    (sound,) = made.found().audio
    assert (sound.channels, sound.language) == (6, "fra")
