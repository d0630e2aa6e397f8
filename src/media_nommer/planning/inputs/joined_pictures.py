"""The picture of a film that is made of several: what all pieces are made alike in."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.media import VideoStream
from media_nommer.core.recipes.inputs import Join
from media_nommer.planning.inputs.pieces import Piece
from media_nommer.planning.pictures.colours import is_rgb, is_told, matrix_of
from media_nommer.planning.pictures.frames import chain, whole_frames
from media_nommer.planning.pictures.light import is_hdr, made_standard
from media_nommer.planning.pictures.sizes import Size, even_below, fitted_size, shown_size
from media_nommer.planning.pictures.timing import exact_rate

_USUAL_RATE = Fraction(25)  # of pictures that do not move
_SLOWEST, _FASTEST = Fraction(1), Fraction(240)
_FINE, _COARSE = Fraction(1, 1_000_000), Fraction(1, 1000)  # of what may be off the grid
_BT709 = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all pieces are made: ``transfer`` is that of a high dynamic range, if any."""

    size: Size
    rate: Fraction
    pixels: str
    transfer: str | None = None

    @property
    def depth(self) -> int:
        """Bits of each component of a pixel."""
        return 10 if self.pixels.endswith("10le") else 8

    def stream(self, index: int, frames: int | None, length: float | None) -> VideoStream:
        """Return what an inspection would find of the joined film."""
        hdr = self.transfer is not None
        return VideoStream(
            index=index,
            codec="wrapped_avframe",
            width=self.size.width,
            height=self.size.height,
            frame_rate=self.rate,
            average_rate=self.rate,
            frames=frames,
            duration=length,
            start_time=0.0,
            time_base=_FINE if frames is not None else _COARSE,
            pixel_format=self.pixels,
            bit_depth=self.depth,
            color_primaries="bt2020" if hdr else "bt709",
            color_transfer=self.transfer or "bt709",
            color_space="bt2020nc" if hdr else "bt709",
            color_range="tv",
            default=True,
        )


def frame_of(pieces: Sequence[Piece], join: Join) -> Frame | None:
    """Return what the pictures of all pieces become, None where none has a picture.

    What the recipe does not say is as in the first film, or else in the first still.

    Raises:
        InvalidRecipe: some are of a high dynamic range, and not all of the same.
    """
    seen = [piece for piece in pieces if piece.picture is not None]
    if not seen:
        return None
    first = next((piece for piece in seen if not piece.is_still), seen[0])
    stream = first.picture
    assert stream is not None
    transfer = _transfer(seen, first, join)
    rate = exact_rate(join.frame_rate) if join.frame_rate else first.rate
    rate = exact_rate(float(rate or _USUAL_RATE))
    return Frame(
        size=_size(stream, join),
        rate=min(max(rate, _SLOWEST), _FASTEST),
        pixels=_pixels(stream, deep=transfer is not None),
        transfer=transfer,
    )


def picture_fitted(stream: VideoStream, size: Size) -> str:
    """Return the filters that make a picture as large as the film, and nothing else."""
    inner = _inner(stream, size)
    return chain(
        f"scale={inner.width}:{inner.height}:out_range=tv,setsar=1", _padded(inner, size)
    )


def picture_chain(piece: Piece, frame: Frame) -> str:
    """Return the filters from a piece's picture to the frame.

    FFmpeg itself turns rotated pictures before. A piece without a picture is black for as
    long as its sound.

    Raises:
        InvalidRecipe: nothing tells how long it has to be.
    """
    frames, stream = piece.frames(frame.rate), piece.picture
    if (stream is None or piece.is_still) and frames is None:
        what = "is a still picture" if stream else "has no picture"
        raise InvalidRecipe(f"{piece.where}: {what}; say its `duration`, in seconds")
    if stream is None:
        size = f"{frame.size.width}x{frame.size.height}"
        black = f"color=c=black:s={size}:r={frame.rate},format={frame.pixels}"
        return chain(black, _tags(frame), f"trim=end_frame={frames}")
    cut = None if piece.is_still else piece.cut
    return f"[{piece.file}:{stream.index}]" + chain(
        cut.picture_filters() if cut else "",
        whole_frames("flagged" if stream.interlaced else "none"),
        "" if piece.is_still else f"fps={frame.rate}:start_time=0",
        *_fitted(stream, frame),
        *_exactly(piece, frame, frames),
    )


