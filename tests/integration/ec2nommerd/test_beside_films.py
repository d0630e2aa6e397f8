"""What goes with a film, made by real FFmpeg: alone, beside films, in parts, in tasks."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from studio import FANNED_OUT, WHOLE, Studio

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.adapters.ffmpeg.probe import AvProbe
from media_nommer.core.jobs import Job, JobState, OutputState
from media_nommer.core.media import Media
from media_nommer.planning.tasks import Policy

QUICK = {"codec": "h264", "speed": "ultrafast", "height": 36}
FILM: dict[str, Any] = {"name": "film.mp4", "video": QUICK}

SRT = (
    "1\n00:00:00,200 --> 00:00:01,200\nFirst <i>line</i> & more\n\n"
    "2\n00:00:01,400 --> 00:00:02,600\nSecond\n\n"
)
CHAPTERS = (
    ";FFMETADATA1\ntitle=A rich film\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=3000\ntitle=Two\n"
)
#: A second of black, then two in which frame n has a light of n, with something to see.
PICTURE = (
    "nullsrc=s=64x36:r=25:d=3,geq=lum='if(lt(N,25),16,if(lt(X,16),16,if(lt(X,32),235,N*2)))'"
    ":cb=128:cr=128"
)


def ffmpeg(*words: str | Path, cwd: Path | None = None) -> bytes:
    done = subprocess.run(
        [find_ffmpeg(), "-v", "error", "-nostdin", "-y", *words],
        cwd=cwd,
        capture_output=True,
        check=True,
        timeout=200,
    )
    return done.stdout


@pytest.fixture(scope="session")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with text in three tracks, one of them not in UTF-8, a title and chapters."""
    folder = tmp_path_factory.mktemp("rich")
    (folder / "a.srt").write_text(SRT)
    (folder / "b.srt").write_bytes(SRT.replace("Second", "Café").encode("cp1252"))
    (folder / "chapters.txt").write_text(CHAPTERS)
    ffmpeg(
        *("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", "sine=f=440:d=3:r=8000"),
        *("-i", "a.srt", "-i", "a.srt", "-i", "b.srt", "-i", "chapters.txt"),
        *("-map", "0", "-map", "1", "-map", "1", "-map", "2", "-map", "3", "-map", "4"),
        *("-map_metadata", "5", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25"),
        *("-pix_fmt", "yuv420p", "-qp", "8", "-c:a", "aac", "-c:s:0", "copy"),
        *("-c:s:1", "ass", "-c:s:2", "copy", "-metadata:s:a:0", "language=eng"),
        *("-metadata:s:a:1", "language=fra"),
        *("-metadata:s:s:0", "language=eng", "-metadata:s:s:0", "title=English"),
        *("-metadata:s:s:1", "language=fra", "-disposition:s:1", "forced"),
        *("-metadata:s:s:2", "language=deu", "rich.mkv"),
        cwd=folder,
    )
    return folder / "rich.mkv"


@pytest.fixture
def studio(tmp_path: Path, rich: Path) -> Studio:
    return Studio(tmp_path, rich)


def done(
    studio: Studio, *outputs: dict[str, Any], cutting: Policy = WHOLE, **of_input: Any
) -> Job:
    source = {"url": studio.film.as_uri(), **of_input}
    job = studio.submit(*outputs, inputs=[source])
    studio.work(cutting=cutting)
    return studio.service.get(job.id)


def finished(
    studio: Studio, *outputs: dict[str, Any], cutting: Policy = WHOLE, **of_input: Any
) -> Job:
    job = done(studio, *outputs, cutting=cutting, **of_input)
    assert job.state is JobState.FINISHED, [output.failure for output in job.outputs]
    return job


def seen(path: Path, scratch: Path) -> Media:
    with Launcher(scratch / "probe") as launcher, AvProbe(launcher) as probe:
        return probe.inspect(path)


def gray(path: Path, width: int) -> list[bytes]:
    """Return the rows of a picture's light."""
    raw = ffmpeg("-i", path, "-vf", "format=gray", "-f", "rawvideo", "-")
    return [raw[at : at + width] for at in range(0, len(raw), width)]


EVERYTHING: tuple[dict[str, Any], ...] = (
    FILM,
    {"kind": "captions"},
    {"kind": "sprite", "interval": 1, "columns": 2, "rows": 1, "width": 64},
    {"kind": "thumbnails", "poster": True},
    {"kind": "waveform", "picture": {"width": 100, "height": 40}},
    {"kind": "animation", "pieces": 2, "seconds": 0.4},
    {"kind": "metadata"},
    {"kind": "checksums"},
)
NAMES = [
    *("film.mp4", "rich-metadata.json", "rich-poster.jpg", "rich-sprite-001.jpg"),
    *("rich-sprite-002.jpg", "rich-sprite.vtt", "rich-waveform.json"),
    *("rich-waveform.png", "rich.gif", "rich.sha256", "rich.vtt"),
]


@pytest.mark.parametrize("cutting", [WHOLE, FANNED_OUT], ids=["one task", "tasks"])
def test_all_kinds_are_made_beside_a_film(cutting: Policy, studio: Studio) -> None:
    finished(studio, *EVERYTHING, cutting=cutting)

    assert studio.published() == NAMES
    sums = dict(
        reversed(line.split("  ", 1))
        for line in (studio.out / "rich.sha256").read_text().splitlines()
    )
    assert sorted(sums) == [name for name in NAMES if name != "rich.sha256"]
    for name, digest in sums.items():
        assert hashlib.sha256((studio.out / name).read_bytes()).hexdigest() == digest


def test_captions_are_webvtt_and_subrip_of_each_track(studio: Studio) -> None:
    job = finished(
        studio,
        {"kind": "captions", "name": "{stem}.{language}.{ext}"},
        {"kind": "captions", "language": "deu", "format": "srt", "name": "de.srt"},
        {"kind": "captions", "track": 1, "name": "fr.vtt"},
    )

    assert (studio.out / "rich.eng.vtt").read_text() == (
        "WEBVTT\n\n00:00:00.200 --> 00:00:01.200\nFirst <i>line</i> &amp; more\n\n"
        "00:00:01.400 --> 00:00:02.600\nSecond\n\n"
    )
    assert (studio.out / "de.srt").read_text() == SRT.replace("Second", "Café")
    assert "00:00:01.400 --> 00:00:02.600\nSecond" in (studio.out / "fr.vtt").read_text()
    assert job.outputs[0].facts["cues"] == 2


def test_captions_of_a_part_begin_with_what_is_shown_then(studio: Studio) -> None:
    finished(studio, {"kind": "captions"}, start=1, end=2)

    assert (studio.out / "rich.vtt").read_text() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.200\nFirst <i>line</i> &amp; more\n\n"
        "00:00:00.400 --> 00:00:01.000\nSecond\n\n"
    )


