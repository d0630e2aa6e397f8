"""The filter graph: one decoded picture, shaped for every output that wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from media_nommer.core.media import VideoStream
from media_nommer.planning.drawing import Canvas, drawn_over, subtitle_pictures
from media_nommer.planning.extras.extras import drawn_plan, extra_filters
from media_nommer.planning.ffmpeg.looks import Look, common_fields, drawn, look_of, looks_of
from media_nommer.planning.inputs.cutting import Cut
from media_nommer.planning.pictures.colours import (
    BT709,
    is_high,
    is_rgb,
    is_told,
    is_wide,
    lines_of,
    matrix_of,
    own_tags,
)
from media_nommer.planning.pictures.frames import (
    Fields,
    chain,
    exactly,
    first_at,
    jpeg,
    whole_frames,
)
from media_nommer.planning.pictures.light import (
    is_beyond_standard,
    is_hdr,
    made_standard,
    plain_white,
)
from media_nommer.planning.pictures.shapes import Shape
from media_nommer.planning.pictures.sizes import Size
from media_nommer.planning.pictures.timing import Timing
from media_nommer.planning.plan import OutputPlan, ThumbnailPlan

_FROM_START = "setpts='if(eq(N,0),0,PTS)'"  # so that players find a picture at nought
_MATRIX = {"bt709": "bt709", "bt2020nc": "bt2020", "bt2020c": "bt2020"}
_TICKS = 100  # parts of a frame in which a snapped rate counts


@dataclass(frozen=True, slots=True)
class _Branch:
    """One scaled picture: where it comes from and which outputs take it."""

    label: str
    filters: str
    source: str
    takers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _More:
    """What else goes into a look: a free label, images, and where the film is cut."""

    label: str
    images: Mapping[str, int]
    cut: Cut | None


def video_label(output: OutputPlan) -> str:
    """Return the graph's label of the picture for an output's encoder."""
    return f"v{output.key}"


def picture_graph(
    stream: VideoStream,
    outputs: Sequence[OutputPlan],
    *,
    decoded: str | None = None,
    images: Mapping[str, int] = MappingProxyType({}),
) -> str:
    """Return the graph from the decoded ``stream`` to the picture of every output.

    Its label is ``decoded``, or that of the stream in the first input. ``images`` are the
    numbers of the inputs with what is drawn, by their paths.

    The picture is deinterlaced once and scaled in a cascade: each size comes from the next
    larger one, unless that is almost as small. FFmpeg itself turns rotated pictures before
    they reach the graph. Thumbnails come from the unscaled picture.

    Where outputs differ in what becomes of fields, each does that by itself. What becomes
    of a high dynamic range is done to the scaled picture, which is smaller.
    """
    branches = _cascade(stream, outputs, images)
    decoded, head = decoded or f"0:{stream.index}", _head(stream, outputs)
    first = _takers("src", branches)
    parts = [_part(decoded, (head,), first)] if len(first) > 1 else []
    for branch in branches:
        takers = (*branch.takers, *_takers(branch.label, branches))
        if first == (branch.label,):  # all else comes from this one: no need to split
            parts.append(_part(decoded, (head, branch.filters), takers))
        else:
            parts.append(_part(branch.label, (branch.filters,), takers))
    return ";".join(parts)


def thumbnail_filters(stream: VideoStream, plan: ThumbnailPlan) -> str:
    """Return the filters that make one picture out of a decoded frame."""
    whole = whole_frames(whole_fields(stream))
    return chain(whole, jpeg(stream, Size(plan.width, plan.height)))


def padding(shape: Shape) -> tuple[int, int]:
    """Return the pixels of colour left of a picture and above it."""
    left = (shape.size.width - shape.scaled.width) // 4 * 2
    top = (shape.size.height - shape.scaled.height) // 4 * 2
    return left, top


def whole_fields(stream: VideoStream) -> Fields:
    """Return what pictures out of a film are made whole of."""
    return "flagged" if stream.interlaced else "none"


def _cascade(
    stream: VideoStream, outputs: Sequence[OutputPlan], images: Mapping[str, int]
) -> list[_Branch]:
    looks, common = looks_of(outputs), common_fields(stream, outputs)
    cut = next((o.cut for o in outputs if o.cut), None)
    branches: list[_Branch] = []
    for number, look in enumerate(looks):
        takers = tuple(
            video_label(o)
            for o in outputs
            if o.video and drawn(o) and look_of(o.video) == look
        )
        parent = _parent(look, looks[:number])
        source = "src" if parent is None else f"s{parent}"
        own = look.fields if common is None else "none"
        if parent is None:
            more = _More(f"s{number}", images, cut)
            filters = _first(stream, look, own, more)
        else:
            filters = _scale_again(look.shape)
        branches.append(_Branch(f"s{number}", filters, source, takers))
    own = whole_fields(stream) if common is None else "none"
    for output in outputs:
        if filters := _picked(stream, output, own):
            label, taker = f"p{output.index}", video_label(output)
            branches.append(_Branch(label, filters, "src", (taker,)))
    return branches


def _picked(stream: VideoStream, output: OutputPlan, fields: Fields) -> str:
    """Return the filters to pictures out of the film; none for what is no pictures."""
    if output.thumbnails:
        return _select(stream, output.thumbnails, fields)
    if plan := drawn_plan(output.extra):
        return extra_filters(plan, stream, fields, index=output.index)
    return ""


def _parent(look: Look, larger: Sequence[Look]) -> int | None:
    """Return the place of the nearest larger look that this can be made from, or None."""
    return next(
        (n for n in reversed(range(len(larger))) if look.can_come_from(larger[n])), None
    )


def _first(stream: VideoStream, look: Look, fields: Fields, more: _More) -> str:
    """Return the filters from the source's picture to a look."""
    cut = look.shape.crop
    whole = whole_frames(fields)
    shaped = chain(
        subtitle_pictures(whole, look.drawing, stream, more.cut, f"{more.label}u"),
        _FROM_START if look.from_start else "",
        f"settb=AVTB,setpts=PTS/{look.pace:g}" if look.pace != 1 else "",
        "" if look.rate is None else f"fps={look.rate}",
        f"crop={cut.width}:{cut.height}:{cut.x}:{cut.y}" if cut else "",
        _scale(stream, look),
        _pad(look.shape),
        *look.effects.filters(),
    )
    drawn_on = drawn_over(shaped, look.drawing, _canvas(stream, look, more))
    return chain(drawn_on, *look.effects.fades.filters("fade"))


