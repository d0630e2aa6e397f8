"""What an adaptive output becomes: its renditions, their key frames and their segments."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import AudioStream, Media, VideoStream
from media_nommer.core.recipes.documents import AdaptiveOutput, Audio, Video
from media_nommer.core.recipes.encryption import Encryption
from media_nommer.planning.pictures.timing import GOP_MOST
from media_nommer.planning.sounds.sound import AudioPlan, plan_audio
from media_nommer.planning.streaming.rungs import rung_videos
from media_nommer.planning.texts.streamed_texts import TextRendition, plan_texts
from media_nommer.planning.titles import player_title
from media_nommer.planning.video import VideoPlan, picture_of, plan_video

_MOST_FILES = 2000  # that a job's record holds in every store, beside those of a run before
_MOST_SOUNDS = 16
_LATE = 0.0005  # seconds: later than this a stream begins late
_EXACT = ("mov", "matroska")  # formats whose headers tell when a stream begins
_SOUND_FRAGMENT = 0.4  # seconds: how far the segments of sound may be off those of picture
_LONG_FRAGMENT = 2.0  # the same for films of which an index could not hold so many
_LONG = 6 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One encoding of the picture or of a sound, in a file of its own.

    ``key`` is like no other's of the output; ``label`` says in names of files what it is,
    and ``title`` in players. ``fragment`` is about the seconds of one fragment of a sound;
    those of a picture begin at key frames. Sounds of one ``group`` are encoded alike, and
    one of them is its ``default``; groups count from 1, which every player is to know.
    """

    key: str
    label: str
    title: str
    video: VideoPlan | None = None
    audio: AudioPlan | None = None
    fragment: float | None = None
    default: bool = False
    group: int = 1

    @property
    def holds(self) -> str:
        """The codec that it holds."""
        part = self.video or self.audio
        return part.holds if part else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptivePlan:
    """One adaptive output. ``segment`` and ``gop`` are seconds, as they will really be.

    ``texts`` are subtitles, which no encoder has to do with.
    """

    renditions: tuple[Rendition, ...]
    formats: tuple[Literal["hls", "dash"], ...]
    segments: Literal["ranges", "files", "ts"]
    segment: float
    gop: float
    texts: tuple[TextRendition, ...] = ()
    encryption: Encryption | None = None

    @property
    def pictures(self) -> tuple[Rendition, ...]:
        """The renditions of the picture, the largest first."""
        return tuple(each for each in self.renditions if each.video)

    @property
    def sounds(self) -> tuple[Rendition, ...]:
        """The renditions of sounds."""
        return tuple(each for each in self.renditions if each.audio)


def plan_adaptive(media: Media, output: AdaptiveOutput, where: str) -> AdaptivePlan:
    """Return the plan of an adaptive output.

    A source without sound makes a silent one, one without a picture makes sound alone.

    Raises:
        NoStreams: the source has neither of what is asked for.
        InvalidRecipe: there would be more files than a job's record holds, or a level has
            no room for its picture.
    """
    pictures: tuple[Rendition, ...] = ()
    if output.video is not None and (media.picture is not None or output.audio is None):
        pictures = _pictures(media, output, output.video, where)
    renditions = (*pictures, *_sounds(media, output, where))
    if not renditions:
        raise NoStreams(f"{where}: needs sound, and the source has none")
    gop = _gop_seconds(pictures, output.gop)
    plan = AdaptivePlan(
        renditions=renditions,
        formats=output.formats,
        segments=output.segments,
        segment=gop * round(output.segment_duration / output.gop),
        gop=gop,
        texts=_texts(media, pictures) if output.subtitles else (),
        encryption=output.encryption,
    )
    _check_files(plan, media, where)
    return plan


def _texts(media: Media, pictures: Sequence[Rendition]) -> tuple[TextRendition, ...]:
    """Return the subtitles; those that are in the picture are not there twice."""
    burnt = {
        each.video.drawing.burnt.stream
        for each in pictures
        if each.video and each.video.drawing.burnt
    }
    others = tuple(each for each in media.subtitles if each.index not in burnt)
    return plan_texts(replace(media, subtitles=others))


