"""What is drawn onto a picture: subtitles, then images, then text, for FFmpeg's filters.

Nothing that a recipe says stands in a graph: text goes through files that we write, images
and subtitles through files that we fetch, and all are called by names of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256

from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.documents import Video
from media_nommer.core.recipes.drawn import (
    TIMECODE,
    BurnIn,
    DrawnText,
    Position,
    Watermark,
)
from media_nommer.planning.inputs.cutting import Cut
from media_nommer.planning.pictures.light import plain_white
from media_nommer.planning.pictures.sizes import Size
from media_nommer.planning.pictures.timing import Timing
from media_nommer.planning.texts.subtitles import Track, chosen_subtitles

#: Where the font for text lies in scratch, and what it calls itself.
FONT_FOLDER, FONT, FAMILY = "fonts", "fonts/text.ttf", "DejaVu Sans"

_LEAST_LETTER = 6  # pixels
_LINES = 288  # of the picture that FFmpeg thinks of when it makes SubRip into ASS
_BENT = Fraction(1, 50)  # by so much may sides of a smaller picture differ in their scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An image over the picture. ``where`` is its place in the recipe."""

    url: str
    said: Watermark
    where: str = field(default="", compare=False)

    @property
    def path(self) -> str:
        """What it is called in scratch."""
        return f"mark-{_digest(self.url)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """Text over the picture; ``content`` is what FFmpeg expands for each frame."""

    content: str
    said: DrawnText

    @property
    def path(self) -> str:
        """What the file with the content is called in scratch."""
        return f"drawn-{_digest(self.content)}.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Burnt:
    """Subtitles as a part of the picture: a ``track`` of text, or a stream of pictures."""

    stream: int
    size: float
    track: Track | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """All that is drawn onto one picture."""

    burnt: Burnt | None = None
    marks: tuple[Mark, ...] = ()
    letterings: tuple[Lettering, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        return self != NO_DRAWING

    @property
    def needs_font(self) -> bool:
        """Whether any of it is text."""
        return bool(self.letterings or (self.burnt and self.burnt.track))


NO_DRAWING: Drawing = Drawing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What is drawn onto: a picture's size, its pixels, their colours; ``label`` is free.

    ``images`` are the numbers of the inputs that hold them, by their paths.
    """

    size: Size
    pixels: str
    matrix: str
    white: float
    label: str
    images: Mapping[str, int]

    @property
    def short(self) -> int:
        """The shorter side."""
        return min(self.size.width, self.size.height)


def plan_drawing(media: Media, video: Video, timing: Timing, where: str) -> Drawing:
    """Return what a recipe has drawn onto a picture.

    Raises:
        NoStreams: the source has no such subtitles.
    """
    marks = tuple(
        Mark(url=said.url, said=said, where=f"{where}.watermarks[{number}]")
        for number, said in enumerate(video.watermarks)
    )
    letterings = tuple(
        Lettering(content=_content(said.text, timing.rate), said=said)
        for said in video.texts
    )
    burnt = _burnt(media, video.burn_in, where) if video.burn_in else None
    return Drawing(burnt=burnt, marks=marks, letterings=letterings)


def may_shrink(wide: Fraction, high: Fraction) -> bool:
    """Say whether what was drawn keeps its shape in a picture scaled by so much."""
    return abs(wide / high - 1) <= _BENT


def drawn_over(chain: str, drawing: Drawing, canvas: Canvas) -> str:
    """Return a chain of filters with those behind it that draw on its picture."""
    if drawing.burnt and drawing.burnt.track:
        chain += f",{_subtitles(drawing.burnt, drawing.burnt.track, canvas)}"
    for number, mark in enumerate(drawing.marks):
        chain = _with_mark(chain, mark, canvas, number)
    for lettering in drawing.letterings:
        chain += f",{_drawtext(lettering, canvas)}"
    return chain


def subtitle_pictures(
    chain: str, drawing: Drawing, stream: VideoStream, cut: Cut | None, label: str
) -> str:
    """Return a chain whose picture is still the source's with its subtitles' over it.

    They are as large as it, or as its width or height where their shape is another.
    """
    burnt = drawing.burnt
    if burnt is None or burnt.track is not None:
        return chain
    upright = stream.rotation % 180 == 0
    sides = (stream.width, stream.height)
    width, height = sides if upright else sides[::-1]
    shift = f"setpts=PTS-{cut.first:.6f}/TB," if cut and cut.first > 0 else ""
    white = _brightness(plain_white(stream))
    bright = f"format=rgba,colorchannelmixer={white[1:]}," if white else ""
    return (
        f"{chain or 'null'}[{label}b];[0:{burnt.stream}]{shift}{bright}"
        f"scale={width}:{height}:force_original_aspect_ratio=decrease[{label}t];"
        f"[{label}b][{label}t]overlay=x=(W-w)/2:y=(H-h)/2:eof_action=pass:format=auto"
    )


def _burnt(media: Media, said: BurnIn, where: str) -> Burnt:
    stream = chosen_subtitles(media.subtitles, said, f"{where}.burn_in")
    track = Track(stream=stream.index, encoding=said.encoding) if stream.is_text else None
    return Burnt(stream=stream.index, size=said.size, track=track)


