"""The recipe document: what a job's outputs are, in the words of the wire."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from media_nommer.core.recipes.codecs import (
    AudioCodec,
    Container,
    Profile,
    Speed,
    VideoCodec,
)

Pixels = Annotated[int, Field(ge=16, le=16384)]


class Document(BaseModel):
    """A part of the recipe; keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Input(Document):
    """One source."""

    url: Annotated[str, Field(min_length=1, max_length=4096)]


class Video(Document):
    """How the picture of a file is encoded.

    ``width`` and ``height`` are the box, in pixels as shown, that the picture must fit
    into: it keeps its shape and is never made larger. ``turn_box`` turns the box for an
    upright picture, so that "1080p" does not starve films made with a phone. ``quality`` is
    the codec's CRF, lower is better. ``profile`` is for h264 alone.
    """

    codec: VideoCodec = "h264"
    width: Pixels | None = None
    height: Pixels | None = None
    turn_box: bool = False
    quality: float | None = None
    speed: Speed = "medium"
    profile: Profile | None = None


class Audio(Document):
    """How the sound of a file is encoded.

    ``bitrate`` is kbit/s, by default fit for the codec and the channels. ``channels`` and
    ``sample_rate`` (hertz) are as in the source where they are not given; there are never
    more channels than in the source.
    """

    codec: AudioCodec = "aac"
    bitrate: Annotated[int, Field(ge=8, le=640)] | None = None
    channels: Literal[1, 2, 6, 8] | None = None
    sample_rate: Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000] | None = None


Header = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[ -~]+$")]


class ObjectTraits(Document):
    """How the objects of an output are kept and served, by storages that know of it.

    ``content_type`` is told by the name where it is left out. ``kms_key`` is the id or ARN
    of the key that S3 is to encrypt with; ``storage_class`` is the service's own word.
    """

    content_type: Header | None = None
    cache_control: Header | None = None
    storage_class: Annotated[str, Field(max_length=64, pattern=r"^[A-Z0-9_]+$")] | None = (
        None
    )
    kms_key: Header | None = None


class FileOutput(Document):
    """One file that plays.

    Without ``video`` it is sound alone. ``audio`` that is null makes a silent film; where
    it is left out, the container's usual codec is used: so a recipe must be dumped with its
    nulls. ``object`` is for object stores. ``from_preset`` is kept for the template
    ``{preset}``.
    """

    kind: Literal["file"] = "file"
    name: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    container: Container | None = None
    video: Video | None = None
    audio: Audio | None = None
    object: ObjectTraits | None = None
    from_preset: str | None = None


class ThumbnailsOutput(Document):
    """JPEG pictures out of the film.

    Exactly one of ``count`` (spread evenly), ``interval`` (one every so many seconds, from
    the start) and ``times`` (seconds) says which; without any it is ten. ``quality`` goes
    from 1 to 100, higher is better.
    """

    kind: Literal["thumbnails"] = "thumbnails"
    name: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    count: Annotated[int, Field(ge=1, le=1000)] | None = None
    interval: Annotated[float, Field(ge=0.1, le=86400)] | None = None
    times: (
        Annotated[
            tuple[Annotated[float, Field(ge=0, le=1_000_000)], ...],
            Field(min_length=1, max_length=1000),
        ]
        | None
    ) = None
    width: Pixels | None = None
    height: Pixels | None = None
    quality: Annotated[int, Field(ge=1, le=100)] = 85
    object: ObjectTraits | None = None
    from_preset: str | None = None


class PresetOutput(Document):
    """An output that starts from a preset; what else it says overrides the preset.

    Only ``resolve_presets`` knows what the other keys mean, so they are kept as they came.
    """

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    preset: Annotated[str, Field(min_length=1, max_length=100)]


Output: TypeAlias = FileOutput | ThumbnailsOutput


def _kind(output: Any) -> str | None:
    """Tell pydantic which document an output is, whether raw or already read."""
    if isinstance(output, PresetOutput):
        return "preset"
    if isinstance(output, FileOutput | ThumbnailsOutput):
        return output.kind
    if not isinstance(output, dict):
        return None
    if "preset" in output:
        return "preset"
    kind = output.get("kind", "file")
    return kind if isinstance(kind, str) else None


AnyOutput: TypeAlias = Annotated[
    Annotated[FileOutput, Tag("file")]
    | Annotated[ThumbnailsOutput, Tag("thumbnails")]
    | Annotated[PresetOutput, Tag("preset")],
    Discriminator(_kind),
]

Label = Annotated[str, Field(max_length=256)]


class Recipe(Document):
    """The whole document that a job is submitted with.

    ``tags`` are for finding jobs; ``pass_through`` is any JSON that comes back with every
    answer and event. Of jobs that wait, those of a higher ``priority`` go first; jobs that
    name a ``group`` share the workers with those of other groups, however many they are.
    """

    inputs: Annotated[tuple[Input, ...], Field(min_length=1, max_length=1)]
    destination: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    outputs: Annotated[tuple[AnyOutput, ...], Field(min_length=1, max_length=100)] = (
        PresetOutput(preset="web"),
    )
    tags: Annotated[dict[Label, Label], Field(max_length=50)] = {}
    pass_through: Any = None
    if_exists: Literal["fail", "replace"] = "fail"
    priority: Literal["high", "normal", "low"] = "normal"
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")] | None = None
