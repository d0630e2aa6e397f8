"""Noise, sharpness, fades and FFmpeg's own options, seen and heard in what it made."""

import re
from pathlib import Path
from typing import Any

import pytest
from planning_clips import QUICK, ffmpeg, make

from media_nommer.core.ports.probe import Probe


@pytest.fixture(scope="session")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two seconds of a noisy picture and a steady tone."""
    folder = tmp_path_factory.mktemp("noisy")
    picture = "smptebars=s=160x90:r=25:d=2,noise=alls=20:allf=t:all_seed=7"
    sound = "sine=frequency=440:duration=2:sample_rate=48000"
    inputs = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound)
    ffmpeg(folder, *inputs, "-c:v", "libx264", "-qp", "5", "-c:a", "pcm_s16le", "film.mkv")
    return folder


def film(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "video": {**QUICK, "quality": 20, **said}, "audio": None}


def brightness(path: Path) -> list[float]:
    """Return the mean luma of each frame."""
    graph = "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"
    text = ffmpeg(path.parent, "-i", path.name, "-vf", graph, "-f", "null", "-")
    return [float(value) for value in re.findall(r"YAVG=([0-9.]+)", text)]


def loudest(path: Path, start: float, duration: float) -> float:
    """Return the peak of a part, in dBFS."""
    part = ("-ss", str(start), "-t", str(duration), "-i", path.name)
    text = ffmpeg(
        path.parent,
        *("-loglevel", "level+info", *part, "-af", "volumedetect", "-f", "null", "-"),
        errors=True,
    )
    found = re.search(r"max_volume: (-?[0-9.]+) dB", text)
    assert found is not None, text
    return float(found[1])


def test_denoised_pictures_take_fewer_bits_and_sharp_ones_more(
    probe: Probe, noisy: Path, tmp_path: Path
) -> None:
    made = make(
        probe,
        noisy,
        "film.mkv",
        tmp_path,
        film("plain.mp4"),
        film("light.mp4", denoise="light"),
        film("strong.mp4", denoise="strong"),
        film("sharp.mp4", sharpen="strong"),
        film("deep.mp4", denoise="strong", sharpen="light", bit_depth=10),
    )

    plain, light, strong, sharp, deep = (path.stat().st_size for path in made.files)
    assert sharp > plain > light > strong
    assert deep < plain


def test_a_film_comes_from_black_and_goes_to_black(
    probe: Probe, noisy: Path, tmp_path: Path
) -> None:
    output = {
        "name": "film.mkv",
        "video": {**QUICK, "fade_in": 0.4, "fade_out": 0.4},
        "audio": {"codec": "pcm", "fade_in": 0.4, "fade_out": 0.4},
    }
    made = make(probe, noisy, "film.mkv", tmp_path, output)

    light = brightness(made.files[0])
    assert light[0] < 20
    assert light[-1] < 30
    assert min(light[10:40]) > 60
    assert light[:10] == sorted(light[:10])
    peaks = [loudest(made.files[0], at, 0.04) for at in (0, 1, 1.96)]
    assert peaks[0] < peaks[1] - 15
    assert peaks[2] < peaks[1] - 15


def test_options_of_ffmpegs_own_reach_the_encoder(
    probe: Probe, noisy: Path, tmp_path: Path
) -> None:
    options = [["refs", "2"], ["x264-params", "aq-mode=3"], ["metadata", "artist=A B/C"]]
    output = {**film("a.mkv"), "ffmpeg_options": options}

    made = make(probe, noisy, "film.mkv", tmp_path, output)

    data = made.files[0].read_bytes()
    assert b" ref=2 " in data  # x264 writes down its settings
    assert b" aq=3:" in data
    assert b"A B/C" in data
