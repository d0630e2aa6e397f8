"""What a recipe says of encryption, and what in it contradicts itself."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from media_nommer.core.recipes.base import Document

#: A key as it is given, or what stands for one that was sealed.
Key = Annotated[str, Field(pattern=r"^([0-9a-fA-F]{32}|sealed:[0-9a-f]{32})$")]
KeyId = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{32}$")]
KeyUrl = Annotated[str, Field(max_length=2048, pattern=r"^[!#-;=?-~]+$")]
Scheme = Literal["aes-128"]


class Encryption(Document):
    """How segments are encrypted, and under which keys.

    ``aes-128`` encrypts whole segment files, for HLS. ``key`` is 32 hexadecimal digits, and
    a secret: it stands in no record. Players find it at ``key_url``; we publish it only
    where ``publish_key`` says so, and then may make one.
    """

    scheme: Scheme
    key: Key | None = None
    key_url: KeyUrl | None = None
    publish_key: bool = False


def encryption_problems(
    wanted: Encryption, formats: Sequence[str], segments: str, path: str
) -> Iterator[str]:
    """Yield a sentence for each fault in how an adaptive output is to be encrypted."""
    if "dash" in formats:
        yield f"{path}.scheme: aes-128 is for hls alone; allowed formats: hls"
    if segments == "ranges":
        yield f"{path}.scheme: aes-128 encrypts whole files; allowed segments: files, ts"
    if wanted.key_url is not None and wanted.publish_key:
        yield f"{path}: key_url and publish_key contradict each other; allowed: one of them"
    elif wanted.key_url is None and not wanted.publish_key:
        yield (
            f"{path}: needs key_url, where players find the key, or publish_key, which "
            "lays it beside the playlists"
        )
    elif wanted.key is None and not wanted.publish_key:
        yield f"{path}.key: is missing; it is the one that players find at key_url"
