"""Which segments of a growing rendition are placed, and when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest
from typing_extensions import override

from media_nommer.core.errors import NotMedia, StorageError
from media_nommer.core.fragments import Fragment, FragmentedFile
from media_nommer.core.media import Media
from media_nommer.core.ports.cipher import SegmentCipher
from media_nommer.core.ports.probe import Probe, StreamCount
from media_nommer.ec2nommerd.nommers.locking import WholeLock
from media_nommer.ec2nommerd.nommers.segmenting import (
    Cut,
    SegmentFeed,
    cut_bytes,
    cut_transport,
)

SIZE, TICKS = 4, 90_000


def fragment(number: int, *, moved: int = 0) -> Fragment:
    """Return the fragment of this second of a film."""
    return Fragment(
        offset=moved + number * SIZE,
        size=SIZE,
        first_end=moved + number * SIZE + 1,
        time=number * TICKS,
        duration=TICKS,
        frames=25,
        keys=1,
        begins_with_key=True,
    )


def rendition(*fragments: Fragment, index: int = 0) -> FragmentedFile:
    return FragmentedFile(
        size=100,
        header=0,
        index_offset=0,
        index_size=index,
        timescale=TICKS,
        entry="avc1",
        config="",
        fragments=fragments,
    )


@dataclass
class PaperProbe(Probe):
    """Answers what it is told to, and notes from where on it was asked."""

    answers: Iterator[FragmentedFile | NotMedia | None]
    asked: list[int] = field(default_factory=list)

    @override
    def fragments_so_far(self, path: Path, *, after: int = 0) -> FragmentedFile | None:
        self.asked.append(after)
        answer = next(self.answers)
        if isinstance(answer, NotMedia):
            raise answer
        return answer

    @override
    def inspect(self, path: Path, *, called: str | None = None) -> Media:
        raise NotImplementedError

    @override
    def count(self, path: Path) -> tuple[StreamCount, ...]:
        raise NotImplementedError

    @override
    def fragments(self, path: Path) -> FragmentedFile:
        raise NotImplementedError


class NumberCipher(SegmentCipher):
    """Puts the number of a segment before it."""

    @override
    def encrypt(self, path: Path, key: bytes, number: int) -> None:
        path.write_bytes(b"%d" % number + path.read_bytes())


@dataclass
class Ground:
    """A growing rendition, and what was placed of it."""

    path: Path
    now: float = 0.0
    broken: bool = False
    placed: list[bytes] = field(default_factory=list)

    def place(self, piece: Path) -> None:
        if self.broken:
            raise StorageError("no way")
        self.placed.append(piece.read_bytes())

    def feed(
        self,
        *answers: FragmentedFile | NotMedia | None,
        locked: bool = False,
        cut: Cut = cut_bytes,
    ) -> SegmentFeed:
        self.probe = PaperProbe(iter(answers))
        return SegmentFeed(
            self.probe,
            self.path,
            seconds=2.0,
            place=self.place,
            cut=cut,
            lock=WholeLock(b"key", NumberCipher()) if locked else None,
            now=lambda: self.now,
        )

    def run(self, feed: SegmentFeed) -> None:
        """Send what there is, at a time when a look is due."""
        self.now += 10
        while feed.send():
            pass


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    path = tmp_path / "out-0-v1.mp4"
    path.write_bytes(b"".join(b"%04d" % number for number in range(20)))
    return Ground(path)


def test_a_segment_goes_once_the_next_has_begun(ground: Ground) -> None:
    feed = ground.feed(
        rendition(fragment(0), fragment(1)),
        rendition(fragment(2), fragment(3), fragment(4)),
        None,
    )

    ground.run(feed)
    first = list(ground.placed)
    ground.run(feed)
    ground.run(feed)

    assert first == []
    assert ground.placed == [b"00000001", b"00020003"]
    assert ground.probe.asked == [0, 8, 20]
    assert [path.name for path in ground.path.parent.iterdir()] == [ground.path.name]


def test_a_film_that_has_got_its_index_is_read_from_its_beginning(ground: Ground) -> None:
    feed = ground.feed(
        rendition(fragment(0), fragment(1), fragment(2)),
        NotMedia("it is just being moved"),
        rendition(*(fragment(n, moved=SIZE) for n in range(7)), index=SIZE),
    )

    for _ in range(3):
        ground.run(feed)

    assert ground.probe.asked == [0, 12, 0]
    assert ground.placed == [b"00000001", b"00030004", b"00050006"]


def test_each_segment_is_locked_by_its_number(ground: Ground) -> None:
    feed = ground.feed(rendition(*(fragment(n) for n in range(5))), locked=True)

    ground.run(feed)

    assert ground.placed == [b"000000001", b"100020003"]


def test_a_rendition_is_not_looked_into_all_the_time(ground: Ground) -> None:
    feed = ground.feed(None, None)

    ground.run(feed)
    feed.send()
    feed.send()

    assert len(ground.probe.asked) == 1


def test_a_rendition_that_is_not_there_yet_is_not_looked_into(tmp_path: Path) -> None:
    ground = Ground(tmp_path / "out-0-v1.mp4")
    feed = ground.feed()

    ground.run(feed)
    ground.path.touch()
    ground.run(feed)

    assert ground.probe.asked == []


def test_a_segment_that_could_not_be_placed_is_tried_again(ground: Ground) -> None:
    feed = ground.feed(rendition(*(fragment(n) for n in range(3))), None)
    ground.broken = True

    with pytest.raises(StorageError):
        ground.run(feed)
    left = list(ground.path.parent.iterdir())
    ground.broken = False
    ground.run(feed)

    assert left == [ground.path]
    assert ground.placed == [b"00000001"]


class PaperEncoder:
    """Notes what it is given, and copies that into each file that it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs: list[tuple[bytes, str]] = []

    def __call__(self, argv: Sequence[str]) -> None:
        source = (self.folder / argv[argv.index("-i") + 1]).read_bytes()
        cuts = argv[argv.index("-segment_frames") + 1] if "-segment_frames" in argv else ""
        self.runs.append((source, cuts))
        for number in range(1, len(cuts.split(",")) + 1 + bool(cuts)):
            (self.folder / (argv[-1] % number)).write_bytes(b"%d:" % number + source)


