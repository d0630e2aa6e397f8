"""What each container and codec can hold, and in which words it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Container = Literal["mp4", "webm", "m4a", "mp3", "ogg"]
VideoCodec = Literal["h264", "vp9", "av1"]
AudioCodec = Literal["aac", "opus", "mp3"]

Speed = Literal[
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
]
"""How much time an encoder takes, for every codec in x264's words, which people know.

The planner turns them into libvpx's ``cpu-used`` and SVT-AV1's ``preset``.
"""

Profile = Literal["baseline", "main", "high"]


@dataclass(frozen=True, slots=True)
class QualityRange:
    """Constant quality (CRF) of one codec: lower is better and larger."""

    best: float
    worst: float
    default: float


QUALITY: Mapping[VideoCodec, QualityRange] = {
    "h264": QualityRange(0, 51, 22),
    "vp9": QualityRange(0, 63, 32),
    "av1": QualityRange(1, 63, 32),
}

AUDIO_BIT_RATE: Mapping[AudioCodec, int] = {"aac": 128, "opus": 96, "mp3": 160}
"""Default kbit/s for stereo; the planner scales it with the channels."""


@dataclass(frozen=True, slots=True)
class ContainerRules:
    """What one container may hold; the first codec of each is its default.

    ``extensions`` are those by which a name tells the container, the usual one first.
    """

    extensions: tuple[str, ...]
    video: tuple[VideoCodec, ...]
    audio: tuple[AudioCodec, ...]


CONTAINERS: Mapping[Container, ContainerRules] = {
    "mp4": ContainerRules(("mp4", "m4v"), ("h264", "av1", "vp9"), ("aac", "opus", "mp3")),
    "webm": ContainerRules(("webm",), ("vp9", "av1"), ("opus",)),
    "m4a": ContainerRules(("m4a",), (), ("aac",)),
    "mp3": ContainerRules(("mp3",), (), ("mp3",)),
    "ogg": ContainerRules(("opus", "ogg", "oga"), (), ("opus",)),
}

CONTAINER_OF_EXTENSION: Mapping[str, Container] = {
    extension: container
    for container, rules in CONTAINERS.items()
    for extension in rules.extensions
}

HOME_OF_CODEC: Mapping[VideoCodec | AudioCodec, Container] = {
    "h264": "mp4",
    "vp9": "webm",
    "av1": "webm",
    "aac": "m4a",
    "opus": "ogg",
    "mp3": "mp3",
}
"""The container of an output that names neither container nor extension."""
