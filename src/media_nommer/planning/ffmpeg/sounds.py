"""Where sounds are taken from, and the runs that only measure them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from media_nommer.core.media import Media
from media_nommer.planning.extras.waveforms import WaveformPlan
from media_nommer.planning.ffmpeg.commands import EncodeCommand, MeasureCommand
from media_nommer.planning.ffmpeg.encoders import audio_options, sound_filters
from media_nommer.planning.ffmpeg.graphs import sound_place
from media_nommer.planning.ffmpeg.inputs import is_indexed, sought, tells_no_begin
from media_nommer.planning.inputs.reading import Source, opened, sound_words
from media_nommer.planning.plan import OutputPlan, single_files
from media_nommer.planning.sounds.loudness import Level, OpenLevel, measuring_filter
from media_nommer.planning.sounds.sound import AudioPlan

#: What a sound that was encoded to try its level is called in scratch.
LEVELED = "level.mka"

_BURST = 0.02  # seconds of silence that are more than a frame of sound


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
    """Where sounds are taken from: the source, or the inputs that give silence."""

    source: Source
    silent: Mapping[str, int]

    def of(self, key: str, stream: int) -> str:
        """Return where the sound is that is known by a ``key``."""
        if key in self.silent:
            return f"{self.silent[key]}:0"
        return sound_place(self.source, key, stream)


def readings_apart(
    media: Media, outputs: Sequence[OutputPlan], source: Source, *, first: int
) -> dict[int | str, int]:
    """Return the inputs, by keys of renditions, of sounds that are read for themselves.

    The silence before a sound that begins late comes all at once. Then its encoder waits
    for those of the film, its decoder for it, and what reads the source for the decoder:
    the film's own encoders would get no more, and FFmpeg stand still. Of formats whose
    times may leap, such as MPEG-TS, FFmpeg would take the sound's begin for the film's.
    Where a source does not tell when a sound begins, it may be late.
    """
    unsaid = tells_no_begin(media)
    if not isinstance(source, str) or not (unsaid or is_indexed(media)):
        return {}
    late = (
        output.key
        for output in outputs
        for stream in media.audio
        if output.audio is not None
        and output.audio.from_start
        and output.audio.stream == stream.index
        and (unsaid or media.begin_of(stream) > _BURST)
    )
    return {key: number for number, key in enumerate(late, start=first)}


def read_apart(argv: list[str], reading: int | None) -> list[str]:
    """Return the words of a rendition of a sound whose source is read once more for it."""
    if reading is None:
        return argv
    place = argv.index("-map") + 1
    stream = argv[place].partition(":")[2]
    return [*argv[:place], f"{reading}:{stream}", *argv[place + 1 :]]
