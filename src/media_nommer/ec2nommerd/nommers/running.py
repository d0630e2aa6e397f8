"""Running the encoder, with word of how far it is."""

from collections.abc import Sequence

from media_nommer.core.media import Media
from media_nommer.core.ports.encoder import Progress
from media_nommer.ec2nommerd.nommers.fetching import Kit
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.plan import OutputPlan

#: The share of an attempt's progress that is encoding; the rest is checks and keeping.
_ENCODING_SHARE = 0.98


def encoded(
    kit: Kit,
    work: Work,
    argv: Sequence[str],
    plans: Sequence[OutputPlan],
    media: Media,
    begin: float = 0.0,
    end: float = _ENCODING_SHARE,
) -> int | None:
    """Run the encoder; return how many frames it made, None where it told of none.

    It takes the attempt from one share of its progress to another.
    """
    lengths = [plan.duration for plan in plans if plan.duration is not None]
    length = max(lengths, default=media.duration)
    frames: int | None = None

    def on_progress(progress: Progress) -> None:
        nonlocal frames
        frames = progress.frame
        if length and progress.out_time is not None:
            share = (end - begin) * min(progress.out_time / length, 1.0)
            work.report(begin + share, progress.speed)

    if argv:  # what goes with a film may need no encoder
        work.encode(kit.encoder, argv, on_progress=on_progress)
    return frames