def test_segments_of_mpeg_ts_are_copied_by_one_run_out_of_as_much_as_they_need(
    ground: Ground,
) -> None:
    """Which is the header, and their own bytes."""
    encode = PaperEncoder(ground.path.parent)
    shifted = [fragment(number, moved=SIZE) for number in range(9)]
    feed = ground.feed(
        replace(rendition(*shifted[:6]), header=SIZE),
        replace(rendition(*shifted[6:]), header=SIZE),
        None,
        cut=partial(cut_transport, encode),
    )

    ground.run(feed)
    ground.run(feed)

    first, second, third, fourth = b"00010002", b"00030004", b"00050006", b"00070008"
    together = b"0000" + first + second
    assert encode.runs == [(together, "50"), (b"0000" + third + fourth, "50")]
    assert ground.placed[:2] == [b"1:" + together, b"2:" + together]
    assert len(ground.placed) == 4
    assert [path.name for path in ground.path.parent.iterdir()] == [ground.path.name]


def test_what_is_copied_of_segments_goes_where_one_could_not_be_placed(
    ground: Ground,
) -> None:
    encode = PaperEncoder(ground.path.parent)
    feed = ground.feed(
        rendition(*(fragment(number) for number in range(6))),
        cut=partial(cut_transport, encode),
    )
    ground.broken = True

    with pytest.raises(StorageError):
        ground.run(feed)
    left = [path.name for path in ground.path.parent.iterdir()]

    assert left == [ground.path.name]
