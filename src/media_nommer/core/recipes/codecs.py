"""What each container and codec can hold, and in which words it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Container = Literal["mp4", "webm", "m4a", "mp3", "ogg", "mov", "mkv", "ts", "flac", "wav"]
VideoCodec = Literal["h264", "hevc", "vp9", "av1", "prores", "dnxhr", "ffv1", "copy"]
AudioCodec = Literal["aac", "opus", "mp3", "vorbis", "flac", "ac3", "eac3", "pcm", "copy"]

#: Of aac: what every player knows, and what needs half the bits where it is few.
AudioProfile = Literal["lc", "he"]

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

The planner turns them into libvpx's ``cpu-used`` and SVT-AV1's ``preset``. ProRes, DNxHR,
FFV1 and copies have one speed.
"""

_ALSO_CALLED: Mapping[str, str] = {
    "h264": "x264 libx264 avc avc1 mpeg4avc",
    "hevc": "h265 x265 libx265 hvc1 hev1",
    "vp9": "vp09 libvpxvp9",
    "av1": "av01 svtav1 libsvtav1 libaomav1",
    "prores": "proresks apple prores422",
    "dnxhr": "dnxhd vc3",
    "copy": "passthrough passthru",
    "aac": "mp4a libfdkaac aaclc",
    "opus": "libopus",
    "mp3": "libmp3lame lame mpeg3",
    "vorbis": "libvorbis",
    "ac3": "dd dolbydigital",
    "eac3": "ec3 ddp dolbydigitalplus",
    "pcm": "lpcm pcms16le pcms24le wave",
    "mkv": "matroska",
    "ts": "mpegts m2ts mpeg2ts",
    "mov": "quicktime qt",
    "ogg": "oga",
}
OTHER_WORDS: Mapping[str, str] = {
    other: ours for ours, others in _ALSO_CALLED.items() for other in others.split()
}
"""What others call codecs and containers, in small letters and digits: to ours."""

AUDIO_BIT_RATE: Mapping[AudioCodec, int] = {
    "aac": 128,
    "opus": 96,
    "mp3": 160,
    "vorbis": 128,
    "ac3": 192,
    "eac3": 160,
}
"""Default kbit/s for stereo; the planner scales it with the channels."""

LOSSLESS: tuple[AudioCodec, ...] = ("flac", "pcm")
MOST_CHANNELS: Mapping[AudioCodec, int] = {"mp3": 2, "ac3": 6, "eac3": 6}
MOST_KBITS: Mapping[AudioCodec, int] = {"mp3": 320}

ROYALTY_FREE: tuple[VideoCodec | AudioCodec, ...] = (
    *("vp9", "av1", "ffv1"),
    *("opus", "vorbis", "flac"),
)

_MPEG_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
SAMPLE_RATES: Mapping[AudioCodec, tuple[int, ...]] = {
    "aac": _MPEG_RATES,
    "mp3": _MPEG_RATES,
    "opus": (8000, 12000, 16000, 24000, 48000),
    "vorbis": (44100, 48000),  # at others, libvorbis has few bit rates
    "ac3": (32000, 44100, 48000),
    "eac3": (32000, 44100, 48000),
}
"""What each codec can be fed, in hertz; those that are missing take any rate."""


@dataclass(frozen=True, slots=True)
class ContainerRules:
    """What one container may hold; the first codec of each is its default.

    ``extensions`` are those by which a name tells the container, the usual one first.
    """

    extensions: tuple[str, ...]
    video: tuple[VideoCodec, ...]
    audio: tuple[AudioCodec, ...]


_ALL_VIDEO: tuple[VideoCodec, ...] = (
    *("h264", "hevc", "vp9", "av1"),
    *("prores", "dnxhr", "ffv1", "copy"),
)

_ALL_AUDIO: tuple[AudioCodec, ...] = (
    *("aac", "opus", "mp3", "vorbis"),
    *("flac", "ac3", "eac3", "pcm", "copy"),
)

CONTAINERS: Mapping[Container, ContainerRules] = {
    "mp4": ContainerRules(
        ("mp4", "m4v"),
        ("h264", "hevc", "av1", "vp9", "copy"),
        ("aac", "opus", "mp3", "ac3", "eac3", "flac", "copy"),
    ),
    "webm": ContainerRules(("webm",), ("vp9", "av1", "copy"), ("opus", "vorbis", "copy")),
    "m4a": ContainerRules(("m4a",), (), ("aac", "copy")),
    "mp3": ContainerRules(("mp3",), (), ("mp3", "copy")),
    "ogg": ContainerRules(("opus", "ogg", "oga"), (), ("opus", "vorbis", "flac", "copy")),
    "mov": ContainerRules(
        ("mov",),
        ("h264", "hevc", "prores", "dnxhr", "copy"),
        ("aac", "pcm", "mp3", "ac3", "eac3", "copy"),
    ),
    "mkv": ContainerRules(("mkv", "mka"), _ALL_VIDEO, _ALL_AUDIO),
    "ts": ContainerRules(
        ("ts",), ("h264", "hevc", "copy"), ("aac", "mp3", "ac3", "eac3", "copy")
    ),
    "flac": ContainerRules(("flac",), (), ("flac", "copy")),
    "wav": ContainerRules(("wav",), (), ("pcm", "copy")),
}

CONTAINER_OF_EXTENSION: Mapping[str, Container] = {
    extension: container
    for container, rules in CONTAINERS.items()
    for extension in rules.extensions
}

HOME_OF_CODEC: Mapping[VideoCodec | AudioCodec, Container] = {
    "h264": "mp4",
    "hevc": "mp4",
    "vp9": "webm",
    "av1": "webm",
    "prores": "mov",
    "dnxhr": "mov",
    "ffv1": "mkv",
    "copy": "mkv",
    "aac": "m4a",
    "opus": "ogg",
    "mp3": "mp3",
    "vorbis": "ogg",
    "flac": "flac",
    "ac3": "mkv",
    "eac3": "mkv",
    "pcm": "wav",
}
"""The container of an output that names neither container nor extension."""


def usual_audio(container: Container, video: VideoCodec | None) -> AudioCodec:
    """Return the codec of a sound of which nothing is said."""
    if video == "ffv1":
        return "flac"
    return "pcm" if video in {"prores", "dnxhr"} else CONTAINERS[container].audio[0]


def usual_extension(container: Container, audio: AudioCodec | None) -> str:
    """Return how a file's name ends; an Ogg file is only called ``opus`` if it is."""
    if container == "ogg" and audio not in {None, "opus"}:
        return "ogg"
    return CONTAINERS[container].extensions[0]
