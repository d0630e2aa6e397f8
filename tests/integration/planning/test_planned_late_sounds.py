"""Films whose sound begins half a minute late, and what is made of them in one run.

FFmpeg stands still for good where such a sound holds up its picture: `ffmpeg` in
`planning_clips` ends it then, and the test fails.
"""

from pathlib import Path

import pytest
from planning_clips import QUICK, Made, ffmpeg, make
from tests.odd_seeing import see

from media_nommer.core.media import AudioStream
from media_nommer.core.ports.probe import Probe

LATE, FLASH, SECONDS = 30.0, 31.0, 33.0
TOGETHER = 0.005  # seconds
FILE = {"name": "film.mp4", "video": {**QUICK, "height": 64}}
ALONE = {"name": "alone.m4a"}
STREAMS = {
    "kind": "adaptive",
    "gop": 1,
    "segment_duration": 2,
    "video": QUICK,
    "ladder": [{"height": 64, "max_bitrate": 300}],
}
_PICTURE = (
    f"color=s=64x64:r=10:d={SECONDS}:c=0x101010,drawbox=t=fill:c=white:"
    f"enable='between(t,{FLASH}-0.001,{FLASH}+0.199)'"
)
_SOUND = (
    "aevalsrc='0.05*sin(2*PI*440*t)+between(t,1,1.2)*0.5*sin(2*PI*1000*(t-1))'"
    f":c=stereo:s=16000:d={SECONDS - LATE}"
)
#: How the formats are made of the one that is encoded.
FORMATS = {
    "late.ts": ("-c", "copy"),
    "late.flv": ("-c:v", "copy", "-c:a", "libmp3lame", "-ar", "22050"),
    "late.mpg": ("-r", "25", "-c:v", "mpeg2video", "-c:a", "mp2", "-f", "vob"),
    "late.mp4": ("-c", "copy"),
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("late")
    ffmpeg(
        folder,
        *("-f", "lavfi", "-i", _PICTURE, "-itsoffset", str(LATE), "-f", "lavfi", "-i"),
        *(_SOUND, "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-bf", "0"),
        *("-c:a", "aac", "late.mkv"),
    )
    for name, how in FORMATS.items():
        ffmpeg(folder, "-i", "late.mkv", *how, name)
    return folder


def heard(path: Path) -> float:
    """Return when the beep is heard."""
    beep = see(path).sound.beep
    assert beep is not None
    return beep


def named(made: Made, end: str) -> Path:
    return next(path for path in made.files if path.name.endswith(end))


def sound_of(probe: Probe, path: Path) -> AudioStream:
    found = probe.inspect(path).sound
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["late.mkv", *FORMATS])
def test_a_late_sound_is_found_and_known(name: str, probe: Probe, films: Path) -> None:
    sound = sound_of(probe, films / name)

    assert sound.channels == 2
    assert sound.sample_rate >= 16000
    assert sound.late == pytest.approx(LATE, abs=0.1)
    if not name.endswith(("flv", "mpg")):  # which tell of no length, or not well
        assert sound.duration == pytest.approx(SECONDS - LATE, abs=0.2)


@pytest.mark.parametrize("name", ["late.mkv", "late.ts", "late.flv"])
def test_a_late_sound_holds_up_nothing_and_stays_where_it_was(
    name: str, probe: Probe, films: Path, tmp_path: Path
) -> None:
    made = make(probe, films, name, tmp_path, FILE, STREAMS, ALONE)

    source, film = see(films / name), see(named(made, "out-0.mp4"))
    streamed = see(named(made, "v1.mp4")).picture.flash
    assert source.apart is not None
    assert film.apart == pytest.approx(source.apart, abs=TOGETHER)
    assert streamed is not None
    assert heard(named(made, "a1.mp4")) - streamed == pytest.approx(
        source.apart, abs=TOGETHER
    )
    assert heard(named(made, ".m4a")) == pytest.approx(FLASH, abs=0.05)


@pytest.mark.parametrize(
    ("name", "start"), [("late.mkv", 29.2), ("late.ts", 29.2), ("late.ts", 30.4)]
)
def test_a_part_has_a_late_sound_where_it_was(
    name: str, start: float, probe: Probe, films: Path, tmp_path: Path
) -> None:
    made = make(probe, films, name, tmp_path, FILE, STREAMS, ALONE, start=start, end=32.0)

    source, film = see(films / name), see(named(made, "out-0.mp4"))
    assert source.apart is not None
    assert film.apart == pytest.approx(source.apart, abs=TOGETHER)
    assert film.picture.flash == pytest.approx(FLASH - start, abs=TOGETHER)
    assert heard(named(made, "a1.mp4")) == pytest.approx(FLASH - start, abs=0.03)