def test_text_chapters_title_and_languages_survive_in_files(
    studio: Studio, tmp_path: Path
) -> None:
    finished(
        studio,
        FILM,
        {"name": "film.mkv", "video": QUICK, "audio_tracks": "all"},
        {"name": "film.webm", "video": {**QUICK, "codec": "vp9"}},
    )

    kinds = {"film.mp4": "mov_text", "film.mkv": "", "film.webm": "webvtt"}
    for name, codec in kinds.items():
        found = seen(studio.out / name, tmp_path)
        assert [text.language for text in found.subtitles] == ["eng", "fra", "deu"]
        assert [text.forced for text in found.subtitles] == [False, True, False]
        assert {text.codec for text in found.subtitles} <= ({codec} - {""}) or not codec
        assert (found.title, found.sound and found.sound.language) == (
            "A rich film",
            "eng",
        )
        text = ffmpeg("-i", studio.out / name, "-map", "0:s:0", "-f", "srt", "-")
        assert b"First <i>line</i> & more" in text
        sounds = ["eng", "fra"] if name == "film.mkv" else ["eng"]
        assert [sound.language for sound in found.audio] == sounds
        chapters = ffmpeg("-i", studio.out / name, "-f", "ffmetadata", "-")
        assert chapters.count(b"[CHAPTER]") == 2
    mended = ffmpeg("-i", studio.out / "film.mp4", "-map", "0:s:2", "-f", "srt", "-")
    assert "Café" in mended.decode()


