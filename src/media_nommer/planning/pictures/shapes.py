"""The geometry of a film: what is cut off it, how large it becomes, what is put around."""

from dataclasses import dataclass
from fractions import Fraction

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.media import VideoStream
from media_nommer.core.recipes.documents import Crop, Video
from media_nommer.planning.pictures.sizes import (
    Size,
    even_below,
    fitted_size,
    shown_size,
    turned_box,
)

_LEAST_LEFT = 2  # pixels that a crop must leave of each side


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the decoded picture, upright but with the pixels that it has."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What becomes of a picture: ``crop`` is cut out of it and becomes ``scaled`` pixels.

    They lie in the middle of ``size``; around them, if they are fewer, is ``color``.
    """

    size: Size
    scaled: Size
    crop: Area | None = None
    color: str = "000000"

    @property
    def padded(self) -> bool:
        """Whether there is anything around the picture."""
        return self.size != self.scaled


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the picture as shown, in square pixels and parts of them."""

    x: Fraction
    y: Fraction
    width: Fraction
    height: Fraction

    def narrowed(self, aspect: Fraction) -> "_Part":
        """Return the largest part of this one that has an aspect, from its middle."""
        width = min(self.width, self.height * aspect)
        height = min(self.height, self.width / aspect)
        x, y = self.x + (self.width - width) / 2, self.y + (self.height - height) / 2
        return _Part(x, y, width, height)

    @property
    def size(self) -> Size:
        return Size(max(1, round(self.width)), max(1, round(self.height)))


def shape_of(stream: VideoStream, video: Video, *, smallest: int, where: str) -> Shape:
    """Return the geometry of what a recipe makes of ``stream``.

    Raises:
        InvalidRecipe: nothing is left of the picture.
    """
    shown = shown_size(stream)
    part = _cropped(shown, video.crop, where)
    box = turned_box(part.size, video.width, video.height, turn=video.turn_box)
    width, height = box
    color = _hex(video.pad_color)
    if video.resize == "fit" or width is None or height is None:
        scaled = fitted_size(
            part.size, width, height, smallest=smallest, upscale=video.upscale
        )
        return Shape(scaled, scaled, _area(stream, shown, part))
    whole = Size(even_below(width, smallest), even_below(height, smallest))
    if video.resize == "pad":
        scaled = fitted_size(
            part.size, *(whole.width, whole.height), smallest=2, upscale=video.upscale
        )
        return Shape(whole, scaled, _area(stream, shown, part), color)
    if video.resize == "fill":
        part = part.narrowed(Fraction(width, height))
    scaled = whole if video.upscale else _not_enlarged(whole, part, video, smallest)
    return Shape(scaled, scaled, _area(stream, shown, part))


def _not_enlarged(whole: Size, part: _Part, video: Video, smallest: int) -> Size:
    """Return ``whole`` made smaller until no side of the picture is enlarged.

    A stretched one has no shape to keep, so its sides are held down one by one.
    """
    wide, high = (
        min(Fraction(1), part.width / whole.width),
        min(Fraction(1), part.height / whole.height),
    )
    if video.resize == "fill":
        wide = high = min(wide, high)
    return Size(
        even_below(whole.width * wide, smallest), even_below(whole.height * high, smallest)
    )


def _cropped(shown: Size, crop: Crop | None, where: str) -> _Part:
    width, height = Fraction(shown.width), Fraction(shown.height)
    whole = _Part(Fraction(0), Fraction(0), width, height)
    if crop is None or crop.auto:
        return whole
    if crop.aspect is not None:
        across, _, down = crop.aspect.partition(":")
        return whole.narrowed(Fraction(across) / Fraction(down))
    width, height = width - crop.left - crop.right, height - crop.top - crop.bottom
    if width < _LEAST_LEFT or height < _LEAST_LEFT:
        raise InvalidRecipe(
            f"{where}.video.crop: leaves nothing of a picture of "
            f"{shown.width}x{shown.height}"
        )
    if width < (crop.width or 0) or height < (crop.height or 0):
        raise InvalidRecipe(
            f"{where}.video.crop: goes beyond a picture of {shown.width}x{shown.height}"
        )
    corner = Fraction(crop.left), Fraction(crop.top)
    return _Part(*corner, Fraction(crop.width or width), Fraction(crop.height or height))


def _area(stream: VideoStream, shown: Size, part: _Part) -> Area | None:
    """Return a part in decoded pixels, which must be even for most films' colour."""
    upright = stream.rotation % 180 == 0
    across, down = stream.width, stream.height
    if not upright:
        across, down = down, across
    wide, high = Fraction(across, shown.width), Fraction(down, shown.height)
    if part.size == shown:
        return None
    width = _even_part(part.width * wide, across)
    height = _even_part(part.height * high, down)
    if not (width and height):
        return None  # a picture of a pixel
    x = min(2 * (round(part.x * wide) // 2), across - width)
    y = min(2 * (round(part.y * high) // 2), down - height)
    return Area(x, y, width, height)


def _even_part(side: Fraction, whole: int) -> int:
    """Return the nearest even number of pixels that a side of ``whole`` pixels holds."""
    return min(max(2, 2 * round(side / 2)), whole - whole % 2)


def _hex(color: str) -> str:
    return {"black": "000000", "white": "ffffff"}.get(color, color.removeprefix("#"))
