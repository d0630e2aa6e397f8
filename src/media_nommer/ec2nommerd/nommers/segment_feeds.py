"""Which renditions have segments that are on their way before the encode is done."""

from collections.abc import Mapping, Sequence
from functools import partial

from media_nommer.ec2nommerd.nommers.fetching import Kit
from media_nommer.ec2nommerd.nommers.locking import Locks
from media_nommer.ec2nommerd.nommers.packaging import rendition_path
from media_nommer.ec2nommerd.nommers.segmenting import (
    Cut,
    SegmentFeed,
    cut_bytes,
    cut_transport,
)
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.ahead import cut_while_written
from media_nommer.planning.plan import OutputPlan


def segment_feeds(
    kit: Kit, work: Work, plans: Sequence[OutputPlan], locks: Mapping[int, Locks]
) -> list[SegmentFeed]:
    """Return what places the segments of each rendition that can be cut as it grows."""
    transport: Cut = partial(cut_transport, partial(work.encode_aside, kit.encoder))
    return [
        SegmentFeed(
            kit.probe,
            work.scratch / rendition_path(plan, rendition.key),
            seconds=plan.adaptive.segment,
            place=work.place,
            cut=transport if plan.adaptive.segments == "ts" else cut_bytes,
            lock=locks[plan.index].whole(plan.adaptive.encryption),
        )
        for plan in plans
        if plan.adaptive is not None and cut_while_written(plan)
        for rendition in plan.adaptive.renditions
    ]
