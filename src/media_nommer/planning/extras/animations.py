"""Short moving pictures: pieces of a film, as GIF, animated WebP or AVIF."""

import math
from dataclasses import dataclass
from fractions import Fraction

from media_nommer.core.errors import InvalidRecipe, MediaError, OutputDamaged
from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.extras import AnimationFormat, AnimationOutput
from media_nommer.planning.inputs.reading import Source, opened
from media_nommer.planning.pictures.frames import (
    Fields,
    any_of,
    chain,
    standard,
    whole_frames,
)
from media_nommer.planning.pictures.moments import picture_length
from media_nommer.planning.pictures.sizes import Size, fitted_size, shown_size
from media_nommer.planning.pictures.timing import exact_rate

_SMALLEST_AVIF = 64  # pixels of a side: the encoder takes no smaller ones
_SLACK = 2  # frames: where the first and the last of a piece go is the filter's to say
_CRF_BEST, _CRF_WORST = 18, 63
_VP8_START = b"\x9d\x01\x2a"  # of a key frame; its sides follow


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimationPlan:
    """The pieces of one output, as (first, last) frames of the film at ``rate``."""

    stream: int
    format: AnimationFormat
    size: Size
    rate: Fraction
    pieces: tuple[tuple[int, int], ...]
    quality: int
    loop: bool

    @property
    def frames(self) -> int:
        """How many there will be, to within the slack of each piece."""
        return sum(last - first + 1 for first, last in self.pieces)

    @property
    def slack(self) -> int:
        """How many may be missing, or too many."""
        return _SLACK * len(self.pieces)

    def filters(self, stream: VideoStream, fields: Fields, label: str) -> str:
        """Return the filters to the pieces, one after the other.

        ``label`` sets those of a GIF apart, whose colours come from all of its frames.
        """
        within = any_of([f"between(n,{first},{last})" for first, last in self.pieces])
        return chain(
            whole_frames(fields),
            f"fps=fps={self.rate}:start_time=0",
            f"select='{within}'",
            f"setpts=N/({self.rate}*TB)",
            standard(stream, self.size),
            self._pixels(label),
        )

    def sought(self, source: Source) -> tuple[str, ...]:
        """Return one input for each piece, which FFmpeg decodes from the key frame on."""
        words: list[str] = []
        for first, last in self.pieces:
            begin = float(first / self.rate)
            length = float((last - first + 2) / self.rate)
            sought = ("-ss", f"{begin:.6f}") if first else ()
            words += opened(source, 1, *sought, "-t", f"{length:.6f}")
        return tuple(words)

    def joined(
        self, stream: VideoStream, fields: Fields, label: str, first_input: int
    ) -> str:
        """Return the graph from such inputs to what the encoder takes."""
        parts = [
            f"[{first_input + n}:{stream.index}]"
            + chain(
                whole_frames(fields),
                f"fps=fps={self.rate}:start_time=0",
                f"trim=end_frame={last - first + 1}[{label}i{n}]",
            )
            for n, (first, last) in enumerate(self.pieces)
        ]
        all_ = "".join(f"[{label}i{n}]" for n in range(len(parts)))
        rest = chain(
            f"concat=n={len(parts)}",
            f"setpts=N/({self.rate}*TB)",
            standard(stream, self.size),
            self._pixels(label),
        )
        return ";".join((*parts, f"{all_}{rest}"))

    def options(self, threads: int) -> tuple[str, ...]:
        """Return the options of encoder and muxer."""
        loop = "0" if self.loop else {"gif": "-1", "webp": "1", "avif": "1"}[self.format]
        encoder: tuple[str, ...] = ("-c:v", "gif")
        if self.format == "webp":
            encoder = ("-c:v", "libwebp_anim", "-q:v", str(self.quality))
        elif self.format == "avif":
            crf = _CRF_WORST - round((_CRF_WORST - _CRF_BEST) * self.quality / 100)
            speed = ("-c:v", "libsvtav1", "-preset", "8", "-crf", str(crf))
            encoder = (*speed, "-svtav1-params", f"lp={min(threads, 6)}")
        return (
            *("-map_metadata", "-1", *encoder, "-threads:v", str(threads)),
            *("-fflags", "+bitexact", "-flags:v", "+bitexact"),
            *("-loop", loop, "-f", self.format),
        )

    def _pixels(self, label: str) -> str:
        if self.format != "gif":
            return "format=yuv420p"
        return (
            f"split[{label}a][{label}b];[{label}a]palettegen=stats_mode=diff[{label}p];"
            f"[{label}b][{label}p]paletteuse=dither=bayer:bayer_scale=4"
        )


