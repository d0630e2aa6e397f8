"""Several real files become one film: nothing drifts, and every kind of output is made."""

import array
import json
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from studio import FANNED_OUT, WHOLE, Studio

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.core.jobs import Job, JobState
from media_nommer.planning.tasks import Policy

QUICK = {"codec": "h264", "speed": "ultrafast"}
RATE = 48000
NEAR = 0.005  # seconds that picture and sound may be off each other


def ffmpeg(*words: str | Path) -> bytes:
    done = subprocess.run(
        [find_ffmpeg(), "-v", "error", "-nostdin", "-y", *words],
        capture_output=True,
        check=True,
        timeout=200,
    )
    return done.stdout


def clip(path: Path, size: str, rate: int, seconds: int, *encoders: str) -> Path:
    """Make a clip that is white for a frame, and sounds, whenever a second begins."""
    flash = f"drawbox=c=white:t=fill:enable='lt(mod(n,{rate}),1)'"
    tone = "0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.02)"
    ffmpeg(
        *("-f", "lavfi", "-i", f"color=c=black:s={size}:r={rate}:d={seconds},{flash}"),
        *("-f", "lavfi", "-i", f"aevalsrc='{tone}':s=44100:d={seconds}"),
        *("-map", "0:v", "-map", "1:a", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", *encoders, path),
    )
    return path


@pytest.fixture(scope="session")
def reels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three clips that are alike in nothing, and one without sound."""
    folder = tmp_path_factory.mktemp("reels")
    first = clip(folder / "a.mp4", "128x72", 25, 2, "-c:a", "aac", "-ac", "2")
    silent = folder / "d.mp4"
    ffmpeg("-i", first, "-c", "copy", "-an", silent)
    return [
        first,
        clip(folder / "b.mkv", "64x48", 30, 2, "-c:a", "libvorbis"),
        clip(folder / "c.mov", "36x64", 24, 1, "-c:a", "pcm_s16le", "-ar", "32000"),
        silent,
    ]


@pytest.fixture
def studio(tmp_path: Path, reels: list[Path]) -> Studio:
    return Studio(tmp_path, reels[0])


def joined(
    studio: Studio,
    inputs: list[dict[str, Any]],
    *outputs: dict[str, Any],
    cutting: Policy = WHOLE,
    **more: Any,
) -> Job:
    job = studio.submit(*outputs, inputs=inputs, **more)
    studio.work(cutting=cutting)
    job = studio.service.get(job.id)
    assert job.state is JobState.FINISHED, [o.failure for o in job.outputs]
    return job


def light(film: Path, size: str = "8x8") -> list[float]:
    """Return how light each frame of a film is, 0 to 255."""
    width, height = map(int, size.split("x"))
    graph = f"scale={width}:{height}:flags=area,format=gray"
    raw = ffmpeg("-i", film, "-vf", graph, "-f", "rawvideo", "-")
    area = width * height
    return [sum(raw[n : n + area]) / area for n in range(0, len(raw), area)]


def picture_at(film: Path, second: int) -> bytes:
    """Return how light the pixels of one frame are."""
    one = ("-frames:v", "1", "-vf", "format=gray", "-f", "rawvideo", "-")
    return ffmpeg("-ss", str(second), "-i", film, *one)


def beeps(film: Path) -> list[float]:
    """Return when sounds begin, in seconds."""
    raw = ffmpeg(
        "-i", film, "-map", "0:a", "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"
    )
    samples = array.array("f", raw)
    found: list[float] = []
    last = -RATE
    for place, value in enumerate(samples):
        if abs(value) > 0.05:
            if place - last > RATE // 10:
                found.append(place / RATE)
            last = place
    return found


def test_picture_and_sound_stay_together_over_every_join(
    studio: Studio, reels: list[Path]
) -> None:
    inputs = [{"url": reel.as_uri()} for reel in reels]
    inputs.append({"url": reels[0].as_uri(), "start": 1})  # type: ignore[dict-item]

    job = joined(studio, inputs, {"name": "film.mp4", "video": QUICK, "audio": {}})

    film = studio.out / "film.mp4"
    frames = light(film)
    flashes = [number / 25 for number, value in enumerate(frames) if value > 30]
    assert job.outputs[0].facts["frames"] == len(frames) == 25 * 8
    assert flashes == [0, 1, 2, 3, 4, 5, 6, 7]
    heard = beeps(film)  # the one without sound begins at 5 and 6
    assert [round(time) for time in heard] == [0, 1, 2, 3, 4, 7]
    assert all(abs(time - round(time)) <= NEAR for time in heard), heard
    row = picture_at(film, 4)[128 * 36 : 128 * 37]
    assert row[64] > 200  # 36x64 became 40x72, in the middle of 128x72
    assert max(row[20], row[108]) < 30


def test_all_kinds_are_made_of_a_joined_film(studio: Studio, reels: list[Path]) -> None:
    inputs = [{"url": reels[1].as_uri()}, {"url": reels[0].as_uri()}]

    joined(
        studio,
        inputs,
        {"kind": "adaptive", "video": QUICK, "ladder": [{"height": 36}]},
        {"name": "song.flac", "audio": {"codec": "flac", "loudness": {}}},
        {"kind": "sprite", "count": 4, "width": 32},
        {"kind": "thumbnails", "count": 2},
        {"kind": "thumbnails", "poster": True},
        {"kind": "waveform"},
        {"kind": "animation", "pieces": 2, "seconds": 0.4, "width": 32},
        {"kind": "metadata"},
        {"kind": "checksums"},
        cutting=FANNED_OUT,
    )

    names = studio.published()
    assert {"index.m3u8", "song.flac", "b-sprite.vtt", "b-0002.jpg", "b.gif"} <= set(names)
    found = json.loads((studio.out / "b-metadata.json").read_text())
    assert found["duration"] == pytest.approx(4, abs=0.05)
    assert [each["video"][0]["width"] for each in found["inputs"]] == [64, 128]


def test_a_target_is_sought_on_samples_of_the_joined_film(
    studio: Studio, reels: list[Path]
) -> None:
    inputs = [{"url": reels[0].as_uri()}, {"url": reels[1].as_uri()}]

    job = joined(studio, inputs, {"name": "f.mp4", "video": {**QUICK, "target_vmaf": 90}})

    assert "vmaf" in job.outputs[0].facts
    assert job.outputs[0].facts["frames"] == 100


def test_a_source_is_never_replaced_whichever_it_is(
    studio: Studio, reels: list[Path]
) -> None:
    inputs = [{"url": reel.as_uri()} for reel in reels[:2]]
    output = {"name": reels[1].name, "video": QUICK}

    job = studio.submit(
        output, inputs=inputs, destination=reels[1].parent.as_uri(), if_exists="replace"
    )
    studio.work()

    failure = studio.service.get(job.id).outputs[0].failure
    assert failure is not None
    assert failure.code == "OUTPUT_EXISTS"


@pytest.fixture(scope="session")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with four sounds of one channel, of 400, 800, 1200 and 1600 Hz."""
    path = tmp_path_factory.mktemp("tracks") / "tracks.mov"
    words = ["-f", "lavfi", "-i", "color=c=blue:s=64x36:r=25:d=1"]
    for number in range(1, 5):
        words += ["-f", "lavfi", "-i", f"sine=f={number * 400}:r=8000:d=1"]
    maps = [word for number in range(5) for word in ("-map", str(number))]
    ffmpeg(
        *words, *maps, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le", path
    )
    return path


def hertz(film: Path, track: int, channel: int) -> int:
    """Return about how high a channel sounds, to the nearest hundred."""
    pick = f"pan=mono|c0=c{channel}"
    words = ("-map", f"0:a:{track}", "-af", pick, "-ar", "8000", "-f", "s16le", "-")
    samples = array.array("h", ffmpeg("-i", film, *words))
    middle = samples[2000:6000]  # half a second
    ups = sum(a < 0 <= b for a, b in pairwise(middle))
    return round(ups * 2 / 100) * 100


def test_tracks_and_other_files_become_the_sounds_of_a_film(
    studio: Studio, tracks: Path, reels: list[Path]
) -> None:
    sounds = [
        {"tracks": [1, 0], "language": "eng"},
        {"url": reels[0].as_uri(), "language": "fra", "offset": 0.25},
        {"track": 3},
    ]
    output = {
        "name": "film.mkv",
        "video": QUICK,
        "audio_tracks": "all",
        "audio": {"codec": "flac", "loudness": {"target": -20}},
    }

    job = joined(studio, [{"url": tracks.as_uri(), "audio": sounds}], output)

    film = studio.out / "film.mkv"
    assert job.outputs[0].facts["audio_tracks"] == ["eng", "fra", None]
    assert job.outputs[0].facts["duration"] == pytest.approx(1, abs=0.01)
    assert (hertz(film, 0, 0), hertz(film, 0, 1), hertz(film, 2, 0)) == (800, 400, 1600)
    raw = ffmpeg("-i", film, "-map", "0:a:1", "-ac", "1", "-ar", "8000", "-f", "s16le", "-")
    heard = next(n for n, v in enumerate(array.array("h", raw)) if abs(v) > 1500)
    assert heard / 8000 == pytest.approx(0.25, abs=NEAR)


def test_a_still_is_shown_for_as_long_as_its_sound(
    studio: Studio, reels: list[Path]
) -> None:
    still = studio.folder / "still.png"
    ffmpeg("-f", "lavfi", "-i", "color=c=white:s=33x65:d=0.04", "-frames:v", "1", still)
    inputs = [{"url": still.as_uri(), "audio": [{"url": reels[0].as_uri()}]}]

    job = joined(studio, inputs, {"name": "film.mp4", "video": QUICK})

    facts = job.outputs[0].facts
    assert (facts["width"], facts["height"], facts["audio"]) == (32, 64, "aac")
    assert facts["frames"] == pytest.approx(50, abs=2)
    assert min(light(studio.out / "film.mp4")) > 200


VTT = (
    "WEBVTT\n\n00:00.500 --> 00:00.900 line:0\n<c.red>Un</c>\n\n"
    "00:01.200 --> 00:01.800\nDeux\n"
)
ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, "
    "Effect, Text\n"
    "Dialogue: 0,0:00:00.20,0:00:00.70,Default,,0,0,0,,{\\i1}Trois{\\i0}\n"
)


