"""Which renditions have segments that are on their way before the encode is done."""

from collections.abc import Mapping, Sequence

from media_nommer.core.ports.probe import Probe
from media_nommer.ec2nommerd.nommers.base import Work
from media_nommer.ec2nommerd.nommers.locking import Locks
from media_nommer.ec2nommerd.nommers.packaging import rendition_path
from media_nommer.ec2nommerd.nommers.segmenting import SegmentFeed
from media_nommer.planning.ahead import cut_while_written
from media_nommer.planning.plan import OutputPlan


def segment_feeds(
    probe: Probe, work: Work, plans: Sequence[OutputPlan], locks: Mapping[int, Locks]
) -> list[SegmentFeed]:
    """Return what places the segments of each rendition whose files they are cut from."""
    return [
        SegmentFeed(
            probe,
            work.scratch / rendition_path(plan, rendition.key),
            seconds=plan.adaptive.segment,
            place=work.place,
            lock=locks[plan.index].whole(plan.adaptive.encryption),
        )
        for plan in plans
        if plan.adaptive is not None and cut_while_written(plan)
        for rendition in plan.adaptive.renditions
    ]
