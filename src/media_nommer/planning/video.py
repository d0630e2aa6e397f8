"""What the picture of a file becomes: its codec, size, clock and bits."""

from collections.abc import Mapping
from dataclasses import dataclass

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.codecs import Container, Speed, VideoCodec
from media_nommer.core.recipes.documents import Video
from media_nommer.core.recipes.powers import POWERS, BitDepth, Profile, Tune, is_lossless
from media_nommer.planning.copying import check_copy
from media_nommer.planning.drawing import NO_DRAWING, Drawing, plan_drawing
from media_nommer.planning.effects import NO_EFFECTS, Effects, picture_effects
from media_nommer.planning.pictures.frames import Fields
from media_nommer.planning.pictures.light import is_beyond_standard, is_hdr
from media_nommer.planning.pictures.moments import picture_length
from media_nommer.planning.pictures.shapes import Shape, shape_of
from media_nommer.planning.pictures.sizes import Size
from media_nommer.planning.pictures.timing import Timing, timing_of, video_timing

_SMALLEST_SIDE: Mapping[VideoCodec, int] = {
    "av1": 16,  # SVT-AV1 fails on a picture of a few pixels
    "hevc": 16,
}
_LEAST: Mapping[VideoCodec, tuple[int, int]] = {"dnxhr": (256, 120)}
_KEPT_CHROMA = {"yuv420p", "yuv422p", "yuv444p"}  # where nothing is to be lost
_KEPT_DEPTHS = {"", "10", "12", "16"}  # as the names of such pixels end

_BUFFER = 2.0  # seconds of the largest bit rate that a player holds


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPlan:
    """The picture of one file.

    ``stream`` is its index in the source. ``quality`` is the codec's CRF; with a
    ``target_vmaf`` it is where the search for it begins. ``bitrate`` and
    ``max_bitrate`` are kbit/s, ``buffer`` is kbit. With two ``passes`` the first one learns
    where bits are needed. ``duration`` is seconds of picture, None where nothing tells. A
    copy has ``source_codec``, and the size that is in the stream. ``fields`` says which
    frames are made whole out of fields; ``tone_mapped`` that light and colours which
    BT.709 has not become its own; ``from_start`` that the first frame is shown from the
    film's start on, however late it comes. ``pixels`` are the source's own, where none of
    them is to be lost.
    """

    stream: int
    codec: VideoCodec
    shape: Shape
    timing: Timing
    duration: float | None
    quality: float | None = None
    target_vmaf: float | None = None
    bitrate: int | None = None
    max_bitrate: int | None = None
    buffer: int | None = None
    passes: int = 1
    speed: Speed = "medium"
    profile: Profile | None = None
    level: str | None = None
    bit_depth: BitDepth = 8
    fixed_gop: bool = False
    b_frames: int | None = None
    tune: Tune | None = None
    fields: Fields = "none"
    tone_mapped: bool = False
    from_start: bool = False
    effects: Effects = NO_EFFECTS
    drawing: Drawing = NO_DRAWING
    pace: float = 1.0
    source_codec: str | None = None
    pixels: str | None = None

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.shape.size.width

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.shape.size.height

    @property
    def holds(self) -> str:
        """The codec that the output holds."""
        return self.source_codec or self.codec

    @property
    def pixel_format(self) -> str:
        """FFmpeg's name of the pixels that the encoder takes."""
        if self.pixels is not None:
            return self.pixels
        if self.profile in {"4444", "444"}:
            return "yuv444p10le"
        chroma = "422" if self.codec in {"prores", "dnxhr"} else "420"
        return f"yuv{chroma}p{'10le' if self.bit_depth == 10 else ''}"


def picture_of(media: Media, where: str) -> VideoStream:
    """Return the picture that a player would show.

    Raises:
        NoStreams: there is none.
    """
    stream = media.picture
    if stream is None or stream.width < 1 or stream.height < 1:
        has = "only sound" if media.audio else "none"
        raise NoStreams(f"{where}: needs a picture, and the source has {has}")
    return stream


