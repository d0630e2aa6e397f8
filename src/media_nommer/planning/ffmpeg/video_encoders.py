"""The options of each video encoder, for FFmpeg."""

from collections.abc import Mapping
from dataclasses import dataclass

from media_nommer.core.recipes.codecs import Container, Speed
from media_nommer.core.recipes.powers import POWERS, Profile
from media_nommer.planning.video import VideoPlan

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
#: Of libaom, which two passes are made with.
_AOM_SPEED: Mapping[Speed, int] = {
    "ultrafast": 8,
    "superfast": 8,
    "veryfast": 8,
    "faster": 8,
    "fast": 7,
    "medium": 6,
    "slow": 5,
    "slower": 4,
    "veryslow": 3,
}
_PRORES: Mapping[Profile, str] = {
    "proxy": "proxy",
    "lt": "lt",
    "standard": "standard",
    "hq": "hq",
    "4444": "4444",
}
_SLICED = 240  # pixels a side from which FFV1's many slices cost next to nothing
_TAGGED_HVC1 = {"mp4", "mov"}  # Apple's players open no other


@dataclass(frozen=True, slots=True)
class Pass:
    """One of two passes. ``log`` is what the file's name begins with that both share."""

    number: int
    log: str


def video_options(
    video: VideoPlan, container: Container, threads: int, of: Pass | None = None
) -> tuple[str, ...]:
    """Return the encoder's options; the graph has made the pixels that they go with.

    The number of threads is pinned because x264's and x265's output depends on it
    (chunking.md).
    """
    tag = ("-tag:v", "hvc1") if _is_hvc1(video, container) else ()
    if video.codec == "copy":
        return ("-c:v", "copy", *tag)
    return (
        *_codec_options(video, threads, of),
        *tag,
        *_gop_options(video),
        *_timing_options(video),
    )


def _is_hvc1(video: VideoPlan, container: Container) -> bool:
    return video.holds == "hevc" and container in _TAGGED_HVC1


def _codec_options(video: VideoPlan, threads: int, of: Pass | None) -> tuple[str, ...]:
    if video.codec == "hevc":
        return _hevc(video, threads, of)
    passes = ("-pass:v", str(of.number), "-passlogfile:v", of.log) if of else ()
    return (*_other_codec(video, threads), *passes)


def _other_codec(video: VideoPlan, threads: int) -> tuple[str, ...]:
    match video.codec:
        case "vp9":
            return _vp9(video, threads)
        case "av1":
            return _av1(video, threads)
        case "prores":
            return (
                *("-c:v", "prores_ks", "-profile:v", _PRORES[video.profile or "hq"]),
                *("-vendor", "apl0", "-threads:v", str(threads)),
            )
        case "dnxhr":
            return (
                *("-c:v", "dnxhd", "-profile:v", f"dnxhr_{video.profile or 'hq'}"),
                *("-threads:v", str(threads)),
            )
        case "ffv1":
            return _ffv1(video, threads)
        case _:
            return _h264(video, threads)


def _ffv1(video: VideoPlan, threads: int) -> tuple[str, ...]:
    """Return what archives agree on: version 3, in slices with sums of their own."""
    slices = "24" if min(video.width, video.height) >= _SLICED else "4"
    return (
        *("-c:v", "ffv1", "-level", "3", "-coder", "1", "-context", "1", "-g", "1"),
        *("-slices", slices, "-slicecrc", "1", "-threads:v", str(threads)),
    )


def _h264(video: VideoPlan, threads: int) -> tuple[str, ...]:
    return (
        *("-c:v", "libx264", "-preset", video.speed, *_bits(video)),
        *(("-profile:v", video.profile) if video.profile else ()),
        *(("-level:v", video.level) if video.level else ()),
        *_tools(video),
        *("-threads:v", str(threads)),
    )


def _hevc(video: VideoPlan, threads: int, of: Pass | None) -> tuple[str, ...]:
    """Return x265's options; those that FFmpeg has no word for go into one argument.

    Its pool and its frames at once are both pinned; it logs errors alone.
    """
    own = ["log-level=error", f"pools={threads}", f"frame-threads={_at_once(threads)}"]
    own.append("open-gop=0")
    if video.fixed_gop:
        own.append("scenecut=0")
    if video.level:
        own.append(f"level-idc={video.level}")
    if of is not None:
        own += [f"pass={of.number}", f"stats={of.log}.log", "slow-firstpass=0"]
    return (
        *("-c:v", "libx265", "-preset", video.speed, *_bits(video)),
        *("-profile:v", video.profile or "main"),
        *_tools(video),
        *("-x265-params", ":".join(own)),
    )


