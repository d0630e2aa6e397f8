"""Colours: in which ones a picture is, and how those of others become BT.709's."""

from dataclasses import replace

from media_nommer.core.media import VideoStream
from media_nommer.planning.pictures.sizes import shown_size

_RGB = ("gbr", "rgb", "bgr", "argb", "abgr", "rgba", "bgra", "0rgb", "0bgr", "pal8")
_UNTOLD = {None, "unknown", "unspecified"}
#: What zimg knows of what streams tell, by FFmpeg's names.
_PRIMARIES = {
    *("bt470m", "bt470bg", "smpte170m", "smpte240m", "film", "bt2020"),
    *("smpte431", "smpte432", "ebu3213", "bt709"),
}
_WIDE = {"bt2020", "smpte431", "smpte432"}
_CURVES = {
    *("bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "linear", "log100"),
    *("log316", "iec61966-2-4", "iec61966-2-1", "bt2020-10", "bt2020-12"),
}
_MATRICES = {
    *("bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "ycgco"),
    *("bt2020nc", "bt2020c", "ictcp"),
}
_BT2020 = {"bt2020nc", "bt2020c", "ictcp"}
#: Players take an untold picture this high for BT.709, a lower one for BT.601.
_HD_HEIGHT = 720

#: What tells encoders that a picture is in BT.709.
BT709 = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709"


def is_rgb(stream: VideoStream) -> bool:
    """Say whether pixels are red, green and blue as they are, in no matrix."""
    return (stream.pixel_format or "").startswith(_RGB)


def is_told(stream: VideoStream) -> bool:
    """Say whether the source tells its matrix."""
    return stream.color_space not in _UNTOLD


def primaries_of(stream: VideoStream) -> str | None:
    """Return a picture's primaries, None where nothing tells of any that are known."""
    if stream.color_primaries in _PRIMARIES:
        return stream.color_primaries
    untold = stream.color_primaries in _UNTOLD
    return "bt2020" if untold and stream.color_space in _BT2020 else None


def matrix_of(stream: VideoStream) -> str:
    """Return the matrix that a picture is in, or that players guess."""
    if is_rgb(stream):
        return "gbr"
    told = stream.color_space or ""
    if told in _MATRICES:
        return told
    if primaries_of(stream) == "bt2020":
        return "bt2020nc"
    return "bt709" if is_high(lines_of(stream)) else "smpte170m"


def is_high(lines: int) -> bool:
    """Say whether players guess BT.709 for so many lines, and not BT.601."""
    return lines >= _HD_HEIGHT


def lines_of(stream: VideoStream) -> int:
    """Return the lines by which players guess: those that are there before it is turned."""
    return shown_size(replace(stream, rotation=0)).height


def is_wide(stream: VideoStream) -> bool:
    """Say whether there may be colours in a picture that BT.709 has not."""
    return primaries_of(stream) in _WIDE


def is_other(stream: VideoStream) -> bool:
    """Say whether the same numbers would be other colours in BT.709."""
    return primaries_of(stream) not in {None, "bt709"}


def narrowing(stream: VideoStream) -> str:
    """Return the filters from a standard range of other primaries to BT.709.

    What was red, green and blue is in BT.709's matrix by now. Light is mixed anew by both
    sets of primaries, and what BT.709 has not is cut off at its border, which is the simple
    conversion of ITU-R BT.2407, section 2. Greys keep their numbers: the curve stays, since
    players take all of these for the same.
    """
    told = stream.color_transfer or ""
    curve = told if told in _CURVES else "bt709"
    matrix = "bt709" if is_rgb(stream) else matrix_of(stream)
    return (
        f"zscale=pin={primaries_of(stream)}:tin={curve}:min={matrix}:rin=tv"
        f":p=bt709:t={curve}:m=bt709:r=tv,{BT709}"
    )


def own_tags(stream: VideoStream) -> str:
    """Return what tells the colours of red, green and blue that are in BT.2020's matrix."""
    primaries, curve = primaries_of(stream) or "bt2020", stream.color_transfer or "bt709"
    return f"setparams=colorspace=bt2020nc:color_primaries={primaries}:color_trc={curve}"
