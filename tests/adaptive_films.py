"""Adaptive outputs as a worker makes them, of tiny clips, without the records around it."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_nommer.adapters.crypto import AesSegmentCipher
from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.adapters.ffmpeg.packager import find_packager
from media_nommer.adapters.ffmpeg.probe import AvProbe
from media_nommer.core.media import Media
from media_nommer.core.ports.probe import Probe
from media_nommer.core.presets import load_presets
from media_nommer.core.recipes import parse_recipe
from media_nommer.ec2nommerd.nommers.locking import Locks
from media_nommer.ec2nommerd.nommers.packaging import Bench, Packaged, package_output
from media_nommer.ec2nommerd.nommers.texts import mend_texts
from media_nommer.planning.ffmpeg import encode_command, texts_command
from media_nommer.planning.outputs import plan_outputs
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.verify import check_output

FFMPEG = str(find_ffmpeg())

#: Two renditions with key frames each second and segments of two.
SMALL: dict[str, Any] = {
    "kind": "adaptive",
    "gop": 1,
    "segment_duration": 2,
    "video": {"speed": "superfast"},
    "ladder": [{"height": 180, "max_bitrate": 400}, {"height": 90, "max_bitrate": 150}],
}

#: Subtitles by their text, language, and what is told of them.
SPOKEN = (
    (
        "1\n00:00:00,500 --> 00:00:02,000\nHello <i>there</i>\n\n"
        "2\n00:00:02,500 --> 00:00:03,500\nGood bye\n",
        *("eng", "default"),
    ),
    ("1\n00:00:00,500 --> 00:00:02,000\nBonjour\n", "fra", "forced"),
    ("1\n00:00:00,500 --> 00:00:02,000\n[Hello]\n", "eng", "hearing_impaired"),
)


def ffmpeg(*argv: str, errors: bool = False) -> str:
    """Run FFmpeg and return what it printed, or what it logged."""
    done = subprocess.run(
        [FFMPEG, "-hide_banner", "-nostdin", "-y", "-loglevel", "warning", *argv],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stderr if errors else done.stdout


def film(path: Path, *, rate: str = "25", seconds: float = 5) -> Path:
    """Make a film whose picture flashes, and whose sound clicks, on each whole second.

    It has another scene for a while, where an encoder left alone would put key frames.
    """
    scene = "drawbox=c=blue:t=fill:enable='between(t,1.5,1.8)'"
    flash = f"{scene},drawbox=c=white:t=fill:enable='lt(mod(t,1),0.04)'"
    click = "volume='if(lt(mod(t,1),0.04),1,0)':eval=frame"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=320x180:r={rate}:d={seconds},{flash}"),
        *("-f", "lavfi", "-i", f"sine=f=1000:d={seconds}:r=48000:samples_per_frame=480"),
        *("-af", click, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
        *("-metadata:s:a:0", "language=eng", str(path)),
    )
    return path


def with_texts(film: Path, path: Path, *said: tuple[str, str, str]) -> Path:
    """Put subtitles beside a film, each a SubRip text, its language and its disposition."""
    inputs: list[str] = []
    options: list[str] = []
    for number, (text, language, shown) in enumerate(said):
        words = path.with_suffix(f".{number}.srt")
        words.write_text(text, encoding="utf-8")
        inputs += ["-i", str(words)]
        options += ["-map", str(number + 1), f"-metadata:s:s:{number}"]
        options += [f"language={language}", f"-disposition:s:{number}", shown]
    ffmpeg("-i", str(film), *inputs, "-map", "0", *options, "-c", "copy", str(path))
    return path


@contextmanager
def av_probe(scratch: Path) -> Iterator[Probe]:
    with Launcher(scratch) as launcher, AvProbe(launcher) as probe:
        yield probe


@dataclass(frozen=True)
class Streamed:
    """An adaptive output on disk, as readers find it below ``folder``."""

    folder: Path
    media: Media
    plan: OutputPlan
    packaged: Packaged
    argv: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return [file.name for file in self.packaged.files]

    def named(self, ending: str) -> list[Path]:
        return [self.folder / name for name in self.names if name.endswith(ending)]

    @property
    def master(self) -> Path:
        return self.folder / "film/index.m3u8"

    @property
    def manifest(self) -> Path:
        return self.folder / "film/index.mpd"


def stream(
    probe: Probe, source: Path, folder: Path, *, attempt: str = "t.c1", **said: Any
) -> Streamed:
    """Plan, encode, package and lay out one adaptive output; ``said`` beside SMALL."""
    of_input = said.pop("of_input", {})
    document = {
        "inputs": [{"url": "file:///film", **of_input}],
        "outputs": [{**SMALL, **said}],
    }
    recipe = parse_recipe(document, load_presets())
    media = probe.inspect(source)
    (plan,) = plan_outputs(media, recipe, stem="film")
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    command = encode_command(media, [plan], source=str(source), threads=2)

    def encode(argv: Sequence[str]) -> None:
        words = [FFMPEG, "-nostdin", "-y", "-loglevel", "error", *argv]
        subprocess.run(words, cwd=scratch, check=True, timeout=120)

    if texts := texts_command([plan], source=str(source)):
        encode(texts.argv)
        mend_texts(texts, scratch, plan.cut, media.duration)
    encode(command.argv)

    def look(part: OutputPlan, path: Path) -> Media:
        found = probe.inspect(path)
        check_output(part, found, probe.count(path), media)
        return found

    def pack(argv: Sequence[str]) -> None:
        subprocess.run([str(find_packager()), *argv], cwd=scratch, check=True, timeout=120)

    locks = Locks(AesSegmentCipher(), package=pack)
    packaged = package_output(Bench(probe, scratch, attempt, look, encode, locks), plan)
    for file in packaged.files:
        place = folder / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(scratch / file.path, place)
    return Streamed(folder, media, plan, packaged, command.argv)
