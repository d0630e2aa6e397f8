"""Whether renditions fit together: players change between them at every segment."""

from collections.abc import Sequence
from fractions import Fraction

from media_nommer.core.errors import OutputDamaged
from media_nommer.core.fragments import FragmentedFile
from media_nommer.planning.packaging.packed import Packed
from media_nommer.planning.streaming.adaptive import AdaptivePlan

_NEAR = Fraction(1, 1000)  # seconds: what ticks of different length round to
_TOGETHER = Fraction(1, 200)  # seconds that a rendition may begin after the film's start


def check_renditions(plan: AdaptivePlan, made: Sequence[Packed]) -> None:
    """Do nothing if the renditions of one output can be played in turns.

    - the fragments of each file follow one another to its end;
    - each begins within 5 ms of the film's start;
    - of pictures, each fragment begins with its one key frame, and all have as many frames
      in each fragment, beginning at the same times;
    - where the rate is sure, each but the last has the planned number of frames, and each
      segment but the last the planned duration; those of sounds but for a fragment.

    Raises:
        OutputDamaged: naming the rendition and what is wrong with it.
    """
    for each in made:
        _check_bytes(each)
        if abs(each.segments[0].start) > _TOGETHER:
            start = float(each.segments[0].start)
            raise OutputDamaged(f"{_name(each)} begins {start:.3f} s after the film")
        _check_durations(plan, each)
    pictures = [each for each in made if each.rendition.video]
    for each in pictures:
        _check_groups(each)
        _check_alike(pictures[0], each)


def check_index(before: FragmentedFile, after: FragmentedFile) -> None:
    """Do nothing if a file holds the same after its index was written anew.

    Raises:
        OutputDamaged: it does not.
    """
    if (before.size, before.header, before.fragments) != (
        *(after.size, after.header, after.fragments),
    ):
        raise OutputDamaged("the index of segments was not written as it should")


def _check_bytes(packed: Packed) -> None:
    file = packed.file
    end = file.index_offset + file.index_size
    if not file.header <= file.index_offset < end == file.fragments[0].offset:
        raise OutputDamaged(f"{_name(packed)} has no index between header and fragments")
    for fragment in file.fragments:
        if fragment.offset != end:
            raise OutputDamaged(f"{_name(packed)} has something between its fragments")
        end += fragment.size
    if end != file.size:
        raise OutputDamaged(f"{_name(packed)} goes on after its last fragment")


def _check_groups(packed: Packed) -> None:
    """Refuse pictures whose key frames are elsewhere than at the planned frames."""
    video = packed.rendition.video
    assert video is not None
    timing = video.timing
    exact = timing.rate is not None and timing.gop_seconds is None
    for number, each in enumerate(packed.file.fragments):
        if not each.begins_with_key or each.keys != 1:
            raise OutputDamaged(
                f"{_name(packed)} has {each.keys} key frames in its fragment {number}"
            )
        last = number == len(packed.file.fragments) - 1
        if exact and not (each.frames <= timing.gop if last else each.frames == timing.gop):
            raise OutputDamaged(
                f"{_name(packed)} has {each.frames} frames from one key frame to the "
                f"next, planned {timing.gop}"
            )


def _check_alike(first: Packed, other: Packed) -> None:
    """Refuse pictures whose key frames are not at the same frames as the first one's."""
    own, theirs = first.file.fragments, other.file.fragments
    frames = [sum(each.frames for each in part) for part in (own, theirs)]
    if frames[0] != frames[1]:
        raise OutputDamaged(
            f"{_name(first)} has {frames[0]} frames, {_name(other)} has {frames[1]}"
        )
    for one, two in zip(own, theirs, strict=False):
        times = (
            Fraction(one.time, first.file.timescale),
            Fraction(two.time, other.file.timescale),
        )
        if one.frames != two.frames or abs(times[0] - times[1]) > _NEAR:
            raise OutputDamaged(
                f"the key frames of {_name(first)} and {_name(other)} part at "
                f"{float(times[0]):.3f} s"
            )


def _check_durations(plan: AdaptivePlan, packed: Packed) -> None:
    video = packed.rendition.video
    if video is not None and (video.timing.gop_seconds or video.from_start):
        return  # a picture may last as long as its source wants
    slack = float(_NEAR) + 0.05
    if packed.rendition.fragment is not None:
        slack += 2 * packed.rendition.fragment
    for number, part in enumerate(packed.segments[:-1]):
        if abs(float(part.duration) - plan.segment) > slack:
            raise OutputDamaged(
                f"{_name(packed)} has a segment {number} of {float(part.duration):.3f} s, "
                f"planned {plan.segment:.3f}"
            )


def _name(packed: Packed) -> str:
    return f"rendition {packed.rendition.key}"
