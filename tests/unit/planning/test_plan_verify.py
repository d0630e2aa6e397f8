"""What an output is held against."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from planning_media import FILM, PICTURE, SOUND, plans_of

from media_nommer.core.errors import OutputDamaged
from media_nommer.core.media import Media
from media_nommer.core.ports.probe import StreamCount
from media_nommer.planning.verify import check_output

(PLAN,) = plans_of(FILM, {"preset": "web"})
COUNTS = (
    StreamCount(
        index=0,
        kind="video",
        packets=14315,
        keyframes=60,
        first_pts=0.0,
        duration=596.458,
        monotonic=True,
        time_base=Fraction(1, 12288),
    ),
    StreamCount(
        index=1,
        kind="audio",
        packets=25690,
        keyframes=25690,
        first_pts=-0.023,
        duration=596.5,
        monotonic=True,
        time_base=Fraction(1, 44100),
    ),
)


def test_what_is_as_planned_passes() -> None:
    check_output(PLAN, FILM, COUNTS, FILM)


def _video(**changes: object) -> tuple[StreamCount, ...]:
    return (replace(COUNTS[0], **changes), COUNTS[1])  # type: ignore[arg-type]


def _audio(**changes: object) -> tuple[StreamCount, ...]:
    return (COUNTS[0], replace(COUNTS[1], **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "counts", "sentence"),
    [
        (FILM, _video(packets=14314), "planned 14315 frames, the output has 14314"),
        (
            FILM,
            _video(duration=590.0),
            "planned 596.458 s of video, the output has 590.000 s",
        ),
        (
            FILM,
            _audio(duration=590.0),
            "planned 596.474 s of audio, the output has 590.000 s",
        ),
        (FILM, _audio(packets=0), "stream 1 of the output has nothing in it"),
        (FILM, _video(monotonic=False), "times in stream 0 of the output go back"),
        (
            replace(FILM, audio=()),
            COUNTS,
            "planned 1 video and 1 audio streams, the output has 1 and 0",
        ),
        (
            replace(FILM, video=(replace(PICTURE, height=722),)),
            COUNTS,
            "planned a picture of 1280x720, the output has 1280x722",
        ),
        (
            replace(FILM, video=(replace(PICTURE, codec="vp9"),)),
            COUNTS,
            "planned h264, the output holds vp9",
        ),
        (
            replace(FILM, audio=(replace(SOUND, channels=1),)),
            COUNTS,
            "planned 2 audio channels, the output has 1",
        ),
    ],
)
def test_what_is_not_as_planned_is_told(
    found: Media, counts: tuple[StreamCount, ...], sentence: str
) -> None:
    with pytest.raises(OutputDamaged) as caught:
        check_output(PLAN, found, counts, FILM)

    assert caught.value.message == sentence


@pytest.mark.parametrize(
    ("source", "passes"),
    [
        ("matroska,webm", False),
        ("mpegts", True),
        ("mp3", True),
    ],
)
def test_a_length_that_was_estimated_is_not_held_against_the_output(
    source: str, *, passes: bool
) -> None:
    media = replace(FILM, format=source)
    check: Callable[[], None] = lambda: check_output(  # noqa: E731
        PLAN, FILM, _audio(duration=597.2), media
    )

    if passes:
        check()
    else:
        with pytest.raises(OutputDamaged):
            check()


def test_a_thumbnail_is_held_against_its_size() -> None:
    (plan,) = plans_of(FILM, {"kind": "thumbnails", "count": 1, "height": 360})
    small = replace(FILM, video=(replace(PICTURE, width=640, height=360),))

    check_output(plan, small, (), FILM)

    with pytest.raises(OutputDamaged):
        check_output(plan, FILM, (), FILM)


@pytest.mark.parametrize(
    ("frames", "passes"), [(17894, True), (17895, True), (14315, False), (17880, False)]
)
def test_a_converted_rate_is_held_against_its_own_length(
    frames: int, *, passes: bool
) -> None:
    (plan,) = plans_of(FILM, {"preset": "web", "video": {"frame_rate": 30}})
    check: Callable[[], None] = lambda: check_output(  # noqa: E731
        plan, FILM, _video(packets=frames), FILM
    )

    if passes:
        check()
    else:
        with pytest.raises(OutputDamaged, match="planned 30 frames a second"):
            check()


@pytest.mark.parametrize(
    ("said", "video", "audio"),
    [
        ({"video": {"codec": "dnxhr"}}, "dnxhd", "pcm_s16le"),
        (
            {"video": {"codec": "prores"}, "audio": {"codec": "pcm", "bit_depth": 24}},
            "prores",
            "pcm_s24le",
        ),
        (
            {"container": "mkv", "video": {"codec": "copy"}, "audio": {"codec": "copy"}},
            "h264",
            "aac",
        ),
    ],
)
def test_codecs_are_known_by_the_names_that_a_probe_gives(
    said: dict[str, object], video: str, audio: str
) -> None:
    (plan,) = plans_of(FILM, said)
    found = replace(
        FILM, video=(replace(PICTURE, codec=video),), audio=(replace(SOUND, codec=audio),)
    )

    check_output(plan, found, COUNTS, FILM)

    for wrong in (
        replace(found, video=(replace(PICTURE, codec="ffv1"),)),
        replace(found, audio=(replace(SOUND, codec="pcm_u8"),)),
    ):
        with pytest.raises(OutputDamaged):
            check_output(plan, wrong, COUNTS, FILM)


def test_a_part_is_held_against_its_own_length() -> None:
    (plan,) = plans_of(FILM, {"preset": "web"}, start=100, end=110)
    counts = (
        replace(COUNTS[0], packets=240, duration=10.0),
        replace(COUNTS[1], duration=10.02),
    )

    check_output(plan, FILM, counts, FILM)

    with pytest.raises(OutputDamaged):
        check_output(plan, FILM, COUNTS, FILM)
