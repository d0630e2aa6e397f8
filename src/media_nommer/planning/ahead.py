"""What may be on its way to storage before its encoder is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from media_nommer.planning.ffmpeg import Produced
from media_nommer.planning.packaging.names import base_name, file_name, publication_id
from media_nommer.planning.plan import OutputPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file of an encode at ``path`` in scratch, and its ``name`` when it is published.

    ``output`` is the index of its output.
    """

    output: int
    path: str
    name: str


def sent_ahead(
    outputs: Sequence[OutputPlan], produces: Sequence[Produced], attempt: str
) -> tuple[Sent, ...]:
    """Return the files of an encode that are published as they are left, or almost.

    Of others files are made yet: segments are cut out of them, frames encrypted. Pictures
    and texts are too small for it. ``attempt`` is like no other's.
    """
    whole = {output.index: output for output in outputs if _whole(output)}
    return tuple(
        Sent(
            output=made.output,
            path=made.path,
            name=_name(whole[made.output], made, attempt),
        )
        for made in produces
        if made.output in whole
    )


def cut_while_written(output: OutputPlan) -> bool:
    """Say whether the segments of an output can be cut from its renditions as they grow.

    Not those whose frames are encrypted, which are made of the whole rendition.
    """
    plan = output.adaptive
    framed = plan is not None and plan.encryption is not None and not plan.encryption.whole
    return plan is not None and plan.segments != "ranges" and not framed


def _whole(output: OutputPlan) -> bool:
    if output.extra is not None or output.thumbnails is not None:
        return False
    plan = output.adaptive
    if plan is None:
        return True
    return plan.segments == "ranges" and plan.encryption is None


def _name(output: OutputPlan, made: Produced, attempt: str) -> str:
    """Return what a file is called at its destination."""
    if output.adaptive is None:
        return made.name
    (rendition,) = (r for r in output.adaptive.renditions if r.key == made.rendition)
    base = base_name(rendition, publication_id(attempt, output.index))
    folder = PurePosixPath(output.names[0]).parent
    return str(folder / file_name(base, sound=rendition.video is None))
