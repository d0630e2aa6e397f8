"""Which subtitles go into a file, which become captions, and how their text is fetched.

Text that is copied as it is comes from the source with all else. Other text is fetched
first, as SubRip, and read by us: that mends what is not in UTF-8, cuts cues to the part
that is taken, and lets no stranger write our files. What came of it is one more input.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from media_nommer.core.errors import NoStreams
from media_nommer.core.media import Media, SubtitleStream
from media_nommer.core.recipes.codecs import Container
from media_nommer.core.recipes.drawn import BurnIn
from media_nommer.core.recipes.extras import CaptionsFormat, CaptionsOutput, Encoding
from media_nommer.planning.captions import Cue, as_srt, as_webvtt, clipped
from media_nommer.planning.inputs.cutting import Cut
from media_nommer.planning.inputs.given_texts import TextPart, Texts

#: What a container takes as it is; the first is what other text becomes.
_HELD: Mapping[Container, tuple[str, ...]] = {
    "mp4": ("mov_text",),
    "mov": ("mov_text",),
    "webm": ("webvtt",),
    "mkv": (
        *("subrip", "ass", "ssa", "webvtt"),
        *("hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"),
    ),
}
_ENCODER = {"mov_text": "mov_text", "webvtt": "webvtt", "subrip": "subrip"}
_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One stream of text as it is fetched, for a film that plays ``pace`` times as fast."""

    stream: int
    encoding: Encoding | None = None
    pace: float = 1.0

    @property
    def path(self) -> str:
        """Where its text is put, as FFmpeg writes it and then as we do."""
        encoding = f"-{self.encoding}" if self.encoding else ""
        pace = f"-{self.pace:g}" if self.pace != 1 else ""
        return f"text-{self.stream}{encoding}{pace}.srt"

    def part_path(self, number: int) -> str:
        """Where FFmpeg puts one part of a text that is made of several."""
        return f"{self.path.removesuffix('.srt')}-part{number}.srt"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitlePlan:
    """One track of subtitles in a file. ``codec`` is None for a copy."""

    stream: int
    holds: str
    codec: str | None = None
    default: bool = False
    forced: bool = False
    language: str | None = None
    title: str | None = None
    pace: float = 1.0

    @property
    def track(self) -> Track | None:
        """The text that it is made of, None where it is copied."""
        return None if self.codec is None else Track(stream=self.stream, pace=self.pace)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionsPlan:
    """Captions as a file, made of one track of text."""

    track: Track
    format: CaptionsFormat
    language: str | None = None

    def written(self, cues: Sequence[Cue]) -> str:
        """Return the text of the file."""
        return as_webvtt(cues) if self.format == "webvtt" else as_srt(cues)


@dataclass(frozen=True, slots=True)
class TextCommand:
    """One run of FFmpeg that writes tracks of text as SubRip, each into its path."""

    argv: tuple[str, ...]
    tracks: tuple[Track, ...]
    parts: Texts = field(default_factory=dict)


def plan_subtitles(
    media: Media, container: Container, *, whole: bool
) -> tuple[SubtitlePlan, ...]:
    """Return the subtitles that a film in ``container`` keeps.

    Pictures can only be copied, and nothing can be copied but from a ``whole`` source.
    """
    held = _HELD.get(container, ())
    plans: list[SubtitlePlan] = []
    for stream in media.subtitles:
        copied = whole and stream.codec in held
        if not held or not (copied or stream.is_text):
            continue
        plans.append(
            SubtitlePlan(
                stream=stream.index,
                holds=stream.codec if copied else held[0],
                codec=None if copied else held[0],
                default=stream.default,
                forced=stream.forced,
                language=told_language(stream.language),
                title=_clean(stream.title),
            )
        )
    return tuple(plans)


def plan_captions(media: Media, output: CaptionsOutput, where: str) -> CaptionsPlan:
    """Return which text becomes the captions.

    Raises:
        NoStreams: the source has none, or it is pictures.
    """
    stream = chosen_subtitles(media.subtitles, output, where)
    if not stream.is_text:
        raise _no_text(stream, where)
    track = Track(stream=stream.index, encoding=output.encoding)
    return CaptionsPlan(
        track=track, format=output.format, language=told_language(stream.language)
    )


