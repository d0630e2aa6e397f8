"""Pictures cut, drawn on and paced by real FFmpeg, through the real nommers."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from picture_subtitles import white_box
from studio import FANNED_OUT, Studio

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.adapters.objects import FileStorage, file_url
from media_nommer.core.errors import PathNotAllowed, SourceNotFound
from media_nommer.core.jobs import Job, JobState
from media_nommer.feederd.service import JobService

QUICK: dict[str, Any] = {"codec": "h264", "speed": "ultrafast"}


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
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a wide picture between black bars, with a tone."""
    folder = tmp_path_factory.mktemp("boxed")
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=160x66:r=10:d=4,pad=160:90:0:12"),
        *("-f", "lavfi", "-i", "sine=f=440:d=4:r=8000", "-c:v", "libx264", "-g", "5"),
        *("-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "film.mp4"),
        cwd=folder,
    )
    return folder / "film.mp4"


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two grey seconds, a text from 0.5 to 1.5, a white box up to 1, and a red image."""
    folder = tmp_path_factory.mktemp("spoken")
    (folder / "a.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nIt's 100%: a, b\n\n")
    box = white_box((160, 90), (40, 60), (80, 20), end=1.0)
    (folder / "a.sup").write_bytes(box)
    ffmpeg(
        *("-f", "lavfi", "-i", "color=0x606060:s=160x90:r=10:d=2,format=yuv420p"),
        *("-i", "a.srt", "-f", "sup", "-i", "a.sup", "-map", "0", "-map", "1", "-map", "2"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-c:s:0", "copy", "-c:s:1", "copy"),
        "film.mkv",
        cwd=folder,
    )
    red = "color=red:s=40x20:d=1,format=rgba"
    ffmpeg("-f", "lavfi", "-i", red, "-frames:v", "1", "mark.png", cwd=folder)
    return folder / "film.mkv"


def colour(path: Path, time: float, part: str) -> tuple[int, int, int]:
    """Return the mean colour of a part (w:h:x:y) of the frame at a time."""
    filters = f"trim=start={time - 0.01},crop={part},scale=1:1:flags=area"
    words = ("-i", path, "-vf", filters, "-frames:v", "1", "-pix_fmt", "rgb24")
    red, green, blue = ffmpeg(*words, "-f", "rawvideo", "-")
    return red, green, blue


def finished(studio: Studio, job: Job) -> dict[str, dict[str, Any]]:
    """Return the facts of each output of a job that must have finished, by its name."""
    job = studio.service.get(job.id)
    assert job.state is JobState.FINISHED, job.failure
    return {output.name: dict(output.facts) for output in job.outputs}


def test_black_bars_are_found_and_cut_off_by_each_task_that_makes_such_a_film(
    boxed: Path, tmp_path: Path
) -> None:
    studio = Studio(tmp_path, boxed)
    job = studio.submit(
        {"name": "{height}.mp4", "video": {**QUICK, "crop": "auto"}, "audio": None},
        {"name": "sound.m4a", "audio": {"codec": "aac"}},
    )

    runs = studio.work(cutting=FANNED_OUT)

    facts = next(iter(finished(studio, job).values()))
    assert (facts["width"], facts["height"]) == (160, 66)
    assert studio.published() == ["66.mp4", "sound.m4a"]
    looks = [argv for argv in runs if any("bars-" in word for word in argv)]
    assert len(looks) == 2 * 4  # once to plan the job, once to make it


def test_black_bars_that_all_joined_inputs_have_are_cut_off(
    boxed: Path, tmp_path: Path
) -> None:
    strip = ("-f", "lavfi", "-i", "color=0x30a060:s=160x66:r=10:d=2", "-c:v", "ffv1")
    ffmpeg(*strip, "strip.mkv", cwd=tmp_path)
    studio = Studio(tmp_path, boxed)
    inputs = [
        {"url": file_url(boxed), "start": 1},
        {"url": file_url(tmp_path / "strip.mkv")},  # which gets its bars where it is fitted
    ]
    job = studio.submit(
        {"name": "{height}.mp4", "video": {**QUICK, "crop": "auto"}}, inputs=inputs
    )

    studio.work()

    facts = next(iter(finished(studio, job).values()))
    assert (facts["width"], facts["height"], facts["frames"]) == (160, 66, 50)
    (name,) = studio.published()
    for edge in ("160:2:0:0", "160:2:0:64"):
        assert max(colour(studio.out / name, 2, edge)) > 60
        assert colour(studio.out / name, 4, edge) == pytest.approx((48, 160, 96), abs=8)


def test_films_take_two_passes_from_two_decodes(boxed: Path, tmp_path: Path) -> None:
    studio = Studio(tmp_path, boxed)
    names = {"h264": "a.mp4", "hevc": "b.mp4", "vp9": "c.webm", "av1": "d.mp4"}
    twice = [
        {"name": name, "video": {**QUICK, "codec": codec, "bitrate": 60, "passes": 2}}
        for codec, name in names.items()
    ]
    job = studio.submit({"name": "once.mp4", "video": QUICK}, *twice)

    runs = studio.work()

    facts = finished(studio, job)
    assert len(runs) == 2
    assert [fact["frames"] for fact in facts.values()] == [40] * 5
    assert studio.published() == [*names.values(), "once.mp4"]


def test_a_watermark_is_in_its_place_for_its_time_in_films_of_all_depths(
    spoken: Path, tmp_path: Path
) -> None:
    mark = {"url": file_url(spoken.with_name("mark.png")), "width": 0.25, "end": 1}
    video = {**QUICK, "watermarks": [{**mark, "margin": 0, "position": "top-right"}]}
    studio = Studio(tmp_path, spoken)
    job = studio.submit(
        {"name": "a.mp4", "video": video},
        {"name": "b.mkv", "video": {**video, "codec": "hevc", "bit_depth": 10}},
        {"name": "c.mov", "video": {**video, "codec": "prores", "profile": "4444"}},
        {"name": "d.mp4", "video": {**video, "height": 60}},
    )

    studio.work()

    finished(studio, job)
    for name, inside in (("a.mp4", "32:16:124:2"), ("d.mp4", "22:10:82:1")):
        red, green, blue = colour(studio.out / name, 0.5, inside)
        assert (red > 230, green < 30, blue < 30) == (True, True, True), (red, green, blue)
    for name in ("b.mkv", "c.mov"):
        red, green, blue = colour(studio.out / name, 0.5, "32:16:124:2")
        assert (red > 230, green < 30, blue < 30) == (True, True, True), (red, green, blue)
        assert max(colour(studio.out / name, 1.5, "32:16:124:2")) < 110


def test_a_part_in_which_nobody_speaks_is_made_with_subtitles_in_it_all_the_same(
    spoken: Path, tmp_path: Path
) -> None:
    studio = Studio(tmp_path, spoken)
    job = studio.submit(
        {"name": "a.mkv", "container": "mkv", "video": QUICK},
        {"name": "burnt.mp4", "video": {**QUICK, "burn_in": {"track": 0}}},
        {"kind": "captions", "name": "said.srt", "format": "srt"},
        inputs=[{"url": file_url(spoken), "start": 1.6}],
    )

    studio.work()

    facts = finished(studio, job)
    assert facts["burnt.mp4"]["frames"] == 4
    assert (studio.out / "said.srt").read_bytes() == b""


def test_text_and_subtitles_are_in_the_picture_for_their_time(
    spoken: Path, tmp_path: Path
) -> None:
    text = {"text": "{timecode} 5%\\", "position": "top", "background": "#ffffff"}
    drawn = {**QUICK, "texts": [{**text, "size": 0.2, "color": "#ffffff", "start": 1}]}
    studio = Studio(tmp_path, spoken)
    job = studio.submit(
        {"name": "text.mp4", "video": drawn},
        {"name": "burnt.mp4", "video": {**QUICK, "burn_in": {"size": 0.2}}},
        {"name": "boxes.mp4", "video": {**QUICK, "burn_in": {"track": 1}}},
    )

    studio.work()

    facts = finished(studio, job)
    assert "subtitles" not in facts["burnt.mp4"]

    def grey(name: str, time: float, part: str) -> int:
        return colour(studio.out / name, time, part)[1]

    assert abs(grey("text.mp4", 0.5, "40:12:60:8") - 96) < 4
    assert grey("text.mp4", 1.5, "40:12:60:8") > 200
    assert abs(grey("burnt.mp4", 0.2, "80:30:40:60") - 96) < 4
    assert abs(grey("burnt.mp4", 1.0, "80:30:40:60") - 96) > 4
    assert abs(grey("burnt.mp4", 1.8, "80:30:40:60") - 96) < 4
    assert grey("boxes.mp4", 0.5, "60:10:50:65") > 230
    assert abs(grey("boxes.mp4", 1.5, "60:10:50:65") - 96) < 4


def test_pictures_of_subtitles_keep_step_with_a_part(spoken: Path, tmp_path: Path) -> None:
    studio = Studio(tmp_path, spoken)
    job = studio.submit(
        {"name": "a.mp4", "video": {**QUICK, "burn_in": {"track": 1}}},
        inputs=[{"url": file_url(spoken), "start": 0.5}],
    )

    studio.work()

    assert next(iter(finished(studio, job).values()))["frames"] == 15
    assert colour(studio.out / "a.mp4", 0.2, "60:10:50:65")[1] > 230
    assert colour(studio.out / "a.mp4", 1.0, "60:10:50:65")[1] < 110


def test_a_file_of_subtitles_that_goes_with_an_input_is_burnt_into_its_picture(
    spoken: Path, tmp_path: Path
) -> None:
    text = "WEBVTT\n\n00:00.100 --> 00:00.900\nÄÖÜ\n\n00:01.600 --> 00:02.000\nMMM\n"
    (tmp_path / "a.vtt").write_text(text, encoding="utf-8")
    studio = Studio(tmp_path, spoken)
    source = {"url": file_url(spoken), "subtitles": [{"url": file_url(tmp_path / "a.vtt")}]}
    burnt = {**QUICK, "burn_in": {"file": 0, "size": 0.3}}
    job = studio.submit(
        {"name": "a.mkv", "video": burnt}, inputs=[{**source, "start": 0.2}]
    )

    studio.work()

    facts = finished(studio, job)["a.mkv"]
    assert facts["frames"] == 18
    off = [
        abs(colour(studio.out / "a.mkv", time, "60:20:50:65")[1] - 96)
        for time in (0.3, 1.0, 1.6)  # of which the source's own text is at the second
    ]
    assert [one > 6 for one in off] == [True, False, True], off


def test_an_image_that_may_not_be_read_or_is_not_there_is_refused_at_once(
    spoken: Path, tmp_path: Path
) -> None:
    studio = Studio(tmp_path, spoken)

    def submitted(url: str) -> None:
        studio.submit({"name": "a.mp4", "video": {"watermarks": [{"url": url}]}})

    with pytest.raises(SourceNotFound):
        submitted(file_url(tmp_path / "none.png"))
    closed = FileStorage([spoken.parent / "elsewhere"], own=[tmp_path])
    studio.service = JobService(engine=studio.engine, outside=closed)
    with pytest.raises(PathNotAllowed):
        submitted(file_url(spoken.with_name("mark.png")))


def test_what_is_no_image_fails_the_job_by_its_place_in_the_recipe(
    spoken: Path, tmp_path: Path
) -> None:
    studio = Studio(tmp_path, spoken)
    text = file_url(spoken.with_name("a.srt"))
    job = studio.submit({"name": "a.mp4", "video": {"watermarks": [{"url": text}]}})

    studio.work()

    failed = studio.service.get(job.id)
    assert failed.state is JobState.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "NOT_MEDIA"
    assert failed.failure.message.startswith("outputs[0].video.watermarks[0].url: ")


@pytest.fixture(scope="session")
def clap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three dark, silent seconds with a flash and a beep from 1 to 1.2, and text there."""
    folder = tmp_path_factory.mktemp("clap")
    (folder / "a.srt").write_text("1\n00:00:01,000 --> 00:00:01,200\nClap\n\n")
    picture = "color=black:s=64x36:r=25:d=3,format=yuv420p"
    flash = "drawbox=color=white:t=fill:enable='gte(t,0.99)*lt(t,1.19)'"
    beep = "sine=f=880:d=3:r=48000,volume='gte(t,1)*lt(t,1.2)':eval=frame"
    ffmpeg(
        *("-f", "lavfi", "-i", f"{picture},{flash}", "-f", "lavfi", "-i", beep),
        *("-i", "a.srt", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le"),
        *("-c:s", "subrip", "film.mkv"),
        cwd=folder,
    )
    return folder / "film.mkv"


def flashes(path: Path) -> tuple[float, float]:
    """Return when the picture is bright, first and last."""
    graph = "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"
    text = ffmpeg("-i", path, "-vf", graph, "-f", "null", "-").decode()
    light = re.findall(r"pts_time:([0-9.]+)\s+\S*YAVG=([0-9.]+)", text)
    bright = [float(time) for time, value in light if float(value) > 120]
    return bright[0], bright[-1]


def beeps(path: Path) -> tuple[float, float]:
    """Return when the sound is loud, first and last."""
    raw = ffmpeg("-i", path, "-ac", "1", "-ar", "8000", "-f", "s16le", "-")
    samples = memoryview(raw).cast("h")
    loud = [n / 8000 for n, value in enumerate(samples) if abs(value) > 800]
    return loud[0], loud[-1]


@pytest.mark.parametrize(("pace", "frames"), [(2.0, 38), (0.5, 75)])
def test_a_paced_film_keeps_its_picture_sound_and_text_in_step(
    clap: Path, tmp_path: Path, pace: float, frames: int
) -> None:
    studio = Studio(tmp_path, clap)
    job = studio.submit(
        {
            "name": "a.mkv",
            "pace": pace,
            "video": QUICK,
            "audio": {"codec": "pcm"},
        },
        {"kind": "adaptive", "pace": pace, "video": QUICK, "ladder": [{"height": 36}]},
    )

    studio.work()

    facts = finished(studio, job)
    film = studio.out / "a.mkv"
    assert abs(facts["a.mkv"]["frames"] - frames) <= 1
    assert facts["a.mkv"]["duration"] == pytest.approx(3 / pace, abs=0.1)
    assert flashes(film)[0] == pytest.approx(1 / pace, abs=0.05)
    assert flashes(film)[1] == pytest.approx(1.16 / pace, abs=0.09)
    assert beeps(film)[0] == pytest.approx(1 / pace, abs=0.05)
    assert beeps(film)[1] == pytest.approx(1.2 / pace, abs=0.05)
    text = ffmpeg("-i", film, "-map", "0:s", "-f", "srt", "-").decode()
    found = re.search(r"00:00:0(\d),(\d+) --> 00:00:0(\d),(\d+)", text)
    assert found is not None
    begins, ends = (int(found[n]) + int(found[n + 1]) / 1000 for n in (1, 3))
    assert (begins, ends) == pytest.approx((1 / pace, 1.2 / pace), abs=0.002)


def test_a_paced_film_of_known_lengths_is_as_long_as_planned(
    boxed: Path, tmp_path: Path
) -> None:
    studio = Studio(tmp_path, boxed)
    outputs = [
        {"name": f"{pace}.mp4", "pace": pace, "video": QUICK}
        for pace in (0.25, 0.7, 1.9, 4)
    ]
    job = studio.submit(*outputs, inputs=[{"url": file_url(boxed), "start": 1}])

    studio.work()

    facts = finished(studio, job)
    for pace in (0.25, 0.7, 1.9, 4):
        assert facts[f"{pace}.mp4"]["duration"] == pytest.approx(3 / pace, abs=0.12)


def test_sound_alone_is_paced_as_well(clap: Path, tmp_path: Path) -> None:
    studio = Studio(tmp_path, clap)
    job = studio.submit({"name": "a.flac", "pace": 0.25, "audio": {"codec": "flac"}})

    studio.work()

    (facts,) = finished(studio, job).values()
    assert facts["duration"] == pytest.approx(12, abs=0.25)
    assert sum(beeps(studio.out / "a.flac")) / 2 == pytest.approx(4.4, abs=0.1)
