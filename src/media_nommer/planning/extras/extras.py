"""Outputs that go with a film: what each becomes, and the words that FFmpeg makes it by."""

from dataclasses import dataclass
from typing import TypeAlias

from media_nommer.core.media import Media, VideoStream
from media_nommer.core.recipes.documents import ThumbnailsOutput
from media_nommer.core.recipes.extra_settling import extension_of, usual_name
from media_nommer.core.recipes.extras import (
    AnimationOutput,
    CaptionsOutput,
    ChecksumsOutput,
    ExtraOutput,
    MetadataOutput,
    WaveformOutput,
)
from media_nommer.core.recipes.names import fill_template, safe_stem
from media_nommer.core.recipes.own import OwnOutput
from media_nommer.planning.extras.animations import AnimationPlan, plan_animation
from media_nommer.planning.extras.posters import PosterPlan, poster_times
from media_nommer.planning.extras.sprites import SpritePlan, plan_sprite
from media_nommer.planning.extras.waveforms import WaveformPlan, plan_waveform
from media_nommer.planning.pictures.frames import Fields
from media_nommer.planning.pictures.sizes import Size, fitted_size, shown_size
from media_nommer.planning.texts.subtitles import CaptionsPlan, plan_captions
from media_nommer.planning.video import picture_of


@dataclass(frozen=True, slots=True)
class MetadataPlan:
    """What the inspection found, written down."""


@dataclass(frozen=True, slots=True)
class ChecksumsPlan:
    """A list of sums, which waits for all other outputs of the job."""


_JPEG_BYTES_A_PIXEL = 0.25
_TEXT_BYTES = 1_000_000
_OWN_BYTES = 100_000_000  # nobody tells
_SOME_PEAKS = 1_000_000  # where nothing tells how long the sound is


@dataclass(frozen=True, slots=True)
class OwnPlan:
    """An output that an own nommer makes, as its recipe says it."""

    output: OwnOutput


DrawnPlan: TypeAlias = SpritePlan | PosterPlan | AnimationPlan
ExtraPlan: TypeAlias = (
    DrawnPlan | WaveformPlan | CaptionsPlan | MetadataPlan | ChecksumsPlan | OwnPlan
)


@dataclass(frozen=True, slots=True)
class Extra:
    """The plan of an output and the names of its files, the first of which is its own."""

    plan: ExtraPlan
    names: tuple[str, ...]


def plan_extra(
    media: Media, output: ExtraOutput | ThumbnailsOutput, stem: str, where: str
) -> Extra:
    """Return what an output becomes; of thumbnails it is the poster.

    Raises:
        NoStreams: it needs what the source lacks.
        MediaError: it depends on a length that nothing tells.
        InvalidRecipe: it would be too large, or too small for its format.
    """
    match output:
        case CaptionsOutput():
            captions = plan_captions(media, output, where)
            told = captions.language or "und"
            return Extra(captions, (_named(output, stem, language=told),))
        case WaveformOutput():
            name = _named(output, stem)
            drawn = (_beside(name, ".png"),) if output.picture else ()
            return Extra(plan_waveform(media, output, where), (name, *drawn))
        case MetadataOutput():
            return Extra(MetadataPlan(), (_named(output, stem),))
        case ChecksumsOutput():
            return Extra(ChecksumsPlan(), (_named(output, stem),))
    stream = picture_of(media, where)
    if isinstance(output, ThumbnailsOutput):
        size = fitted_size(shown_size(stream), output.width, output.height)
        times = poster_times(media, stream)
        poster = PosterPlan(
            stream=stream.index, size=size, times=times, quality=output.quality
        )
        return Extra(poster, (_named(output, stem, size=size),))
    if isinstance(output, AnimationOutput):
        animation = plan_animation(media, stream, output, where)
        return Extra(animation, (_named(output, stem, size=animation.size),))
    sprite = plan_sprite(media, stream, output, where)
    name = _named(output, stem, size=sprite.tile)
    sheets = (_beside(name, f"-{n:03d}.jpg") for n in range(1, sprite.sheets + 1))
    return Extra(sprite, (name, *sheets))


def drawn_plan(extra: Extra | None) -> DrawnPlan | None:
    """Return the plan of an output that the graph makes a picture for, or None."""
    if extra is None or not isinstance(extra.plan, DrawnPlan):
        return None
    return extra.plan


def is_encoded(extra: Extra | None) -> bool:
    """Say whether FFmpeg makes something of an output in its one run over the film."""
    return extra is None or drawn_plan(extra) is not None


