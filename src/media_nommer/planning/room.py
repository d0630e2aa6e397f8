"""How much room outputs will need, so that a full disk is found before the encode is."""

from collections.abc import Sequence

from media_nommer.core.media import Media
from media_nommer.planning.extras.extras import extra_bytes
from media_nommer.planning.ffmpeg.passes import pass_bytes
from media_nommer.planning.plan import OutputPlan, single_files
from media_nommer.planning.sounds.sound import AudioPlan
from media_nommer.planning.video import VideoPlan
from media_nommer.planning.vmaf import sample_bytes

#: Bits a pixel that a film at our default qualities rarely exceeds.
_BITS_A_PIXEL = 0.2

#: The same for codecs to cut films with, where 10 bits of ProRes HQ take the most, and for
#: one that loses nothing.
_STUDIO_BITS_A_PIXEL = {"prores": 7.0, "dnxhr": 7.0, "ffv1": 16.0}
_USUAL_RATE = 30.0
_PICTURE_BITS_A_PIXEL = 2.0

#: For logs, indices, and what the file system adds.
_SPARE = 16_000_000


def expected_bytes(plans: Sequence[OutputPlan], media: Media) -> int:
    """Return about how many bytes the outputs will take; more rather than less.

    Where no length is known, each film is taken to be as large as the source.
    """
    parts = [(_copies(plan), part) for plan in plans for part in single_files([plan])]
    return _SPARE + sum(copies * _expected(part, media) for copies, part in parts)


def _copies(plan: OutputPlan) -> int:
    """Return how often an output lies in scratch.

    Segment files are cut out of others; frames are encrypted from one file into another.
    """
    if plan.adaptive is None:
        return 1
    wanted = plan.adaptive.encryption
    framed = wanted is not None and not wanted.whole
    return 1 + (plan.adaptive.segments != "ranges") + framed


def _bits_a_second(video: VideoPlan, media: Media) -> float:
    if video.codec == "copy":
        return media.size * 8 / max(media.duration or 1.0, 0.001)
    said = video.bitrate if video.bitrate is not None else video.max_bitrate
    if said is not None:
        return said * 1000
    pixels = video.width * video.height * float(video.timing.rate or _USUAL_RATE)
    return pixels * _STUDIO_BITS_A_PIXEL.get(video.codec, _BITS_A_PIXEL)


def _expected(plan: OutputPlan, media: Media) -> int:
    if plan.thumbnails:
        pixels = plan.thumbnails.width * plan.thumbnails.height
        return int(len(plan.thumbnails.times) * pixels * _PICTURE_BITS_A_PIXEL / 8)
    if plan.extra is not None:
        return extra_bytes(plan.extra.plan)
    if media.duration is None:
        return media.size
    bits, seconds = 0.0, media.duration / plan.pace
    if plan.video:
        bits += _bits_a_second(plan.video, media) * seconds
        bits += sample_bytes(plan.video) * 8 if plan.video.target_vmaf else 0
        bits += pass_bytes(plan.video) * 8
    for sound in (plan.audio, *plan.more_audio):
        bits += _sound_bits(sound) * seconds if sound else 0.0
    return int(bits / 8)


def _sound_bits(sound: AudioPlan) -> float:
    """Return the bits a second of a sound, which may be encoded once to try its level."""
    return sound.most_kbits * 1000 * (2 if sound.loudness else 1)
