"""The options of each encoder and muxer, for FFmpeg."""

from collections.abc import Mapping

from media_nommer.core.recipes.codecs import AudioCodec, Container, Speed
from media_nommer.planning.plan import AudioPlan, OutputPlan, VideoPlan

_VP9_SPEED: Mapping[Speed, tuple[str, int]] = {
    "ultrafast": ("realtime", 8),
    "superfast": ("realtime", 6),
    "veryfast": ("good", 5),
    "faster": ("good", 5),
    "fast": ("good", 4),
    "medium": ("good", 3),
    "slow": ("good", 2),
    "slower": ("good", 1),
    "veryslow": ("good", 0),
}
_AV1_SPEED: Mapping[Speed, int] = {
    "ultrafast": 12,
    "superfast": 11,
    "veryfast": 10,
    "faster": 9,
    "fast": 8,
    "medium": 7,
    "slow": 5,
    "slower": 4,
    "veryslow": 3,
}
_AUDIO_ENCODER: Mapping[AudioCodec, str] = {
    "aac": "aac",
    "opus": "libopus",
    "mp3": "libmp3lame",
}
_MUXER: Mapping[Container, tuple[str, ...]] = {
    "mp4": ("-movflags", "+faststart", "-f", "mp4"),
    "m4a": ("-movflags", "+faststart", "-f", "ipod"),
    "webm": ("-cues_to_front", "1", "-f", "webm"),
    "mp3": ("-f", "mp3"),
    "ogg": ("-f", "ogg"),
}
_HOLDS_CHAPTERS = {"mp4", "m4a", "webm"}


def video_options(video: VideoPlan, threads: int) -> tuple[str, ...]:
    """Return the encoder's options; every one of them makes 8-bit 4:2:0.

    The number of threads is pinned because x264's output depends on it (chunking.md).
    """
    return (
        *_codec_options(video, threads),
        *("-g", str(video.timing.gop)),
        *_timing_options(video),
    )


def _codec_options(video: VideoPlan, threads: int) -> tuple[str, ...]:
    quality = f"{video.quality:g}"
    if video.codec == "vp9":
        deadline, speed = _VP9_SPEED[video.speed]
        return (
            *("-c:v", "libvpx-vp9", "-deadline", deadline, "-cpu-used", str(speed)),
            *("-crf", f"{video.quality:.0f}", "-b:v", "0", "-row-mt", "1"),
            *("-tile-columns", str(_tile_columns(video.width)), "-threads:v", str(threads)),
        )
    if video.codec == "av1":
        return (
            *("-c:v", "libsvtav1", "-preset", str(_AV1_SPEED[video.speed])),
            *("-crf", f"{video.quality:.0f}", "-svtav1-params", f"lp={min(threads, 6)}"),
        )
    return (
        *("-c:v", "libx264", "-preset", video.speed, "-crf", quality),
        *("-profile:v", video.profile or "high", "-threads:v", str(threads)),
    )


def _tile_columns(width: int) -> int:
    """Return the logarithm of the tiles side by side: libvpx works on them in parallel."""
    return 2 if width >= 1280 else 1 if width >= 640 else 0


def _timing_options(video: VideoPlan) -> tuple[str, ...]:
    """Return the clock of the encoder.

    ``vfr`` keeps each frame at its own time and moves one that would not come after the
    one before by a single tick, where ``passthrough`` would hand the encoder two frames of
    one time.
    """
    timing = video.timing
    if timing.kind == "constant" and timing.rate is not None:
        base = f"{timing.rate.denominator}:{timing.rate.numerator}"
    else:
        base = "filter" if timing.kind == "snapped" else "demux"
    return ("-fps_mode:v", "vfr", "-enc_time_base:v", base)


def audio_options(audio: AudioPlan) -> tuple[str, ...]:
    """Return the encoder's options.

    ``async=1`` fills gaps of the source with silence and cuts what overlaps, so that a
    damaged source does not drift; a whole one passes unchanged.
    """
    return (
        *("-c:a", _AUDIO_ENCODER[audio.codec], "-b:a", f"{audio.bitrate}k"),
        *("-ac", str(audio.channels), "-ar", str(audio.sample_rate)),
        *("-filter:a", "aresample=async=1"),
    )


def metadata_options(output: OutputPlan) -> tuple[str, ...]:
    """Return what is told about the film: title, language and chapters.

    Nothing else is carried over: sources from phones say where they were filmed.
    """
    chapters = "0" if output.container in _HOLDS_CHAPTERS else "-1"
    options = ["-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", chapters]
    if output.title:
        options += ["-metadata", f"title={output.title}"]
    if output.audio and output.audio.language:
        options += ["-metadata:s:a:0", f"language={output.audio.language}"]
    return tuple(options)


def muxer_options(container: Container) -> tuple[str, ...]:
    """Return the muxer's options: index at the front, equal bytes from equal input."""
    return ("-fflags", "+bitexact", *_MUXER[container])