def _content(text: str, rate: Fraction | None) -> str:
    r"""Return a text as FFmpeg's drawtext expands it: ``\`` and ``%`` mean more there."""
    parts = (
        part.replace("\\", "\\\\").replace("%", "\\%") for part in text.split(TIMECODE)
    )
    return _timecode(rate).join(parts)


def _timecode(rate: Fraction | None) -> str:
    """Return what is expanded to hours, minutes, seconds and frames, none dropped.

    Where frames have no rate they are thousandths of a second.
    """
    if rate is None:
        frame, count, last = "floor(t*1000+0.5)", 1000, ".%{{eif:mod({},{}):d:3}}"
    else:
        frame, count = f"floor(t*{rate}+0.5)", max(1, round(rate))
        last = ":%{{eif:mod({},{}):d:2}}"
    clock = ":".join(
        f"%{{eif:{part}:d:2}}"
        for part in (
            f"floor({frame}/{3600 * count})",
            f"mod(floor({frame}/{60 * count}),60)",
            f"mod(floor({frame}/{count}),60)",
        )
    )
    return clock + last.format(frame, count)


def _with_mark(chain: str, mark: Mark, canvas: Canvas, number: int) -> str:
    said, label = mark.said, f"{canvas.label}{number}"
    margin = _even(said.margin * canvas.short)
    width = max(2, _even(said.width * canvas.size.width))
    height = max(2, canvas.size.height - 2 * margin)
    bits = "10le" if canvas.pixels.endswith("10le") else ""
    chroma = canvas.pixels.removeprefix("yuv")[:3]
    x, y = _place(said.position, str(margin), ("W-w", "H-h"), even=True)
    return (
        f"{chain}[{label}b];[{canvas.images[mark.path]}:v:0]trim=end_frame=1,format=rgba,"
        f"colorchannelmixer=aa={said.opacity:g}{_brightness(canvas.white)},"
        f"scale={width}:{height}:force_original_aspect_ratio=decrease"
        f":force_divisible_by=2:out_color_matrix={canvas.matrix}:out_range=tv,setsar=1,"
        f"format=yuva{chroma}p{bits}[{label}m];"
        f"[{label}b][{label}m]overlay=x={x}:y={y}:eof_action=repeat"
        f":format=yuv{chroma}{'p10' if bits else ''}{_enabled(said)}"
    )


def _drawtext(lettering: Lettering, canvas: Canvas) -> str:
    said = lettering.said
    size = max(_LEAST_LETTER, round(said.size * canvas.short))
    margin = round(said.margin * canvas.short)
    if said.background:
        border = max(1, round(size / 4))
        behind = (
            f"box=1:boxcolor={_color(said.background, canvas.white)}:boxborderw={border}"
        )
        margin += border
    else:
        behind = f"borderw={max(1, round(size / 14))}:bordercolor=0x000000@0.6"
    x, y = _place(said.position, str(margin), ("w-text_w", "h-text_h"))
    side = {"left": "L", "right": "R"}.get(said.position.rpartition("-")[2], "C")
    return (
        f"drawtext=fontfile={FONT}:textfile={lettering.path}:fontsize={size}"
        f":fontcolor={_color(said.color, canvas.white)}:{behind}"
        f":text_align={side}:x={x}:y={y}{_enabled(said)}"
    )


def _subtitles(burnt: Burnt, track: Track, canvas: Canvas) -> str:
    """Return the filter that draws text as SubRip has it, in our font."""
    points = burnt.size * canvas.short * _LINES / canvas.size.height
    level = round(255 * canvas.white)
    style = (
        f"FontName={FAMILY},FontSize={points:.2f},"
        f"PrimaryColour=&H00{level:02X}{level:02X}{level:02X}"
    )
    return f"subtitles=f={track.path}:fontsdir={FONT_FOLDER}:force_style='{style}'"


def _place(
    position: Position, margin: str, far: tuple[str, str], *, even: bool = False
) -> tuple[str, str]:
    """Return where something stands across and down, with so much room to the edges."""
    words = position.split("-")
    return (
        _along("left" in words, "right" in words, margin, far[0], even=even),
        _along("top" in words, "bottom" in words, margin, far[1], even=even),
    )


def _along(near: bool, at_end: bool, margin: str, far: str, *, even: bool) -> str:
    if near:
        return margin
    if at_end:
        return f"{far}-{margin}"
    return f"2*floor(({far})/4)" if even else f"({far})/2"


def _enabled(said: Watermark | DrawnText) -> str:
    """Return when it is there, for the end of a filter's options."""
    terms = [f"gte(t,{said.start:g})"] if said.start else []
    if said.end is not None:
        terms.append(f"lt(t,{said.end:g})")
    return f":enable='{'*'.join(terms)}'" if terms else ""


def _brightness(white: float) -> str:
    return f":rr={white:g}:gg={white:g}:bb={white:g}" if white < 1 else ""


def _color(color: str, white: float) -> str:
    """Return a colour of a recipe for FFmpeg, as bright as the film's own white."""
    parts = [int(color[at : at + 2], 16) for at in range(1, len(color), 2)]
    shown = "".join(f"{round(part * white):02x}" for part in parts[:3])
    return f"0x{shown}@{parts[3] / 255:.3f}" if len(parts) > 3 else f"0x{shown}"


def _even(pixels: float) -> int:
    return 2 * round(pixels / 2)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
