"""The lines that playlists of HLS are made of."""

from collections.abc import Iterable

#: What MP4 in segments needs.
VERSION = 7


def playlist_head(version: int, target: int) -> list[str]:
    """Return how the playlist of a whole film begins."""
    return [
        *("#EXTM3U", f"#EXT-X-VERSION:{version}"),
        *(f"#EXT-X-TARGETDURATION:{target}", "#EXT-X-MEDIA-SEQUENCE:0"),
        *("#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-INDEPENDENT-SEGMENTS"),
    ]


def whole_key(uri: str) -> str:
    """Return the line after which files are encrypted whole, each by its number."""
    return "#EXT-X-KEY:" + attributes(("METHOD", "AES-128"), ("URI", f'"{uri}"'))


def attributes(*pairs: tuple[str, object]) -> str:
    """Return a list of attributes without those that are None."""
    return ",".join(f"{name}={value}" for name, value in pairs if value is not None)


def playlist_text(lines: Iterable[str]) -> str:
    """Return the text of a playlist."""
    return "\n".join(lines) + "\n"