def is_light(extra: Extra | None) -> bool:
    """Say whether an output is made in no time."""
    heavy = extra is not None and isinstance(extra.plan, WaveformPlan | OwnPlan)
    return not is_encoded(extra) and not heavy


def extra_filters(
    plan: DrawnPlan, stream: VideoStream, fields: Fields, *, index: int
) -> str:
    """Return the filters from the film to what an output's encoder takes."""
    match plan:
        case PosterPlan():
            return plan.filters(stream, fields, f"out-{index}.txt")
        case AnimationPlan():
            return plan.filters(stream, fields, f"g{index}")
        case SpritePlan():
            return plan.filters(stream, fields)


def extra_options(
    plan: DrawnPlan, *, index: int, label: str, threads: int
) -> tuple[str, ...]:
    """Return the words of one output on FFmpeg's command line.

    ``label`` is the graph's, of the picture for its encoder.
    """
    match plan:
        case SpritePlan() | PosterPlan():
            return (
                *("-map", f"[{label}]", *jpeg_options(plan.quality)),
                *("-fps_mode:v", "passthrough", "-f", "image2", "-start_number", "1"),
                f"out-{index}-%06d.jpg",
            )
        case AnimationPlan():
            path = f"out-{index}.{plan.format}"
            return ("-map", f"[{label}]", *plan.options(threads), path)


def jpeg_options(quality: int) -> tuple[str, ...]:
    """Return the encoder's options; its scale goes from 2 (best) upwards."""
    scale = 2 + round((100 - quality) / 5)
    return (
        *("-map_metadata", "-1", "-c:v", "mjpeg", "-q:v", str(scale), "-threads:v", "1"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact"),
    )


def extra_paths(extra: Extra, index: int) -> tuple[str, ...]:
    """Return what the files of an output are called in scratch, in the order of its names.

    Of a poster it is what becomes of the chosen candidate.
    """
    match extra.plan:
        case SpritePlan():
            sheets = range(1, extra.plan.sheets + 1)
            return (f"out-{index}.vtt", *(f"out-{index}-{n:06d}.jpg" for n in sheets))
        case PosterPlan():
            return (f"out-{index}.jpg",)
        case WaveformPlan():
            return (f"out-{index}.json", f"out-{index}.png")[: len(extra.names)]
        case AnimationPlan():
            return (f"out-{index}.{extra.plan.format}",)
        case CaptionsPlan():
            return (f"out-{index}.{'vtt' if extra.plan.format == 'webvtt' else 'srt'}",)
        case MetadataPlan():
            return (f"out-{index}.json",)
        case ChecksumsPlan():
            return (f"out-{index}.sha256",)
        case OwnPlan():
            endings = (name.rpartition(".")[2] for name in extra.names)
            return tuple(f"own-{index}-{n}.{end}" for n, end in enumerate(endings))


def extra_bytes(plan: ExtraPlan) -> int:
    """Return about how many bytes an output takes while made; more rather than less."""
    match plan:
        case SpritePlan():
            sheet = plan.sheet.width * plan.sheet.height
            return int(plan.sheets * sheet * _JPEG_BYTES_A_PIXEL)
        case PosterPlan():
            picture = plan.size.width * plan.size.height
            return int(len(plan.times) * picture * _JPEG_BYTES_A_PIXEL)
        case AnimationPlan():
            return plan.frames * plan.size.width * plan.size.height
        case WaveformPlan():
            return (plan.expected or _SOME_PEAKS) * (80 + 80 * plan.channels)
        case OwnPlan():
            return _OWN_BYTES
        case _:
            return _TEXT_BYTES


def _named(
    output: ExtraOutput | ThumbnailsOutput,
    stem: str,
    *,
    size: Size | None = None,
    language: str = "und",
) -> str:
    if isinstance(output, ThumbnailsOutput):
        ending, codec, usual = "jpg", "jpeg", "{stem}-poster.jpg"
    else:
        ending, usual = extension_of(output), usual_name(output)
        codec = ending
    return fill_template(
        output.name or usual,
        {
            "stem": safe_stem(stem),
            "preset": safe_stem(output.from_preset or output.kind),
            "codec": codec,
            "ext": ending,
            "width": size.width if size else 0,
            "height": size.height if size else 0,
            "language": language,
            "number": 1,
        },
    )


def _beside(name: str, ending: str) -> str:
    """Return a name that differs in its ending."""
    return name.rpartition(".")[0] + ending