def test_text_in_a_part_is_cut_with_it(studio: Studio) -> None:
    finished(studio, FILM, start=1, end=2)

    text = ffmpeg("-i", studio.out / "film.mp4", "-map", "0:s:0", "-f", "srt", "-")
    assert re.findall(rb"[\d:,]+ --> [\d:,]+", text) == [
        b"00:00:00,000 --> 00:00:00,200",
        b"00:00:00,400 --> 00:00:01,000",
    ]


@pytest.mark.parametrize("start", [0, 1])
def test_each_tile_is_what_is_shown_at_its_time(start: float, studio: Studio) -> None:
    finished(
        studio,
        {"kind": "sprite", "interval": 0.2, "columns": 3, "rows": 2, "width": 64},
        start=start,
        end=3,
    )

    text = (studio.out / "rich-sprite.vtt").read_text()
    cues = re.findall(r"(\S+) --> .*\n(\S+)#xywh=(\d+),(\d+),64,36", text)
    assert len(cues) == round((3 - start) / 0.2)
    sheets = {sheet: gray(studio.out / sheet, 192) for _, sheet, _, _ in cues}
    for place, (clock, sheet, x, y) in enumerate(cues):
        assert clock.endswith(f"{place * 0.2:06.3f}")
        rows = sheets[sheet]
        lights = [row[int(x) + 40 : int(x) + 60] for row in rows[int(y) + 8 : int(y) + 28]]
        shown = sum(map(sum, lights)) / sum(map(len, lights))
        frame = round((start + place * 0.2) * 25)
        limited = 16 if frame < 25 else frame * 2
        assert shown == pytest.approx((limited - 16) * 255 / 219, abs=3)


def test_the_poster_of_a_film_that_begins_black_is_not_black(studio: Studio) -> None:
    job = finished(studio, {"preset": "poster"})

    time = job.outputs[0].facts["time"]
    assert isinstance(time, float)
    assert 1 <= time < 1.5
    rows = gray(studio.out / "rich-poster.jpg", 64)
    assert max(map(max, rows)) > 200


def test_a_film_that_is_black_all_over_has_a_poster_too(studio: Studio) -> None:
    finished(studio, {"preset": "poster"}, end=0.5)

    assert studio.published() == ["rich-poster.jpg"]


def test_peaks_are_as_loud_as_the_sound(studio: Studio, tmp_path: Path) -> None:
    sound = tmp_path / "tone.wav"
    loud = "aevalsrc='0.5*sin(2*PI*100*t)|0.25*sin(2*PI*100*t)*gte(t,1)':d=2:s=8000"
    ffmpeg("-f", "lavfi", "-i", loud, sound)
    studio.film = sound
    peaks = {"kind": "waveform", "samples_per_pixel": 400, "bits": 16}

    finished(
        studio,
        {**peaks, "split_channels": True, "name": "both.json"},
        {**peaks, "name": "mixed.json", "picture": {"width": 64, "height": 32}},
    )

    both = json.loads((studio.out / "both.json").read_text())
    assert (both["channels"], both["length"], len(both["data"])) == (2, 40, 160)
    left, right = both["data"][1::4], both["data"][3::4]
    assert left == pytest.approx([16384] * 40, abs=60)
    assert right == pytest.approx([0] * 20 + [8192] * 20, abs=60)
    mixed = json.loads((studio.out / "mixed.json").read_text())
    assert mixed["data"][1::2] == pytest.approx([8192] * 20 + [12288] * 20, abs=60)
    drawn = seen(studio.out / "mixed.png", tmp_path).video[0]
    assert (drawn.width, drawn.height) == (64, 32)


