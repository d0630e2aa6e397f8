"""How much room outputs will need, so that a full disk is found before the encode is."""

from collections.abc import Sequence

from media_nommer.core.media import Media
from media_nommer.planning.plan import OutputPlan

#: Bits a pixel that a film at our default qualities rarely exceeds.
_BITS_A_PIXEL = 0.2
_USUAL_RATE = 30.0
_PICTURE_BITS_A_PIXEL = 2.0

#: For logs, indices, and what the file system adds.
_SPARE = 16_000_000


def expected_bytes(plans: Sequence[OutputPlan], media: Media) -> int:
    """Return about how many bytes the outputs will take; more rather than less.

    Where no length is known, each film is taken to be as large as the source.
    """
    return _SPARE + sum(_expected(plan, media) for plan in plans)


def _expected(plan: OutputPlan, media: Media) -> int:
    if plan.thumbnails:
        pixels = plan.thumbnails.width * plan.thumbnails.height
        return int(len(plan.thumbnails.times) * pixels * _PICTURE_BITS_A_PIXEL / 8)
    if media.duration is None:
        return media.size
    bits = 0.0
    if plan.video:
        rate = float(plan.video.timing.rate or _USUAL_RATE)
        pixels = plan.video.width * plan.video.height
        bits += pixels * rate * _BITS_A_PIXEL * media.duration
    if plan.audio:
        bits += plan.audio.bitrate * 1000 * media.duration
    return int(bits / 8)
