"""Covers of real sounds, in every kind of file that keeps them, all from one run."""

from pathlib import Path

import pytest
from planning_clips import ffmpeg, make

from media_nommer.core.ports.probe import Probe

KEPT = ("a.mp3", "a.m4a", "a.flac")


@pytest.mark.parametrize(
    ("name", "image"), [("song.m4a", "cover.jpg"), ("song.flac", "cover.png")]
)
def test_a_song_keeps_its_cover_to_the_byte_in_whatever_is_made_of_it(
    probe: Probe, tmp_path: Path, name: str, image: str
) -> None:
    ffmpeg(tmp_path, "-f", "lavfi", "-i", "testsrc2=s=320x320", "-frames:v", "1", image)
    ffmpeg(
        tmp_path,
        *("-f", "lavfi", "-i", "sine=d=6", "-i", image, "-map", "0", "-map", "1"),
        *("-c:v", "copy", "-disposition:v", "attached_pic", name),
    )

    made = make(
        probe,
        tmp_path,
        name,
        tmp_path / "out",
        *({"name": kept} for kept in KEPT),
        {"name": "quick.mp3", "pace": 1.5},
        {"name": "bare.mp3", "cover": None},
        *({"name": other} for other in ("a.ogg", "a.wav", "a.mka")),
    )

    there = (tmp_path / image).read_bytes()
    covers = [_cover(probe, path) for path in made.files]
    assert covers == [there] * 4 + [None] * 4
    lengths = [probe.inspect(path).duration for path in made.files[:3]]
    assert lengths == pytest.approx([6, 6, 6], abs=0.1)


def _cover(probe: Probe, path: Path) -> bytes | None:
    if not any(stream.attached_picture for stream in probe.inspect(path).video):
        return None
    image = path.with_suffix(".cover")
    ffmpeg(
        path.parent,
        "-i",
        str(path),
        "-map",
        "0:v",
        "-c",
        "copy",
        "-f",
        "image2pipe",
        image.name,
    )
    return image.read_bytes()
