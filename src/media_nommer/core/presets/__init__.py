"""The presets that come with media-nommer: named, reusable outputs of a recipe."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One named output. ``output`` has the fields of an output in a recipe."""

    name: str
    description: str
    output: Mapping[str, object]


_STEREO_AAC = {"codec": "aac", "bitrate": 160, "channels": 2}
_STEREO_OPUS = {"codec": "opus", "bitrate": 128, "channels": 2}
_FULL_HD = {"width": 1920, "height": 1080, "turn_box": True}
_ULTRA_HD = {"width": 3840, "height": 2160, "turn_box": True}
_STREAMED = {"codec": "h264", **_FULL_HD, "quality": 22, "profile": "high"}
_SOCIAL = {
    "codec": "h264",
    "resize": "fill",
    "upscale": True,
    "quality": 21,
    "profile": "high",
    "max_frame_rate": 30,
}
_SMALL = {"width": 640, "height": 360, "turn_box": True}

_SHIPPED = (
    Preset(
        name="web",
        description="One MP4 that plays everywhere: H.264 High up to 1080p, AAC stereo.",
        output={
            "kind": "file",
            "name": "{stem}.{ext}",
            "container": "mp4",
            "video": {"codec": "h264", **_FULL_HD, "quality": 22, "profile": "high"},
            "audio": _STEREO_AAC,
        },
    ),
    Preset(
        name="web-small",
        description="A small MP4 for slow lines: H.264 Main up to 360p, AAC stereo.",
        output={
            "kind": "file",
            "name": "{stem}-small.{ext}",
            "container": "mp4",
            "video": {"codec": "h264", **_SMALL, "quality": 24, "profile": "main"},
            "audio": {"codec": "aac", "bitrate": 96, "channels": 2},
        },
    ),
    Preset(
        name="hls-dash",
        description="The usual for streaming: HLS and DASH, H.264 up to 1080p, AAC stereo.",
        output={
            "kind": "adaptive",
            "name": "{stem}/index.{ext}",
            "formats": ["hls", "dash"],
            "video": _STREAMED,
            "audio": {"codec": "aac", "bitrate": 128, "channels": 2},
        },
    ),
    Preset(
        name="hls",
        description="Streaming to Apple's and most other players: as hls-dash, HLS alone.",
        output={
            "kind": "adaptive",
            "name": "{stem}/index.{ext}",
            "formats": ["hls"],
            "video": _STREAMED,
            "audio": {"codec": "aac", "bitrate": 128, "channels": 2},
        },
    ),
    Preset(
        name="webm",
        description="WebM without patents to pay for: VP9 up to 1080p, Opus stereo.",
        output={
            "kind": "file",
            "name": "{stem}.{ext}",
            "container": "webm",
            "video": {"codec": "vp9", **_FULL_HD, "quality": 32},
            "audio": _STEREO_OPUS,
        },
    ),
    Preset(
        name="av1",
        description="Smallest, for newer players: WebM with AV1 up to 1080p, Opus stereo.",
        output={
            "kind": "file",
            "name": "{stem}-av1.{ext}",
            "container": "webm",
            "video": {"codec": "av1", **_FULL_HD, "quality": 32},
            "audio": _STEREO_OPUS,
        },
    ),
    Preset(
        name="web-4k",
        description="MP4 up to 2160p for newer players: HEVC with 10 bits and HDR, AAC.",
        output={
            "kind": "file",
            "name": "{stem}-4k.{ext}",
            "container": "mp4",
            "video": {"codec": "hevc", **_ULTRA_HD, "quality": 24, "profile": "main10"},
            "audio": {"codec": "aac", "bitrate": 192, "channels": 2},
        },
    ),
    Preset(
        name="social-square",
        description="A square MP4 for feeds: 1080x1080, filled, up to 30 a second.",
        output={
            "kind": "file",
            "name": "{stem}-square.{ext}",
            "container": "mp4",
            "video": {"width": 1080, "height": 1080, **_SOCIAL},
            "audio": {**_STEREO_AAC, "loudness": {"target": -14, "true_peak": -1}},
        },
    ),
    Preset(
        name="social-vertical",
        description="An upright MP4 for phones: 1080x1920, filled, up to 30 a second.",
        output={
            "kind": "file",
            "name": "{stem}-vertical.{ext}",
            "container": "mp4",
            "video": {"width": 1080, "height": 1920, **_SOCIAL},
            "audio": {**_STEREO_AAC, "loudness": {"target": -14, "true_peak": -1}},
        },
    ),
    Preset(
        name="preview",
        description="A tiny MP4 to look at soon: up to 360p and 15 frames a second, mono.",
        output={
            "kind": "file",
            "name": "{stem}-preview.{ext}",
            "container": "mp4",
            "video": {**_SMALL, "quality": 30, "speed": "veryfast", "max_frame_rate": 15},
            "audio": {"codec": "aac", "bitrate": 48, "channels": 1},
        },
    ),
    Preset(
        name="archive",
        description="To keep and to cut: MOV with ProRes HQ of 10 bits, PCM of 24 bits.",
        output={
            "kind": "file",
            "name": "{stem}-archive.{ext}",
            "container": "mov",
            "video": {"codec": "prores", "profile": "hq"},
            "audio": {"codec": "pcm", "bit_depth": 24},
        },
    ),
    Preset(
        name="audio",
        description="The sound alone: AAC stereo in M4A.",
        output={
            "kind": "file",
            "name": "{stem}.{ext}",
            "container": "m4a",
            "audio": _STEREO_AAC,
        },
    ),
    Preset(
        name="mp3",
        description="The sound alone: MP3 stereo, 192 kbit/s.",
        output={
            "kind": "file",
            "name": "{stem}.{ext}",
            "container": "mp3",
            "audio": {"codec": "mp3", "bitrate": 192, "channels": 2},
        },
    ),
    Preset(
        name="opus",
        description="The sound alone: Opus stereo, 128 kbit/s.",
        output={
            "kind": "file",
            "name": "{stem}.{ext}",
            "container": "ogg",
            "audio": _STEREO_OPUS,
        },
    ),
    Preset(
        name="podcast",
        description="Speech for every podcast player: MP3 mono, 96 kbit/s, evenly loud.",
        output={
            "kind": "file",
            "name": "{stem}-podcast.{ext}",
            "container": "mp3",
            "audio": {
                "codec": "mp3",
                "bitrate": 96,
                "channels": 1,
                "sample_rate": 44100,
                "loudness": {"target": -19, "true_peak": -1},  # -16 from two speakers
            },
        },
    ),
    Preset(
        name="thumbnails",
        description="Ten JPEG pictures spread over the film, up to 360 pixels high.",
        output={
            "kind": "thumbnails",
            "name": "{stem}-{number:02d}.{ext}",
            "count": 10,
            "height": 360,
        },
    ),
    Preset(
        name="poster",
        description="One JPEG up to 1280 wide: the first picture that is worth showing.",
        output={
            "kind": "thumbnails",
            "name": "{stem}-poster.{ext}",
            "poster": True,
            "width": 1280,
        },
    ),
    Preset(
        name="sprite",
        description="Pictures for a player's time line: JPEG sheets and a WebVTT map.",
        output={"kind": "sprite", "name": "{stem}-sprite.{ext}", "count": 100},
    ),
)


def load_presets() -> Mapping[str, Preset]:
    """Return the shipped presets by name, in the order in which they are listed."""
    return MappingProxyType({preset.name: preset for preset in _SHIPPED})
