"""Several inputs as one film: what it is, and the graph by which FFmpeg reads it.

All that is planned of a single source is planned of it too: FFmpeg opens every file, and
filters make them alike and join them before anything else is done. Nothing is written in
between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum

from media_nommer.core.media import AudioStream, Media
from media_nommer.core.recipes.documents import Recipe
from media_nommer.core.recipes.inputs import Join
from media_nommer.planning.inputs.given_texts import (
    Texts,
    given_texts,
    joined_texts,
    numbered,
)
from media_nommer.planning.inputs.joined_pictures import (
    Frame,
    frame_of,
    picture_chain,
    picture_fitted,
)
from media_nommer.planning.inputs.joined_sounds import Sound, sound_chain, sounds_of
from media_nommer.planning.inputs.pieces import Found, Piece, Trust, pieces_of
from media_nommer.planning.inputs.reading import Graph, Source
from media_nommer.planning.inputs.takes import Take, after
from media_nommer.planning.inputs.watching import Watched, upright_size

#: The format of a film that is made of several; how far its length is trusted follows.
JOINED = "joined"

_TRUST: Sequence[Trust] = ("exact", "mpegts", "guessed")


@dataclass(frozen=True, slots=True)
class Film:
    """What outputs are made of: what it is, and how it is read.

    ``watched`` are the pictures of what was made of several, which can be looked at.
    """

    media: Media
    source: Source
    texts: Texts = field(default_factory=dict)
    watched: tuple[Watched, ...] = ()


def film_of(media: Mapping[str, Media], recipe: Recipe, names: Mapping[str, str]) -> Film:
    """Return the film that a recipe's inputs make.

    ``media`` is what the inspection of each file says, and ``names`` what it is called in
    scratch, both by URL. One input that is taken as it is needs no graph.

    Raises:
        NoStreams: the recipe names a track that a file has not.
        InvalidRecipe: inputs cannot be joined, or a part lies behind the end of one.
    """
    first = recipe.inputs[0]
    if not _is_made(media[first.url], recipe):
        own = media[first.url]
        streams, texts = numbered(given_texts(first, names))
        film = replace(own, subtitles=(*own.subtitles, *streams)) if streams else own
        return Film(film, names[first.url], texts)
    found = Found(media, names)
    pieces = pieces_of(found, recipe.inputs)
    whole = [media[each.url] for each in recipe.inputs]
    if len(pieces) == 1 and recipe.join is None and not pieces[0].is_still:
        made = replace(
            _with_sounds(pieces[0], found), watched=_watched(pieces, None, recipe, names)
        )
        return _with_texts(made, pieces, [made.media.duration], recipe, names)
    join = recipe.join or Join()
    frame, sounds = frame_of(pieces, join), sounds_of(pieces, join)
    lengths = [piece.length(frame.rate if frame else None) for piece in pieces]
    made = Film(
        _media(pieces, frame, sounds, whole),
        _graph(pieces, frame, sounds, found),
        watched=_watched(pieces, frame, recipe, names),
    )
    return _with_texts(made, pieces, lengths, recipe, names)


def _watched(
    pieces: Sequence[Piece],
    frame: Frame | None,
    recipe: Recipe,
    names: Mapping[str, str],
) -> tuple[Watched, ...]:
    """Return the pictures of all pieces that have one, as large as the film."""
    return tuple(
        Watched(
            file=names[wanted.url],
            stream=stream,
            size=frame.size if frame else upright_size(stream),
            start=piece.cut.start if piece.cut else 0.0,
            length=piece.media.duration,
            fitted=picture_fitted(stream, frame.size) if frame else "",
            is_still=piece.is_still,
        )
        for piece, wanted in zip(pieces, recipe.inputs, strict=True)
        if (stream := piece.picture) is not None
    )


def _with_texts(
    film: Film,
    pieces: Sequence[Piece],
    lengths: Sequence[float | None],
    recipe: Recipe,
    names: Mapping[str, str],
) -> Film:
    """Return a film with the text of its pieces, and that which the recipe gives them."""
    given = [given_texts(each, names) for each in recipe.inputs]
    files = [names[each.url] for each in recipe.inputs]
    streams, texts = joined_texts(pieces, given, files, lengths)
    return replace(film, media=replace(film.media, subtitles=streams), texts=texts)


def _is_made(media: Media, recipe: Recipe) -> bool:
    """Say whether filters have to make the film before anything is made of it."""
    first = recipe.inputs[0]
    if len(recipe.inputs) > 1 or recipe.join is not None or first.audio is not None:
        return True
    return media.is_still and first.is_cut


def _with_sounds(piece: Piece, found: Found) -> Film:
    """Return one input with the sounds that it is given, its picture as it is."""
    stream, takes = piece.picture, piece.takes
    length = None if stream is None else piece.media.duration
    cut = piece.cut.picture_filters() if piece.cut else ""
    graph = Graph(
        files=tuple(found.opened),
        pictures=(f"[{piece.file}:{stream.index}]{cut or 'null'}",) if stream else (),
        sounds=tuple((_ended(take, length, n),) for n, take in enumerate(takes)),
    )
    sounds = [_known(take, length, n) for n, take in enumerate(takes)]
    ends = [s.duration for s in sounds if s.duration is not None]
    media = replace(
        piece.media,
        format=f"{JOINED},{piece.trust}",
        duration=length or max(ends, default=None),
        video=(replace(stream, index=len(takes), default=True),) if stream else (),
        audio=tuple(sounds),
        subtitles=(),
        other=(),
    )
    return Film(media, graph)


def _ended(take: Take, length: float | None, number: int) -> str:
    """Return the filters to a sound; one of another file ends with the picture.

    Tracks that are put together lose some samples at their end, which is silence then.
    """
    end = f"atrim=end={length:.6f}" if take.outside and length is not None else ""
    lasts = take.stream.duration if len(take.places) > 1 else None
    filled = "" if lasts is None else f"apad=whole_dur={lasts:.6f}"
    return after(take.filters(f"s{number}"), "aresample=async=1:first_pts=0", filled, end)


def _known(take: Take, length: float | None, index: int) -> AudioStream:
    stream, start = take.stream, take.stream.start_time or 0.0
    lasts = stream.duration
    if take.outside and length is not None and lasts is not None:
        lasts = max(0.0, min(lasts, length - start))
    whole = None if lasts is None else start + lasts  # silence comes before it
    return replace(
        stream, index=index, duration=whole, start_time=0.0, default=not index, late=None
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


def _graph(
    pieces: Sequence[Piece],
    frame: Frame | None,
    sounds: Sequence[Sound],
    found: Found,
) -> Graph:
    return Graph(
        files=tuple(found.opened),
        pictures=tuple(picture_chain(piece, frame) for piece in pieces) if frame else (),
        sounds=tuple(
            tuple(
                sound_chain(piece, sound, place, frame, f"s{number}")
                for place, piece in enumerate(pieces)
            )
            for number, sound in enumerate(sounds)
        ),
    )