def _pictures(
    media: Media, output: AdaptiveOutput, video: Video, where: str
) -> tuple[Rendition, ...]:
    stream = picture_of(media, where)
    late = _late(media, stream)
    made: list[Rendition] = []
    for number, said in enumerate(rung_videos(media, output, video, where), start=1):
        plan = _timed(plan_video(media, said, "mp4", where), output.gop)
        if late is not None:
            length = plan.duration
            plan = replace(
                plan, from_start=True, duration=None if length is None else length + late
            )
        label = f"{min(plan.width, plan.height)}p"
        made.append(Rendition(key=f"v{number}", label=label, title=label, video=plan))
    return tuple(made)


def _timed(plan: VideoPlan, gop: float) -> VideoPlan:
    """Return a picture whose key frames are asked for by time if its rate may vary.

    What is not on the grid of its rate may have gaps, whatever its headers say: so many
    frames might take long.
    """
    if plan.timing.kind in {"constant", "converted"}:
        return plan
    return replace(plan, timing=replace(plan.timing, gop=GOP_MOST, gop_seconds=gop))


def _sounds(media: Media, output: AdaptiveOutput, where: str) -> tuple[Rendition, ...]:
    chosen = media.sound
    if output.audio is None or chosen is None:
        return ()
    streams = [chosen]
    if output.audio_tracks == "all":
        streams += [stream for stream in media.audio if stream is not chosen]
    made = _group(media, streams[:_MOST_SOUNDS], output.audio, f"{where}.audio", ())
    for number, said in enumerate(output.audio_groups):
        more = _group(
            media, streams[:_MOST_SOUNDS], said, f"{where}.audio_groups[{number}]", made
        )
        if any(_has_channels(each, said) for each in more):
            made += more
    return made


def _has_channels(sound: Rendition, said: Audio) -> bool:
    """Say whether a sound has the channels that are asked for."""
    return sound.audio is not None and sound.audio.channels >= (said.channels or 1)


def _group(
    media: Media,
    streams: Sequence[AudioStream],
    said: Audio,
    where: str,
    before: Sequence[Rendition],
) -> tuple[Rendition, ...]:
    """Return a rendition of each of ``streams``, encoded alike; others come ``before``."""
    long = (media.duration or 0.0) > _LONG
    made: list[Rendition] = []
    for stream in streams:
        plan = plan_audio(replace(media, audio=(stream,)), said, "mp4", where)
        if plan is None:
            continue
        late = _late(media, stream) or 0.0
        length = None if plan.duration is None else plan.duration + late
        made.append(
            Rendition(
                key=f"a{len(before) + len(made) + 1}",
                label=plan.language or "",
                title=player_title(
                    stream.title, stream.language or "sound", [each.title for each in made]
                ),
                audio=replace(plan, from_start=True, duration=length),
                fragment=_LONG_FRAGMENT if long else _SOUND_FRAGMENT,
                default=not made,
                group=before[-1].group + 1 if before else 1,
            )
        )
    return tuple(made)


def _late(media: Media, stream: VideoStream | AudioStream) -> float | None:
    """Return by how many seconds a stream begins after its file, None for not at all.

    Where headers do not tell it surely, it is nought: what comes late is seen to.
    """
    late = max(0.0, media.begin_of(stream))
    if late > _LATE:
        return late
    exact = stream.start_time is not None and any(n in media.format for n in _EXACT)
    return None if exact else 0.0


def _gop_seconds(pictures: Sequence[Rendition], wanted: float) -> float:
    """Return how long a group of pictures really is: so many whole frames."""
    for rendition in pictures:
        assert rendition.video is not None
        timing = rendition.video.timing
        if timing.rate is not None and timing.gop_seconds is None:
            return float(timing.gop / timing.rate)
    return wanted


def _check_files(plan: AdaptivePlan, media: Media, where: str) -> None:
    """Refuse more files than a job's record holds."""
    if plan.segments == "ranges" or media.duration is None:
        return
    count = len(plan.renditions) * (ceil(media.duration / plan.segment) + 3) + 2
    count += 2 * len(plan.texts)
    check_count(count, where)


def check_count(count: int, where: str) -> None:
    """Do nothing if a job's record can hold so many files of one output.

    Raises:
        InvalidRecipe: it cannot.
    """
    if count > _MOST_FILES:
        raise InvalidRecipe(
            f"{where}.segments: would make {count} files; allowed: {_MOST_FILES}. Take "
            "ranges, which are few files, or a longer segment_duration"
        )
