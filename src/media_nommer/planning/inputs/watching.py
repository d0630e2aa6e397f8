"""Which files a film's picture comes from, to look at moments of it before it is made."""

from dataclasses import dataclass

from media_nommer.core.media import VideoStream
from media_nommer.planning.pictures.sizes import Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One input's picture: its file in scratch, its stream, and the part that is taken.

    ``start`` and ``length`` are seconds of the file. ``fitted`` are the filters that make
    it as large as the film, empty where it is the film; ``size`` is what comes of them.
    """

    file: str
    stream: VideoStream
    size: Size
    start: float = 0.0
    length: float | None = None
    fitted: str = ""
    is_still: bool = False


def upright_size(stream: VideoStream) -> Size:
    """Return the size of the decoded picture once FFmpeg has turned it."""
    size = Size(stream.width, stream.height)
    return size if stream.rotation % 180 == 0 else Size(size.height, size.width)
