"""Black bars around a picture: looked for at moments all over a film, cut off where sure.

FFmpeg tells how much of each row and of each column is lit. A bar is what is dark at every
moment and ends in a straight edge at many: scenes in the dark have no such edges, subtitles
in a bar light it, and pictures of several shapes leave the bars that all of them have. Of
several inputs it is enough that one shows the edge, if all are dark there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from media_nommer.core.media import VideoStream
from media_nommer.core.recipes.documents import (
    AdaptiveOutput,
    Crop,
    FileOutput,
    Recipe,
)
from media_nommer.planning.inputs.cutting import taken
from media_nommer.planning.inputs.joining import Film
from media_nommer.planning.inputs.watching import Watched, upright_size
from media_nommer.planning.pictures.frames import chain
from media_nommer.planning.pictures.sizes import Size, shown_size

_MOMENTS = 24
_LEAST_MOMENTS = 6  # of each input
_AT_ONCE = 6  # moments to one run: each has a decoder of its own, and its memory
_UNKNOWN = 60.0  # seconds, where nothing tells how long the film is
_MARGIN = 0.02  # of the film, at each end: titles and logos are there

_CELLS = 64  # the parts of a row that FFmpeg gives
_BLACK = 12  # of 255: a bar is black but for noise
_LIT = 0.02  # the share of a row beyond which it is no longer of a bar
_FULL = 0.5  # the same for a row of a picture that ends in a straight edge
_NEAR = 4  # pixels from dark to fully lit, that encoders leave of a straight edge
_LIT_AT_ALL = 0.05  # of a picture: darker ones tell nothing
_LEAST_SURE, _SHARE_SURE = 3, 0.25  # moments that must show an edge, of those that are lit
_LEAST_BAR, _LEAST_SHARE = 4, 0.01  # pixels, and of a side
#: Of the picture, which a phone's in a wide film is a third of; and of one with bars all
#: around, which may be a logo as well.
_LEAST_LEFT, _LEAST_OF_BOTH = 0.3, 0.4


@dataclass(frozen=True, slots=True)
class Bars:
    """Pixels of the upright decoded picture that are black at each edge."""

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0

    @property
    def any(self) -> bool:
        """Say whether there are some."""
        return self != NO_BARS


NO_BARS = Bars()


@dataclass(frozen=True, slots=True)
class BarsCommand:
    """One run of FFmpeg, and what it leaves of each moment: rows, then columns.

    It looks at the ``place``-th of the pictures that are watched, which has that ``size``.
    """

    argv: tuple[str, ...]
    leaves: tuple[tuple[str, str], ...]
    size: Size
    place: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """How much of each row and of each column is lit, from 0 to 1."""

    rows: tuple[float, ...]
    columns: tuple[float, ...]


def wants_bars(recipe: Recipe, made: Collection[int]) -> bool:
    """Say whether black bars are to be found for those outputs that are ``made``."""
    return any(_is_auto(recipe.outputs[index]) for index in made)


def watched_of(film: Film, recipe: Recipe) -> tuple[Watched, ...]:
    """Return the pictures to look at; none where the film has none."""
    if not isinstance(film.source, str):
        return film.watched
    chosen, cut = taken(film.media, recipe.inputs[0])
    if chosen.picture is None:
        return ()
    return (
        Watched(
            file=film.source,
            stream=chosen.picture,
            size=upright_size(chosen.picture),
            start=cut.start if cut else 0.0,
            length=chosen.duration,
        ),
    )


def bars_commands(watched: Sequence[Watched]) -> tuple[BarsCommand, ...]:
    """Return the runs that look at a film's pictures.

    Each moment begins at a key frame, so that little is decoded. One that has no frame is
    left out by FFmpeg.
    """
    commands: list[BarsCommand] = []
    number = 0
    for place, one in enumerate(watched):
        times = _times(one, _moments(one, watched))
        for at in range(0, len(times), _AT_ONCE):
            some = times[at : at + _AT_ONCE]
            commands.append(_command(one, some, number, place))
            number += len(some)
    return tuple(commands)


def _moments(one: Watched, watched: Sequence[Watched]) -> int:
    """Return how many of all moments are one picture's: by its length, but some of each."""
    lengths = [each.length or _UNKNOWN for each in watched]
    return max(_LEAST_MOMENTS, round(_MOMENTS * (one.length or _UNKNOWN) / sum(lengths)))


def _times(one: Watched, count: int) -> list[float]:
    if one.is_still:
        return [0.0]
    length = one.length or _UNKNOWN
    first, span = one.start + length * _MARGIN, length * (1 - 2 * _MARGIN)
    return [first + span * (n + 0.5) / count for n in range(count)]


def profile_in(rows: bytes, columns: bytes, size: Size) -> Profile | None:
    """Return what FFmpeg left of a moment, None where it is not of the film's size."""
    if (len(rows), len(columns)) != (size.height * _CELLS, size.width * _CELLS):
        return None
    most = _CELLS * 255
    return Profile(
        tuple(sum(rows[at : at + _CELLS]) / most for at in range(0, len(rows), _CELLS)),
        tuple(sum(columns[x :: size.width]) / most for x in range(size.width)),
    )


