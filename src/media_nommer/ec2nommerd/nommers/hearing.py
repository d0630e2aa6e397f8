"""Measuring how loud sounds are, before they are made as loud as asked."""

from collections.abc import Sequence

from media_nommer.core.errors import EncodeError
from media_nommer.ec2nommerd.nommers.base import Work
from media_nommer.ec2nommerd.nommers.fetching import Kit
from media_nommer.planning.ffmpeg import measure_commands
from media_nommer.planning.loudness import Measured, measured_in
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.reading import Source


def measured_sounds(
    kit: Kit, work: Work, plans: Sequence[OutputPlan], source: Source
) -> dict[str, Measured]:
    """Return how loud the sounds are whose outputs are to have a certain loudness.

    Raises:
        EncodeError: the encoder did not tell.
    """
    found: dict[str, Measured] = {}
    for command in measure_commands(plans, source=source, threads=kit.threads):
        encoded = work.encode(kit.encoder, command.argv)
        measured = measured_in(encoded.log_tail)
        if measured is None:
            raise EncodeError(
                "FFmpeg did not tell how loud the sound is", log_tail=encoded.log_tail
            )
        found |= dict.fromkeys(command.sounds, measured)
    return found
