"""Filters that pictures out of a film have in common: whole, at their times, as JPEG."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from media_nommer.core.media import VideoStream
from media_nommer.planning.pictures.light import made_standard
from media_nommer.planning.pictures.sizes import Size

Fields: TypeAlias = Literal["none", "flagged", "all"]


def whole_frames(fields: Fields) -> str:
    """Return the filter that makes one whole frame of each, so that the count stays."""
    if fields == "none":
        return ""
    return f"bwdif=mode=send_frame:deint={'all' if fields == 'all' else 'interlaced'}"


def first_at(times: Sequence[float]) -> str:
    """Return the filter that leaves the first frame at or after each of ``times``."""
    terms = [f"gte(t,{t:.6f})*(isnan(prev_t)+lt(prev_t,{t:.6f}))" for t in times]
    return f"select='{any_of(terms)}'"


def any_of(terms: Sequence[str]) -> str:
    """Return the sum of ``terms`` as a balanced tree: FFmpeg refuses a depth of 100."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return f"({any_of(terms[:middle])}+{any_of(terms[middle:])})"


def exactly(count: int) -> str:
    """Return the filters that repeat the last frame, or drop some, until there are so many.

    A time without a frame of its own (a still of many seconds) is what it is for.
    """
    return f"tpad=stop={count}:stop_mode=clone,trim=end_frame={count}"


def jpeg(stream: VideoStream, size: Size) -> str:
    """Return the filters to the picture of a JPEG.

    JPEG is full range and, by its own standard (JFIF), BT.601.
    """
    full = ":out_range=pc:out_color_matrix=bt601"
    if standard_ := made_standard(stream, _scaled(size), "yuv420p"):
        return f"{standard_},format=yuv444p,scale={full[1:]},setsar=1,format=yuv420p"
    return f"scale={size.width}:{size.height}{full},setsar=1,format=yuv420p"


def standard(stream: VideoStream, size: Size) -> str:
    """Return the filters to a picture in BT.709, of the given size."""
    scaled = _scaled(size)
    return made_standard(stream, scaled, "yuv420p") or f"{scaled},setsar=1"


def chain(*filters: str) -> str:
    """Return filters in a row, those that are empty left out."""
    return ",".join(each for each in filters if each)


def _scaled(size: Size) -> str:
    return f"scale={size.width}:{size.height}:out_range=tv"
