"""What players are told of keys: by manifests, playlists, and boxes in the film itself."""

import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID
from xml.etree import ElementTree

from media_nommer.core.recipes.encryption import (
    IN_PLAYLISTS,
    WIDEVINE,
    Encryption,
    pssh_system,
)
from media_nommer.planning.packaging.hls_lines import attributes

#: The namespace that manifests of DASH tell of keys in, as ``cenc``.
CENC = "urn:mpeg:cenc:2013"

_COMMON = UUID("1077efec-c0b2-4d02-ace3-3c1e52e2fb4b")
_METHODS = {"cenc": "SAMPLE-AES-CTR", "cbcs": "SAMPLE-AES"}
_APPLE = "com.apple.streamingkeydelivery"
_HEAD = 32  # bytes of a box before what its system wants, where it names no keys


@dataclass(frozen=True, slots=True)
class Licence:
    """How the frames of one rendition are encrypted: nothing of it is secret."""

    scheme: str
    key_id: str
    boxes: tuple[bytes, ...]
    key_url: str | None = None


def licence_of(wanted: Encryption | None, *, sound: bool) -> Licence | None:
    """Return what players are told of the key of pictures, or of that of sounds.

    None is returned where frames are not encrypted. Without boxes of licence systems there
    is the common one, which names the keys.
    """
    if wanted is None or wanted.whole or wanted.key_id is None:
        return None
    own = wanted.audio_key_id if sound else None
    key_id = (own or wanted.key_id).lower()
    given = tuple(base64.b64decode(text) for text in wanted.pssh)
    boxes = given or (_common_box(key_id),)
    return Licence(wanted.scheme, key_id, boxes, wanted.key_url)


def key_lines(licence: Licence) -> list[str]:
    """Return the lines of a playlist after which frames are encrypted."""
    return [f"#EXT-X-KEY:{line}" for line in _keys(licence)]


def add_protection(common: ElementTree.Element, licence: Licence) -> None:
    """Tell in a manifest how all representations of a set are encrypted."""
    ElementTree.SubElement(
        common,
        "ContentProtection",
        {
            "schemeIdUri": "urn:mpeg:dash:mp4protection:2011",
            "value": licence.scheme,
            "cenc:default_KID": str(UUID(licence.key_id)),
        },
    )
    for box in licence.boxes:
        told = ElementTree.SubElement(
            common, "ContentProtection", schemeIdUri=f"urn:uuid:{pssh_system(box)}"
        )
        ElementTree.SubElement(told, "cenc:pssh").text = base64.b64encode(box).decode()


def _keys(licence: Licence) -> Iterator[str]:
    method = _METHODS[licence.scheme]
    if licence.key_url is not None:
        apple = licence.key_url.startswith("skd:")
        yield attributes(
            ("METHOD", method),
            ("URI", f'"{licence.key_url}"'),
            ("KEYFORMAT", f'"{_APPLE}"' if apple else '"identity"'),
            ("KEYFORMATVERSIONS", '"1"' if apple else None),
        )
    for box in licence.boxes:
        system = pssh_system(box)
        if system in IN_PLAYLISTS:
            yield attributes(
                ("METHOD", method),
                ("URI", f'"{_as_data(box)}"'),
                ("KEYID", f"0x{licence.key_id}"),
                ("KEYFORMAT", f'"{_format_of(box)}"'),
                ("KEYFORMATVERSIONS", '"1"'),
            )


def _as_data(box: bytes) -> str:
    """Return what a playlist tells of a box: Widevine's whole, PlayReady's content."""
    if pssh_system(box) == WIDEVINE:
        return f"data:text/plain;base64,{base64.b64encode(box).decode()}"
    content = base64.b64encode(box[_HEAD:]).decode()
    return f"data:text/plain;charset=UTF-16;base64,{content}"


def _format_of(box: bytes) -> str:
    widevine = pssh_system(box) == WIDEVINE
    return f"urn:uuid:{WIDEVINE}" if widevine else "com.microsoft.playready"


def _common_box(key_id: str) -> bytes:
    """Return the box that tells no more than which key is needed."""
    inside = struct.pack(">16sI16sI", _COMMON.bytes, 1, bytes.fromhex(key_id), 0)
    return struct.pack(">I4sI", 12 + len(inside), b"pssh", 0x01000000) + inside
