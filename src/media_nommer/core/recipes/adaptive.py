"""What a recipe asks of an adaptive output, and what in it contradicts itself."""

from collections.abc import Iterator, Sequence

from media_nommer.core.recipes.codecs import AudioCodec, VideoCodec
from media_nommer.core.recipes.documents import AdaptiveOutput, Audio, Rung, Video
from media_nommer.core.recipes.encryption import encryption_problems
from media_nommer.core.recipes.measures import measure_problems, metrics_of
from media_nommer.core.recipes.names import template_problem
from media_nommer.core.recipes.paces import pace_problems
from media_nommer.core.recipes.pictures import picture_problems, settled_picture
from media_nommer.core.recipes.sounds import sound_problems

#: How the manifest of each format is called at its end.
MANIFEST_EXTENSIONS = {"hls": "m3u8", "dash": "mpd"}

#: What segments can hold that players of HLS and DASH know.
_VIDEO: tuple[VideoCodec, ...] = ("h264", "hevc", "av1", "vp9")
_AUDIO: tuple[AudioCodec, ...] = ("aac", "opus", "flac", "ac3", "eac3")
_VIDEO_IN_TS: tuple[VideoCodec, ...] = ("h264",)
_AUDIO_IN_TS: tuple[AudioCodec, ...] = ("aac", "ac3", "eac3")

_SOME_KBITS = 1000  # of a rung that gets a usual bit rate later, to check the rest by
_WHOLE = 0.001  # a segment is so many groups of pictures to within this part of one


def settled_adaptive(output: AdaptiveOutput, path: str) -> tuple[AdaptiveOutput, list[str]]:
    """Return ``output`` with nothing left to guess, and a sentence for each fault in it."""
    video = output.video
    if "video" not in output.model_fields_set:
        video = Video()
    audio = output.audio
    if "audio" not in output.model_fields_set:
        audio = Audio()
    finished = output.model_copy(
        update={
            "video": settled_picture(video) if video else None,
            "audio": audio,
            "name": output.name or "{stem}/index.{ext}",
            "formats": _formats(output),
            "measure": metrics_of(output),
            "segments": _segments(output),
        }
    )
    problems = [
        *_name_problems(finished, f"{path}.name"),
        *_format_problems(output, path),
        *_duration_problems(output, path),
        *_video_problems(finished, path),
        *_audio_problems(finished, path),
        *measure_problems(output, finished.video, path),
        *_encryption_problems(finished, f"{path}.encryption"),
        *pace_problems(output, finished.video, audio, path),
    ]
    if video is None and audio is None:
        problems.append(f"{path}: has neither video nor audio, so there is nothing to make")
    return finished, problems


def rung_video(output: AdaptiveOutput, rung: Rung) -> Video:
    """Return what a rung makes of the picture: what it says, and else what all do.

    A rung with an average ``bitrate`` has not the others' ``quality`` and ``buffer``.
    """
    common = output.video or Video()
    said = {name: value for name, value in rung if value is not None}
    part: dict[str, object] = {
        **({"quality": None, "buffer": None} if "bitrate" in said else {}),
        **said,
        "gop": output.gop,
        "fixed_gop": True,
    }
    return settled_picture(common.model_copy(update=part))


def _formats(output: AdaptiveOutput) -> tuple[str, ...]:
    """Return the formats, each once; segments of MPEG-TS are of HLS alone.

    So are those that are encrypted whole.
    """
    whole = output.encryption is not None and output.encryption.whole
    for_hls = output.segments == "ts" or whole
    if for_hls and "formats" not in output.model_fields_set:
        return ("hls",)
    return tuple(dict.fromkeys(output.formats))


def _segments(output: AdaptiveOutput) -> str:
    """Return how segments are kept; what is encrypted whole is a file by itself."""
    whole = output.encryption is not None and output.encryption.whole
    said = "segments" in output.model_fields_set
    return "files" if whole and not said else output.segments


def _encryption_problems(output: AdaptiveOutput, path: str) -> Iterator[str]:
    if output.encryption is not None:
        formats, segments = output.formats, output.segments
        yield from encryption_problems(output.encryption, formats, segments, path)


def _rungs(output: AdaptiveOutput) -> Sequence[Rung]:
    return output.ladder or ()


def _name_problems(output: AdaptiveOutput, path: str) -> Iterator[str]:
    name = output.name or ""
    wrong = template_problem(name, ("stem", "preset", "codec", "ext"))
    if wrong:
        yield f"{path}: {wrong}"
        return
    alone = [MANIFEST_EXTENSIONS[each] for each in output.formats]
    endings = (".{ext}", f".{alone[0]}") if len(alone) == 1 else (".{ext}",)
    if not name.endswith(endings) or name.rpartition("/")[2].startswith("."):
        yield f"{path}: must end in one of: {', '.join(endings)}"


