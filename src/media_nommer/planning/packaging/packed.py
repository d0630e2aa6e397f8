"""A rendition as it was made: what was planned of it, and what its file really holds."""

from dataclasses import dataclass
from fractions import Fraction

from media_nommer.core.fragments import FragmentedFile
from media_nommer.core.media import Media
from media_nommer.planning.packaging.codec_names import codec_name
from media_nommer.planning.packaging.segments import Segment, length_of
from media_nommer.planning.streaming.adaptive import Rendition

_RANGES = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One rendition, encoded. ``base`` begins the names of all its files.

    ``media`` is what the inspection of its file found.
    """

    rendition: Rendition
    base: str
    media: Media
    file: FragmentedFile
    segments: tuple[Segment, ...]

    @property
    def codec(self) -> str:
        """The codec's name for players."""
        return codec_name(self.file.entry, bytes.fromhex(self.file.config))

    @property
    def length(self) -> Fraction:
        """Seconds until its end."""
        return length_of(self.file)

    @property
    def frame_rate(self) -> Fraction | None:
        """Frames a second of a picture: as planned, or on average."""
        video = self.rendition.video
        if video is None:
            return None
        frames = sum(fragment.frames for fragment in self.file.fragments)
        return video.timing.rate or (frames / self.length if self.length else None)

    @property
    def light(self) -> str:
        """The range of brightness of a picture: SDR, PQ or HLG."""
        picture = self.media.picture
        return _RANGES.get((picture and picture.color_transfer) or "", "SDR")
