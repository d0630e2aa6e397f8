"""What a recipe asks of a picture: what follows from it, and what contradicts itself."""

from collections.abc import Collection, Iterator

from media_nommer.core.recipes.documents import Crop, Video
from media_nommer.core.recipes.drawn import drawn_problems
from media_nommer.core.recipes.powers import POWERS, Powers, is_lossless

_KEPT_BY_COPIES = {"codec", "speed"}


def settled_picture(video: Video) -> Video:
    """Return ``video`` with its quality filled in, where nothing else says the bits."""
    usual = POWERS[video.codec].quality
    said = (video.quality, video.bitrate, video.target_vmaf)
    if usual is None or any(each is not None for each in said):
        return video
    return video.model_copy(update={"quality": usual.default})


def picture_problems(video: Video, path: str) -> list[str]:
    """Return a sentence for each thing that the codec does not have, or not together."""
    if video.codec == "copy":
        return list(_copy_problems(video, path))
    powers = POWERS[video.codec]
    return [
        *_quality_problems(video, powers, path),
        *_bitrate_problems(video, powers, path),
        *_vmaf_problems(video, powers, path),
        *_profile_problems(video, powers, path),
        *_gop_problems(video, powers, path),
        *_other_problems(video, powers, path),
    ]


def _copy_problems(video: Video, path: str) -> Iterator[str]:
    for name, field in Video.model_fields.items():
        if name not in _KEPT_BY_COPIES and getattr(video, name) != field.default:
            yield f"{path}.{name}: copy takes the picture as it is; choose a codec"


def _quality_problems(video: Video, powers: Powers, path: str) -> Iterator[str]:
    if video.quality is None:
        return
    limits = powers.quality
    if limits is None:
        yield f"{path}.quality: {video.codec} has none; {_instead(powers)}"
    elif not limits.best <= video.quality <= limits.worst:
        yield (
            f"{path}.quality: must be from {limits.best} to {limits.worst} for "
            f"{video.codec}, not {video.quality:g}"
        )
    if video.bitrate is not None:
        yield (
            f"{path}: quality and bitrate contradict each other; allowed: quality, quality "
            "with max_bitrate, bitrate"
        )


def _bitrate_problems(video: Video, powers: Powers, path: str) -> Iterator[str]:
    average, most = video.bitrate, video.max_bitrate
    for name in ("bitrate", "max_bitrate"):
        if getattr(video, name) is not None and not powers.bit_rates:
            yield f"{path}.{name}: {video.codec} has none; {_instead(powers)}"
    if average is not None and most is not None:
        if not powers.average_and_most:
            yield (
                f"{path}.max_bitrate: {video.codec} has it with quality, not with bitrate"
            )
        elif most < average:
            yield f"{path}.max_bitrate: must be at least the bitrate, {average}, not {most}"
    if video.passes > 1 and not (powers.bit_rates and powers.two_passes):
        yield f"{path}.passes: {video.codec} has one; allowed: 1"
    elif video.passes > 1 and average is None:
        yield f"{path}.passes: {video.passes} are for an average bitrate; say bitrate"
    if video.buffer is not None and most is None:
        yield f"{path}.buffer: needs max_bitrate, of which it is so many seconds"


def _vmaf_problems(video: Video, powers: Powers, path: str) -> Iterator[str]:
    if video.target_vmaf is None:
        return
    if powers.quality is None:
        yield f"{path}.target_vmaf: {video.codec} has no quality; {_instead(powers)}"
    for name in ("quality", "bitrate", "max_bitrate"):
        if getattr(video, name) is not None:
            yield (
                f"{path}: target_vmaf and {name} contradict each other; allowed: one of "
                "them"
            )


def _profile_problems(video: Video, powers: Powers, path: str) -> Iterator[str]:
    profile, depth = video.profile, video.bit_depth
    if profile is not None and profile not in powers.profiles:
        yield f"{path}.profile: {_choice(video.codec, profile, powers.profiles)}"
        return
    if depth is not None and depth not in powers.depths:
        yield f"{path}.bit_depth: {video.codec} has {powers.depths[0]}, not {depth}"
    elif profile is not None and depth not in {None, powers.profiles[profile]}:
        yield (
            f"{path}.bit_depth: the profile {profile} has {powers.profiles[profile]}, "
            f"not {depth}"
        )
    if video.hdr == "keep" and (8 in {depth, profile and powers.profiles[profile]}):
        yield f"{path}.hdr: keep needs 10 bits"
    if profile is not None and is_lossless(video.codec, video.quality, 8):
        yield f"{path}.profile: {profile} cannot lose nothing, as quality 0 does"
    if video.level is not None and video.level not in powers.levels:
        yield f"{path}.level: {_choice(video.codec, video.level, powers.levels)}"


def _gop_problems(video: Video, powers: Powers, path: str) -> Iterator[str]:
    if powers.gop:
        return
    for name in ("gop", "fixed_gop"):
        if getattr(video, name):
            yield f"{path}.{name}: every frame of {video.codec} is a key frame"


def _other_problems(video: Video, powers: Powers, path: str) -> Iterator[str]:
    if video.b_frames is not None and not powers.b_frames:
        yield f"{path}.b_frames: is for h264 and hevc, not for {video.codec}"
    elif video.b_frames and video.profile == "baseline":
        yield f"{path}.b_frames: the profile baseline has none"
    if video.tune is not None and video.tune not in powers.tunes:
        yield f"{path}.tune: {_choice(video.codec, video.tune, powers.tunes)}"
    yield from _shape_problems(video, path)
    yield from drawn_problems(video.watermarks, video.texts, video.burn_in, path)
    if video.frame_rate is not None and video.max_frame_rate is not None:
        yield (
            f"{path}: frame_rate and max_frame_rate contradict each other; "
            "allowed: one of them"
        )


def _shape_problems(video: Video, path: str) -> Iterator[str]:
    if video.resize != "fit" and None in {video.width, video.height}:
        yield f"{path}.resize: {video.resize} needs a width and a height"
    if video.pad_color != "black" and video.resize != "pad":
        yield f"{path}.pad_color: is for the resize pad, not for {video.resize}"
    if video.crop is not None:
        yield from _crop_problems(video.crop, f"{path}.crop")


def _crop_problems(crop: Crop, path: str) -> Iterator[str]:
    edges = crop.left or crop.right or crop.top or crop.bottom
    said = edges or crop.width is not None or crop.height is not None
    if crop.aspect and said:
        yield (
            f"{path}: aspect and edges contradict each other; allowed: aspect, or "
            "left, right, top, bottom"
        )
    if crop.auto and (said or crop.aspect):
        yield f"{path}: auto finds all edges by itself; allowed with it: nothing"
    for side, edge in (("width", "right"), ("height", "bottom")):
        if getattr(crop, side) is not None and getattr(crop, edge):
            yield f"{path}: {side} and {edge} contradict each other; allowed: one of them"


def _instead(powers: Powers) -> str:
    return "choose by profile" if powers.profiles else "it loses nothing"


def _choice(codec: str, said: str, known: Collection[str]) -> str:
    """Return that a codec has no such thing, and what it has."""
    has = f"; allowed: {', '.join(known)}" if known else ", and none of its kind"
    return f"{codec} has no {said!r}{has}"
