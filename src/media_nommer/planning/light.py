"""High dynamic range: what it is, and how it becomes a standard one."""

from media_nommer.core.media import VideoStream

_TRANSFERS = {"smpte2084", "arib-std-b67"}  # PQ and HLG
_WHITE = 203  # nits of plain white in HDR, by ITU-R BT.2408
#: The same as the share of all that can be said, by the curve of each.
_PLAIN_WHITE = {"smpte2084": 0.58, "arib-std-b67": 0.75}
_SIDE_DATA = ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")


def is_hdr(stream: VideoStream) -> bool:
    """Say whether players take the picture for one of high dynamic range."""
    return stream.color_transfer in _TRANSFERS


def plain_white(stream: VideoStream) -> float:
    """Return where plain white is in the range of a picture that stays as it is."""
    return _PLAIN_WHITE.get(stream.color_transfer or "", 1.0)


def tone_mapping(stream: VideoStream) -> str:
    """Return the filters from PQ or HLG, in 10 bits, to BT.709.

    White in HDR stays white; what is brighter is bent down to it. What the source says of
    its master's display is no longer true, so it is dropped.
    """
    said = "setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020"
    return ",".join(
        (
            f"{said}:color_trc={stream.color_transfer}",
            f"zscale=t=linear:npl={_WHITE},format=gbrpf32le,zscale=p=bt709",
            "tonemap=tonemap=mobius:desat=0",
            "zscale=t=bt709:m=bt709:r=tv",
            *(f"sidedata=mode=delete:type={kind}" for kind in _SIDE_DATA),
        )
    )
