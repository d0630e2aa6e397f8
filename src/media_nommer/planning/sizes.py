"""How large a picture becomes: its size as shown, and its fit into a box."""

from dataclasses import dataclass
from fractions import Fraction

from media_nommer.core.media import VideoStream

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


def fitted_size(
    shown: Size,
    box_width: int | None,
    box_height: int | None,
    *,
    turn_box: bool = False,
    smallest: int = 2,
) -> Size:
    """Return the largest even size of the shape of ``shown`` that it and the box hold.

    4:2:0 colour needs even sides; a side is never under ``smallest`` pixels, which alone
    may exceed a very small picture.
    """
    if turn_box and box_width and box_height:
        upright, box_upright = shown.height > shown.width, box_height > box_width
        if upright != box_upright:
            box_width, box_height = box_height, box_width
    factor = min(
        Fraction(1),
        Fraction(box_width or shown.width, shown.width),
        Fraction(box_height or shown.height, shown.height),
    )
    return Size(
        _even(shown.width * factor, min(box_width or shown.width, shown.width), smallest),
        _even(
            shown.height * factor, min(box_height or shown.height, shown.height), smallest
        ),
    )


def _even(side: Fraction, limit: int, smallest: int) -> int:
    """Return the even number nearest to ``side`` that is not above ``limit``."""
    nearest = 2 * round(side / 2)
    return max(smallest, min(nearest, limit - limit % 2))