def _format_problems(output: AdaptiveOutput, path: str) -> Iterator[str]:
    said = "formats" in output.model_fields_set
    if said and output.segments == "ts" and "dash" in output.formats:
        yield f"{path}.segments: ts is for hls alone; allowed with dash: ranges, files"
    if output.object is not None and output.object.content_type is not None:
        yield (
            f"{path}.object.content_type: an output of many kinds of files has no one type"
        )


def _duration_problems(output: AdaptiveOutput, path: str) -> Iterator[str]:
    groups = output.segment_duration / output.gop
    if groups < 1 - _WHOLE or abs(groups - round(groups)) > _WHOLE:
        yield (
            f"{path}.segment_duration: must be a whole number of times the gop, "
            f"{output.gop:g}, not {output.segment_duration:g}"
        )


def _video_problems(output: AdaptiveOutput, path: str) -> Iterator[str]:
    video, rungs = output.video, _rungs(output)
    if video is None:
        if rungs:
            yield f"{path}.ladder: is for the picture, and there is no video"
        return
    allowed = _VIDEO_IN_TS if output.segments == "ts" else _VIDEO
    if video.codec not in allowed:
        yield f"{path}.video.codec: {_misfit(output, video.codec, allowed)}"
        return
    yield from _misplaced(video, output, f"{path}.video")
    wrong = picture_problems(_measured(video, output), f"{path}.video")
    yield from wrong
    for number, rung in enumerate([] if wrong else rungs):
        yield from _rung_problems(output, rung, f"{path}.ladder[{number}]")


def _misplaced(video: Video, output: AdaptiveOutput, path: str) -> Iterator[str]:
    if video.gop is not None:
        yield f"{path}.gop: is said beside video, since all renditions have the same"
    if video.fixed_gop:
        yield f"{path}.fixed_gop: is always so, since renditions are changed there"
    for name in ("bitrate", "max_bitrate"):
        if getattr(video, name) is not None:
            yield f"{path}.{name}: is said for each rendition, in the ladder"
    if video.passes > 1 and not _rungs(output):
        yield f"{path}.passes: needs a ladder whose renditions say a bitrate"
    if video.target_vmaf is not None:
        yield f"{path}.target_vmaf: is for a file; renditions have the ladder's bits"
    for name in ("width", "height"):
        if _rungs(output) and getattr(video, name) is not None:
            yield f"{path}.{name}: is said for each rendition, in the ladder"


def _measured(video: Video, output: AdaptiveOutput) -> Video:
    """Return the common part as if a rung had given it what only a rung may."""
    part: dict[str, object] = {
        "bitrate": None,
        "max_bitrate": None,
        "passes": 1,
        "gop": None,
        "fixed_gop": False,
        **({"max_bitrate": _SOME_KBITS} if video.buffer is not None else {}),
        **({"resize": "fit", "pad_color": "black"} if _rungs(output) else {}),
    }
    return video.model_copy(update=part)


def _rung_problems(output: AdaptiveOutput, rung: Rung, path: str) -> Iterator[str]:
    made = rung_video(output, rung)
    if rung.bitrate is None and rung.max_bitrate is None:
        made = made.model_copy(update={"max_bitrate": _SOME_KBITS})
    yield from picture_problems(made, path)


def _audio_problems(output: AdaptiveOutput, path: str) -> Iterator[str]:
    if output.audio is not None:
        yield from _sound_problems(output, output.audio, f"{path}.audio")
    elif output.audio_groups:
        yield f"{path}.audio_groups: are beside audio, which is null"
    for number, audio in enumerate(output.audio_groups):
        at = f"{path}.audio_groups[{number}]"
        yield from _sound_problems(output, audio, at)
        if audio.if_missing != "leave_out":
            yield f"{at}.if_missing: is said in audio, for all groups"


def _sound_problems(output: AdaptiveOutput, audio: Audio, path: str) -> Iterator[str]:
    allowed = _AUDIO_IN_TS if output.segments == "ts" else _AUDIO
    if audio.codec not in allowed:
        yield f"{path}.codec: {_misfit(output, audio.codec, allowed)}"
        return
    yield from sound_problems(audio, path)


def _misfit(output: AdaptiveOutput, codec: str, allowed: Sequence[str]) -> str:
    kind = "ts segments do" if output.segments == "ts" else "an adaptive output does"
    return f"{kind} not hold {codec}; allowed: {', '.join(allowed)}"
