"""The one run that makes all outputs from one decode, and the pass that comes before."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from media_nommer.core.media import Media
from media_nommer.core.recipes.raw import raw_of_pictures
from media_nommer.planning.covers import COVER_ALONE, cover_options
from media_nommer.planning.extras.extras import (
    drawn_plan,
    extra_options,
    is_encoded,
    jpeg_options,
)
from media_nommer.planning.ffmpeg.commands import EncodeCommand, produced
from media_nommer.planning.ffmpeg.encoders import (
    metadata_options,
    muxer_options,
    rendition_options,
    sounds_options,
)
from media_nommer.planning.ffmpeg.filters import video_label
from media_nommer.planning.ffmpeg.graphs import pictures_graph, whole_graph
from media_nommer.planning.ffmpeg.inputs import (
    image_words,
    images_of,
    picture_of_all,
    sought,
)
from media_nommer.planning.ffmpeg.life import moving_on, sign_of_life
from media_nommer.planning.ffmpeg.looks import drawn
from media_nommer.planning.ffmpeg.passes import PassLog, in_two_passes, log_between, pass_of
from media_nommer.planning.ffmpeg.raw import with_raw
from media_nommer.planning.ffmpeg.seeking import (
    joined_pieces,
    pictures_are_sought,
    sought_pictures,
    sought_pieces,
)
from media_nommer.planning.ffmpeg.sounds import (
    Places,
    looking_on,
    placed_apart,
    readings_apart,
)
from media_nommer.planning.ffmpeg.texts import kept_texts
from media_nommer.planning.ffmpeg.video_encoders import video_options
from media_nommer.planning.inputs.reading import Source, opened
from media_nommer.planning.plan import OutputPlan, single_files
from media_nommer.planning.sounds.loudness import Levels
from media_nommer.planning.sounds.silence import silences
from media_nommer.planning.texts.subtitles import Track, subtitle_options


def encode_command(
    media: Media,
    outputs: Sequence[OutputPlan],
    *,
    source: Source,
    threads: int,
    levels: Levels = MappingProxyType({}),
) -> EncodeCommand:
    """Return the one command that makes all ``outputs`` from one decode of ``source``.

    ``source`` is a path relative to the scratch directory, or what stands for one;
    ``threads`` are given to the decoder and to each encoder, and are part of what decides
    the bytes of the outputs.
    ``levels`` are by the sounds' keys: one without it is left as loud as it is.
    Thumbnails alone, or animations alone, of a long film are fetched by seeking instead.
    """
    outputs = single_files(outputs)
    produces = tuple(made for output in outputs for made in produced(output))
    outputs = _films_first([o for o in outputs if is_encoded(o.extra)])
    if not outputs:
        return EncodeCommand((), produces)
    if pictures_are_sought(media, outputs):
        return EncodeCommand(sought_pictures(media, outputs, source), produces)
    if animations := sought_pieces(media, outputs):
        return EncodeCommand(joined_pieces(media, animations, source, threads), produces)
    picture = picture_of_all(media, outputs)
    argv = [*opened(source, threads, *looking_on(media, outputs), *sought(outputs))]
    kept = kept_texts(outputs)
    texts = {track: n for n, track in enumerate(kept, start=argv.count("-i"))}
    for track in texts:
        argv += ["-f", "srt", "-i", track.path]
    readings = readings_apart(media, outputs, source, first=argv.count("-i"))
    outputs = placed_apart(media, outputs, readings)
    for _ in readings:
        argv += opened(source, threads, *sought(outputs))
    silent: dict[str, int] = {}
    sounds = [sound for output in outputs for sound in output.sounds]
    for words, keys in silences(sounds).items():
        silent |= dict.fromkeys(keys, argv.count("-i"))
        argv += words
    covers = argv.count("-i")
    if any(output.cover is not None for output in outputs):
        argv += opened(source, threads, *COVER_ALONE)
    places = Places(source, silent, readings, covers)
    images = images_of(outputs, first=argv.count("-i"))
    argv += image_words(images)
    if graph := whole_graph(source, picture, outputs, levels, images):
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
            argv += _file(output, threads, levels, texts, places)
    alive = sign_of_life(source, picture, outputs)
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
    picture = picture_of_all(media, outputs)
    if picture is None:
        return ()
    argv = [*opened(source, threads, *sought(outputs))]
    images = images_of(outputs, first=argv.count("-i"))
    argv += image_words(images)
    graph = pictures_graph(source, picture, outputs, images, alive=True)
    argv += ["-filter_complex_threads", str(threads), "-filter_complex", graph]
    for output in outputs:
        assert output.video is not None
        options = video_options(output.video, "mkv", threads, pass_of(output, 1))
        argv += ["-map", f"[{video_label(output)}]"]
        argv += [*with_raw(options, raw_of_pictures(output.raw)), "-f", "null", "-"]
    return (*argv, *moving_on(source, picture, outputs))


def _films_first(outputs: Sequence[OutputPlan]) -> list[OutputPlan]:
    """Return ``outputs`` with those last whose frames are not the film's.

    FFmpeg tells how many frames it made of its first output alone.
    """
    return sorted(outputs, key=lambda output: output.extra is not None)


def _file(
    output: OutputPlan,
    threads: int,
    levels: Levels,
    texts: Mapping[Track, int],
    places: Places,
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
    if output.cover is not None:
        argv += ["-map", f"{places.covers}:{output.cover}"]
    argv += metadata_options(output)
    argv += cover_options(output.cover)
    if output.video:
        of = pass_of(output, 2)
        argv += video_options(output.video, output.container, threads, of)
    argv += sounds_options(output, levels, in_graph=not isinstance(places.source, str))
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
