"""How large a picture becomes: its size as shown, and its fit into a box."""

from dataclasses import dataclass
from fractions import Fraction

from media_nommer.core.media import VideoStream

_LARGEST = 16_384  # pixels of a side
_STRANGEST_ASPECT = 10  # a sample aspect beyond 10:1 is a broken header, not a picture


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels across and down."""

    width: int
    height: int


def shown_size(stream: VideoStream) -> Size:
    """Return the size at which a player shows the picture, in square pixels.

    Squaring only ever adds pixels, in the direction that has too few, so that none are
    lost; a rotation of 90 or 270 degrees swaps the sides.
    """
    width, height = Fraction(stream.width), Fraction(stream.height)
    aspect = squared_aspect(stream.sample_aspect)
    if aspect >= 1:
        width *= aspect
    else:
        height /= aspect
    shown = Size(max(1, round(width)), max(1, round(height)))
    return Size(shown.height, shown.width) if stream.rotation % 180 == 90 else shown


def squared_aspect(aspect: Fraction) -> Fraction:
    """Return a sample aspect that can be trusted: 1 where the header has nonsense."""
    if aspect <= 0 or not Fraction(1, _STRANGEST_ASPECT) <= aspect <= _STRANGEST_ASPECT:
        return Fraction(1)
    return aspect


def turned_box(
    shown: Size, width: int | None, height: int | None, *, turn: bool
) -> tuple[int | None, int | None]:
    """Return the sides of the box, turned for an upright picture if it may be."""
    if turn and width and height:
        upright, box_upright = shown.height > shown.width, height > width
        if upright != box_upright:
            return height, width
    return width, height


def fitted_size(
    shown: Size,
    box_width: int | None,
    box_height: int | None,
    *,
    smallest: int = 2,
    upscale: bool = False,
) -> Size:
    """Return the largest even size of the shape of ``shown`` that it and the box hold.

    With ``upscale`` the box alone must hold it. 4:2:0 colour needs even sides; a side is
    never under ``smallest`` pixels, which alone may exceed a very small picture.
    """
    enlarged = upscale and bool(box_width or box_height)
    limits = Size(
        _limit(box_width, shown.width, enlarged=enlarged),
        _limit(box_height, shown.height, enlarged=enlarged),
    )
    factor = min(Fraction(limits.width, shown.width), Fraction(limits.height, shown.height))
    return Size(
        _even(shown.width * factor, limits.width, smallest),
        _even(shown.height * factor, limits.height, smallest),
    )


def even_below(side: Fraction | int, smallest: int = 2) -> int:
    """Return the largest even number that is not above ``side``, at least ``smallest``."""
    return max(smallest, 2 * int(side / 2))


def _limit(box: int | None, own: int, *, enlarged: bool) -> int:
    most = _LARGEST if enlarged else min(own, _LARGEST)  # what encoders take
    return min(box or most, most)


def _even(side: Fraction, limit: int, smallest: int) -> int:
    """Return the even number nearest to ``side`` that is not above ``limit``."""
    nearest = 2 * round(side / 2)
    return max(smallest, min(nearest, limit - limit % 2))
