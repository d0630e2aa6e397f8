"""What the graph makes for an encoder: outputs of one look take the same picture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from media_nommer.core.media import VideoStream
from media_nommer.planning.drawing import NO_DRAWING, Drawing, may_shrink
from media_nommer.planning.effects import NO_EFFECTS, Effects
from media_nommer.planning.extras.extras import drawn_plan
from media_nommer.planning.pictures.frames import Fields
from media_nommer.planning.pictures.shapes import Shape
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.video import VideoPlan

_CASCADE = Fraction(5, 4)  # nearer sizes than this come from the source: two scalings blur


@dataclass(frozen=True, slots=True)
class Look:
    """One picture as an encoder takes it. ``rate`` is the one to convert to, if any."""

    shape: Shape
    pixels: str
    rate: Fraction | None = None
    fields: Fields = "none"
    tone_mapped: bool = False
    from_start: bool = False
    effects: Effects = NO_EFFECTS
    drawing: Drawing = NO_DRAWING
    pace: float = 1.0

    def can_come_from(self, other: "Look") -> bool:
        """Say whether ``other`` is the same but for being enough larger."""
        own, theirs = self.shape, other.shape
        wide = Fraction(theirs.scaled.width, own.scaled.width)
        high = Fraction(theirs.scaled.height, own.scaled.height)
        same = replace(self, shape=theirs) == other and own.crop == theirs.crop
        over_all = self.effects.fades.any or self.drawing.any
        lost = self.effects.need_the_source or (own.padded and over_all)
        bent = self.drawing.any and not may_shrink(wide, high)
        lost = lost or bent or theirs.padded
        return same and not lost and min(wide, high) >= _CASCADE


def look_of(video: VideoPlan) -> Look:
    """Return what the graph has to make for an output."""
    rate = video.timing.rate if video.timing.kind == "converted" else None
    return Look(
        video.shape,
        video.pixel_format,
        rate=rate,
        fields=video.fields,
        tone_mapped=video.tone_mapped,
        from_start=video.from_start,
        effects=video.effects,
        drawing=video.drawing,
        pace=video.pace,
    )


def drawn(output: OutputPlan) -> bool:
    """Say whether the graph makes a picture for an output: copies need none."""
    return is_pictures(output) or (
        output.video is not None and output.video.codec != "copy"
    )


def is_pictures(output: OutputPlan) -> bool:
    """Say whether an output is pictures out of the film, at their own times."""
    return output.thumbnails is not None or drawn_plan(output.extra) is not None


def common_fields(stream: VideoStream, outputs: Sequence[OutputPlan]) -> Fields | None:
    """Return which fields all pictures are made whole of, None where they differ."""
    wanted = {look.fields for look in looks_of(outputs)}
    if any(is_pictures(output) for output in outputs):
        wanted.add("flagged" if stream.interlaced else "none")
    return wanted.pop() if len(wanted) == 1 else None


def looks_of(outputs: Sequence[OutputPlan]) -> list[Look]:
    """Return the looks of all films, the largest first, each once."""
    found = {look_of(o.video) for o in outputs if o.video and drawn(o)}
    return sorted(
        found,
        key=lambda look: (
            *(-look.shape.scaled.width * look.shape.scaled.height,),
            *(-look.shape.scaled.width, repr(look)),
        ),
    )
