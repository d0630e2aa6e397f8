"""What an inspection found in a file: values only."""

from dataclasses import dataclass
from fractions import Fraction

#: Formats whose times may leap: FFmpeg counts them from the first stream that is used.
LEAPING = frozenset({"mpegts", "mpeg"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStream:
    """One video stream, as its container and codec headers describe it.

    ``width`` and ``height`` are coded pixels, before ``rotation`` (degrees clockwise that a
    player turns the picture: 0, 90, 180 or 270) and before ``sample_aspect``.
    ``frame_rate`` is frames a second, None where the container does not know it; ``frames``
    counts packets, None where the index was not read. ``codec_string`` is by what players
    ask for its decoder (RFC 6381).
    """

    index: int
    codec: str
    width: int
    height: int
    frame_rate: Fraction | None = None
    average_rate: Fraction | None = None
    frames: int | None = None
    duration: float | None = None
    start_time: float | None = None
    time_base: Fraction = Fraction(1, 1000)
    pixel_format: str | None = None
    bit_depth: int = 8
    sample_aspect: Fraction = Fraction(1)
    rotation: int = 0
    interlaced: bool = False
    color_primaries: str | None = None
    color_transfer: str | None = None
    color_space: str | None = None
    color_range: str | None = None
    attached_picture: bool = False
    default: bool = False
    language: str | None = None
    codec_string: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """One audio stream. ``duration`` and ``start_time`` are seconds.

    ``late`` is by how many seconds it begins after its whole file, whatever is taken of
    that, and None where it begins with it.
    """

    index: int
    codec: str
    channels: int
    sample_rate: int
    layout: str | None = None
    frames: int | None = None
    duration: float | None = None
    start_time: float | None = None
    time_base: Fraction = Fraction(1, 1000)
    default: bool = False
    language: str | None = None
    title: str | None = None
    codec_string: str | None = None
    late: float | None = None


#: Subtitles that are text, by what FFmpeg calls them; of all others nothing can be read.
TEXT_SUBTITLES = frozenset(
    {
        *("mov_text", "subrip", "ass", "ssa", "webvtt", "text"),
        *("microdvd", "sami", "realtext", "subviewer", "subviewer1", "jacosub", "stl"),
        *("mpl2", "pjs", "vplayer", "hdmv_text_subtitle"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleStream:
    """One stream of subtitles: text, or pictures (PGS, DVB, VobSub).

    ``forced`` ones are shown also to those who want none: signs, foreign speech.
    """

    index: int
    codec: str
    default: bool = False
    forced: bool = False
    hearing_impaired: bool = False
    language: str | None = None
    title: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether there is text in it that can be read."""
        return self.codec in TEXT_SUBTITLES


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherStream:
    """A stream that is neither picture nor sound nor subtitles: data, attachments."""

    index: int
    kind: str
    codec: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A media file: its container and what is in it.

    ``duration`` is seconds, None where neither header nor index tells; ``size`` is bytes;
    ``bit_rate`` is bit/s over all.
    """

    format: str
    size: int
    duration: float | None = None
    start_time: float = 0.0
    bit_rate: int | None = None
    video: tuple[VideoStream, ...] = ()
    audio: tuple[AudioStream, ...] = ()
    subtitles: tuple[SubtitleStream, ...] = ()
    other: tuple[OtherStream, ...] = ()
    title: str | None = None

    @property
    def is_still(self) -> bool:
        """Whether it is one picture, which lasts no time."""
        return self.format.endswith("_pipe")

    def begin_of(self, stream: VideoStream | AudioStream) -> float:
        """Return how many seconds after the file's start a stream begins, 0 if untold."""
        return 0.0 if stream.start_time is None else stream.start_time - self.start_time

    @property
    def picture(self) -> VideoStream | None:
        """The video stream that a player would show; never cover art."""
        films = [stream for stream in self.video if not stream.attached_picture]
        return next((s for s in films if s.default), films[0] if films else None)

    @property
    def sound(self) -> AudioStream | None:
        """The audio stream that a player would play."""
        return next(
            (s for s in self.audio if s.default), self.audio[0] if self.audio else None
        )
