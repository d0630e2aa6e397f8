"""Looking into media files without trusting them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from media_nommer.core.errors import MediaError, ReaderTimeout
from media_nommer.core.fragments import FragmentedFile
from media_nommer.core.media import AudioStream, Media, VideoStream


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCount:
    """What a walk over every packet of one stream found.

    ``duration`` is seconds from the first packet's start to the last one's end;
    ``monotonic`` says whether decode times only ever rise.
    """

    index: int
    kind: str
    packets: int
    keyframes: int
    first_pts: float
    duration: float
    monotonic: bool
    time_base: Fraction


class Probe(ABC):
    """Inspects a file in a process that a bad file may crash without harm."""

    @abstractmethod
    def inspect(self, path: Path, *, called: str | None = None) -> Media:
        """Return what the headers of the file say.

        ``called`` is what people know the file by, where its path is one of ours.

        Raises:
            SourceNotFound: there is no such file.
            EmptySource: the file has no bytes.
            NotMedia: no demuxer that we allow reads it, or the reader crashed on it.
            NoStreams: it is media without a stream that can be decoded.
            TruncatedMedia: its index lies behind the end of the file.
        """

    @abstractmethod
    def count(self, path: Path) -> tuple[StreamCount, ...]:
        """Walk over every packet and return what each stream really holds.

        Raises:
            NotMedia: it cannot be read to its end.
            TruncatedMedia: its index lies behind the end of the file.
        """

    def examine(self, path: Path, *, called: str | None = None) -> Media:
        """Return what ``inspect`` does, with lengths also where headers tell of none.

        Recordings that were written into a pipe tell of none: browsers make such films.

        Raises:
            StorageError, MediaError: as ``inspect`` does.
        """
        media = self.inspect(path, called=called)
        if media.duration is not None or media.is_still:
            return media
        with suppress(MediaError, ReaderTimeout):  # encoders get over more than we do
            return _with_lengths(media, self.count(path))
        return media

    @abstractmethod
    def fragments(self, path: Path) -> FragmentedFile:
        """Return what each fragment of a fragmented MP4 file with one track holds.

        Raises:
            NotMedia: it is no such file, or damaged.
        """

    def fragments_so_far(self, path: Path, *, after: int = 0) -> FragmentedFile | None:
        """Return the same of a file that is still written to: what of it is whole by now.

        Only fragments from byte ``after`` on are told of, where one must begin; but all of
        a file that has got its index, which may have moved them. None is for a file without
        such a fragment yet, and all that a probe says that cannot look into such files.

        Raises:
            NotMedia: it is no such file, or none any more.
        """
        return None


def _with_lengths(media: Media, counts: Sequence[StreamCount]) -> Media:
    """Return what was found with the lengths of what was counted, where it has none."""
    found = {count.index: count for count in counts if count.packets}
    ends = [count.first_pts + count.duration for count in found.values()]

    def length(stream: VideoStream | AudioStream) -> float | None:
        count = found.get(stream.index)
        return count.duration if stream.duration is None and count else stream.duration

    return replace(
        media,
        duration=max(ends) - media.start_time if ends else None,
        video=tuple(replace(each, duration=length(each)) for each in media.video),
        audio=tuple(replace(each, duration=length(each)) for each in media.audio),
    )
