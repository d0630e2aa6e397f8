"""How long a file is whose headers do not tell."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from typing_extensions import override

from media_nommer.core.errors import NotMedia
from media_nommer.core.fragments import FragmentedFile
from media_nommer.core.media import AudioStream, Media, VideoStream
from media_nommer.core.ports.probe import Probe, StreamCount

RECORDING = Media(
    format="matroska,webm",
    size=30_000,
    start_time=-0.007,
    video=(VideoStream(index=0, codec="vp8", width=320, height=180),),
    audio=(AudioStream(index=1, codec="opus", channels=1, sample_rate=48000),),
)


class PaperProbe(Probe):
    """Finds what it was told, and counts how often it walked over all of a file."""

    def __init__(self, media: Media, counts: tuple[StreamCount, ...] | None) -> None:
        self.media, self.counts, self.walks = media, counts, 0

    @override
    def inspect(self, path: Path, *, called: str | None = None) -> Media:
        return self.media

    @override
    def count(self, path: Path) -> tuple[StreamCount, ...]:
        self.walks += 1
        if self.counts is None:
            raise NotMedia("film.webm cannot be read to its end")
        return self.counts

    @override
    def fragments(self, path: Path) -> FragmentedFile:
        raise NotImplementedError


def counted(index: int, *, first: float, duration: float) -> StreamCount:
    return StreamCount(
        index=index,
        kind="video",
        packets=50,
        keyframes=1,
        first_pts=first,
        duration=duration,
        monotonic=True,
        time_base=Fraction(1, 1000),
    )


def test_a_recording_without_a_length_is_walked_over() -> None:
    counts = (counted(0, first=0, duration=1.96), counted(1, first=-0.007, duration=2))

    found = PaperProbe(RECORDING, counts).examine(Path("film.webm"))

    assert found.duration == pytest.approx(2)
    assert (found.video[0].duration, found.audio[0].duration) == (1.96, 2)


@pytest.mark.parametrize(
    "media",
    [
        pytest.param(replace(RECORDING, duration=2.0), id="its header tells"),
        pytest.param(replace(RECORDING, format="png_pipe"), id="a still"),
    ],
)
def test_nothing_else_is_walked_over(media: Media) -> None:
    probe = PaperProbe(media, ())

    assert probe.examine(Path("film")) == media
    assert probe.walks == 0


def test_what_cannot_be_walked_over_is_left_to_the_encoder() -> None:
    probe = PaperProbe(RECORDING, None)

    assert probe.examine(Path("film.webm")) == RECORDING
