"""Several inputs as one film: what it is, and the graph by which FFmpeg reads it.

All that is planned of a single source is planned of it too: FFmpeg opens every file, and
filters make them alike and join them before anything else is done. Nothing is written in
between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from media_nommer.core.media import AudioStream, Media, VideoStream
from media_nommer.core.recipes.documents import Recipe
from media_nommer.core.recipes.inputs import Join
from media_nommer.planning.joined_pictures import Frame, frame_of, picture_chain
from media_nommer.planning.joined_sounds import Sound, sound_chain, sounds_of
from media_nommer.planning.pieces import Piece, Trust, pieces_of
from media_nommer.planning.reading import Graph, Source

#: The format of a film that is made of several; how far its length is trusted follows.
JOINED = "joined"

_TRUST: Sequence[Trust] = ("exact", "mpegts", "guessed")


@dataclass(frozen=True, slots=True)
class Film:
    """What outputs are made of: what it is, and how it is read."""

    media: Media
    source: Source


def film_of(found: Sequence[Media], recipe: Recipe, files: Sequence[str]) -> Film:
    """Return the film that a recipe's inputs make; ``files`` are their names in scratch.

    ``found`` is what the inspection of each says. One input is taken as it is.

    Raises:
        NoStreams: the recipe names a track that an input has not.
        InvalidRecipe: inputs cannot be joined, or a part lies behind the end of one.
    """
    if len(recipe.inputs) == 1 and recipe.join is None:
        return Film(found[0], files[0])
    join = recipe.join or Join()
    pieces = pieces_of(found, recipe.inputs, files)
    frame, sounds = frame_of(pieces, join), sounds_of(pieces, join)
    return Film(
        _media(pieces, frame, sounds, found),
        _graph(pieces, frame, sounds),
    )


def is_joined(media: Media) -> bool:
    """Say whether a film is one that ``film_of`` has made of several."""
    return media.format.startswith(JOINED)


def _media(
    pieces: Sequence[Piece],
    frame: Frame | None,
    sounds: Sequence[Sound],
    found: Sequence[Media],
) -> Media:
    frames, length = _frames(pieces, frame), _length(pieces, frame)
    title = found[0].title
    return Media(
        format=f"{JOINED},{_trust(pieces)}",
        size=sum(media.size for media in found),
        duration=length,
        bit_rate=max((m.bit_rate for m in found if m.bit_rate), default=None),
        video=(frame.stream(len(sounds), frames, length),) if frame else (),
        audio=tuple(sound.stream(index, length) for index, sound in enumerate(sounds)),
        title=title,
    )


def _frames(pieces: Sequence[Piece], frame: Frame | None) -> int | None:
    if frame is None:
        return None
    counts = [piece.frames(frame.rate) for piece in pieces]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _length(pieces: Sequence[Piece], frame: Frame | None) -> float | None:
    if (frames := _frames(pieces, frame)) is not None and frame is not None:
        return float(frames / frame.rate)
    lengths = [piece.length(frame.rate if frame else None) for piece in pieces]
    known = [length for length in lengths if length is not None]
    return fsum(known) if len(known) == len(lengths) else None


def _trust(pieces: Sequence[Piece]) -> Trust:
    """Return how far the length of the whole is to be trusted: as its worst piece's."""
    return max((piece.trust for piece in pieces), key=_TRUST.index)


def _graph(pieces: Sequence[Piece], frame: Frame | None, sounds: Sequence[Sound]) -> Graph:
    return Graph(
        files=tuple(_opened(piece) for piece in pieces),
        pictures=tuple(
            picture_chain(piece, frame, _label(place, piece.picture))
            for place, piece in enumerate(pieces)
        )
        if frame
        else (),
        sounds=tuple(
            tuple(
                sound_chain(piece, sound, place, frame, _label(place, sound.streams[place]))
                for place, piece in enumerate(pieces)
            )
            for sound in sounds
        ),
    )


def _label(file: int, stream: VideoStream | AudioStream | None) -> str:
    return "" if stream is None else f"{file}:{stream.index}"


def _opened(piece: Piece) -> tuple[str, ...]:
    """Return the words that open a piece's file, where what is taken of it begins."""
    seek = piece.cut.seek if piece.cut else 0.0
    sought = ("-noaccurate_seek", "-ss", f"{seek:.6f}") if seek > 0 else ()
    return (*sought, "-i", piece.file)
