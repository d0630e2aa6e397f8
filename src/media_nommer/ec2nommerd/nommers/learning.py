"""The first pass of two: what it leaves is for the encoder of the second."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

from media_nommer.core.media import Media
from media_nommer.ec2nommerd.nommers.fetching import Kit
from media_nommer.ec2nommerd.nommers.running import encoded
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.ffmpeg import EncodeCommand, first_pass_command
from media_nommer.planning.ffmpeg.passes import LOG_ENDINGS
from media_nommer.planning.inputs.reading import Source
from media_nommer.planning.plan import OutputPlan

#: The share of an attempt's progress that the first pass of two is.
_FIRST_PASS_SHARE = 0.4


def first_pass(
    kit: Kit, work: Work, plans: Sequence[OutputPlan], media: Media, source: Source
) -> float:
    """Run the first of two passes where there are two; return its share of the work."""
    argv = first_pass_command(media, plans, source=source, threads=kit.threads)
    if not argv:
        return 0.0
    encoded(kit, work, argv, plans, media, 0.0, _FIRST_PASS_SHARE)
    return _FIRST_PASS_SHARE


def rename_logs(command: EncodeCommand, scratch: Path) -> None:
    """Call what the first pass left as the second one looks for it."""
    for log_, ending in product(command.logs, LOG_ENDINGS):
        left = scratch / f"{log_.left}{ending}"
        if left.exists():
            left.rename(scratch / f"{log_.wanted}{ending}")