def _at_once(threads: int) -> int:
    """Return the frames that x265 works on at once: its own choice for so many cores."""
    return 3 if threads >= 8 else 2 if threads >= 4 else 1


def _vp9(video: VideoPlan, threads: int) -> tuple[str, ...]:
    """Return libvpx's options; a CRF without a bit rate must say that it has none."""
    deadline, speed = _VP9_SPEED[video.speed]
    if video.passes > 1 and deadline == "realtime":  # which learns nothing
        deadline, speed = _VP9_SPEED["veryfast"]
    bits = _bits(video, whole=True)
    if video.bitrate is None:
        most = video.max_bitrate
        at = bits.index("-crf") + 2
        bits = (*bits[:at], "-b:v", f"{most}k" if most else "0", *bits[at:])
    return (
        *("-c:v", "libvpx-vp9", "-deadline", deadline, "-cpu-used", str(speed)),
        *(*bits, "-row-mt", "1"),
        *("-tile-columns", str(_tile_columns(video.width)), "-threads:v", str(threads)),
    )


def _av1(video: VideoPlan, threads: int) -> tuple[str, ...]:
    """Return SVT-AV1's options, or libaom's for two passes.

    The first of two passes of SVT-AV1 4.2 crashes now and then on a busy machine. libaom is
    slower, and meets the bit rate only where it is told that it may not be off at all.
    """
    if video.passes > 1:
        tiles = f"{1 << _tile_columns(video.width)}x1"
        return (
            *("-c:v", "libaom-av1", "-usage", "good"),
            *("-cpu-used", str(_AOM_SPEED[video.speed]), *_bits(video, whole=True)),
            *("-undershoot-pct", "0", "-overshoot-pct", "0"),
            *("-row-mt", "1", "-tiles", tiles, "-threads:v", str(threads)),
        )
    return (
        *("-c:v", "libsvtav1", "-preset", str(_AV1_SPEED[video.speed])),
        *_bits(video, whole=True),
        *("-svtav1-params", f"lp={min(threads, 6)}"),
    )


def _tile_columns(width: int) -> int:
    """Return the logarithm of the tiles side by side: libvpx works on them in parallel."""
    return 2 if width >= 1280 else 1 if width >= 640 else 0


def _bits(video: VideoPlan, *, whole: bool = False) -> tuple[str, ...]:
    """Return how many bits there are to be; a ``whole`` quality has no fraction."""
    options: list[str] = []
    if video.quality is not None:
        options += ["-crf", f"{video.quality:.0f}" if whole else f"{video.quality:g}"]
    if video.bitrate is not None:
        options += ["-b:v", f"{video.bitrate}k"]
    if video.max_bitrate is not None:
        options += ["-maxrate:v", f"{video.max_bitrate}k", "-bufsize:v", f"{video.buffer}k"]
    return tuple(options)


def _tools(video: VideoPlan) -> tuple[str, ...]:
    options: list[str] = []
    if video.tune is not None:
        options += ["-tune", video.tune]
    if video.b_frames is not None:
        options += ["-bf", str(video.b_frames)]
    return tuple(options)


def _gop_options(video: VideoPlan) -> tuple[str, ...]:
    """Return where key frames go; x264, x265 and SVT-AV1 close their groups.

    Where the rate is not known they are asked for by time.
    """
    timing, gop = video.timing, str(video.timing.gop)
    if not POWERS[video.codec].gop:
        return ()
    options = ["-g", gop]
    by_svt = video.codec == "av1" and video.passes == 1
    if video.fixed_gop and not by_svt and timing.gop_seconds is None:
        options += ["-keyint_min", gop]
    if video.fixed_gop and video.codec == "h264":
        options += ["-sc_threshold", "0"]
    if timing.gop_seconds is not None:
        each = f"expr:gte(t,n_forced*{timing.gop_seconds:g})"
        options += ["-force_key_frames:v", each]
        if video.codec in {"h264", "hevc"}:
            options += ["-forced-idr", "1"]
    return tuple(options)


def _timing_options(video: VideoPlan) -> tuple[str, ...]:
    """Return the clock of the encoder.

    ``vfr`` keeps each frame at its own time and moves one that would not come after the
    one before by a single tick, where ``passthrough`` would hand the encoder two frames of
    one time.
    """
    timing = video.timing
    if timing.kind in {"constant", "converted"} and timing.rate is not None:
        base = f"{timing.rate.denominator}:{timing.rate.numerator}"
    else:
        base = "filter" if timing.kind == "snapped" else "demux"
    return ("-fps_mode:v", "vfr", "-enc_time_base:v", base)