def _canvas(stream: VideoStream, look: Look, more: _More) -> Canvas:
    """Return what is drawn onto; its colours are the source's, unless they were changed."""
    standard = look.tone_mapped or _guessed_bt709(stream) or _becomes_bt709(stream, look)
    own = "bt2020nc" if _is_kept(stream, look) else "bt709"
    told = own if is_rgb(stream) else matrix_of(stream)
    matrix = "bt709" if standard else _MATRIX.get(told, "bt601")
    return Canvas(
        size=look.shape.size,
        pixels=look.pixels,
        matrix=matrix,
        white=1.0 if look.tone_mapped else plain_white(stream),
        label=more.label,
        images=more.images,
    )


def _pad(shape: Shape) -> str:
    """Return the filter that puts colour around a picture, which starts on even pixels."""
    if not shape.padded:
        return ""
    left, top = padding(shape)
    place = f"{shape.size.width}:{shape.size.height}:{left}:{top}"
    return f"pad={place}:color=0x{shape.color}"


def _takers(label: str, branches: Sequence[_Branch]) -> tuple[str, ...]:
    return tuple(branch.label for branch in branches if branch.source == label)


def _part(source: str, filters: Sequence[str], takers: Sequence[str]) -> str:
    split = f"split={len(takers)}" if len(takers) > 1 else ""
    chain = ",".join(piece for piece in (*filters, split) if piece)
    return f"[{source}]{chain}" + "".join(f"[{taker}]" for taker in takers)


