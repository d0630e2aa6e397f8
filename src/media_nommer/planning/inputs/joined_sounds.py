"""The sounds of a film that is made of several: which belong together, and how alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from media_nommer.core.media import AudioStream
from media_nommer.core.recipes.inputs import Join
from media_nommer.planning.inputs.joined_pictures import Frame
from media_nommer.planning.inputs.pieces import Piece
from media_nommer.planning.inputs.takes import Take, after
from media_nommer.planning.sounds.mixing import LAYOUT, fewer, more

_MOST_SOUNDS = 16
_CHANNELS = (8, 6, 2, 1)
_SLOWEST, _FASTEST = 8000, 192_000  # hertz


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """One sound of the joined film, and what of each piece it is made of.

    A piece has None where there is silence.
    """

    channels: int
    sample_rate: int
    takes: tuple[Take | None, ...]
    language: str | None = None
    title: str | None = None

    def stream(self, index: int, duration: float | None) -> AudioStream:
        """Return what an inspection would find of it."""
        return AudioStream(
            index=index,
            codec="pcm_f32le",
            channels=self.channels,
            sample_rate=self.sample_rate,
            layout=LAYOUT[self.channels],
            duration=duration,
            start_time=0.0,
            time_base=Fraction(1, self.sample_rate),
            default=index == 0,
            language=self.language,
            title=self.title,
        )


def sounds_of(pieces: Sequence[Piece], join: Join) -> tuple[Sound, ...]:
    """Return the sounds of the joined film: those of the first piece that has any.

    To each belongs, of another piece, the sound of its language, or the one at its place
    if nobody knows its language; for the first sound it is at least the one that a player
    would play. Where there is none, there is silence.
    """
    first = next((piece for piece in pieces if piece.takes), None)
    if first is None:
        return ()
    return tuple(
        _sound(wanted, place, first, pieces, join)
        for place, wanted in enumerate(first.takes[:_MOST_SOUNDS])
    )


def samples(piece: Piece, sound: Sound, frame: Frame | None) -> int | None:
    """Return how many samples of a sound a piece gives, None where nothing tells.

    They last exactly as long as its frames, so that nothing drifts from piece to piece.
    """
    if frame is not None:
        frames = piece.frames(frame.rate)
        return None if frames is None else round(frames / frame.rate * sound.sample_rate)
    length = piece.sound_length
    return None if length is None else round(length * sound.sample_rate)


def sound_chain(
    piece: Piece, sound: Sound, place: int, frame: Frame | None, label: str
) -> str:
    """Return the filters from a piece's sound to the joined one.

    ``label`` is like no other sound's. Silence fills up what is missing of it; what goes on
    after the picture is cut off.
    """
    take, count = sound.takes[place], samples(piece, sound, frame)
    layout, rate = LAYOUT[sound.channels], sound.sample_rate
    if take is None:
        return f"anullsrc=r={rate}:cl={layout},atrim=end_sample={count or 1}"
    there = max(1, take.stream.channels)
    return after(
        take.filters(f"{label}p{place}"),
        f"aresample={rate}:async=1:first_pts=0",
        *fewer(there, sound.channels),
        *more(there, sound.channels),
        f"aformat=sample_fmts=fltp:sample_rates={rate}:channel_layouts={layout}",
        "" if count is None else f"apad,atrim=end_sample={count}",
    )


def _sound(
    wanted: Take, place: int, first: Piece, pieces: Sequence[Piece], join: Join
) -> Sound:
    stream = wanted.stream
    most = join.channels or max(1, stream.channels)
    return Sound(
        channels=next(count for count in _CHANNELS if count <= most),
        sample_rate=join.sample_rate or min(max(stream.sample_rate, _SLOWEST), _FASTEST),
        takes=tuple(
            wanted if piece is first else _like(stream, place, piece) for piece in pieces
        ),
        language=stream.language,
        title=stream.title,
    )


def _like(wanted: AudioStream, place: int, piece: Piece) -> Take | None:
    """Return the sound of a piece that goes on where another one's ends."""
    takes = piece.takes
    if wanted.language is not None:
        for take in takes:
            if take.stream.language == wanted.language:
                return take
    if place == 0:
        return takes[0] if takes else None
    if place < len(takes) and None in {wanted.language, takes[place].stream.language}:
        return takes[place]
    return None