def plan_video(media: Media, video: Video, container: Container, where: str) -> VideoPlan:
    """Return the plan of a file's picture.

    Raises:
        NoStreams: the source has no picture, or not the subtitles to burn in.
        InvalidRecipe: the container cannot hold a copy of it, the level no such picture, or
            the film no such fades.
    """
    stream = picture_of(media, where)
    if video.codec == "copy":
        return _copied(media, stream, container, where)
    smallest = _SMALLEST_SIDE.get(video.codec, 2)
    depth = _depth(video, stream)
    most, length = video.max_bitrate, picture_length(media, stream)
    timing = video_timing(video, stream, media)
    plan = VideoPlan(
        stream=stream.index,
        codec=video.codec,
        shape=shape_of(stream, video, smallest=smallest, where=where),
        timing=timing,
        duration=length,
        quality=_quality(video),
        target_vmaf=video.target_vmaf,
        bitrate=video.bitrate,
        max_bitrate=most,
        buffer=None if most is None else round(most * (video.buffer or _BUFFER)),
        passes=video.passes,
        speed=video.speed,
        profile=video.profile or _profile(video, depth),
        level=video.level,
        bit_depth=depth,
        fixed_gop=video.fixed_gop,
        b_frames=video.b_frames,
        tune=video.tune,
        fields=_fields(video, stream),
        tone_mapped=_tone_mapped(video, stream, depth),
        effects=picture_effects(video, length, f"{where}.video"),
        pixels=_pixels(video, stream, depth),
        drawing=plan_drawing(media, video, timing, f"{where}.video"),
    )
    _check_level(plan, where)
    least = _LEAST.get(plan.codec, (0, 0))
    if plan.width < least[0] or plan.height < least[1]:
        raise InvalidRecipe(
            f"{where}.video: {plan.codec} has no picture as small as "
            f"{plan.width}x{plan.height}; at least {least[0]}x{least[1]}"
        )
    return plan


def _quality(video: Video) -> float | None:
    usual = POWERS[video.codec].quality
    if video.target_vmaf is None or usual is None:
        return video.quality
    return float(usual.default)


def _depth(video: Video, stream: VideoStream) -> BitDepth:
    powers = POWERS[video.codec]
    if video.bit_depth is not None:
        return video.bit_depth
    if video.profile is not None:
        return powers.profiles[video.profile]
    if video.codec == "ffv1":
        return 10 if stream.bit_depth > 8 else 8
    return 10 if video.hdr == "keep" and is_hdr(stream) else powers.depths[0]


def _pixels(video: Video, stream: VideoStream, depth: BitDepth) -> str | None:
    """Return the pixels of an output that loses nothing: the source's own where it can."""
    if video.codec != "ffv1":
        return None
    own = (stream.pixel_format or "").replace("yuvj", "yuv")
    kept = own[:7] in _KEPT_CHROMA and own.removesuffix("le")[7:] in _KEPT_DEPTHS
    if kept and video.bit_depth is None and not _tone_mapped(video, stream, depth):
        return own
    rgb = any(order in own for order in ("rgb", "bgr", "gbr"))
    chroma = own[3:6] if own[:7] in _KEPT_CHROMA else "444" if rgb else "420"
    return f"yuv{chroma}p{'10le' if depth == 10 else ''}"


def _profile(video: Video, depth: BitDepth) -> Profile | None:
    if is_lossless(video.codec, video.quality, depth):
        return None  # x264 then takes High 4:4:4 Predictive, the one that can
    return POWERS[video.codec].profile_for(depth)


def _fields(video: Video, stream: VideoStream) -> Fields:
    if video.deinterlace == "on":
        return "all"
    return "flagged" if video.deinterlace == "auto" and stream.interlaced else "none"


def _tone_mapped(video: Video, stream: VideoStream, depth: BitDepth) -> bool:
    if not is_beyond_standard(stream) or video.hdr == "keep":
        return False
    if video.codec == "ffv1" and not is_hdr(stream) and video.hdr == "auto":
        return False  # which is to lose nothing
    return video.hdr == "sdr" or depth < 10 or not POWERS[video.codec].hdr


def _copied(
    media: Media, stream: VideoStream, container: Container, where: str
) -> VideoPlan:
    check_copy(container, "video", stream.codec, f"{where}.video")
    size = Size(stream.width, stream.height)
    return VideoPlan(
        stream=stream.index,
        codec="copy",
        shape=Shape(size, size),
        timing=timing_of(stream, media),
        duration=picture_length(media, stream),
        source_codec=stream.codec,
    )


def _check_level(plan: VideoPlan, where: str) -> None:
    if plan.level is None:
        return
    powers = POWERS[plan.codec]
    level, size = powers.levels[plan.level], Size(plan.width, plan.height)
    area = -(-size.width // powers.sample) * -(-size.height // powers.sample)
    rate = float(plan.timing.rate or 0)
    if area <= level.picture and area * rate <= level.second:
        return
    fits = (
        name
        for name, each in powers.levels.items()
        if area <= each.picture and area * rate <= each.second
    )
    shown = f"{size.width}x{size.height}" + (f" at {rate:g} a second" if rate else "")
    raise InvalidRecipe(
        f"{where}.video.level: {plan.level} of {plan.codec} has no room for {shown}; "
        f"allowed from: {next(fits, 'none')}"
    )
