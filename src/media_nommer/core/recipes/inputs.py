"""What a job is made from: its sources, what is taken of each, and how they are joined."""

from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from media_nommer.core.recipes.base import Document, FrameRate, Pixels
from media_nommer.core.recipes.extras import Encoding

Url = Annotated[str, Field(min_length=1, max_length=4096)]
Language = Annotated[str, Field(pattern=r"^[a-z]{3}$")]
TrackNumber = Annotated[int, Field(ge=0, le=255)]

#: Each stays open while the film is made, with the pictures that its decoder holds.
MOST_INPUTS = 50

_TEXT_FORMATS: dict[str, Literal["srt", "webvtt", "ass"]] = {
    ".srt": "srt",
    ".vtt": "webvtt",
    ".webvtt": "webvtt",
    ".ass": "ass",
    ".ssa": "ass",
}


def text_format(url: str) -> Literal["srt", "webvtt", "ass"] | None:
    """Return the format of subtitles that a file's name tells."""
    return _TEXT_FORMATS.get(PurePosixPath(urlsplit(url).path).suffix.lower())


class InputSound(Document):
    """One sound that an input has: of the input's own file, or of another.

    ``track`` is counted from 0 over the sounds of the file, by default the one that a
    player would choose; the channels of several ``tracks``, in their order, become those of
    one sound. It begins ``offset`` seconds later than its file says, or earlier.
    """

    url: Url | None = None
    track: TrackNumber | None = None
    tracks: Annotated[tuple[TrackNumber, ...], Field(min_length=1, max_length=8)] | None = (
        None
    )
    language: Language | None = None
    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    offset: Annotated[float, Field(ge=-86400, le=86400)] = 0.0


class InputSubtitles(Document):
    """A file of subtitles that goes with an input: SubRip, WebVTT or ASS.

    ``format`` is told by the file's name where it is left out, and ``encoding`` is of text
    that is not in UTF-8. It is shown ``offset`` seconds later than it says, or earlier.
    """

    url: Url
    format: Literal["srt", "webvtt", "ass"] | None = None
    language: Language | None = None
    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    default: bool = False
    forced: bool = False
    hearing_impaired: bool = False
    encoding: Encoding | None = None
    offset: Annotated[float, Field(ge=-86400, le=86400)] = 0.0


class Input(Document):
    """One source, and what is taken of it: a part, and which of its streams.

    ``start``, ``end`` and ``duration`` are seconds. Tracks are counted from 0, pictures and
    sounds apart; without them they are those that a player would choose. ``audio`` lists
    the sounds that it has instead of its own, ``subtitles`` files of text besides its own.
    """

    url: Url
    start: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    end: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    duration: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    video_track: TrackNumber | None = None
    audio_track: TrackNumber | None = None
    audio_language: Language | None = None
    audio: Annotated[tuple[InputSound, ...], Field(min_length=1, max_length=16)] | None = (
        None
    )
    subtitles: Annotated[tuple[InputSubtitles, ...], Field(max_length=32)] = ()

    @property
    def is_cut(self) -> bool:
        """Whether only a part of it is taken."""
        return bool(self.start) or self.end is not None or self.duration is not None


class Join(Document):
    """What several inputs are made alike in, before they are put end to end.

    What is not said is as in the first of them. ``width`` and ``height`` are the size of
    the film in square pixels, into which other pictures are fitted. ``channels`` and
    ``sample_rate`` are of all sounds. With the ``hdr`` of ``sdr`` all become BT.709; else
    inputs of high and of standard range are not joined.
    """

    width: Pixels | None = None
    height: Pixels | None = None
    frame_rate: FrameRate | None = None
    channels: Literal[1, 2, 6, 8] | None = None
    sample_rate: (
        Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000] | None
    ) = None
    hdr: Literal["keep", "sdr"] = "keep"
