"""The names by which players ask for decoders (RFC 6381), by the codecs' own texts."""

from collections.abc import Callable, Mapping

from media_nommer.core.errors import OutputDamaged


def codec_name(entry: str, config: bytes) -> str:
    """Return the name for a sample entry and the codec's box in it.

    Raises:
        OutputDamaged: they are of nothing that we make, or cut short.
    """
    naming = _NAMING.get(entry)
    try:
        if naming is not None:
            return naming(entry, config)
    except IndexError:
        pass
    raise OutputDamaged(f"the output holds {entry!r}, which has no name for players")


def _h264(entry: str, config: bytes) -> str:
    return f"{entry}.{config[1]:02x}{config[2]:02x}{config[3]:02x}"


def _hevc(entry: str, config: bytes) -> str:
    """Profile, compatible profiles (their bits backwards), tier, level, constraints."""
    space = ("", "A", "B", "C")[config[1] >> 6]
    tier = "H" if config[1] & 0x20 else "L"
    compatible = int(f"{int.from_bytes(config[2:6]):032b}"[::-1], 2)
    constraints = config[6:12].rstrip(b"\0")
    parts = [
        *(entry, f"{space}{config[1] & 0x1F}", f"{compatible:X}", f"{tier}{config[12]}"),
        *(f"{byte:X}" for byte in constraints),
    ]
    return ".".join(parts)


def _av1(entry: str, config: bytes) -> str:
    profile, level = config[1] >> 5, config[1] & 0x1F
    tier = "H" if config[2] & 0x80 else "M"
    depth = 12 if config[2] & 0x20 else 10 if config[2] & 0x40 else 8
    return f"{entry}.{profile}.{level:02}{tier}.{depth:02}"


def _vp9(entry: str, config: bytes) -> str:
    profile, level, depth = config[4], config[5], config[6] >> 4
    return f"{entry}.{profile:02}.{level:02}.{depth:02}"


def _aac(entry: str, config: bytes) -> str:
    """Look for the decoder's own part of the description: its first five bits tell."""
    place = 4  # after the version
    while config[place] != 0x05:
        tag = config[place]
        place += 1
        while config[place] & 0x80:
            place += 1
        place += 1 + {0x03: 3, 0x04: 13}.get(tag, 0)
    place += 1
    while config[place] & 0x80:
        place += 1
    return f"{entry}.40.{config[place + 1] >> 3}"


def _alone(name: str) -> Callable[[str, bytes], str]:
    return lambda _entry, _config: name


_NAMING: Mapping[str, Callable[[str, bytes], str]] = {
    "avc1": _h264,
    "hvc1": _hevc,
    "av01": _av1,
    "vp09": _vp9,
    "mp4a": _aac,
    "Opus": _alone("opus"),
    "fLaC": _alone("flac"),
    "ac-3": _alone("ac-3"),
    "ec-3": _alone("ec-3"),
}
