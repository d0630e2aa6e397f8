"""Looking into what the encoder left, before anybody gets it."""

from collections.abc import Sequence
from pathlib import Path

from media_nommer.core.errors import MediaError, OutputDamaged
from media_nommer.core.media import Media
from media_nommer.core.ports.probe import Probe, StreamCount
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.ffmpeg import Produced
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.verify import check_output


def checked(
    probe: Probe,
    work: Work,
    plan: OutputPlan,
    made: Sequence[Produced],
    media: Media,
    frames: int | None,
) -> dict[str, object]:
    """Check the files of one output and return what to tell people of it.

    Of many pictures the first and the last are opened, and all are counted. ``frames`` are
    those that the encoder said it made.

    Raises:
        OutputDamaged: a file is missing, or is other than planned.
    """
    paths = [work.scratch / one.path for one in made]
    for path in paths:
        _check_left(path)
    facts: dict[str, object] = {}
    for path in {paths[0], paths[-1]}:
        found, counts = checked_file(probe, work, plan, path, media, frames)
        facts = _facts(found, counts)
    return {**facts, "files": len(paths)}


def checked_file(
    probe: Probe,
    work: Work,
    plan: OutputPlan,
    path: Path,
    media: Media,
    frames: int | None,
) -> tuple[Media, tuple[StreamCount, ...]]:
    """Hold one file against its plan; return what is in it, counted unless it is a picture.

    Raises:
        OutputDamaged: it is missing, or other than planned.
    """
    _check_left(path)
    found, counts = looked_into(probe, work, path, count=plan.thumbnails is None)
    check_output(plan, found, counts, media, encoded=frames)
    return found, counts


def looked_into(
    probe: Probe, work: Work, path: Path, *, count: bool = True
) -> tuple[Media, tuple[StreamCount, ...]]:
    """Look into what was made; what cannot be read there is no fault of the source.

    Raises:
        OutputDamaged: it cannot be read.
    """
    work.check()
    try:
        return probe.inspect(path), probe.count(path) if count else ()
    except MediaError as error:
        raise OutputDamaged(f"the encoder left {path.name} damaged: {error}") from error


def _check_left(path: Path) -> None:
    if not path.is_file() or not path.stat().st_size:
        raise OutputDamaged(f"the encoder left no {path.name}")


def _facts(found: Media, counts: tuple[StreamCount, ...]) -> dict[str, object]:
    facts: dict[str, object] = {"format": found.format.split(",")[0]}
    if picture := found.picture:
        facts |= {
            "video": picture.codec,
            "width": picture.width,
            "height": picture.height,
            "frames": next((c.packets for c in counts if c.index == picture.index), 1),
        }
    if sound := found.sound:
        facts |= {"audio": sound.codec, "channels": sound.channels}
    names = [found.picture and found.picture.codec_string]
    names += [stream.codec_string for stream in found.audio]
    if counts and any(names):  # of pictures nobody asks it
        facts["codecs"] = ",".join(dict.fromkeys(name for name in names if name))
    if len(found.audio) > 1:
        facts["audio_tracks"] = [stream.language for stream in found.audio]
    if found.subtitles:
        facts["subtitles"] = [text.language for text in found.subtitles]
    if found.duration is not None and counts:
        facts["duration"] = round(found.duration, 3)
        if found.duration > 0:
            facts["bitrate"] = round(found.size * 8 / 1000 / found.duration)
    return facts
