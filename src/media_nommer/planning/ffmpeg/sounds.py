"""Where sounds are taken from, and the runs that only measure them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from media_nommer.core.media import LEAPING, AudioStream, Media
from media_nommer.planning.extras.waveforms import WaveformPlan
from media_nommer.planning.ffmpeg.commands import EncodeCommand, MeasureCommand
from media_nommer.planning.ffmpeg.encoders import audio_options, sound_filters
from media_nommer.planning.ffmpeg.graphs import sound_place
from media_nommer.planning.ffmpeg.inputs import picture_of_all, sought, tells_no_begin
from media_nommer.planning.inputs.reading import Source, opened, sound_words
from media_nommer.planning.plan import OutputPlan, single_files
from media_nommer.planning.sounds.loudness import Level, OpenLevel, measuring_filter
from media_nommer.planning.sounds.sound import AudioPlan

#: What a sound that was encoded to try its level is called in scratch.
LEVELED = "level.mka"

_BURST = 0.02  # seconds of silence that are more than a frame of sound
_KEPT = 1.0  # seconds of picture that muxers keep, however many bits they take
_LOOKED_AT = 5.0  # seconds of a sound, to know it
_MOST_LOOKED_AT = 256 * 1024**2  # bytes, which FFmpeg keeps


def measure_commands(
    outputs: Sequence[OutputPlan], *, source: Source, threads: int
) -> tuple[MeasureCommand, ...]:
    """Return the runs that must come before ``encode_command``: none without loudness.

    There is one for each sound that differs. What ``measured_in`` finds in its log is for
    all of its ``sounds``, which it has the keys of.
    """
    alike: dict[tuple[str, ...], list[str]] = {}
    files = single_files(outputs)
    for output, key, audio in ((o, key, audio) for o in files for key, audio in o.sounds):
        if audio.loudness is None:
            continue
        rate = f"aresample={audio.sample_rate}"  # what is above it will not be there
        filters = (*sound_filters(audio, output.cut), rate, measuring_filter())
        argv = (
            *opened(source, threads, *sought((output,))),
            *(*sound_words(source, audio.stream, filters), "-f", "null", "-"),
        )
        alike.setdefault(argv, []).append(key)
    return tuple(MeasureCommand(argv, tuple(keys)) for argv, keys in alike.items())


def level_commands(
    output: OutputPlan,
    audio: AudioPlan,
    level: Level | OpenLevel,
    *,
    source: Source,
    threads: int,
) -> tuple[tuple[str, ...], ...]:
    """Return the runs that try a level on a sound of an output.

    What ``measured_in`` finds in the log of the last one is what comes of it. An encoder
    that loses something leaves a ``LEVELED`` file first, which is measured.
    """
    opening = opened(source, threads, *sought((output,)))
    filters = (*sound_filters(audio, output.cut), *level.filters(audio.sample_rate))
    if not audio.habits.unsure:
        words = sound_words(source, audio.stream, (*filters, measuring_filter()))
        return ((*opening, *words, "-f", "null", "-"),)
    words = (*sound_words(source, audio.stream, filters), *audio_options(audio))
    measured = ("-map", "0:a", "-filter:a", measuring_filter(), "-f", "null", "-")
    return (
        (*opening, *words, "-f", "matroska", LEVELED),
        ("-threads", str(threads), "-i", LEVELED, *measured),
    )


def peaks_commands(
    outputs: Sequence[OutputPlan], *, source: Source, threads: int
) -> tuple[EncodeCommand, ...]:
    """Return the runs that measure peaks, one for each output that is a waveform.

    Each has a run of its own: FFmpeg comes to a standstill where frames of sound as short
    as these are made beside a film and a slow encoder.
    """
    return tuple(
        EncodeCommand(
            (
                *opened(source, threads, *sought((output,))),
                *output.extra.plan.options(source, output.cut, f"out-{output.index}.txt"),
            ),
            (),
        )
        for output in outputs
        if output.extra and isinstance(output.extra.plan, WaveformPlan)
    )


@dataclass(frozen=True, slots=True)
class Places:
    """Where sounds are taken from: the source, or inputs of their own, by their keys.

    An input that is ``silent`` has nothing but silence; others ``read`` the source again.
    The picture that goes with sounds is in the input ``covers``.
    """

    source: Source
    silent: Mapping[str, int]
    read: Mapping[str, int]
    covers: int = 0

    def of(self, key: str, stream: int) -> str:
        """Return where the sound is that is known by a ``key``."""
        if key in self.silent:
            return f"{self.silent[key]}:0"
        if key in self.read:
            return f"{self.read[key]}:{stream}"
        return sound_place(self.source, key, stream)


def readings_apart(
    media: Media, outputs: Sequence[OutputPlan], source: Source, *, first: int
) -> dict[str, int]:
    """Return the inputs, by keys of sounds, of those that are read for themselves.

    A muxer keeps all of the picture till its sound begins. And the silence that is put
    before a sound comes all at once: then its graph waits for the film, its decoder for the
    graph, and what reads the source for the decoder. The film's own encoders would get no
    more, and FFmpeg stand still. Where a source does not tell when a sound begins, it may
    be late.
    """
    if not isinstance(source, str):
        return {}
    alone = media.format in LEAPING and picture_of_all(media, outputs) is None
    late = (
        key
        for output in outputs
        for key, audio in output.sounds
        for stream in media.audio
        if stream.index == audio.stream and _is_late(audio, stream, media, alone=alone)
    )
    return {key: number for number, key in enumerate(late, start=first)}


def looking_on(media: Media, outputs: Sequence[OutputPlan]) -> tuple[str, ...]:
    """Return the options by which FFmpeg knows of late sounds before it begins.

    Only copies need that, where they are not read apart: a muxer is told what they are.
    """
    copied = {
        audio.stream
        for output in outputs
        for _, audio in output.sounds
        if audio.codec == "copy" and media.format in LEAPING
    }
    late = [stream.late or 0.0 for stream in media.audio if stream.index in copied]
    if max(late, default=0.0) <= _KEPT:
        return ()
    micros = round((max(late) + _LOOKED_AT) * 1_000_000)
    return ("-analyzeduration", str(micros), "-probesize", str(_MOST_LOOKED_AT))


def placed_apart(
    media: Media, outputs: Sequence[OutputPlan], readings: Collection[str]
) -> list[OutputPlan]:
    """Return outputs whose sounds are put in their places as far as they are read apart.

    FFmpeg puts all others there, counted from the first stream that is read with them.
    """
    begin = _begin_of_rest(media, outputs, readings)

    def placed(key: str, audio: AudioPlan) -> AudioPlan:
        if key not in readings or audio.placed is None:
            return replace(audio, placed=None)
        return replace(audio, placed=audio.placed - begin)

    made: list[OutputPlan] = []
    for output in outputs:
        sounds = [placed(key, audio) for key, audio in output.sounds]
        if sounds:
            output = replace(output, audio=sounds[0], more_audio=tuple(sounds[1:]))
        made.append(output)
    return made


def _is_late(audio: AudioPlan, stream: AudioStream, media: Media, *, alone: bool) -> bool:
    """Say whether a sound begins so late that it is read for itself.

    Those that are read ``alone``, without a picture, would lose their place.
    """
    if media.format in LEAPING and (audio.codec == "copy" or stream.late is None):
        return False  # no filter can put it in its place, or nobody knows that
    if audio.from_start and tells_no_begin(media):
        return True
    return media.begin_of(stream) > (_BURST if audio.from_start or alone else _KEPT)


def _begin_of_rest(
    media: Media, outputs: Sequence[OutputPlan], readings: Collection[str]
) -> float:
    """Return when the streams begin that are not read apart, in seconds after the file."""
    sounds = [sound for output in outputs for sound in output.sounds]
    used = {audio.stream for key, audio in sounds if key not in readings}
    begins = [media.begin_of(stream) for stream in media.audio if stream.index in used]
    if (picture := picture_of_all(media, outputs)) is not None:
        begins.append(media.begin_of(picture))
    return max(0.0, min(begins, default=0.0))
