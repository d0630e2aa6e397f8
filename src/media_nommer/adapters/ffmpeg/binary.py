"""Finds the FFmpeg to use, and asks it what it can do."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from media_nommer.core.errors import EncoderMissing

_PATIENCE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FfmpegBuild:
    """An FFmpeg that runs: its version, and the names of its encoders and filters."""

    path: Path
    version: str
    encoders: frozenset[str]
    filters: frozenset[str]


def find_ffmpeg(setting: str | None = None) -> Path:
    """Return the FFmpeg that a setting names by path or name, else the bundled one.

    Raises:
        EncoderMissing: there is none, or it may not be executed.
    """
    if setting:
        found = shutil.which(Path(setting).expanduser())
        if found is None:
            raise EncoderMissing(
                f"the setting `ffmpeg` is {setting}, which is no program that can be run",
                advice="Correct the setting, or remove it to use the bundled FFmpeg.",
            )
        return Path(found).absolute()
    import imageio_ffmpeg  # noqa: PLC0415  # 30 ms that a setting saves

    try:
        bundled = Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise EncoderMissing(
            "the FFmpeg that comes with media-nommer is missing"
        ) from error
    if not os.access(bundled, os.X_OK):
        raise EncoderMissing(f"{bundled} cannot be run")
    return bundled.absolute()


def inspect_ffmpeg(ffmpeg: Path) -> FfmpegBuild:
    """Return what an FFmpeg can do, as it says itself. No media is touched.

    Raises:
        EncoderMissing: it does not run, or is no FFmpeg.
    """
    return FfmpegBuild(
        path=ffmpeg,
        version=version_of(ffmpeg),
        encoders=_names(_ask(ffmpeg, "-encoders")),
        filters=_names(_ask(ffmpeg, "-filters")),
    )


def version_of(ffmpeg: Path) -> str:
    """Return the version of an FFmpeg, which shows that it runs on this machine.

    Raises:
        EncoderMissing: it does not run, or is no FFmpeg.
    """
    first, _, _ = _ask(ffmpeg, "-version").partition("\n")
    if not first.startswith("ffmpeg version "):
        raise EncoderMissing(f"{ffmpeg} is not an FFmpeg")
    return first.split()[2]


def _ask(ffmpeg: Path, question: str) -> str:
    try:
        answer = subprocess.run(
            [ffmpeg, "-hide_banner", question],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EncoderMissing(f"{ffmpeg} does not run: {error}.") from error
    return answer.stdout.decode("utf-8", "replace")


def _names(listing: str) -> frozenset[str]:
    """Read the second column of a listing: flags, name, description."""
    rows = (line.split(maxsplit=2) for line in listing.splitlines() if line.startswith(" "))
    return frozenset(row[1] for row in rows if len(row) == 3 and row[1] != "=")