def test_animations_move_and_loop(studio: Studio) -> None:
    piece = {"kind": "animation", "frame_rate": 8, "width": 64}

    job = finished(
        studio,
        {**piece, "name": "a.gif", "pieces": 2, "seconds": 0.5},
        {**piece, "name": "a.webp", "pieces": 1, "seconds": 1},
        start=1,
    )

    assert [output.facts["duration"] for output in job.outputs] == [1.0, 1.0]
    assert b"NETSCAPE2.0" in (studio.out / "a.gif").read_bytes()
    frames = ffmpeg("-i", studio.out / "a.gif", "-map", "0:v", "-f", "framemd5", "-")
    digests = [line.split(b",")[-1] for line in frames.splitlines() if line[:1] != b"#"]
    assert len(digests) == 8
    assert len(set(digests)) > 4  # lights that are nearly alike may become one colour


def test_animations_of_a_long_film_are_its_pieces(studio: Studio, tmp_path: Path) -> None:
    lights = "nullsrc=s=64x36:r=5:d=24,geq=lum='16+N':cb=128:cr=128"
    long = tmp_path / "long.mp4"
    ffmpeg("-f", "lavfi", "-i", lights, "-g", "10", "-qp", "8", long)
    studio.film = long
    pieces = {"kind": "animation", "pieces": 2, "seconds": 1, "frame_rate": 5, "width": 64}

    finished(studio, {**pieces, "name": "a.gif"}, {**pieces, "name": "b.webp"})

    raw = ffmpeg(*("-i", studio.out / "a.gif", "-vf", "format=gray", "-f", "rawvideo", "-"))
    shown = [sum(raw[at : at + 2304]) / 2304 for at in range(0, len(raw), 2304)]
    frames = [*range(27, 32), *range(87, 92)]
    assert shown == pytest.approx([frame * 255 / 219 for frame in frames], abs=4)


def test_the_inspection_is_a_document_of_the_whole_source(studio: Studio) -> None:
    finished(studio, {"kind": "metadata"}, start=1)

    found = json.loads((studio.out / "rich-metadata.json").read_text())
    assert (found["version"], found["format"]) == (1, "matroska,webm")
    assert found["duration"] == pytest.approx(3, abs=0.2)
    assert found["video"][0]["average_rate"] == "25"
    assert [text["codec"] for text in found["subtitles"]] == ["subrip", "ass", "subrip"]


@pytest.mark.parametrize("cutting", [WHOLE, FANNED_OUT], ids=["one task", "tasks"])
def test_an_output_that_is_not_as_expected_fails_alone_and_lists_of_sums_with_it(
    cutting: Policy, studio: Studio
) -> None:
    job = done(
        studio,
        {**FILM, "expect": {"min_duration": 2.9, "max_duration": 3.2, "max_size": 10**6}},
        {**FILM, "name": "large.mp4", "expect": {"max_size": 100, "min_duration": 60}},
        {"name": "sound.m4a"},
        {"kind": "checksums"},
        cutting=cutting,
    )

    failures = [output.failure and output.failure.code for output in job.outputs]
    assert failures == [None, "EXPECTATION_MISSED", None, "OTHERS_FAILED"]
    missed = job.outputs[1].failure
    assert missed is not None
    assert re.fullmatch(
        r"it has \d+ bytes, and at most 100 are expected; "
        r"it lasts 3\.\d+ s, and at least 60 are expected",
        missed.message,
    )
    assert studio.published() == ["film.mp4", "sound.m4a"]


def test_a_retry_makes_the_list_of_sums_of_what_was_made_before_too(
    studio: Studio, tmp_path: Path
) -> None:
    stranger = studio.out / "sound.m4a"
    stranger.parent.mkdir()
    stranger.write_bytes(b"somebody else's")
    job = done(studio, FILM, {"name": "sound.m4a"}, {"kind": "checksums"})
    assert [output.state for output in job.outputs] == [
        *(OutputState.FINISHED, OutputState.FAILED, OutputState.FAILED)
    ]
    stranger.unlink()

    studio.service.retry(job.id)
    studio.work()

    assert studio.service.get(job.id).state is JobState.FINISHED
    lines = (studio.out / "rich.sha256").read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["film.mp4", "sound.m4a"]
