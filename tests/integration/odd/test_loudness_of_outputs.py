"""How loud outputs come out of every encoder, measured in what they left."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.odd_sources import ffmpeg

from media_nommer.adapters.objects.paths import file_url
from media_nommer.conf.settings import Settings
from media_nommer.core.jobs import JobState
from media_nommer.embedded import embedded

TARGET, PEAK = -16.0, -1.0
_NEAR = 0.5  # LU
_NOISE = "anoisesrc=c=pink:r=48000:a=0.5:d={},highpass=f=150,lowpass=f=6000"
_SPEECH = "volume='if(lt(mod(t,1.5),0.6),0.9,if(lt(mod(t,1.5),1.1),0.02,0.2))':eval=frame"
_CLICKS = "volume='if(lt(mod(t,0.5),0.01),0.95,0.03)':eval=frame"
_SIX = "pan=5.1|c0=0.5*c0|c1=0.4*c0|c2=0.7*c0|c3=c0|c4=0.1*c0|c5=0.12*c0"

#: Each sound: how long it is, and what is done to the noise. What limiters and encoders
#: take of them is corrected; clicks are told to stay too soft.
SOUNDS: dict[str, tuple[float, str]] = {
    "dynamic": (4.5, f"{_SPEECH},aformat=channel_layouts=stereo"),
    "six": (3, _SIX),
    "short": (0.6, "aformat=channel_layouts=stereo"),
    "clicks": (3, f"{_CLICKS},aformat=channel_layouts=stereo"),
}
CODECS: dict[str, tuple[str, str]] = {
    "aac": ("a.m4a", "aac"),
    "opus": ("b.opus", "opus"),
    "mp3": ("c.mp3", "mp3"),
    "ac3": ("d.mka", "ac3"),
    "flac": ("e.flac", "flac"),
    "vorbis": ("f.ogg", "vorbis"),
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """Every sound by every encoder, in a folder of its own each, and who was warned of."""
    folder = tmp_path_factory.mktemp("loudness")
    said = {"loudness": {"target": TARGET, "true_peak": PEAK}}
    wanted = [
        {"name": name, "audio": {"codec": codec, **said}} for name, codec in CODECS.values()
    ]
    with embedded(Settings(), folder) as here:
        for sound, (seconds, filters) in SOUNDS.items():
            graph = f"{_NOISE.format(seconds)},{filters}"
            ffmpeg(folder, "-f", "lavfi", "-i", graph, f"{sound}.wav")
            here.submit(
                {
                    "inputs": [{"url": file_url(folder / f"{sound}.wav")}],
                    "destination": file_url(folder / sound),
                    "outputs": wanted,
                }
            )
        jobs = here.run()
    assert [job.failure for job in jobs if job.state is not JobState.FINISHED] == []
    warned = {
        file.url.removeprefix(file_url(folder) + "/")
        for job in jobs
        for output in job.outputs
        for file in output.files
        if output.facts.get("warnings")
    }
    return folder, warned


def _measured(path: Path) -> tuple[float, float]:
    """Return LUFS and dBTP of a file, by FFmpeg's own meter."""
    argv = ("-i", f"./{path.name}", "-af", "ebur128=peak=true:framelog=quiet")
    log = ffmpeg(path.parent, *argv, "-loglevel", "info", "-f", "null", "-", errors=True)
    loudness = re.findall(r"I:\s+(-?[\d.]+) LUFS", log)
    peak = re.findall(r"Peak:\s+(-?[\d.]+) dBFS", log)
    return float(loudness[-1]), float(peak[-1])


def _all(folder: Path, codec: str) -> Iterator[tuple[str, float, float]]:
    for sound in SOUNDS:
        yield sound, *_measured(folder / sound / CODECS[codec][0])


@pytest.mark.parametrize("codec", CODECS)
def test_every_encoder_leaves_a_sound_as_loud_as_asked_or_a_warning_and_no_peak_above(
    codec: str, outputs: tuple[Path, set[str]]
) -> None:
    folder, warned = outputs
    name = CODECS[codec][0]

    found = list(_all(folder, codec))

    off = {sound for sound, loudness, _ in found if abs(loudness - TARGET) > _NEAR}
    assert off == {"clicks"}
    assert {each for each in warned if each.endswith(name)} == {f"clicks/{name}"}
    assert {sound: peak for sound, _, peak in found if peak > PEAK} == {}
