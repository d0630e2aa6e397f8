"""Sheets of small pictures, and the WebVTT map by which players find the one to show."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from urllib.parse import quote

from media_nommer.core.errors import InvalidRecipe, MediaError
from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.extras import SpriteOutput
from media_nommer.planning.pictures.frames import Fields, chain, exactly, jpeg, whole_frames
from media_nommer.planning.pictures.moments import picture_length
from media_nommer.planning.pictures.sizes import Size, fitted_size, shown_size

_LARGEST_SHEET = 16_384  # pixels of a side
_MOST_TILES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpritePlan:
    """The sheets of one output.

    Of every ``step`` milliseconds from ``first`` on there is one of ``count`` tiles: what
    is shown ``inside`` milliseconds after its beginning. ``end`` is that of the last.
    """

    stream: int
    tile: Size
    columns: int
    rows: int
    count: int
    first: int
    step: int
    inside: int
    end: int
    quality: int

    @property
    def sheets(self) -> int:
        """How many sheets there are; the last may be filled in part."""
        return ceil(self.count / (self.columns * self.rows))

    @property
    def sheet(self) -> Size:
        """The size of each sheet."""
        return Size(self.tile.width * self.columns, self.tile.height * self.rows)

    def filters(self, stream: VideoStream, fields: Fields) -> str:
        """Return the filters from the film to the sheets."""
        begin = Fraction(self.first + self.inside, 1000)
        rate = Fraction(1000, self.step)
        return chain(
            whole_frames(fields),
            f"fps=fps={rate}:start_time={float(begin):.3f}:round=up",
            jpeg(stream, self.tile),
            exactly(self.count),
            f"tile={self.columns}x{self.rows}",
        )

    def map(self, sheets: tuple[str, ...]) -> str:
        """Return the map, which names the sheets as they are called beside it."""
        cues = (self._cue(number, sheets) for number in range(self.count))
        return "WEBVTT\n\n" + "\n".join(cues)

    def _cue(self, number: int, sheets: tuple[str, ...]) -> str:
        begin = self.first + number * self.step
        last = number == self.count - 1
        sheet, place = divmod(number, self.columns * self.rows)
        row, column = divmod(place, self.columns)
        x, y = column * self.tile.width, row * self.tile.height
        return (
            f"{_clock(0 if number == 0 else begin)} --> "
            f"{_clock(self.end if last else begin + self.step)}\n"
            f"{quote(sheets[sheet])}#xywh={x},{y},{self.tile.width},{self.tile.height}\n"
        )


def plan_sprite(
    media: Media, stream: VideoStream, output: SpriteOutput, where: str
) -> SpritePlan:
    """Return the plan of a film's sheets; there are never more tiles than frames.

    Raises:
        MediaError: nothing tells how long the film is.
        InvalidRecipe: a sheet would be too large, or there would be too many tiles.
    """
    length = picture_length(media, stream)
    if length is None:
        raise MediaError(
            f"{where}: the source does not tell how long it is",
            advice="Ask for thumbnails at given `times`.",
        )
    tile = fitted_size(shown_size(stream), output.width, output.height)
    frames = round(length * float(stream.average_rate or stream.frame_rate or 10))
    count, step = _tiles(output, frames, length, where)
    columns = min(output.columns, count)
    rows = min(output.rows, ceil(count / columns))
    _check_sheet(tile, columns, rows, where)
    late = max(0.0, media.begin_of(stream))
    first = round(late * 1000)
    return SpritePlan(
        stream=stream.index,
        tile=tile,
        columns=columns,
        rows=rows,
        count=count,
        first=first,
        step=step,
        inside=step // 2 if output.interval is None and frames > 1 else 0,
        end=max(first + round(length * 1000), first + (count - 1) * step + 1),
        quality=output.quality,
    )


def _tiles(output: SpriteOutput, frames: int, length: float, where: str) -> tuple[int, int]:
    """Return how many tiles there are, and the milliseconds of one."""
    if output.interval is not None:
        count = max(1, ceil(length / output.interval - 1e-6))
        if count > _MOST_TILES:
            raise InvalidRecipe(
                f"{where}.interval: would make {count} pictures; allowed: {_MOST_TILES}"
            )
        return count, round(output.interval * 1000)
    count = max(1, min(output.count or 1, frames))
    return count, max(1, int(length * 1000 / count))


def _check_sheet(tile: Size, columns: int, rows: int, where: str) -> None:
    width, height = tile.width * columns, tile.height * rows
    if max(width, height) > _LARGEST_SHEET:
        raise InvalidRecipe(
            f"{where}: a sheet would be {width}x{height}; allowed are {_LARGEST_SHEET} "
            "pixels a side, with fewer columns and rows or smaller pictures"
        )


def _clock(millis: int) -> str:
    seconds, rest = divmod(millis, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest:03}"
