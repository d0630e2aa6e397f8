"""A film at another pace: planned as if its source were that fast, with sound in step."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from media_nommer.core.media import AudioStream, Media, VideoStream
from media_nommer.core.recipes.documents import AdaptiveOutput, FileOutput
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.sounds.sound import AudioPlan
from media_nommer.planning.streaming.adaptive import AdaptivePlan
from media_nommer.planning.video import VideoPlan

_UNKNOWN_RATE = 30.0
_MOST_RATE = 240.0


def runs_by_pace(plans: Sequence[OutputPlan]) -> list[list[OutputPlan]]:
    """Return the outputs of each run of FFmpeg: all in one, or those that are slower first.

    Where some are slower than their source and others quicker, FFmpeg now and then stands
    still for good: it waits for the one to catch up with the other.
    """
    slower = [plan for plan in plans if plan.pace < 1]
    others = [plan for plan in plans if plan.pace >= 1]
    if slower and any(plan.pace > 1 for plan in others):
        return [slower, others]
    return [list(plans)]


def paced_media(media: Media, pace: float) -> Media:
    """Return a source as if it were played so many times as fast.

    Its frames have no rate of their own then: what is made of it is brought to one.
    """
    return replace(
        media,
        duration=_shorter(media.duration, pace),
        video=tuple(_picture(stream, media, pace) for stream in media.video),
        audio=tuple(_sound(stream, media, pace) for stream in media.audio),
    )


def paced_output(
    output: FileOutput | AdaptiveOutput, media: Media
) -> FileOutput | AdaptiveOutput:
    """Return an output that says its rate outright; ``media`` is as it came.

    What is slower keeps its frames; what is quicker drops some, so that there are as many a
    second as before.
    """
    video, stream = output.video, media.picture
    if video is None or stream is None or video.frame_rate is not None:
        return output
    own = float(stream.frame_rate or stream.average_rate or _UNKNOWN_RATE)
    rate = min(own * min(output.pace, 1.0), video.max_frame_rate or _MOST_RATE, _MOST_RATE)
    said = video.model_copy(update={"frame_rate": rate, "max_frame_rate": None})
    return output.model_copy(update={"video": said})


def paced_adaptive(plan: AdaptivePlan, media: Media, pace: float) -> AdaptivePlan:
    """Return an adaptive output, planned of a paced ``media``, that keeps its pace."""
    renditions = tuple(
        replace(
            each,
            video=each.video and paced_video(each.video, pace),
            audio=each.audio and paced_audio(each.audio, media, pace),
        )
        for each in plan.renditions
    )
    texts = tuple(
        replace(each, track=replace(each.track, pace=pace)) for each in plan.texts
    )
    return replace(plan, renditions=renditions, texts=texts)


def paced_video(video: VideoPlan, pace: float) -> VideoPlan:
    """Return a picture, planned of a paced source, that keeps its pace."""
    drawing = video.drawing
    if drawing.burnt is not None and drawing.burnt.track is not None:
        track = replace(drawing.burnt.track, pace=pace)
        drawing = replace(drawing, burnt=replace(drawing.burnt, track=track))
    return replace(video, pace=pace, drawing=drawing)


def paced_audio(audio: AudioPlan, media: Media, pace: float) -> AudioPlan:
    """Return a sound, planned of a paced ``media``, that keeps its pace.

    It begins with the film: FFmpeg paces nothing of what is before it.
    """
    if audio.from_start or audio.duration is None:
        return replace(audio, pace=pace, from_start=True)
    stream = next(each for each in media.audio if each.index == audio.stream)
    late = max(0.0, (stream.start_time or media.start_time) - media.start_time)
    return replace(audio, pace=pace, from_start=True, duration=audio.duration + late)


def _picture(stream: VideoStream, media: Media, pace: float) -> VideoStream:
    average = stream.average_rate or stream.frame_rate
    return replace(
        stream,
        frames=None,
        frame_rate=None,
        average_rate=average * Fraction(pace).limit_denominator(1000) if average else None,
        duration=_shorter(stream.duration, pace),
        start_time=_start(stream, media, pace),
    )


def _sound(stream: AudioStream, media: Media, pace: float) -> AudioStream:
    return replace(
        stream,
        frames=None,
        duration=_shorter(stream.duration, pace),
        start_time=_start(stream, media, pace),
    )


def _start(stream: VideoStream | AudioStream, media: Media, pace: float) -> float | None:
    if stream.start_time is None:
        return None
    return media.start_time + (stream.start_time - media.start_time) / pace


def _shorter(seconds: float | None, pace: float) -> float | None:
    return None if seconds is None else seconds / pace