def bars_in(looks: Sequence[Sequence[Profile]]) -> Bars:
    """Return the bars that the moments show beyond doubt, those of each input apart."""
    seen = [_telling(profiles) for profiles in looks if profiles]
    if not any(_is_lit(one) for profiles in seen for one in profiles):
        return NO_BARS
    rows = [[one.rows for one in profiles] for profiles in seen]
    columns = [[one.columns for one in profiles] for profiles in seen]
    left, right = _pair(columns, _lit_part(rows))
    across = 1 - (left + right) / len(columns[0][0])
    top, bottom = _pair(rows, across)
    down = 1 - (top + bottom) / len(rows[0][0])
    least = _LEAST_OF_BOTH if max(across, down) < 1 else _LEAST_LEFT
    if across * down < least:
        return NO_BARS
    return Bars(left, right, top, bottom)


def _telling(profiles: Sequence[Profile]) -> Sequence[Profile]:
    """Return the moments that are lit; of an input that is in the dark all of them."""
    return [one for one in profiles if _is_lit(one)] or profiles


def _is_lit(one: Profile) -> bool:
    return sum(one.rows) > _LIT_AT_ALL * len(one.rows)


def without_bars(recipe: Recipe, film: Film, bars: Bars) -> Recipe:
    """Return a recipe that says outright what is cut off."""
    chosen = film.media
    if isinstance(film.source, str):
        chosen, _ = taken(film.media, recipe.inputs[0])
    crop = None
    if chosen.picture is not None and bars.any:
        crop = _as_shown(bars, chosen.picture)
    outputs = tuple(
        _with_crop(output, crop)
        if isinstance(output, FileOutput | AdaptiveOutput) and _is_auto(output)
        else output
        for output in recipe.outputs
    )
    return recipe.model_copy(update={"outputs": outputs})


def _is_auto(output: object) -> bool:
    video = getattr(output, "video", None)
    return video is not None and video.crop is not None and video.crop.auto


def _with_crop(
    output: FileOutput | AdaptiveOutput, crop: Crop | None
) -> FileOutput | AdaptiveOutput:
    assert output.video is not None
    video = output.video.model_copy(update={"crop": crop})
    return output.model_copy(update={"video": video})


def _as_shown(bars: Bars, stream: VideoStream) -> Crop:
    size, shown = upright_size(stream), shown_size(stream)
    wide, high = shown.width / size.width, shown.height / size.height
    return Crop(
        left=round(bars.left * wide),
        right=round(bars.right * wide),
        top=round(bars.top * high),
        bottom=round(bars.bottom * high),
    )


def _command(
    watched: Watched, times: Sequence[float], first: int, place: int
) -> BarsCommand:
    inputs: list[str] = []
    graphs: list[str] = []
    outputs: list[str] = []
    leaves: list[tuple[str, str]] = []
    lit = f"scale=out_range=pc,format=gray,lut=c0='if(gt(val,{_BLACK}),255,0)'"
    lit = chain(watched.fitted, lit)
    for number, time in enumerate(times):
        paths = tuple(f"bars-{first + number}-{part}.raw" for part in ("rows", "columns"))
        inputs += ["-threads", "1", *_sought(watched, time), "-i", watched.file]
        graphs.append(
            f"[{number}:{watched.stream.index}]{lit},split[a{number}][b{number}];"
            f"[a{number}]scale={_CELLS}:ih:flags=area[r{number}];"
            f"[b{number}]scale=iw:{_CELLS}:flags=area[c{number}]"
        )
        for label, path in zip(("r", "c"), paths, strict=True):
            outputs += ["-map", f"[{label}{number}]", "-frames:v", "1"]
            outputs += ["-c:v", "rawvideo", "-pix_fmt", "gray", "-f", "rawvideo", path]
        leaves.append((paths[0], paths[1]))
    argv = (*inputs, "-filter_complex", ";".join(graphs), *outputs)
    return BarsCommand(argv, tuple(leaves), watched.size, place)


def _sought(watched: Watched, time: float) -> tuple[str, ...]:
    return () if watched.is_still else ("-noaccurate_seek", "-ss", f"{time:.3f}")


def _lit_part(looks: Sequence[Sequence[Sequence[float]]]) -> float:
    """Return the share of a side that is lit at some moment."""
    lines = [line for look in looks for line in look]
    length = len(lines[0])
    first = min(_first(line, _LIT) for line in lines)
    last = min(_first(line[::-1], _LIT) for line in lines)
    return max(length - first - last, 1) / length


def _pair(looks: Sequence[Sequence[Sequence[float]]], part: float) -> tuple[int, int]:
    """Return the bars at both ends of lines, none unless both ends are sure."""
    first = _bar(looks, part)
    last = _bar([[line[::-1] for line in look] for look in looks], part)
    return (0, 0) if first is None or last is None else (first, last)


def _bar(looks: Sequence[Sequence[Sequence[float]]], part: float) -> int | None:
    """Return the even width of the bar that lines begin with, None where unsure.

    ``part`` is how much of a line across can be lit at all: there may be other bars.
    """
    dark = min(_first(line, _LIT) for look in looks for line in look)
    sure: list[int] = []
    for look in looks:
        edges = [_first(line, _FULL * part) for line in look]
        near = [edge for edge in edges if edge <= dark + _NEAR]
        if len(near) >= max(_LEAST_SURE, _SHARE_SURE * len(look)):
            sure += near
    if not sure:
        return None
    if dark < max(_LEAST_BAR, _LEAST_SHARE * len(looks[0][0])):
        return 0
    return 2 * ((min(sure) + 1) // 2)


def _first(line: Sequence[float], least: float) -> int:
    return next((n for n, value in enumerate(line) if value >= least), len(line))
