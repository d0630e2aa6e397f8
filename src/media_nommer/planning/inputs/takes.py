"""The sounds that an input gives: its own, those of other files, tracks put together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import AudioStream, Media
from media_nommer.core.recipes.inputs import Input, InputSound
from media_nommer.planning.inputs.cutting import Cut
from media_nommer.planning.pictures.frames import chain
from media_nommer.planning.sounds.mixing import LAYOUT
from media_nommer.planning.sounds.sound import place_of, placing_filters

#: What FFmpeg calls the channels of a layout, in the order in which tracks hold them.
_CHANNELS = {
    1: ("FC",),
    2: ("FL", "FR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
_TOGETHER = "aresample=async=1:first_pts=0"  # so that tracks begin together
_LATE = 1.0  # seconds: frames of the picture that a graph keeps till its sounds begin


@dataclass(frozen=True, slots=True)
class Place:
    """One stream of a file, and how many channels it has; ``begins`` is where it is put."""

    file: int
    stream: int
    channels: int
    begins: float | None = None

    @property
    def label(self) -> str:
        """What a graph calls the stream."""
        return f"[{self.file}:{self.stream}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One sound of an input, as if it were one ``stream``.

    ``places`` are the streams that it is made of. What is cut of it is counted from where
    its own file is read. It begins ``offset`` seconds later than its file says; one from
    ``outside`` ends with the picture.
    """

    stream: AudioStream
    places: tuple[Place, ...]
    cut: Cut | None
    offset: float = 0.0
    outside: bool = False

    def filters(self, label: str) -> str:
        """Return the filters to it; ``label`` sets those of several tracks apart."""
        moved = f"asetpts=PTS+{self.offset:.6f}/TB" if self.offset else ""
        cut_before = self.cut is not None and self.cut.first > 0
        begun = "atrim=start=0" if self.offset < 0 and not cut_before else ""
        rest = chain(moved, begun, self.cut.sound_filters() if self.cut else "")
        heads = [(each.label, placing_filters(each.begins)) for each in self.places]
        if len(heads) == 1:
            return f"{heads[0][0]}{chain(*heads[0][1], rest)}"
        heads = [(name, (*put, _TOGETHER)) for name, put in heads]
        tracks = [
            f"{name}{chain(*put)}[{label}t{n}];" for n, (name, put) in enumerate(heads)
        ]
        labels = "".join(f"[{label}t{n}]" for n in range(len(tracks)))
        return f"{''.join(tracks)}{labels}{chain(self._joined(), rest)}"

    def _joined(self) -> str:
        channels = _CHANNELS[self.stream.channels]
        held = [(n, c) for n, each in enumerate(self.places) for c in range(each.channels)]
        routes = "|".join(
            f"{number}.{channel}-{name}"
            for (number, channel), name in zip(held, channels, strict=True)
        )
        layout = LAYOUT[self.stream.channels]
        return f"join=inputs={len(self.places)}:channel_layout={layout}:map={routes}"


def after(head: str, *filters: str) -> str:
    """Return filters in a row after a ``head``, which may be no more than a label."""
    rest = chain(*filters)
    if head.endswith("]"):
        return f"{head}{rest or 'anull'}"
    return chain(head, rest)


def own_takes(
    media: Media, whole: Media, cut: Cut | None, file: int, again: Callable[[], int]
) -> tuple[Take, ...]:
    """Return the sounds of a source as it has them, the one that a player plays first.

    ``media`` is the part that is taken of the ``whole``. A sound that begins late is read
    for itself, so that the graph has all it waits for: ``again`` opens the file once more
    and gives its number.
    """
    first = media.sound
    if first is None:
        return ()
    others = (stream for stream in media.audio if stream is not first)
    return tuple(
        Take(stream=stream, places=(_own_place(whole, stream, file, again),), cut=cut)
        for stream in (first, *others)
    )


def _own_place(
    whole: Media, stream: AudioStream, file: int, again: Callable[[], int]
) -> Place:
    """Return where a sound of a source is, whose picture is read from ``file``."""
    if not _is_late(stream):
        return Place(file, stream.index, stream.channels)
    begins = place_of(stream, whole)
    if begins is not None:
        rest = (each for each in whole.audio if not _is_late(each))
        together = (*rest, *((whole.picture,) if whole.picture else ()))
        begins -= max(0.0, min(map(whole.begin_of, together), default=0.0))
    return Place(again(), stream.index, stream.channels, begins)


def _is_late(stream: AudioStream) -> bool:
    return stream.late is not None and stream.late > _LATE


def said_takes(
    wanted: Input,
    whole: Media,
    found: Callable[[str], tuple[Media, int]],
    own: tuple[Cut | None, int],
    where: str,
) -> tuple[Take, ...]:
    """Return the sounds that a recipe says an input has.

    ``whole`` is all of the source, ``own`` what is cut of it and its file; ``found`` gives
    what the inspection of another file says, and its number.

    Raises:
        NoStreams: a file has no such track.
        InvalidRecipe: tracks come to channels that are no layout.
    """
    takes: list[Take] = []
    for number, said in enumerate(wanted.audio or ()):
        path, cut = f"{where}.audio[{number}]", own[0]
        outside = said.url is not None
        media, file = (whole, own[1]) if said.url is None else found(said.url)
        if outside and cut is not None:
            cut = replace(cut, seek=0.0)  # another file is read from its beginning
        streams = _tracks(media, said, path)
        places = tuple(
            Place(
                file,
                each.index,
                max(1, each.channels),
                place_of(each, media) if outside else None,
            )
            for each in streams
        )
        stream = _one(streams, places, said, media, cut, path)
        takes.append(
            Take(
                stream=stream,
                places=places,
                cut=cut,
                offset=said.offset,
                outside=outside,
            )
        )
    return tuple(takes)


def _tracks(media: Media, said: InputSound, path: str) -> list[AudioStream]:
    wanted = said.tracks if said.tracks is not None else (said.track,)
    field = "tracks" if said.tracks is not None else "track"
    streams: list[AudioStream] = []
    for number in wanted:
        if number is None and media.sound is not None:
            streams.append(media.sound)
        elif number is not None and number < len(media.audio):
            streams.append(media.audio[number])
        else:
            what = "any sound" if number is None else str(number)
            raise NoStreams(
                f"{path}.{field}: there is no {what}; the file has {len(media.audio)}, "
                "counted from 0"
            )
    return streams


def _one(
    streams: Sequence[AudioStream],
    places: Sequence[Place],
    said: InputSound,
    media: Media,
    cut: Cut | None,
    path: str,
) -> AudioStream:
    """Return tracks as one stream, as long as the part that is taken of them."""
    channels = sum(place.channels for place in places)
    if len(streams) > 1 and channels not in _CHANNELS:
        allowed = ", ".join(map(str, _CHANNELS))
        raise InvalidRecipe(
            f"{path}.tracks: come to {channels} channels; allowed: {allowed}"
        )
    first = streams[0]
    begins = media.begin_of(first) + said.offset
    start, length = begins, first.duration
    if length is not None:
        edges = (cut.start if cut else 0.0, cut.end if cut else None)
        last = begins + length if edges[1] is None else min(begins + length, edges[1])
        length = max(0.0, last - max(begins, edges[0]))
        start = max(0.0, begins - edges[0])
    return replace(
        first,
        channels=channels,
        frames=None,
        duration=length,
        start_time=media.start_time + max(0.0, start),
        language=said.language or first.language,
        title=said.title or first.title,
    )
