"""Which streams a container can hold just as they are."""

from collections.abc import Mapping
from typing import Literal

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.recipes.codecs import CONTAINERS, Container

_VIDEO: Mapping[Container, tuple[str, ...]] = {
    "mp4": ("h264", "hevc", "av1", "vp9", "mpeg4"),
    "mov": ("h264", "hevc", "prores", "dnxhd", "mjpeg", "mpeg4", "mpeg2video"),
    "webm": ("vp8", "vp9", "av1"),
    "ts": ("h264", "hevc", "mpeg2video", "mpeg1video"),
}
_PCM = ("pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_u8")
_AUDIO: Mapping[Container, tuple[str, ...]] = {
    "mp4": ("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"),
    "mov": ("aac", "mp3", "ac3", "eac3", "alac", "pcm_s16be", "pcm_s24be", *_PCM),
    "webm": ("opus", "vorbis"),
    "m4a": ("aac", "alac"),
    "mp3": ("mp3",),
    "ogg": ("opus", "vorbis", "flac"),
    "ts": ("aac", "mp3", "mp2", "ac3", "eac3"),
    "flac": ("flac",),
    "wav": _PCM,
}


def check_copy(
    container: Container, kind: Literal["video", "audio"], codec: str, where: str
) -> None:
    """Do nothing if a stream of ``codec``, asked for at ``where``, can be in it as it is.

    Raises:
        InvalidRecipe: it cannot; the sentence says what can, and what else could be asked.
    """
    allowed = (_VIDEO if kind == "video" else _AUDIO).get(container, ())
    if not allowed or codec in allowed:
        return
    rules = CONTAINERS[container]
    others = rules.video if kind == "video" else rules.audio
    raise InvalidRecipe(
        f"{where}.codec: {container} cannot hold a copy of {codec}; "
        f"allowed: {', '.join(allowed)}, or another codec from: "
        f"{', '.join(other for other in others if other != 'copy')}"
    )