def plan_animation(
    media: Media, stream: VideoStream, output: AnimationOutput, where: str
) -> AnimationPlan:
    """Return the plan of a film's pieces; a film that is shorter is taken whole.

    Raises:
        MediaError: nothing tells how long the film is, and there are several pieces.
        InvalidRecipe: the picture is too small for the format.
    """
    size = fitted_size(shown_size(stream), output.width, output.height)
    form = output.format or "gif"
    if form == "avif" and min(size.width, size.height) < _SMALLEST_AVIF:
        raise InvalidRecipe(
            f"{where}: avif of {size.width}x{size.height} cannot be made; a side has at "
            f"least {_SMALLEST_AVIF} pixels"
        )
    length = picture_length(media, stream)
    rate = _rate(output.frame_rate, length)
    if length is None and output.pieces > 1:
        raise MediaError(
            f"{where}: the source does not tell how long it is",
            advice="Ask for one piece: `pieces: 1`.",
        )
    late = max(0.0, media.begin_of(stream))
    return AnimationPlan(
        stream=stream.index,
        format=form,
        size=size,
        rate=rate,
        pieces=_pieces(output, late, length, rate),
        quality=output.quality,
        loop=output.loop,
    )


def _rate(said: float, length: float | None) -> Fraction:
    """Return the rate of the pieces, at which even the shortest film has a frame."""
    rate = exact_rate(said)
    if not length or length * rate >= 1:
        return rate
    return Fraction(math.ceil(1 / length))


def _pieces(
    output: AnimationOutput, late: float, length: float | None, rate: Fraction
) -> tuple[tuple[int, int], ...]:
    frames = max(1, round(output.seconds * rate))
    first = round(late * rate)
    if length is None:
        return ((first, first + frames - 1),)
    there = max(1, int(length * rate))
    if frames * output.pieces >= there:
        return ((first, first + there - 1),)
    apart = Fraction(there, output.pieces)
    begins = [first + int(apart * n + (apart - frames) / 2) for n in range(output.pieces)]
    return tuple((begin, begin + frames - 1) for begin in begins)


def check_animation(plan: AnimationPlan, size: Size, frames: int) -> None:
    """Do nothing if what was made is what was planned.

    Raises:
        OutputDamaged: it is not.
    """
    if size != plan.size:
        raise OutputDamaged(
            f"planned a picture of {plan.size.width}x{plan.size.height}, "
            f"the output has {size.width}x{size.height}"
        )
    merged = plan.format == "webp"  # frames that are alike become one
    most, least = plan.frames + plan.slack, 1 if merged else plan.frames - plan.slack
    if not least <= frames <= most:
        raise OutputDamaged(f"planned {plan.frames} frames, the output has {frames}")


def webp_frames(data: bytes) -> tuple[Size, int]:
    """Return the size and the number of frames of a WebP file; one frame is a still.

    Raises:
        OutputDamaged: it is none.
    """
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8 " and data[23:26] == _VP8_START:
        sides = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        return Size(*sides), 1
    if data[:4] != b"RIFF" or data[8:16] != b"WEBPVP8X" or len(data) < 30:
        raise OutputDamaged("the output is no animated WebP")
    size = Size(*(int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27)))
    frames, at = 0, 12
    while at + 8 <= len(data):
        frames += data[at : at + 4] == b"ANMF"
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    if at != len(data):
        raise OutputDamaged("the output is cut short")
    return size, frames