def _exactly(piece: Piece, frame: Frame, frames: int | None) -> tuple[str, ...]:
    """Return the filters that leave so many frames, or the few that are missing less."""
    if piece.is_still:
        return (
            "loop=loop=-1:size=1:start=0",
            f"setpts=N/({frame.rate}*TB)",
            f"fps={frame.rate}:start_time=0",
            f"trim=end_frame={frames}",
        )
    if frames is None:
        return ()
    missing = piece.missing(frame.rate)
    return (f"tpad=stop={missing}:stop_mode=clone", f"trim=end_frame={frames}")


def _fitted(stream: VideoStream, frame: Frame) -> tuple[str, ...]:
    """Return the filters that make a picture the frame's: its size, light and pixels."""
    inner = _inner(stream, frame.size)
    scale = f"scale={inner.width}:{inner.height}:out_range=tv"
    standard = made_standard(stream, scale, frame.pixels)
    if frame.transfer is None and standard:
        light: tuple[str, ...] = (standard,)
    elif is_hdr(stream):
        light = (scale, "setsar=1")
    else:
        light = (*_guessed(stream), f"{scale}:out_color_matrix=bt709", "setsar=1")
    padded = _padded(inner, frame.size)
    return (*light, f"format={frame.pixels}", _tags(frame), padded)


def _inner(stream: VideoStream, size: Size) -> Size:
    return fitted_size(shown_size(stream), size.width, size.height, upscale=True)


def _padded(inner: Size, size: Size) -> str:
    """Return the filter that puts black around a picture, where it is not as large."""
    if inner == size:
        return ""
    left, top = (size.width - inner.width) // 4 * 2, (size.height - inner.height) // 4 * 2
    return f"pad={size.width}:{size.height}:{left}:{top}:color=black"


def _guessed(stream: VideoStream) -> tuple[str, ...]:
    """Return what says of an untagged picture in which colours it is."""
    if is_told(stream) or is_rgb(stream):
        return ()
    return (f"setparams=colorspace={matrix_of(stream)}",)


def _tags(frame: Frame) -> str:
    if frame.transfer is None:
        return _BT709
    said = "setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020"
    return f"{said}:color_trc={frame.transfer}"


def _transfer(seen: Sequence[Piece], first: Piece, join: Join) -> str | None:
    """Return the transfer of a high dynamic range that all pieces have, if they do."""
    if join.hdr == "sdr":
        return None
    ranges = {p.where: _range_of(p.picture) for p in seen if p.picture is not None}
    wanted = ranges[first.where]
    for where, said in ranges.items():
        if said != wanted:
            raise InvalidRecipe(
                f"{where}: is of a {said or 'standard'} range, and {first.where} of a "
                f'{wanted or "standard"} one; say `"join": {{"hdr": "sdr"}}`, which makes '
                "all standard"
            )
    return wanted


def _range_of(stream: VideoStream) -> str | None:
    return stream.color_transfer if is_hdr(stream) else None


def _size(stream: VideoStream, join: Join) -> Size:
    if join.width and join.height:
        return Size(even_below(join.width), even_below(join.height))
    return fitted_size(
        shown_size(stream), join.width, join.height, smallest=16, upscale=True
    )


def _pixels(stream: VideoStream, *, deep: bool) -> str:
    """Return pixels that lose as little of the first film as those we encode from."""
    form = stream.pixel_format or ""
    chroma = "444" if is_rgb(stream) or "444" in form else "422" if "422" in form else "420"
    return f"yuv{chroma}p{'10le' if deep or stream.bit_depth > 8 else ''}"
