"""Ways to encode a sound, run by FFmpeg; `make` holds each output against its plan."""

from pathlib import Path
from typing import Any

import pytest
from planning_clips import decoded_samples, ffmpeg, make

from media_nommer.core.ports.probe import Probe
from media_nommer.planning.sounds.loudness import measured_in


@pytest.mark.parametrize(
    ("name", "audio", "codec"),
    [
        ("a.flac", {}, "flac"),
        ("a.flac", {"codec": "flac", "bit_depth": 24}, "flac"),
        ("a.wav", {}, "pcm_s16le"),
        ("a.mov", {"codec": "pcm", "bit_depth": 24}, "pcm_s24le"),
        ("a.ogg", {"codec": "vorbis"}, "vorbis"),
        ("a.webm", {"codec": "vorbis", "bitrate": 8, "channels": 1}, "vorbis"),
        ("a.oga", {"codec": "flac"}, "flac"),
        ("a.mka", {"codec": "ac3"}, "ac3"),
        ("a.ts", {"codec": "eac3", "channels": 1}, "eac3"),
        ("a.mp4", {"codec": "flac"}, "flac"),
        ("a.m4a", {"codec": "copy"}, "aac"),
        ("a.ts", {"codec": "copy"}, "aac"),
    ],
)
def test_codecs(
    name: str,
    audio: dict[str, Any],
    codec: str,
    probe: Probe,
    clips: Path,
    tmp_path: Path,
) -> None:
    output: dict[str, Any] = {"name": name, "audio": audio} if audio else {"name": name}

    made = make(probe, clips, "plain.mp4", tmp_path, output)

    (found,) = made.found().audio
    assert found.codec == codec
    source = decoded_samples(clips / "plain.mp4")
    assert abs(decoded_samples(made.files[0]) - source) <= 2048


def test_a_lossless_sound_has_every_sample_of_the_source(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    first = make(probe, clips, "plain.mp4", tmp_path / "a", {"name": "a.flac"})
    (tmp_path / "b").mkdir()
    source = first.files[0].rename(tmp_path / "b" / "s.flac")

    again = make(probe, source.parent, "s.flac", tmp_path / "c", {"name": "a.wav"})

    assert decoded_samples(again.files[0]) == decoded_samples(source)


def test_copies_of_both_are_made_beside_an_encode_of_one_decode(
    probe: Probe, clips: Path, tmp_path: Path
) -> None:
    copies = {"video": {"codec": "copy"}, "audio": {"codec": "copy"}}

    made = make(
        probe,
        clips,
        "plain.mp4",
        tmp_path,
        {"name": "a.mkv", **copies},
        {"name": "b.ts", **copies},
        {"name": "c.mp4", "video": {"speed": "ultrafast", "height": 90}},
    )

    assert made.argv.count("-i") == 1
    assert [made.found(place).audio[0].codec for place in range(3)] == ["aac"] * 3


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds that are soft, loud, spiky and silent, and one whose channels all differ."""
    folder = tmp_path_factory.mktemp("sounds")
    tone = ("-f", "lavfi", "-i", "sine=f=997:d=3:r=48000,volume=18dB")
    spikes = "volume='if(lt(mod(t,0.5),0.02),0.7,0.03)':eval=frame"
    for name, filters in {
        "soft.wav": "volume=-30dB",
        "loud.wav": "volume=-1dB",
        "spiky.wav": spikes,
        "silent.wav": "volume=0",
    }.items():
        ffmpeg(folder, *tone, "-af", filters, "-ac", "2", name)
    each = "pan=5.1|c0=0*c0|c1=0*c0|c2=c0|c3=c0|c4=0*c0|c5=0*c0"
    ffmpeg(folder, *tone, "-af", f"volume=-12dB,{each}", "centre.wav")
    ffmpeg(folder, "-i", "centre.wav", "centre.m4a")
    return folder


@pytest.mark.parametrize("name", ["soft.wav", "loud.wav", "spiky.wav", "silent.wav"])
@pytest.mark.parametrize("output", ["a.wav", "a.m4a"])
def test_a_sound_becomes_as_loud_as_asked_and_its_peaks_stay_below_the_limit(
    name: str, output: str, probe: Probe, sounds: Path, tmp_path: Path
) -> None:
    said = {"loudness": {"target": -18, "true_peak": -2}, "bitrate": None}
    made = make(
        probe, sounds, name, tmp_path, {"name": output, "audio": {**said, **_codec(output)}}
    )

    argv = ("-i", str(made.files[0]), "-af", "ebur128=peak=true:framelog=quiet")
    log = ffmpeg(tmp_path, *argv, "-loglevel", "info", "-f", "null", "-", errors=True)
    found = measured_in(log.splitlines())
    assert found is not None
    if name == "silent.wav":
        assert found.loudness <= -70
        return
    assert found.true_peak < (-1.9 if output == "a.wav" else -1)
    assert abs(found.loudness + 18) < 0.3
    assert abs(decoded_samples(made.files[0]) - 3 * 48000) <= 1024


def _codec(name: str) -> dict[str, str]:
    return {"codec": "pcm" if name.endswith("wav") else "aac"}


@pytest.mark.parametrize("source", ["centre.wav", "centre.m4a"])
def test_mixing_down_is_the_same_for_all_sources_and_leaves_out_the_low_effects(
    source: str, probe: Probe, sounds: Path, tmp_path: Path
) -> None:
    made = make(
        probe,
        sounds,
        source,
        tmp_path,
        {"name": "a.wav", "audio": {"codec": "pcm", "channels": 2}},
        {"name": "b.wav", "audio": {"codec": "pcm", "channels": 1}},
        {"name": "c.wav"},
    )

    stereo, mono, six = (_levels(path) for path in made.files)
    assert stereo == pytest.approx([six[2] - 3.0] * 2, abs=0.3)
    assert mono == pytest.approx([six[2] - 3.0], abs=0.3)
    assert abs(decoded_samples(made.files[0]) - 3 * 48000) <= 1536


def _levels(path: Path) -> list[float]:
    """Return the peak of each channel in decibels."""
    argv = ("-i", str(path), "-af", "astats=measure_overall=none", "-loglevel", "info")
    log = ffmpeg(path.parent, *argv, "-f", "null", "-", errors=True)
    told = [line.split("dB:")[1] for line in log.splitlines() if "Peak level dB" in line]
    return [float(level) for level in told]
