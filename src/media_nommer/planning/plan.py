"""The exact facts of every output: what was decided from what was found and asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from media_nommer.core.recipes.base import Expect, Metric
from media_nommer.core.recipes.codecs import Container
from media_nommer.planning.drawing import Drawing
from media_nommer.planning.extras.extras import ChecksumsPlan, Extra, OwnPlan
from media_nommer.planning.inputs.cutting import Cut
from media_nommer.planning.sounds.sound import AudioPlan
from media_nommer.planning.streaming.adaptive import AdaptivePlan, Rendition
from media_nommer.planning.texts.subtitles import SubtitlePlan
from media_nommer.planning.video import VideoPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class ThumbnailPlan:
    """The pictures of one output: the first frame at or after each of ``times``, in seconds
    after the file's start. ``quality`` goes from 1 to 100.
    """

    stream: int
    width: int
    height: int
    times: tuple[float, ...]
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlan:
    """One output, with nothing left to decide.

    ``index`` is its place in the recipe; ``names`` are its final names below the
    destination: one for a file, one for each picture of thumbnails, one for each manifest
    of an adaptive output. Each ``rendition`` of that is planned as a file of its own, by
    ``single_files``, whose name its maker gives. ``more_audio`` are further tracks of a
    file. What goes with a film is ``extra``, and has no container. ``raw`` are FFmpeg's own
    options, from the recipe. By ``measure`` its picture is held against the source's;
    ``chapters`` are kept of a whole source; the stream ``cover`` goes with a sound alone.
    """

    index: int
    kind: str
    names: tuple[str, ...]
    container: Container | Literal["jpeg"] | None = None
    video: VideoPlan | None = None
    audio: AudioPlan | None = None
    thumbnails: ThumbnailPlan | None = None
    title: str | None = None
    cut: Cut | None = None
    more_audio: tuple[AudioPlan, ...] = ()
    subtitles: tuple[SubtitlePlan, ...] = ()
    extra: Extra | None = None
    expect: Expect | None = None
    adaptive: AdaptivePlan | None = None
    rendition: Rendition | None = None
    raw: tuple[tuple[str, str], ...] = ()
    pace: float = 1.0
    measure: tuple[Metric, ...] = ()
    chapters: bool = True
    cover: int | None = None

    @property
    def key(self) -> int | str:
        """What its sound is known by: its index, or that of a rendition of it."""
        return f"{self.index}{self.rendition.key}" if self.rendition else self.index

    @property
    def sounds(self) -> tuple[tuple[str, AudioPlan], ...]:
        """All sounds of a file, each with what it alone is known by."""
        all_ = (self.audio, *self.more_audio) if self.audio else ()
        return tuple((f"{self.key}s{n}", audio) for n, audio in enumerate(all_))

    @property
    def duration(self) -> float | None:
        """Seconds of film, None where nothing tells."""
        told = [part.duration for part in (self.video, self.audio) if part]
        told += [each.duration for each in renditions_of(self)]
        return max((length for length in told if length is not None), default=None)


def renditions_of(output: OutputPlan) -> tuple[OutputPlan, ...]:
    """Return the renditions of an adaptive output, each planned as a file of its own."""
    if output.adaptive is None:
        return ()
    return tuple(
        OutputPlan(
            index=output.index,
            kind="file",
            names=("",),
            container="mp4",
            video=rendition.video,
            audio=rendition.audio,
            cut=output.cut,
            rendition=rendition,
            pace=output.pace,
            measure=output.measure if rendition.video else (),
        )
        for rendition in output.adaptive.renditions
    )


def single_files(outputs: Sequence[OutputPlan]) -> tuple[OutputPlan, ...]:
    """Return ``outputs`` with the renditions of adaptive ones in their place."""
    return tuple(part for output in outputs for part in renditions_of(output) or (output,))


def drawings_of(outputs: Sequence[OutputPlan]) -> tuple[Drawing, ...]:
    """Return what is drawn onto pictures, each thing once."""
    films = (output.video for output in single_files(outputs) if output.video)
    return tuple(dict.fromkeys(film.drawing for film in films if film.drawing.any))


def is_sums(output: OutputPlan) -> bool:
    """Say whether an output is made of what all others come to."""
    return output.extra is not None and isinstance(output.extra.plan, ChecksumsPlan)


def is_own(output: OutputPlan) -> bool:
    """Say whether an own nommer makes an output."""
    return output.extra is not None and isinstance(output.extra.plan, OwnPlan)