def _head(stream: VideoStream, outputs: Sequence[OutputPlan]) -> str:
    """Return what is done once, before the picture is split up."""
    kept = (o.video.timing for o in outputs if o.video and drawn(o))
    timing = next((timing for timing in kept if timing.kind != "converted"), None)
    cut = next((o.cut for o in outputs if o.cut), None)
    pieces = [
        cut.picture_filters() if cut else "",
        whole_frames(common_fields(stream, outputs) or "none"),
        _snap(timing) if timing and timing.kind == "snapped" else "",
        BT709 if _guessed_bt709(stream) else "",
    ]
    return ",".join(piece for piece in pieces if piece)


def _snap(timing: Timing) -> str:
    """Return the filters that put rounded times back on the grid of the rate.

    A time within one and a half of the container's milliseconds of the grid is taken for
    one on it; any other stays where it is, so a gap or a change of rate does no harm.
    """
    rate = timing.rate or Fraction(25)
    near = max(1, min(_TICKS // 2 - 1, round(rate * _TICKS * Fraction(15, 10_000))))
    base = Fraction(1) / (rate * _TICKS)
    grid = f"STARTPTS+{_TICKS}*round((PTS-STARTPTS)/{_TICKS})"
    return (
        f"settb={base.numerator}/{base.denominator},"
        f"setpts='if(lte(abs({grid}-PTS),{near}),{grid},PTS)'"
    )


def _guessed_bt709(stream: VideoStream) -> bool:
    """Say whether players guess BT.709 for the source, and might not for a smaller copy."""
    return _guessed(stream) and is_high(lines_of(stream))


def _guessed_bt601(stream: VideoStream) -> bool:
    """Say whether players guess BT.601 for the source, and would not for a larger copy."""
    return _guessed(stream) and not is_high(lines_of(stream))


def _becomes_bt709(stream: VideoStream, look: Look) -> bool:
    return _guessed_bt601(stream) and is_high(look.shape.size.height)


def _guessed(stream: VideoStream) -> bool:
    return not (is_told(stream) or is_rgb(stream) or is_hdr(stream) or is_wide(stream))


def _scale(stream: VideoStream, look: Look) -> str:
    """Return the filters from the source's picture to square pixels for the encoder."""
    scale, kept = _plain_scale(look.shape.scaled), _is_kept(stream, look)
    brought = look.tone_mapped or (is_rgb(stream) and not kept)
    if brought and (standard := made_standard(stream, scale, look.pixels)):
        return f"{standard},format={look.pixels}"
    if is_rgb(stream):
        matrix, tags = ("bt2020", own_tags(stream)) if kept else ("bt709", BT709)
        scale += f":out_color_matrix={matrix}"
        return f"{scale},setsar=1,format={look.pixels},{tags}"
    if _becomes_bt709(stream, look):
        scale += ":in_color_matrix=bt601:out_color_matrix=bt709"
        return f"{scale},setsar=1,format={look.pixels},{BT709}"
    return f"{scale},setsar=1,format={look.pixels}"


def _is_kept(stream: VideoStream, look: Look) -> bool:
    """Say whether a look has light or colours that BT.709 has not."""
    return is_beyond_standard(stream) and not look.tone_mapped


def _scale_again(shape: Shape) -> str:
    pad = _pad(shape)
    return f"{_plain_scale(shape.scaled)},setsar=1" + (f",{pad}" if pad else "")


def _plain_scale(size: Size) -> str:
    return f"scale={size.width}:{size.height}:out_range=tv"


def _select(stream: VideoStream, plan: ThumbnailPlan, fields: Fields) -> str:
    """Return the filters that pick the frames and nothing else.

    A frame is picked when it is the first at or after one of the times. Where a time has no
    frame of its own (a still of many seconds), the last picture is repeated, so that there
    are always as many as planned.
    """
    picture = jpeg(stream, Size(plan.width, plan.height))
    exact = exactly(len(plan.times))
    return chain(whole_frames(fields), first_at(plan.times), picture, exact)