def test_files_of_subtitles_go_on_over_a_join(studio: Studio, reels: list[Path]) -> None:
    vtt, ass = studio.folder / "a.vtt", studio.folder / "b.ass"
    vtt.write_text(VTT)
    ass.write_text(ASS)
    inputs = [
        {
            "url": reels[0].as_uri(),
            "start": 1,
            "subtitles": [{"url": vtt.as_uri(), "language": "fra"}],
        },
        {"url": reels[1].as_uri(), "subtitles": [{"url": ass.as_uri(), "language": "fra"}]},
    ]

    job = joined(
        studio,
        inputs,
        {"name": "film.mp4", "video": QUICK},
        {"kind": "captions", "name": "film.srt", "format": "srt"},
    )

    assert job.outputs[0].facts["subtitles"] == ["fra"]
    assert (studio.out / "film.srt").read_text() == (
        "1\n00:00:00,200 --> 00:00:00,800\nDeux\n\n"
        "2\n00:00:01,200 --> 00:00:01,700\n<i>Trois</i>\n\n"
    )


def test_a_film_without_sound_is_silent_where_the_recipe_says_so(
    studio: Studio, reels: list[Path]
) -> None:
    output = {
        "name": "film.mp4",
        "video": {"codec": "copy"},
        "audio": {"codec": "aac", "if_missing": "silence"},
    }

    job = joined(studio, [{"url": reels[3].as_uri()}], output)

    assert job.outputs[0].facts["channels"] == 2
    raw = ffmpeg("-i", studio.out / "film.mp4", "-map", "0:a", "-f", "s16le", "-")
    assert len(raw) / (48000 * 4) == pytest.approx(2, abs=0.03)
    assert set(raw) == {0}
