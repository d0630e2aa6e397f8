"""FFmpeg's command lines, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.codecs import CONTAINERS
from media_nommer.core.recipes.raw import raw_of_pictures
from media_nommer.planning.animations import AnimationPlan
from media_nommer.planning.encoders import (
    metadata_options,
    muxer_options,
    rendition_options,
    sound_filters,
    sounds_options,
)
from media_nommer.planning.extras import (
    drawn_plan,
    extra_options,
    extra_paths,
    is_encoded,
    jpeg_options,
)
from media_nommer.planning.filters import (
    thumbnail_filters,
    video_label,
    whole_fields,
)
from media_nommer.planning.given_texts import Texts
from media_nommer.planning.graphs import (
    LIFE,
    are_late,
    pictures_graph,
    sound_place,
    whole_graph,
)
from media_nommer.planning.looks import drawn
from media_nommer.planning.loudness import Measured, measuring_filter
from media_nommer.planning.passes import PassLog, in_two_passes, log_between, pass_of
from media_nommer.planning.plan import (
    OutputPlan,
    ThumbnailPlan,
    drawings_of,
    single_files,
)
from media_nommer.planning.raw import with_raw
from media_nommer.planning.reading import SOURCE, Source, opened, sound_words
from media_nommer.planning.silence import silences
from media_nommer.planning.subtitles import (
    CaptionsPlan,
    TextCommand,
    Track,
    subtitle_options,
    text_command,
)
from media_nommer.planning.video_encoders import video_options
from media_nommer.planning.waveforms import WaveformPlan

_INDEXED = ("mp4", "mov", "matroska", "webm")  # formats in which seeking is quick and sure
_MOST_SEEKS = 20
_BURST = 0.02  # seconds of silence that are more than a frame of sound
_LONG_ENOUGH = 20.0  # seconds of film below which decoding it all is as quick as seeking


@dataclass(frozen=True, slots=True)
class Produced:
    """One file that a command leaves in the scratch directory.

    ``path`` is its name there; ``name`` is what it is to be called at the destination, and
    empty for a ``rendition``, which is packaged yet: it has its key. A name that no other
    attempt gives is the attempt's ``own``.
    """

    output: int
    path: str
    name: str
    rendition: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class EncodeCommand:
    """One run of FFmpeg: its arguments without the program, and what it leaves behind.

    The runner puts its own options (progress, log level, limits) in front. ``logs`` are of
    the first pass, to be renamed before.
    """

    argv: tuple[str, ...]
    produces: tuple[Produced, ...]
    logs: tuple[PassLog, ...] = ()


@dataclass(frozen=True, slots=True)
class _Places:
    """Where sounds are taken from: the source, or the inputs that give silence."""

    source: Source
    silent: Mapping[str, int]

    def of(self, key: str, stream: int) -> str:
        """Return where the sound is that is known by a ``key``."""
        if key in self.silent:
            return f"{self.silent[key]}:0"
        return sound_place(self.source, key, stream)


@dataclass(frozen=True, slots=True)
class MeasureCommand:
    """One run of FFmpeg that only measures the sound of some outputs, for its log."""

    argv: tuple[str, ...]
    sounds: tuple[str, ...]


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
        filters = (*sound_filters(audio, output.cut), measuring_filter())
        argv = (
            *opened(source, threads, *_sought((output,))),
            *(*sound_words(source, audio.stream, filters), "-f", "null", "-"),
        )
        alike.setdefault(argv, []).append(key)
    return tuple(MeasureCommand(argv, tuple(keys)) for argv, keys in alike.items())


def encode_command(
    media: Media,
    outputs: Sequence[OutputPlan],
    *,
    source: Source,
    threads: int,
    measured: Mapping[str, Measured] = MappingProxyType({}),
) -> EncodeCommand:
    """Return the one command that makes all ``outputs`` from one decode of ``source``.

    ``source`` is a path relative to the scratch directory, or what stands for one;
    ``threads`` are given to the decoder and to each encoder, and are part of what decides
    the bytes of the outputs.
    ``measured`` is by the sounds' keys: one without it is left as loud as it is.
    Thumbnails alone, or animations alone, of a long film are fetched by seeking instead.
    """
    outputs = single_files(outputs)
    produces = tuple(made for output in outputs for made in produced(output))
    outputs = _films_first([o for o in outputs if is_encoded(o.extra)])
    if not outputs:
        return EncodeCommand((), produces)
    if _by_seeking(media, outputs):
        return EncodeCommand(_seeks(media, outputs, source), produces)
    if animations := _sought_pieces(media, outputs):
        return EncodeCommand(_joined(media, animations, source, threads), produces)
    picture = _picture(media, outputs)
    argv = [*opened(source, threads, *_sought(outputs))]
    texts = {track: n for n, track in enumerate(_texts(outputs), start=argv.count("-i"))}
    for track in texts:
        argv += ["-f", "srt", "-i", track.path]
    readings = _readings(media, outputs, source, first=argv.count("-i"))
    for _ in readings:
        argv += opened(source, threads, *_sought(outputs))
    silent: dict[str, int] = {}
    sounds = [sound for output in outputs for sound in output.sounds]
    for words, keys in silences(sounds).items():
        silent |= dict.fromkeys(keys, argv.count("-i"))
        argv += words
    images = _images(outputs, first=argv.count("-i"))
    argv += _image_inputs(images)
    if graph := whole_graph(source, picture, outputs, measured, images):
        argv += ["-filter_complex_threads", str(threads), "-filter_complex", graph]
    logs: list[PassLog | None] = []
    for output in outputs:
        if pass_of(output, 2):
            logs.append(log_between(output, len(logs), argv.count("-map")))
        if output.thumbnails:
            argv += _thumbnails(output)
        elif plan := drawn_plan(output.extra):
            label = video_label(output)
            argv += extra_options(plan, index=output.index, label=label, threads=threads)
        else:
            made = _file(output, threads, measured, texts, _Places(source, silent))
            argv += _read_apart(made, readings.get(output.key))
    alive = _sign_of_life(source, picture, outputs)
    renamed = tuple(log for log in logs if log is not None)
    return EncodeCommand((*argv, *alive), produces, renamed)


def first_pass_command(
    media: Media, outputs: Sequence[OutputPlan], *, source: Source, threads: int
) -> tuple[str, ...]:
    """Return the run that comes before ``encode_command``: none without two passes.

    It makes the same pictures for the same encoders, all from one decode, and keeps only
    what these learn.
    """
    outputs = in_two_passes(single_files(outputs))
    picture = _picture(media, outputs)
    if picture is None:
        return ()
    argv = [*opened(source, threads, *_sought(outputs))]
    images = _images(outputs, first=argv.count("-i"))
    argv += _image_inputs(images)
    graph = pictures_graph(source, picture, outputs, images, alive=True)
    argv += ["-filter_complex_threads", str(threads), "-filter_complex", graph]
    for output in outputs:
        assert output.video is not None
        options = video_options(output.video, "mkv", threads, pass_of(output, 1))
        argv += ["-map", f"[{video_label(output)}]"]
        argv += [*with_raw(options, raw_of_pictures(output.raw)), "-f", "null", "-"]
    return (*argv, *_moving_on(source, picture, outputs))


def _readings(
    media: Media, outputs: Sequence[OutputPlan], source: Source, *, first: int
) -> dict[int | str, int]:
    """Return the inputs, by keys of renditions, of sounds that are read for themselves.

    The silence before a sound that begins late comes all at once. Then its encoder waits
    for those of the film, its decoder for it, and what reads the source for the decoder:
    the film's own encoders would get no more, and FFmpeg stand still. Of formats whose
    times may leap, such as MPEG-TS, FFmpeg would take the sound's begin for the film's.
    """
    sure = any(name in media.format for name in _INDEXED)
    if not isinstance(source, str) or not sure:
        return {}
    late = (
        output.key
        for output in outputs
        for stream in media.audio
        if output.audio is not None
        and output.audio.from_start
        and output.audio.stream == stream.index
        and media.begin_of(stream) > _BURST
    )
    return {key: number for number, key in enumerate(late, start=first)}


def _read_apart(argv: list[str], reading: int | None) -> list[str]:
    """Return the words of a rendition of a sound whose source is read once more for it."""
    if reading is None:
        return argv
    place = argv.index("-map") + 1
    stream = argv[place].partition(":")[2]
    return [*argv[:place], f"{reading}:{stream}", *argv[place + 1 :]]


def _sign_of_life(
    source: Source, picture: VideoStream | None, outputs: Sequence[OutputPlan]
) -> tuple[str, ...]:
    """Return an output for nobody that moves on while the film is read, if it is needed."""
    if picture is None or not are_late(outputs):
        return ()
    return _moving_on(source, picture, outputs)


def _moving_on(
    source: Source, picture: VideoStream, outputs: Sequence[OutputPlan]
) -> tuple[str, ...]:
    """Return an output for nobody that moves on while the film is read.

    Without a word till the end the encoder would be taken for one that hangs.
    """
    if not isinstance(source, str):
        return ("-map", f"[{LIFE}]", "-f", "null", "-")
    last = next((output.cut.last for output in outputs if output.cut), None)
    until = () if last is None else ("-t", f"{last:.6f}")
    return ("-map", f"0:{picture.index}", "-c", "copy", *until, "-f", "null", "-")


def texts_command(
    outputs: Sequence[OutputPlan], *, source: Source, texts: Texts = MappingProxyType({})
) -> TextCommand | None:
    """Return the run that must come before ``encode_command``: none without text.

    ``texts`` are of the film that the outputs are made of.

    Its files are read by us, and written anew before they are used.
    """
    captions = [
        output.extra.plan.track
        for output in outputs
        if output.extra and isinstance(output.extra.plan, CaptionsPlan)
    ]
    streamed = [
        each.track
        for output in outputs
        if output.adaptive
        for each in output.adaptive.texts
    ]
    found = dict.fromkeys((*captions, *streamed, *_texts(outputs), *_burnt_texts(outputs)))
    place = source if isinstance(source, str) else SOURCE
    return text_command([*found], source=place, texts=texts)


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
                *opened(source, threads, *_sought((output,))),
                *output.extra.plan.options(source, output.cut, f"out-{output.index}.txt"),
            ),
            (),
        )
        for output in outputs
        if output.extra and isinstance(output.extra.plan, WaveformPlan)
    )


def _texts(outputs: Sequence[OutputPlan]) -> list[Track]:
    """Return the text that is put into files, each once."""
    found = (each.track for output in outputs for each in output.subtitles)
    return [track for track in dict.fromkeys(found) if track is not None]


def _burnt_texts(outputs: Sequence[OutputPlan]) -> list[Track]:
    """Return the text that becomes a part of pictures."""
    found = (drawing.burnt for drawing in drawings_of(outputs))
    return [burnt.track for burnt in found if burnt and burnt.track]


def _images(outputs: Sequence[OutputPlan], *, first: int) -> dict[str, int]:
    """Return the numbers of the inputs with images, by their paths, each once."""
    paths = dict.fromkeys(
        mark.path for drawing in drawings_of(outputs) for mark in drawing.marks
    )
    return {path: first + place for place, path in enumerate(paths)}


def _image_inputs(images: Mapping[str, int]) -> list[str]:
    return [word for path in images for word in ("-i", path)]


def _films_first(outputs: Sequence[OutputPlan]) -> list[OutputPlan]:
    """Return ``outputs`` with those last whose frames are not the film's.

    FFmpeg tells how many frames it made of its first output alone.
    """
    return sorted(outputs, key=lambda output: output.extra is not None)


def _picture(media: Media, outputs: Sequence[OutputPlan]) -> VideoStream | None:
    """Return the stream that the outputs are planned from: there is one for all."""
    wanted = {
        part.stream
        for output in outputs
        for part in (output.video, output.thumbnails, drawn_plan(output.extra))
        if part
    }
    return next((stream for stream in media.video if stream.index in wanted), None)


def _sought(outputs: Sequence[OutputPlan]) -> tuple[str, ...]:
    """Return the options that begin to read before a cut."""
    seek = next((output.cut.seek for output in outputs if output.cut), 0.0)
    return ("-noaccurate_seek", "-ss", f"{seek:.6f}") if seek > 0 else ()


def produced(output: OutputPlan) -> tuple[Produced, ...]:
    """Return the files of one output, in the order of its names.

    The names in scratch are ours: nothing in them comes from outside.
    """
    if output.extra is not None:
        paths = extra_paths(output.extra, output.index)
        return tuple(
            Produced(output.index, path, name)
            for path, name in zip(paths, output.names, strict=True)
        )
    if output.container == "jpeg":
        return tuple(
            Produced(output.index, f"out-{output.index}-{number:06d}.jpg", name)
            for number, name in enumerate(output.names, start=1)
        )
    if output.rendition is not None:
        path = f"out-{output.index}-{output.rendition.key}.mp4"
        return (Produced(output.index, path, "", output.rendition.key),)
    assert output.container is not None
    extension = CONTAINERS[output.container].extensions[0]
    return (Produced(output.index, f"out-{output.index}.{extension}", output.names[0]),)


def _file(
    output: OutputPlan,
    threads: int,
    measured: Mapping[str, Measured],
    texts: Mapping[Track, int],
    places: _Places,
) -> list[str]:
    assert output.container is not None
    assert output.container != "jpeg"
    argv: list[str] = []
    if output.video:
        own = f"[{video_label(output)}]"
        argv += ["-map", own if drawn(output) else f"0:{output.video.stream}"]
    if output.audio:
        for key, sound in output.sounds:
            argv += ["-map", places.of(key, sound.stream)]
    for text in output.subtitles:
        place = f"{texts[text.track]}:0" if text.track else f"0:{text.stream}"
        argv += ["-map", place]
    argv += metadata_options(output)
    if output.video:
        of = pass_of(output, 2)
        argv += video_options(output.video, output.container, threads, of)
    argv += sounds_options(output, measured, in_graph=not isinstance(places.source, str))
    argv += subtitle_options(output.subtitles)
    if output.rendition is not None:
        return [*argv, *rendition_options(output.rendition), produced(output)[0].path]
    argv += muxer_options(output.container)
    return [*with_raw(argv, output.raw), produced(output)[0].path]


def _thumbnails(output: OutputPlan) -> list[str]:
    assert output.thumbnails is not None
    return [
        *("-map", f"[{video_label(output)}]", *jpeg_options(output.thumbnails.quality)),
        *("-fps_mode:v", "passthrough", "-f", "image2", "-start_number", "1"),
        f"out-{output.index}-%06d.jpg",
    ]


def _sought_pieces(
    media: Media, outputs: Sequence[OutputPlan]
) -> list[tuple[OutputPlan, AnimationPlan]]:
    """Return the outputs where all are animations whose pieces are to be sought."""
    plans = [
        (output, plan)
        for output in outputs
        if isinstance(plan := drawn_plan(output.extra), AnimationPlan)
    ]
    pieces = sum(len(plan.pieces) for _, plan in plans)
    if len(plans) < len(outputs) or pieces > _MOST_SEEKS or not _seekable(media, outputs):
        return []
    return plans


def _joined(
    media: Media,
    plans: Sequence[tuple[OutputPlan, AnimationPlan]],
    source: Source,
    threads: int,
) -> tuple[str, ...]:
    """Return one input for each piece of each animation, joined by the graph."""
    picture = _picture(media, [output for output, _ in plans])
    assert picture is not None
    fields = whole_fields(picture)
    inputs: list[str] = []
    graphs: list[str] = []
    options: list[str] = []
    number = 0
    for output, plan in plans:
        label, taker = f"g{output.index}", video_label(output)
        inputs += plan.sought(source)
        graphs.append(f"{plan.joined(picture, fields, label, number)}[{taker}]")
        options += extra_options(plan, index=output.index, label=taker, threads=threads)
        number += len(plan.pieces)
    heads = ("-filter_complex_threads", str(threads), "-filter_complex", ";".join(graphs))
    return (*inputs, *heads, *options)


def _seekable(media: Media, outputs: Sequence[OutputPlan]) -> bool:
    """Say whether seeking in a source is sure, and quicker than to decode all of it."""
    return (
        not any(output.cut for output in outputs)
        and (media.duration or 0.0) > _LONG_ENOUGH
        and any(name in media.format for name in _INDEXED)
    )


def _by_seeking(media: Media, outputs: Sequence[OutputPlan]) -> bool:
    plans = [output.thumbnails for output in outputs]
    return (
        all(plans)
        and sum(len(plan.times) for plan in plans if plan) <= _MOST_SEEKS
        and _seekable(media, outputs)
    )


def _seeks(media: Media, outputs: Sequence[OutputPlan], source: Source) -> tuple[str, ...]:
    """Return one input, sought, for each picture: FFmpeg decodes from the key frame on."""
    picture = _picture(media, outputs)
    assert picture is not None
    inputs: list[str] = []
    pictures: list[str] = []
    number = 0
    for output in outputs:
        if output.thumbnails is None:
            continue
        filters = thumbnail_filters(picture, output.thumbnails)
        for time, made in zip(output.thumbnails.times, produced(output), strict=True):
            seek = ("-ss", f"{time:.6f}") if time > 0 else ()
            inputs += opened(source, 1, *seek)
            pictures += _one_picture(picture, output.thumbnails, number, filters, made.path)
            number += 1
    return (*inputs, *pictures)


def _one_picture(
    stream: VideoStream, plan: ThumbnailPlan, number: int, filters: str, path: str
) -> tuple[str, ...]:
    return (
        *("-map", f"{number}:{stream.index}", "-filter:v", filters, "-frames:v", "1"),
        *(*jpeg_options(plan.quality), "-f", "image2", "-update", "1", path),
    )
