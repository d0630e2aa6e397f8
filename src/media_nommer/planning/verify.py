"""Whether an encoded file is what was planned: encoders exit well on damaged ones too."""

from collections.abc import Sequence

from media_nommer.core.errors import OutputDamaged, SourceDamaged
from media_nommer.core.media import Media
from media_nommer.core.ports.probe import StreamCount
from media_nommer.planning.inputs.joining import JOINED
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.sounds.sound import AudioPlan
from media_nommer.planning.video import VideoPlan

_FORMATS_WITH_INDEX = (
    *("mp4", "matroska", "wav", "flac", "ogg", "avi", "aiff", "w64", "nut"),
    f"{JOINED},exact",
)
_FORMATS_WITH_TIMES = ("mpegts", "mpeg", "flv", "asf")

_VIDEO_SLACK = 0.1  # seconds: last frames of unknown length, ticks of a millisecond
_AUDIO_SLACK = 0.05  # seconds: priming and padding of the source's own codec
_DAMAGE_BORNE = 0.01  # the share of frames that a source may have beyond decoding
_ROUGH_SHARE = 0.02  # of the length, where it was only estimated from the last times
_ROUGH_LEAST = 1.0  # seconds
_CODEC_IS_CALLED = {"dnxhr": "dnxhd"}  # by FFmpeg, which has one name for both
_CONVERTED_SLACK = 2  # frames: where the first and the last go is the filter's to say


def check_output(
    plan: OutputPlan,
    found: Media,
    counts: Sequence[StreamCount],
    media: Media,
    *,
    encoded: int | None = None,
) -> None:
    """Do nothing if ``found``, one file of the output, is what ``plan`` promises.

    ``counts`` are its counted packets; ``media`` is the source; ``encoded`` is how many
    frames the encoder says it made, where it says so. For thumbnails this is
    asked about each picture, and ``counts`` may be empty. What is held against the plan:

    - exactly the planned streams, with their codec, size and channels;
    - decode times that only rise;
    - the planned number of frames, exactly, where the source's headers agree on it;
    - the length of a stream, where the source's own stream has one: where it comes from an
      index or a header, the picture within two frames and 0.1 s, the sound within two codec
      frames and 0.05 s; where it was estimated from times (MPEG-TS, FLV), both within 2 %
      or 1 s; where it was guessed from a bit rate (MP3, ADTS), not at all.

    Frames that the encoder itself never saw are the source's: up to 1 % of them may be
    beyond decoding.

    Raises:
        OutputDamaged: naming what was planned and what is there.
        SourceDamaged: too much of the source could not be decoded.
    """
    if plan.thumbnails:
        _check_size(found, plan.thumbnails.width, plan.thumbnails.height)
        return
    _check_streams(plan, found)
    for count in counts:
        if count.kind in {"video", "audio"} and not count.monotonic:
            raise OutputDamaged(f"times in stream {count.index} of the output go back")
    if plan.video and found.picture:
        _check_video(plan.video, _count_of(counts, found.picture.index), media, encoded)
    sounds = (plan.audio, *plan.more_audio) if plan.audio else ()
    for sound, stream in zip(sounds, found.audio, strict=True):
        _check_audio(sound, _count_of(counts, stream.index), media)


def _check_streams(plan: OutputPlan, found: Media) -> None:
    pictures = [stream for stream in found.video if not stream.attached_picture]
    sounds = (plan.audio, *plan.more_audio) if plan.audio else ()
    planned = (int(plan.video is not None), len(sounds))
    there = (len(pictures), len(found.audio))
    if there != planned:
        raise OutputDamaged(
            f"planned {planned[0]} video and {planned[1]} audio streams, "
            f"the output has {there[0]} and {there[1]}"
        )
    texts = [text.holds for text in plan.subtitles]
    if [text.codec for text in found.subtitles] != texts:
        said = ", ".join(text.codec for text in found.subtitles) or "none"
        raise OutputDamaged(
            f"planned subtitles of {', '.join(texts) or 'none'}, the output has {said}"
        )
    if plan.video:
        _check_codec(plan.video.holds, pictures[0].codec)
        _check_size(found, plan.video.width, plan.video.height)
    for sound, stream in zip(sounds, found.audio, strict=True):
        _check_codec(sound.holds, stream.codec)
        if stream.channels != sound.channels:
            raise OutputDamaged(
                f"planned {sound.channels} audio channels, the output has {stream.channels}"
            )


def _check_codec(planned: str, there: str) -> None:
    if there != _CODEC_IS_CALLED.get(planned, planned):
        raise OutputDamaged(f"planned {planned}, the output holds {there}")


def _check_size(found: Media, width: int, height: int) -> None:
    picture = found.picture
    there = f"{picture.width}x{picture.height}" if picture else "no picture"
    if there != f"{width}x{height}":
        raise OutputDamaged(
            f"planned a picture of {width}x{height}, the output has {there}"
        )


def _count_of(counts: Sequence[StreamCount], index: int) -> StreamCount:
    for count in counts:
        if count.index == index and count.packets:
            return count
    raise OutputDamaged(f"stream {index} of the output has nothing in it")


def _check_video(
    video: VideoPlan, count: StreamCount, media: Media, encoded: int | None
) -> None:
    planned, rate = video.timing.frames, video.timing.rate
    slack = _VIDEO_SLACK + (2 / float(rate) if rate else 0.0)
    if planned is not None and count.packets != planned:
        if count.packets != encoded:
            raise OutputDamaged(f"planned {planned} frames, the output has {count.packets}")
        if abs(encoded - planned) > planned * _DAMAGE_BORNE:
            raise SourceDamaged(f"only {encoded} of {planned} frames could be decoded")
        slack += planned * _DAMAGE_BORNE / float(rate or 1)
    if video.timing.kind == "converted" and rate is not None:
        _check_converted(float(rate), count)
    if rate is None:
        slack = max(slack, _ROUGH_LEAST)  # the last frame of a film may last long
    _check_length("video", video.duration, count.duration, slack, media)


def _check_converted(rate: float, count: StreamCount) -> None:
    """Refuse a film that has not the frames of its own length at its new rate."""
    wanted = round(rate * count.duration)
    if abs(count.packets - wanted) > _CONVERTED_SLACK:
        raise OutputDamaged(
            f"planned {rate:g} frames a second, the output has {count.packets} frames in "
            f"{count.duration:.3f} s"
        )


def _check_audio(audio: AudioPlan, count: StreamCount, media: Media) -> None:
    slack = _AUDIO_SLACK + 2 * audio.frame
    _check_length("audio", audio.duration, count.duration, slack, media)


def _check_length(
    kind: str, planned: float | None, there: float, slack: float, media: Media
) -> None:
    if planned is None:
        return
    if not any(name in media.format for name in _FORMATS_WITH_INDEX):
        if not any(name in media.format for name in _FORMATS_WITH_TIMES):
            return
        slack = max(slack, _ROUGH_LEAST, planned * _ROUGH_SHARE)
    if abs(there - planned) > slack:
        raise OutputDamaged(
            f"planned {planned:.3f} s of {kind}, the output has {there:.3f} s"
        )
