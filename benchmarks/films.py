"""What is encoded: the first minute of Big Buck Bunny, and small clips made on the spot."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg

#: The film (CC-BY, Blender Foundation) lies within a zip file within this source package.
_PACKAGE = "moviepy==2.2.1"
_ARCHIVE, _ZIP, _FILM = "moviepy-2.2.1.tar.gz", "moviepy_10_minutes.zip", "bbb.mp4"
_PATIENCE = 600


def cache() -> Path:
    """Return the folder where films are kept between two benchmarks."""
    default = Path.home() / ".cache" / "media-nommer-bench"
    folder = Path(os.environ.get("NOMMER_BENCH_CACHE") or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def big_buck_bunny(seconds: int) -> Path:
    """Return the first seconds of the film, cut without encoding; fetched where needed."""
    cut = cache() / f"big-buck-bunny-first-{seconds}s.mp4"
    if not cut.exists():
        part = cut.with_suffix(".part.mp4")
        film = whole_film()
        ffmpeg("-i", str(film), "-c", "copy", "-t", str(seconds), str(part))
        part.rename(cut)
    return cut


def small_clips(folder: Path, count: int) -> list[Path]:
    """Make clips of a second, 640x360 at 25 frames, each with a tone of its own."""
    clips = [folder / f"clip{number}.mp4" for number in range(count)]
    for number, clip in enumerate(clips):
        picture = "testsrc2=size=640x360:rate=25:duration=1"
        sound = f"sine=frequency={440 + 20 * number}:sample_rate=48000:duration=1"
        ffmpeg(
            *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound),
            *("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"),
            *("-c:a", "aac", str(clip)),
        )
    return clips


def ffmpeg(*args: str) -> None:
    """Run the FFmpeg that media-nommer uses."""
    command = [str(find_ffmpeg()), "-v", "error", "-nostdin", "-y", *args]
    subprocess.run(command, check=True, timeout=_PATIENCE)


def whole_film() -> Path:
    """Return the whole film, of 596 seconds; fetched where needed."""
    film = cache() / _FILM
    if not film.exists():
        archive = _archive()
        part = film.with_suffix(".part")
        with tarfile.open(archive) as outer:
            name = next(n for n in outer.getnames() if PurePosixPath(n).name == _ZIP)
            packed = outer.extractfile(name)
            assert packed is not None, "it is a file"
            with zipfile.ZipFile(packed) as inner, part.open("wb") as out:
                inside = next(n for n in inner.namelist() if PurePosixPath(n).name == _FILM)
                shutil.copyfileobj(inner.open(inside), out)
        part.rename(film)
    return film


def _archive() -> Path:
    archive = cache() / _ARCHIVE
    if not archive.exists():
        print(f"fetching {_PACKAGE} (58 MB) into {cache()}", flush=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        where = ["--no-binary", ":all:", "--dest", str(cache())]
        subprocess.run([*pip, *where, _PACKAGE], check=True, timeout=_PATIENCE)
    return archive
