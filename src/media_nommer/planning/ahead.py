"""What may be on its way to storage before its encoder is done."""

from collections.abc import Sequence

from media_nommer.planning.ffmpeg import Produced
from media_nommer.planning.plan import OutputPlan


def sent_ahead(
    outputs: Sequence[OutputPlan], produces: Sequence[Produced]
) -> tuple[str, ...]:
    """Return the files of an encode that are published as they are left, or almost.

    Of others files are made yet: segments are cut out of them, frames encrypted. Pictures
    and texts are too small for it.
    """
    whole = {output.index for output in outputs if _whole(output)}
    return tuple(made.path for made in produces if made.output in whole)


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
