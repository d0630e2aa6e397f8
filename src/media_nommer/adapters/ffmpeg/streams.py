"""From PyAV's streams to ours. Loads PyAV, so only the probe child may import it."""

import re
from fractions import Fraction
from typing import Any

from av.stream import Disposition

from media_nommer.adapters.ffmpeg.colours import PRIMARIES, RANGES, SPACES, TRANSFERS
from media_nommer.core.media import AudioStream, OtherStream, SubtitleStream, VideoStream
from media_nommer.planning.codec_strings import Coded, codec_string

_PROGRESSIVE = 1  # AV_FIELD_PROGRESSIVE; 0 is unknown, the rest are field orders


def video_stream(stream: Any, still: bool) -> VideoStream:
    """Describe a video stream; of a ``still`` picture, times and rates mean nothing."""
    codec = stream.codec_context
    pixels = codec.format
    return VideoStream(
        **_common(stream),
        width=codec.width,
        height=codec.height,
        frame_rate=None if still else stream.guessed_rate or stream.average_rate,
        average_rate=None if still else stream.average_rate or None,
        frames=stream.frames or None,
        duration=None if still else _duration(stream),
        pixel_format=pixels.name if pixels else None,
        bit_depth=max((part.bits for part in pixels.components), default=8)
        if pixels
        else 8,
        sample_aspect=stream.sample_aspect_ratio or Fraction(1),
        interlaced=int(codec.field_order) > _PROGRESSIVE,
        color_primaries=PRIMARIES.get(int(codec.color_primaries)),
        color_transfer=TRANSFERS.get(int(codec.color_trc)),
        color_space=SPACES.get(int(codec.colorspace)),
        color_range=RANGES.get(int(codec.color_range)),
        attached_picture=bool(stream.disposition & Disposition.attached_pic),
        codec_string=_named(stream),
    )


def audio_stream(stream: Any) -> AudioStream:
    """Describe an audio stream."""
    codec = stream.codec_context
    return AudioStream(
        **_common(stream),
        channels=codec.layout.nb_channels,
        sample_rate=codec.sample_rate or 0,
        layout=codec.layout.name or None,
        frames=stream.frames or None,
        duration=_duration(stream),
        title=stream.metadata.get("title"),
        codec_string=_named(stream),
    )


def subtitle_stream(stream: Any) -> SubtitleStream:
    """Describe a stream of subtitles."""
    shown = stream.disposition
    return SubtitleStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        default=bool(shown & Disposition.default),
        forced=bool(shown & Disposition.forced),
        hearing_impaired=bool(shown & Disposition.hearing_impaired),
        language=_language(stream),
        title=stream.metadata.get("title"),
    )


def other_stream(stream: Any) -> OtherStream:
    """Describe a stream that is neither picture nor sound nor subtitles."""
    codec = stream.codec_context
    return OtherStream(
        index=stream.index,
        kind=stream.type or "unknown",
        codec=codec.codec.canonical_name if codec else getattr(stream, "name", None),
        language=_language(stream),
    )


def _common(stream: Any) -> dict[str, Any]:
    start, unit = stream.start_time, stream.time_base or Fraction(1, 1000)
    return {
        "index": stream.index,
        "codec": stream.codec_context.codec.canonical_name,
        "time_base": unit,
        "start_time": None if start is None else float(start * unit),
        "default": bool(stream.disposition & Disposition.default),
        "language": _language(stream),
    }


def _named(stream: Any) -> str | None:
    codec, picture = stream.codec_context, stream.type == "video"
    pixels = codec.format if picture else None
    depths = [part.bits for part in pixels.components] if pixels else []
    return codec_string(
        Coded(
            codec=codec.codec.canonical_name,
            extradata=bytes(codec.extradata or b""),
            tag=codec.codec_tag or "",
            pixel_format=pixels.name if pixels else "",
            bit_depth=max(depths, default=8),
            width=codec.width if picture else 0,
            height=codec.height if picture else 0,
            rate=stream.average_rate if picture else None,
            sample_rate=0 if picture else codec.sample_rate or 0,
        )
    )


def _language(stream: Any) -> str | None:
    language = stream.language
    return None if language in {None, "", "und"} else str(language)


def _duration(stream: Any) -> float | None:
    """Seconds from the stream's header, or from the tag that Matroska writers leave.

    FFmpeg's tag tells when the stream ends, mkvmerge's how long it is.
    """
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    tags = {key.upper(): value for key, value in stream.metadata.items()}
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", tags.get("DURATION", ""))
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    told = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if "_STATISTICS_WRITING_APP" in tags or not stream.start_time:
        return told
    return max(0.0, told - float(stream.start_time * stream.time_base))
