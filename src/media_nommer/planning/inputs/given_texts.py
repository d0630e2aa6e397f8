"""Subtitles that are not one stream of one source: files of their own, and joined ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from media_nommer.core.media import SubtitleStream
from media_nommer.core.recipes.extras import Encoding
from media_nommer.core.recipes.inputs import Input, InputSubtitles, text_format
from media_nommer.planning.captions import Cue, clipped
from media_nommer.planning.inputs.pieces import Piece

#: Where the numbers of such tracks begin: no file has so many streams.
FIRST_GIVEN = 1000

_TEXT = "text"  # what FFmpeg calls it; no container takes it as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A track of text in a file, and which part of it is shown from when on.

    ``demuxer`` is FFmpeg's for a file of text alone. Cues come ``offset`` seconds later
    than the file says; those from ``start`` to ``end`` are shown, beginning ``at``.
    """

    file: str
    stream: int = 0
    demuxer: str | None = None
    encoding: Encoding | None = None
    offset: float = 0.0
    start: float = 0.0
    end: float | None = None
    at: float = 0.0

    def shown(self, cues: Sequence[Cue]) -> tuple[Cue, ...]:
        """Return the cues that are shown, when they are."""
        moved = _later(cues, self.offset)
        return _later(clipped(moved, start=self.start, end=self.end), self.at)


#: The parts of each track, by its number.
Texts = Mapping[int, tuple[TextPart, ...]]
_Given = tuple[SubtitleStream, TextPart]


def given_texts(wanted: Input, names: Mapping[str, str]) -> list[_Given]:
    """Return the tracks that a recipe gives an input; ``names`` are files in scratch."""
    return [_given(said, names[said.url]) for said in wanted.subtitles]


def numbered(given: Sequence[_Given]) -> tuple[tuple[SubtitleStream, ...], Texts]:
    """Return tracks of one source, which nothing else cuts or moves."""
    streams = [replace(s, index=FIRST_GIVEN + n) for n, (s, _) in enumerate(given)]
    parts = [part for _, part in given]
    return tuple(streams), {
        s.index: (part,) for s, part in zip(streams, parts, strict=True)
    }


def joined_texts(
    pieces: Sequence[Piece],
    given: Sequence[Sequence[_Given]],
    files: Sequence[str],
    lengths: Sequence[float | None],
) -> tuple[tuple[SubtitleStream, ...], Texts]:
    """Return the subtitles of a joined film: text of one language goes on in one track.

    ``given``, ``files`` and ``lengths`` are of the pieces, which have text of their own
    too. What follows a piece of which nothing tells how long it is comes too early.
    """
    streams: dict[tuple[object, ...], SubtitleStream] = {}
    parts: dict[tuple[object, ...], list[TextPart]] = {}
    at = 0.0
    for piece, more, file, length in zip(pieces, given, files, lengths, strict=True):
        own = [
            (stream, TextPart(file=file, stream=stream.index))
            for stream in piece.media.subtitles
            if stream.is_text
        ]
        seen: list[tuple[object, ...]] = []
        for stream, part in (*own, *more):
            kind = (stream.language, stream.forced)
            key = (*kind, seen.count(kind))
            seen.append(kind)
            streams.setdefault(key, stream)
            parts.setdefault(key, []).append(_placed(part, piece, at, length))
        at += length or 0.0
    found = [(stream, parts[key]) for key, stream in streams.items()]
    return tuple(
        replace(stream, index=FIRST_GIVEN + n, codec=_TEXT)
        for n, (stream, _) in enumerate(found)
    ), {FIRST_GIVEN + n: tuple(each) for n, (_, each) in enumerate(found)}


def _given(said: InputSubtitles, file: str) -> _Given:
    demuxer = said.format or text_format(said.url) or "srt"
    stream = SubtitleStream(
        index=FIRST_GIVEN,
        codec=_TEXT,
        default=said.default,
        forced=said.forced,
        hearing_impaired=said.hearing_impaired,
        language=said.language,
        title=said.title,
    )
    name = PurePosixPath(file).name
    return stream, TextPart(
        file=name, demuxer=demuxer, encoding=said.encoding, offset=said.offset
    )


def _placed(part: TextPart, piece: Piece, at: float, length: float | None) -> TextPart:
    start = piece.cut.start if piece.cut else 0.0
    end = None if length is None else start + length
    return replace(part, start=start, end=end, at=at)


def _later(cues: Sequence[Cue], seconds: float) -> tuple[Cue, ...]:
    millis = round(seconds * 1000)
    return tuple(
        replace(cue, start=cue.start + millis, end=cue.end + millis) for cue in cues
    )
