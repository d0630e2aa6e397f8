"""The options of sound encoders and of muxers, for FFmpeg."""

from collections.abc import Iterator, Mapping, Sequence

from media_nommer.core.recipes.codecs import AudioCodec, Container
from media_nommer.planning.inputs.cutting import Cut
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.sounds.loudness import Level, Levels, OpenLevel
from media_nommer.planning.sounds.mixing import mixing_filters
from media_nommer.planning.sounds.sound import AudioPlan, placing_filters
from media_nommer.planning.streaming.adaptive import Rendition

_AUDIO_ENCODER: Mapping[AudioCodec, str] = {
    "aac": "aac",
    "opus": "libopus",
    "mp3": "libmp3lame",
    "vorbis": "libvorbis",
    "flac": "flac",
    "ac3": "ac3",
    "eac3": "eac3",
}
_HE_ENCODER = "libfdk_aac"  # the free one has no such profile
_FLAC_SAMPLES = {
    16: ("-sample_fmt", "s16"),
    24: ("-sample_fmt", "s32", "-bits_per_raw_sample:a", "24"),
}
_MUXER: Mapping[Container, tuple[str, ...]] = {
    "mp4": ("-movflags", "+faststart", "-f", "mp4"),
    "m4a": ("-movflags", "+faststart", "-f", "ipod"),
    "webm": ("-cues_to_front", "1", "-f", "webm"),
    "mp3": ("-f", "mp3"),
    "ogg": ("-f", "ogg"),
    "mov": ("-movflags", "+faststart", "-f", "mov"),
    "mkv": ("-cues_to_front", "1", "-f", "matroska"),
    "ts": ("-f", "mpegts"),
    "flac": ("-f", "flac"),
    "wav": ("-rf64", "auto", "-f", "wav"),  # beyond 4 GiB
}
_TEMPO_LEAVES_OUT = 0.3  # seconds, at most
_FRAGMENTED = "+cmaf+delay_moov+global_sidx+skip_trailer"
_HOLDS_CHAPTERS = {"mp4", "m4a", "webm", "mov", "mkv", "mp3", "ogg"}  # ogg: those of opus
#: What a track's own name is called; others have one for the whole file alone.
_NAMES_TRACKS_IN: Mapping[str, str] = {
    **dict.fromkeys(("mp4", "m4a", "mov"), "handler_name"),
    **dict.fromkeys(("mkv", "webm"), "title"),
}


def audio_options(audio: AudioPlan, filters: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the encoder's options; ``filters`` are those that no graph has."""
    if audio.codec == "copy":
        return ("-c:a", "copy")
    return (
        *_encoder(audio),
        *(() if audio.bitrate is None else ("-b:a", f"{audio.bitrate}k")),
        *(_FLAC_SAMPLES[audio.bit_depth] if audio.codec == "flac" else ()),
        *("-ac", str(audio.channels), "-ar", str(audio.sample_rate)),
        *(("-filter:a", ",".join(filters)) if filters else ()),
    )


def _encoder(audio: AudioPlan) -> tuple[str, ...]:
    if audio.profile == "he":
        return ("-c:a", _HE_ENCODER, "-profile:a", "aac_he")
    return ("-c:a", _AUDIO_ENCODER.get(audio.codec, audio.holds))


def all_filters(
    audio: AudioPlan, cut: Cut | None, level: Level | OpenLevel | None
) -> tuple[str, ...]:
    """Return the filters from a sound of the source to its encoder; silence needs none."""
    if audio.silent:
        return ()
    loud = level.filters(audio.sample_rate) if level else ()
    return (*sound_filters(audio, cut), *loud, *audio.fades.filters("afade"))


def sounds_options(
    output: OutputPlan, levels: Levels, *, in_graph: bool = False
) -> tuple[str, ...]:
    """Return the encoders' options of all sounds of a file.

    Those that come out of a graph have been filtered ``in_graph``.
    """
    if output.audio is None:
        return ()
    options = [
        audio_options(
            audio,
            () if in_graph else all_filters(audio, output.cut, levels.get(key)),
        )
        for key, audio in output.sounds
    ]
    if not output.more_audio:
        return options[0]
    return tuple(word for n, said in enumerate(options) for word in _of_track(said, n))


def _of_track(options: Sequence[str], number: int) -> Iterator[str]:
    """Yield options, which come in pairs, as those of one sound among several."""
    for name, value in zip(options[::2], options[1::2], strict=True):
        yield f"{name.removesuffix(':a')}:a:{number}"
        yield value


def sound_filters(audio: AudioPlan, cut: Cut | None) -> tuple[str, ...]:
    """Return the filters before those for loudness, which need the final channels.

    ``async=1`` fills gaps of the source with silence and cuts what overlaps, so that a
    damaged source does not drift; a whole one passes unchanged.
    """
    return (
        *placing_filters(audio.placed),
        *(() if cut is None else (cut.sound_filters(),)),
        "aresample=async=1:first_pts=0" if audio.from_start else "aresample=async=1",
        *mixing_filters(audio),
        *_tempo(audio.pace, audio.duration),
    )


def _tempo(pace: float, length: float | None) -> tuple[str, ...]:
    """Return the filters that change the pace of a sound and not its pitch.

    One does it well from a half to twice as fast. At the end they leave out some hundredths
    of a second, or add some: so it is brought to its ``length`` where that is known.
    """
    if pace == 1:
        return ()
    first = min(max(pace, 0.5), 2.0)
    rest = pace / first
    exact = f"apad=pad_dur={_TEMPO_LEAVES_OUT:g},atrim=end={length or 0:.6f}"
    return (
        f"atempo={first:g}",
        *((f"atempo={rest:g}",) if rest != 1 else ()),
        *((exact,) if length else ()),
    )


def metadata_options(output: OutputPlan) -> tuple[str, ...]:
    """Return what is told about the film: title, chapters, and what its sounds are called.

    Of a part there are no chapters. Nothing else is carried over: sources from phones say
    where they were filmed.
    """
    whole = output.chapters and output.rendition is None
    chapters = "0" if whole and output.container in _HOLDS_CHAPTERS else "-1"
    options = ["-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", chapters]
    if output.title:
        options += ["-metadata", f"title={output.title}"]
    sounds = (output.audio, *output.more_audio) if output.audio else ()
    for number, sound in enumerate(sounds):
        if sound.language:
            options += [f"-metadata:s:a:{number}", f"language={sound.language}"]
        field = _NAMES_TRACKS_IN.get(output.container or "")
        if sound.title and field and output.rendition is None:
            options += [f"-metadata:s:a:{number}", f"{field}={sound.title}"]
    return tuple(options)


def muxer_options(container: Container) -> tuple[str, ...]:
    """Return the muxer's options: index at the front, equal bytes from equal input."""
    return ("-fflags", "+bitexact", *_MUXER[container])


def rendition_options(rendition: Rendition) -> tuple[str, ...]:
    """Return the muxer's options for a rendition: MP4 in fragments, with an index of them.

    An edit list says where the first frame is shown, and cuts off what a sound's codec has
    before its own beginning; the header waits for the first frames to know that. Offsets
    that may be negative would do without it for pictures, but FFmpeg as a player then shows
    them too late.
    """
    if rendition.fragment is None:
        how: tuple[str, ...] = ("-movflags", f"{_FRAGMENTED}+frag_keyframe")
    else:
        micros = round(rendition.fragment * 1_000_000)
        how = ("-movflags", _FRAGMENTED, "-frag_duration", str(micros))
    return ("-fflags", "+bitexact", *how, "-f", "mp4")
