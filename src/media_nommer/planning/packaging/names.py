"""What the files of an adaptive output are called, all but its manifests.

Their names carry an id of the attempt that made them, so that whoever reads an old manifest
never gets bytes of a newer publication.
"""

from dataclasses import dataclass
from hashlib import sha256

from media_nommer.planning.streaming.adaptive import Rendition
from media_nommer.planning.texts.streamed_texts import TextRendition

_DIGITS = 10


def publication_id(attempt: str, output: int) -> str:
    """Return the id of one output's files as one attempt makes them."""
    return sha256(f"{attempt}/{output}".encode()).hexdigest()[:_DIGITS]


def base_name(rendition: Rendition | TextRendition, publication: str) -> str:
    """Return how the names of all files of a rendition begin: ``v1-720p-0123456789``."""
    return "-".join(part for part in (rendition.key, rendition.label, publication) if part)


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes are for a reader of a manifest: a file beside it, and a part of that."""

    uri: str
    size: int
    offset: int | None = None


def file_name(base: str, *, sound: bool) -> str:
    """Return the name of a rendition's one file."""
    return f"{base}.{'m4a' if sound else 'mp4'}"


def header_name(base: str) -> str:
    """Return the name of what a player needs before any segment file of a rendition."""
    return f"{base}/init.mp4"


def segment_name(base: str, number: int, *, ts: bool = False) -> str:
    """Return the name of a rendition's segment file; they are counted from 1."""
    return f"{base}/{number:05d}.{'ts' if ts else 'm4s'}"


def key_name(publication: str) -> str:
    """Return the name of the key of an output, where it is published."""
    return f"key-{publication}.key"


def playlist_name(base: str) -> str:
    """Return the name of a rendition's playlist."""
    return f"{base}.m3u8"


def key_frames_name(base: str) -> str:
    """Return the name of the playlist of a rendition's key frames."""
    return f"{base}-keys.m3u8"