def chosen_subtitles(
    streams: Sequence[SubtitleStream], said: CaptionsOutput | BurnIn, where: str
) -> SubtitleStream:
    """Return the subtitles that are named, or those that a player would show.

    Raises:
        NoStreams: the source has none, or not these.
    """
    if not streams:
        raise NoStreams(f"{where}: needs subtitles, and the source has none")
    if said.track is not None:
        if said.track < len(streams):
            return streams[said.track]
        raise NoStreams(
            f"{where}.track: there is no {said.track}; the source has {len(streams)}, "
            "counted from 0"
        )
    found = list(streams)
    if said.language is not None:
        found = [stream for stream in streams if stream.language == said.language]
        if not found:
            known = ", ".join(sorted({s.language or "untold" for s in streams}))
            raise NoStreams(
                f"{where}.language: there is no {said.language!r}; the source has: {known}"
            )
    return min(found, key=lambda s: (not s.is_text, s.forced, not s.default))


def subtitle_options(plans: Sequence[SubtitlePlan]) -> tuple[str, ...]:
    """Return the options of all subtitles of one file."""
    options: list[str] = []
    for number, plan in enumerate(plans):
        options += [f"-c:s:{number}", _ENCODER[plan.codec] if plan.codec else "copy"]
        if plan.language:
            options += [f"-metadata:s:s:{number}", f"language={plan.language}"]
        if plan.title:  # in MP4 and MOV a track has no other name
            field = "handler_name" if plan.holds == "mov_text" else "title"
            options += [f"-metadata:s:s:{number}", f"{field}={plan.title}"]
        shown = [
            name
            for name, is_so in (("default", plan.default), ("forced", plan.forced))
            if is_so
        ]
        options += [f"-disposition:s:{number}", "+".join(shown) or "0"]
    return tuple(options)


def text_command(
    tracks: Sequence[Track], *, source: str, texts: Texts = MappingProxyType({})
) -> TextCommand | None:
    """Return the run that fetches ``tracks``, None where there are none.

    Those that have ``texts`` are fetched part by part, from where these are.
    Bytes that are not in UTF-8 pass as they are, since decoding would drop the cue; where
    the encoding is told, FFmpeg brings them into UTF-8.
    """
    if not tracks:
        return None
    inputs: list[str] = []
    outputs: list[str] = []
    plain = [track for track in tracks if track.stream not in texts]
    for number, encoding in enumerate(dict.fromkeys(track.encoding for track in plain)):
        own = [track for track in plain if track.encoding == encoding]
        for track in own:
            mode = ("-sub_charenc", encoding) if encoding else _AS_IT_IS
            inputs += [f"{mode[0]}:{track.stream}", mode[1]]
            outputs += ["-map", f"{number}:{track.stream}", "-c:s", "subrip"]
            outputs += ["-f", "srt", track.path]
        inputs += ["-i", source]
    for track in tracks:
        for number, part in enumerate(texts.get(track.stream, ())):
            outputs += ["-map", f"{inputs.count('-i')}:{part.stream}", "-c:s", "subrip"]
            outputs += ["-f", "srt", track.part_path(number)]
            inputs += _part_words(part, part.encoding or track.encoding)
    return TextCommand((*inputs, *outputs), tuple(tracks), texts)


def _part_words(part: TextPart, encoding: Encoding | None) -> tuple[str, ...]:
    """Return the words that open the file of a part."""
    mode = ("-sub_charenc", encoding) if encoding else _AS_IT_IS
    named = ("-f", part.demuxer) if part.demuxer else ()
    return (*named, f"{mode[0]}:{part.stream}", mode[1], "-i", part.file)


_AS_IT_IS = ("-sub_charenc_mode", "ignore")


def cut_cues(cues: Sequence[Cue], cut: Cut | None, length: float | None) -> tuple[Cue, ...]:
    """Return the cues of a part; none goes on after the film, where ``length`` is known."""
    known = [time for time in (cut.end if cut else None, length) if time is not None]
    start = cut.start if cut else 0.0
    return clipped(cues, start=start, end=min(known, default=None))


def told_language(language: str | None) -> str | None:
    """Return a language that is told by three letters, as it should be."""
    return language if re.fullmatch("[a-z]{3}", language or "") else None


def _no_text(stream: SubtitleStream, where: str) -> NoStreams:
    return NoStreams(
        f"{where}: the subtitles of stream {stream.index} ({stream.codec}) are pictures, "
        "and there is no text in them",
        advice="Choose a track of text: `nommer probe FILE` shows which are. A file in mkv "
        "keeps pictures as they are.",
    )


def _clean(title: str | None) -> str | None:
    """Return a title that can stand in an argument list."""
    text = (title or "").encode("utf-8", "replace").decode("utf-8")
    return re.sub("[\x00-\x1f\x7f]+", " ", text).strip()[:_LONGEST_TITLE] or None
