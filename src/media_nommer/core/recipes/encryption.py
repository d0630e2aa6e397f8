"""What a recipe says of encryption, and what in it contradicts itself."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from media_nommer.core.recipes.base import Document

#: A key as it is given, or what stands for one that was sealed.
Key = Annotated[str, Field(pattern=r"^([0-9a-fA-F]{32}|sealed:[0-9a-f]{32})$")]
KeyId = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{32}$")]
KeyUrl = Annotated[str, Field(max_length=2048, pattern=r"^[!#-;=?-~]+$")]
Pssh = Annotated[str, Field(max_length=8192, pattern=r"^[A-Za-z0-9+/]+=*$")]
Scheme = Literal["aes-128", "cenc", "cbcs"]

WIDEVINE = UUID("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed")
PLAYREADY = UUID("9a04f079-9840-4286-ab92-e65be0885f95")

#: Systems that players of HLS find by what the film itself tells of the key.
IN_PLAYLISTS = (WIDEVINE, PLAYREADY)

_LEAST_BOX = 32  # bytes: head, version, system, and the length of what follows


class Encryption(Document):
    """How segments are encrypted, and under which keys.

    ``aes-128`` encrypts whole segment files, for HLS; ``cenc`` and ``cbcs`` encrypt frames,
    for DASH and HLS. ``key`` is 32 hexadecimal digits, and a secret: it stands in no
    record. Players find it at ``key_url``; we publish it only where ``publish_key`` says
    so, and then may make one.

    By ``key_id`` players know which key frames need. Sounds may have a key of their own.
    ``pssh`` are boxes for licence systems, in base64, as their makers give them.
    """

    scheme: Scheme
    key: Key | None = None
    key_id: KeyId | None = None
    audio_key: Key | None = None
    audio_key_id: KeyId | None = None
    key_url: KeyUrl | None = None
    publish_key: bool = False
    pssh: Annotated[tuple[Pssh, ...], Field(max_length=8)] = ()

    @property
    def whole(self) -> bool:
        """Whether files are encrypted whole, not frame by frame."""
        return self.scheme == "aes-128"


def pssh_system(box: bytes) -> UUID | None:
    """Return the licence system that a box is for, None where it is no such box."""
    if len(box) < _LEAST_BOX or box[4:8] != b"pssh" or int.from_bytes(box[:4]) != len(box):
        return None
    return UUID(bytes=box[12:28])


def encryption_problems(
    wanted: Encryption, formats: Sequence[str], segments: str, path: str
) -> Iterator[str]:
    """Yield a sentence for each fault in how an adaptive output is to be encrypted."""
    if wanted.whole:
        yield from _whole_problems(wanted, formats, segments, path)
    else:
        yield from _framed_problems(wanted, formats, segments, path)


def _whole_problems(
    wanted: Encryption, formats: Sequence[str], segments: str, path: str
) -> Iterator[str]:
    if "dash" in formats:
        yield f"{path}.scheme: aes-128 is for hls alone; allowed with dash: cenc, cbcs"
    if segments == "ranges":
        yield f"{path}.scheme: aes-128 encrypts whole files; allowed segments: files, ts"
    for name in ("key_id", "audio_key", "audio_key_id", "pssh"):
        if getattr(wanted, name):
            yield f"{path}.{name}: aes-128 has none"
    if wanted.key_url is not None and wanted.publish_key:
        yield f"{path}: key_url and publish_key contradict each other; allowed: one of them"
    elif wanted.key_url is None and not wanted.publish_key:
        yield (
            f"{path}: needs key_url, where players find the key, or publish_key, which "
            "lays it beside the playlists"
        )
    elif wanted.key is None and not wanted.publish_key:
        yield f"{path}.key: is missing; it is the one that players find at key_url"


def _framed_problems(
    wanted: Encryption, formats: Sequence[str], segments: str, path: str
) -> Iterator[str]:
    scheme = wanted.scheme
    for name in ("key", "key_id"):
        if getattr(wanted, name) is None:
            yield f"{path}.{name}: is missing; {scheme} needs it"
    if (wanted.audio_key is None) != (wanted.audio_key_id is None):
        yield f"{path}: audio_key and audio_key_id go together"
    if wanted.publish_key:
        yield f"{path}.publish_key: {scheme} has its keys from a licence server"
    if segments == "ts":
        yield f"{path}.scheme: {scheme} is of MP4; allowed segments: ranges, files"
    if scheme == "cenc" and (wanted.key_url or "").startswith("skd:"):
        yield f"{path}.key_url: skd is of Apple's players, which read cbcs, not cenc"
    systems = [_system(text) for text in wanted.pssh]
    for number, system in enumerate(systems):
        if system is None:
            yield f"{path}.pssh[{number}]: is no box of a licence system in base64"
    known = wanted.key_url is not None or any(each in IN_PLAYLISTS for each in systems)
    if "hls" in formats and not known:
        yield (
            f"{path}: hls needs key_url, by which players ask for the key, or a pssh of "
            "Widevine or PlayReady"
        )


def _system(text: str) -> UUID | None:
    try:
        return pssh_system(base64.b64decode(text, validate=True))
    except binascii.Error:
        return None
