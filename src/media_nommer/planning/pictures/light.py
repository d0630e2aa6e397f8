"""High dynamic range: what it is, and how it becomes a standard one."""

from media_nommer.core.media import VideoStream
from media_nommer.planning.pictures.colours import (
    is_other,
    is_rgb,
    is_told,
    is_wide,
    matrix_of,
    narrowing,
    primaries_of,
)

_WHITE = 203  # nits of plain white in HDR, by ITU-R BT.2408
#: The same as the share of all that can be said, by the curve of each.
_PLAIN_WHITE = {"smpte2084": 0.58, "arib-std-b67": 0.75}
#: The most nits that can be said: of PQ by SMPTE ST 2084, of HLG on BT.2100's display.
_PEAK = {"smpte2084": 10_000, "arib-std-b67": 1000}
_BENT_FROM = 0.7  # of plain white; what is darker stays as it is
_SIDE_DATA = ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")


def is_hdr(stream: VideoStream) -> bool:
    """Say whether players take the picture for one of high dynamic range."""
    return stream.color_transfer in _PEAK


def is_beyond_standard(stream: VideoStream) -> bool:
    """Say whether a picture may have light or colours that BT.709 has not."""
    return is_hdr(stream) or is_wide(stream)


def plain_white(stream: VideoStream) -> float:
    """Return where plain white is in the range of a picture that stays as it is."""
    return _PLAIN_WHITE.get(stream.color_transfer or "", 1.0)


def made_standard(stream: VideoStream, scaled: str, pixels: str) -> str:
    """Return the filters to BT.709: empty for what is in it, or may be taken for it.

    They begin with those that scale, ``scaled``; ``pixels`` are what comes of them.
    """
    if not is_hdr(stream) and not is_other(stream):
        return ""
    if is_rgb(stream):
        scaled += f":out_color_matrix={'bt2020' if is_hdr(stream) else 'bt709'}"
    how = tone_mapping(stream) if is_hdr(stream) else narrowing(stream)
    return f"{scaled},setsar=1,format={_deep(pixels)},{how}"


def tone_mapping(stream: VideoStream) -> str:
    """Return the filters from PQ or HLG, in 10 bits, to BT.709.

    Plain white, by ITU-R BT.2408 light of 203 nits, is all but the white of the standard
    range: about 238 of 255, since what is brighter must have room above it. What is darker
    than 0.7 of it keeps its light, as BT.2408 has it where standard pictures go into HDR;
    from there a hyperbola takes all that PQ or HLG can say up to 255. The brightest of a
    pixel's three colours decides, so that hues stay. HLG needs exact curves: approximate
    ones make each colour brighter for itself, not by the pixel's light as BT.2100 says.
    What the source says of its master's display is no longer true, so it is dropped.
    """
    transfer = stream.color_transfer or "smpte2084"
    primaries = primaries_of(stream) or "bt2020"
    matrix = matrix_of(stream) if is_told(stream) and not is_rgb(stream) else "bt2020nc"
    exact = ":agamma=0" if transfer == "arib-std-b67" else ""
    peak = _PEAK[transfer] / _WHITE
    return ",".join(
        (
            f"setparams=range=tv:colorspace={matrix}:color_primaries={primaries}"
            f":color_trc={transfer}",
            f"zscale=t=linear:npl={_WHITE}{exact},format=gbrpf32le,zscale=p=bt709",
            f"tonemap=tonemap=mobius:param={_BENT_FROM}:peak={peak:.3f}:desat=0",
            "zscale=t=bt709:m=bt709:r=tv",
            *(f"sidedata=mode=delete:type={kind}" for kind in _SIDE_DATA),
        )
    )


def _deep(pixels: str) -> str:
    """Return pixels of 10 bits that have as much of colours as ``pixels``."""
    chroma = pixels.removeprefix("yuv")[:3]
    return f"yuv{chroma if chroma in {'422', '444'} else '420'}p10le"
