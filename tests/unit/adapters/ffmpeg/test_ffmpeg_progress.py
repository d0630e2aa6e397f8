"""Progress blocks become values however the pipe cuts them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from media_nommer.adapters.ffmpeg.progress import ProgressReader, StallWatch
from media_nommer.core.clock import Clock
from media_nommer.core.errors import EncoderStalled
from media_nommer.core.ports.encoder import Progress

BLOCKS = (
    b"frame=12\nfps=24.50\nstream_0_0_q=28.0\nbitrate=N/A\ntotal_size=4096\n"
    b"out_time_us=480000\nout_time_ms=480000\nout_time=00:00:00.480000\n"
    b"dup_frames=0\ndrop_frames=0\nspeed=1.25x\nprogress=continue\n"
    b"frame=50\nfps=25.00\ntotal_size=9999\nout_time_us=2000000\nspeed=2x\nprogress=end\n"
)
VALUES = [
    Progress(frame=12, fps=24.5, out_time=0.48, speed=1.25, total_size=4096),
    Progress(frame=50, fps=25.0, out_time=2.0, speed=2.0, total_size=9999, done=True),
]


@given(st.lists(st.integers(1, 40)))
def test_where_the_pipe_is_cut_makes_no_difference(lengths: list[int]) -> None:
    reader, rest = ProgressReader(), BLOCKS
    seen: list[Progress] = []

    for length in lengths:
        seen += reader.feed(rest[:length])
        rest = rest[length:]
    seen += reader.feed(rest)

    assert seen == VALUES


def test_what_the_encoder_does_not_know_is_none() -> None:
    block = b"total_size=N/A\nout_time_us=N/A\nspeed=N/A\nprogress=continue\n"

    (progress,) = ProgressReader().feed(block)

    assert progress == Progress(out_time=0.0)


def test_a_block_that_is_not_complete_says_nothing_yet() -> None:
    assert list(ProgressReader().feed(b"frame=1\nprogress=cont")) == []


def test_lines_that_are_no_progress_are_passed_over() -> None:
    chunk = b"\xff\xfe garbage\n\nframe=x\nout_time_us=-100\nprogress=end\n"

    (progress,) = ProgressReader().feed(chunk)

    assert progress == Progress(out_time=-0.0001, done=True)


class StoppedClock(Clock):
    """A clock that a test sets."""

    seconds = 0.0

    @override
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    @override
    def monotonic(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(lambda k: Progress(out_time=0.0, frame=k), id="frames"),
        pytest.param(lambda k: Progress(out_time=float(k)), id="time"),
        pytest.param(lambda k: Progress(out_time=0.0, total_size=k), id="bytes"),
    ],
)
def test_slow_progress_of_any_kind_is_no_stall(later: Callable[[int], Progress]) -> None:
    clock = StoppedClock()
    watch = StallWatch(timedelta(seconds=10), clock)

    for step in range(1, 9):
        clock.seconds += 9
        watch.saw(later(step))

        assert watch.verdict() is None


def test_saying_the_same_again_is_a_stall() -> None:
    clock = StoppedClock()
    watch = StallWatch(timedelta(seconds=10), clock)

    for _ in range(3):
        watch.saw(Progress(out_time=1.0, frame=25, speed=clock.seconds))
        clock.seconds += 5

    assert isinstance(watch.verdict(), EncoderStalled)


def test_without_patience_set_nothing_is_a_stall() -> None:
    clock = StoppedClock()
    watch = StallWatch(None, clock)

    clock.seconds = 1e9

    assert watch.verdict() is None
