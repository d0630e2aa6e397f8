"""The recipe document: what a job's outputs are, in the words of the wire."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    SerializeAsAny,
    Tag,
)

from media_nommer.core.recipes.base import (
    Document,
    Expect,
    FrameRate,
    Metrics,
    ObjectTraits,
    Pixels,
)
from media_nommer.core.recipes.codecs import (
    AudioCodec,
    AudioProfile,
    Container,
    Speed,
    VideoCodec,
)
from media_nommer.core.recipes.drawn import BurnIn, DrawnTexts, Watermarks
from media_nommer.core.recipes.encryption import Encryption
from media_nommer.core.recipes.extras import (
    AnimationOutput,
    CaptionsOutput,
    ChecksumsOutput,
    ExtraOutput,
    MetadataOutput,
    SpriteOutput,
    WaveformOutput,
)
from media_nommer.core.recipes.inputs import MOST_INPUTS, Input, Join
from media_nommer.core.recipes.own import OwnOutput
from media_nommer.core.recipes.powers import BitDepth, Profile, Tune
from media_nommer.core.recipes.raw import RawOptions

VideoKbits = Annotated[int, Field(ge=10, le=800_000)]
Edge = Annotated[int, Field(ge=0, le=16384)]
Strength = Literal["light", "medium", "strong"]
FadeSeconds = Annotated[float, Field(gt=0, le=3600)]
Pace = Annotated[float, Field(ge=0.25, le=4)]

_ASPECT = r"^[1-9][0-9]{0,3}(\.[0-9]{1,3})?:[1-9][0-9]{0,3}(\.[0-9]{1,3})?$"
_COLOR = r"^(black|white|#[0-9a-fA-F]{6})$"


class Crop(Document):
    """What is cut off a picture, in pixels as shown, or what is left of it.

    ``aspect`` keeps the middle: ``"1:1"``, ``"16:9"``, ``"2.39:1"``. With ``width`` or
    ``height`` so many pixels are left, from ``left`` and ``top`` on. ``"auto"``, which is
    kept as ``auto``, cuts off black bars.
    """

    auto: bool = False
    aspect: Annotated[str, Field(pattern=_ASPECT)] | None = None
    left: Edge = 0
    right: Edge = 0
    top: Edge = 0
    bottom: Edge = 0
    width: Annotated[int, Field(ge=2, le=16384)] | None = None
    height: Annotated[int, Field(ge=2, le=16384)] | None = None


class Video(Document):
    """How the picture of a file is encoded.

    ``width`` and ``height`` are the box, in pixels as shown. With the ``resize`` of ``fit``
    the picture becomes as large as the box holds it; ``fill`` cuts off what is beyond the
    box, ``pad`` puts ``pad_color`` around the picture, ``stretch`` bends it. It is only
    made larger with ``upscale``. ``turn_box`` turns the box for an upright picture, so that
    "1080p" does not starve films made with a phone. ``crop`` comes before all this.

    How many bits it takes is said in one of four ways: ``quality`` (the codec's CRF, lower
    is better), ``quality`` under a ``max_bitrate``, an average ``bitrate``, which may have
    a ``max_bitrate`` beside it, both in kbit/s, the latter held over ``buffer`` seconds, or
    ``target_vmaf``, for which the quality is sought by trials. With two ``passes`` an
    average bit rate is met better: the first one only learns where bits are needed.

    ``gop`` is the most seconds from one key frame to the next, and with ``fixed_gop`` it is
    every time so many. ``frame_rate`` makes the film that many frames a second;
    ``max_frame_rate`` only where it has more. ``copy`` takes the picture as it is.

    ``deinterlace`` is done to fields where there are any (``auto``), to every frame
    (``on``), or not. Of ``hdr``, ``auto`` keeps a high dynamic range where the output has
    10 bits and a codec whose players show it, and else makes it standard (``sdr``).

    ``denoise`` and ``sharpen`` are done to the picture in its new size. Over ``fade_in``
    seconds it comes from black, and over ``fade_out`` it goes to black at the end. Onto it
    come ``watermarks``, ``texts``, and one of the source's subtitles (``burn_in``).
    """

    codec: VideoCodec = "h264"
    width: Pixels | None = None
    height: Pixels | None = None
    turn_box: bool = False
    quality: float | None = None
    target_vmaf: Annotated[float, Field(ge=20, le=99)] | None = None
    speed: Speed = "medium"
    profile: Profile | None = None
    level: Annotated[str, Field(pattern=r"^[1-6](\.[0-9])?$")] | None = None
    bit_depth: BitDepth | None = None
    bitrate: VideoKbits | None = None
    max_bitrate: VideoKbits | None = None
    buffer: Annotated[float, Field(ge=0.1, le=60)] | None = None
    passes: Literal[1, 2] = 1
    gop: Annotated[float, Field(ge=0.1, le=60)] | None = None
    fixed_gop: bool = False
    frame_rate: FrameRate | None = None
    max_frame_rate: FrameRate | None = None
    b_frames: Annotated[int, Field(ge=0, le=16)] | None = None
    tune: Tune | None = None
    resize: Literal["fit", "fill", "pad", "stretch"] = "fit"
    upscale: bool = False
    pad_color: Annotated[str, Field(pattern=_COLOR)] = "black"
    crop: Annotated[
        Crop | None,
        BeforeValidator(
            lambda said: {"auto": True} if said == "auto" else said,
            json_schema_input_type=Literal["auto"] | Crop | None,
        ),
    ] = None
    deinterlace: Literal["auto", "on", "off"] = "auto"
    hdr: Literal["auto", "keep", "sdr"] = "auto"
    denoise: Strength | None = None
    sharpen: Strength | None = None
    watermarks: Watermarks = ()
    texts: DrawnTexts = ()
    burn_in: BurnIn | None = None
    fade_in: FadeSeconds | None = None
    fade_out: FadeSeconds | None = None


class Loudness(Document):
    """How loud a sound is made, by EBU R128.

    ``target`` is LUFS over all of it; peaks are held below ``true_peak`` dBTP.
    """

    target: Annotated[float, Field(ge=-40, le=-5)] = -16
    true_peak: Annotated[float, Field(ge=-9, le=0)] = -1


class Audio(Document):
    """How the sound of a file is encoded.

    ``bitrate`` is kbit/s, by default fit for the codec and the channels. ``channels`` and
    ``sample_rate`` (hertz) are as in the source where they are not given; there are never
    more channels than in the source. ``bit_depth`` is for flac and pcm, by default 16.
    ``fade_in`` and ``fade_out`` are seconds. ``copy`` takes the sound as it is. The
    ``profile`` is of aac; ``he`` needs an FFmpeg with libfdk_aac on the workers. Where the
    source has no sound, ``if_missing`` says whether there is none, or a silent one.
    """

    codec: AudioCodec = "aac"
    profile: AudioProfile | None = None
    bitrate: Annotated[int, Field(ge=8, le=640)] | None = None
    channels: Literal[1, 2, 6, 8] | None = None
    sample_rate: (
        Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000] | None
    ) = None
    bit_depth: Literal[16, 24] | None = None
    loudness: Loudness | None = None
    if_missing: Literal["leave_out", "silence"] = "leave_out"
    fade_in: FadeSeconds | None = None
    fade_out: FadeSeconds | None = None


class FileOutput(Document):
    """One file that plays.

    Without ``video`` it is sound alone. ``audio`` that is null makes a silent film; where
    it is left out, the container's usual codec is used: so a recipe must be dumped with its
    nulls. ``audio_tracks`` says whether there is one of the source's sounds, or all, the
    one that a player would play first. ``subtitles`` are kept where the container can hold
    them, pictures and text; null leaves them out. So is the ``cover`` of a sound, where
    there is no other picture. ``object`` is for object stores.
    ``from_preset`` is kept for the template ``{preset}``.

    With a ``pace`` of 2 it plays twice as fast, sound included.

    ``ffmpeg_options`` are pairs of FFmpeg's own, given to it as they are after all others;
    those that could touch another file are refused. ``measure`` says by what the whole
    film is held against the source once it is made.
    """

    kind: Literal["file"] = "file"
    name: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    container: Container | None = None
    video: Video | None = None
    audio: Audio | None = None
    audio_tracks: Literal["one", "all"] = "one"
    pace: Pace = 1
    subtitles: Literal["keep"] | None = "keep"
    cover: Literal["keep"] | None = "keep"
    ffmpeg_options: RawOptions = ()
    measure: Metrics = ()
    object: ObjectTraits | None = None
    expect: Expect | None = None
    from_preset: str | None = None


class ThumbnailsOutput(Document):
    """JPEG pictures out of the film.

    Exactly one of ``count`` (spread evenly), ``interval`` (one every so many seconds, from
    the start), ``times`` (seconds) and ``poster`` (the first one that is worth showing)
    says which; without any it is ten. ``quality`` goes from 1 to 100, higher is better.
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
    poster: bool = False
    width: Pixels | None = None
    height: Pixels | None = None
    quality: Annotated[int, Field(ge=1, le=100)] = 85
    object: ObjectTraits | None = None
    expect: Expect | None = None
    from_preset: str | None = None


class Rung(Document):
    """One rendition of a ladder: its box, and how many bits it takes.

    It says what a ``Video`` does, and wins over what is said for all renditions. Without
    ``bitrate`` and ``max_bitrate`` the latter is what is usual for its size.
    """

    width: Pixels | None = None
    height: Pixels | None = None
    quality: float | None = None
    bitrate: VideoKbits | None = None
    max_bitrate: VideoKbits | None = None
    buffer: Annotated[float, Field(ge=0.1, le=60)] | None = None
    profile: Profile | None = None
    level: Annotated[str, Field(pattern=r"^[1-6](\.[0-9])?$")] | None = None


class AdaptiveOutput(Document):
    """Renditions of one film that players change between as their line allows.

    ``video`` is what all renditions of the picture have in common; ``ladder`` lists them,
    and is made to fit the source where it is left out or ``"auto"``. Every rendition has
    its key frames at the same frames, ``gop`` seconds apart. ``audio`` is a rendition by
    itself; of a source with several sounds there is one of each (``all``) or one in all
    (``one``). As in a file, ``audio`` that is null makes silent films. Each of
    ``audio_groups`` is another way to encode these sounds, for players that know it; one
    that asks for more channels than any sound has is left out.

    ``subtitles`` that are text are renditions too, as WebVTT; null leaves them out.

    ``segments`` are parts of one file for each rendition, which manifests address by bytes
    (``ranges``), or ``files`` of their own, or such files of MPEG-TS (``ts``).

    ``measure`` says by what each rendition of the picture is held against the source.
    """

    kind: Literal["adaptive"] = "adaptive"
    name: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    formats: Annotated[
        tuple[Literal["hls", "dash"], ...], Field(min_length=1, max_length=2)
    ] = ("hls", "dash")
    segments: Literal["ranges", "files", "ts"] = "ranges"
    segment_duration: Annotated[float, Field(ge=1, le=60)] = 6
    gop: Annotated[float, Field(ge=0.5, le=60)] = 2
    video: Video | None = None
    ladder: Annotated[
        Annotated[tuple[Rung, ...], Field(min_length=1, max_length=16)] | None,
        BeforeValidator(
            lambda said: None if said == "auto" else said,
            json_schema_input_type=Literal["auto"] | tuple[Rung, ...] | None,
        ),
    ] = None
    audio: Audio | None = None
    audio_groups: Annotated[tuple[Audio, ...], Field(max_length=3)] = ()
    audio_tracks: Literal["all", "one"] = "all"
    pace: Pace = 1
    subtitles: Literal["keep"] | None = "keep"
    measure: Metrics = ()
    encryption: Encryption | None = None
    object: ObjectTraits | None = None
    expect: Expect | None = None
    from_preset: str | None = None


Output: TypeAlias = FileOutput | AdaptiveOutput | ThumbnailsOutput | ExtraOutput | OwnOutput

#: The document of each kind of output; ``file`` is what one is that does not say.
OUTPUT_KINDS: Mapping[str, type[Document]] = {
    "file": FileOutput,
    "adaptive": AdaptiveOutput,
    "thumbnails": ThumbnailsOutput,
    "captions": CaptionsOutput,
    "sprite": SpriteOutput,
    "waveform": WaveformOutput,
    "animation": AnimationOutput,
    "metadata": MetadataOutput,
    "checksums": ChecksumsOutput,
}


def _kind(output: Any) -> str | None:
    """Tell pydantic which document an output is, whether raw or already read."""
    if isinstance(output, OwnOutput):
        return "own"
    if isinstance(output, Document):
        kind = getattr(output, "kind", None)
        return kind if isinstance(kind, str) else None
    if not isinstance(output, dict):
        return None
    kind = output.get("kind", "file")
    return kind if isinstance(kind, str) and kind != "own" else None


AnyOutput: TypeAlias = Annotated[
    Annotated[FileOutput, Tag("file")]
    | Annotated[AdaptiveOutput, Tag("adaptive")]
    | Annotated[ThumbnailsOutput, Tag("thumbnails")]
    | Annotated[CaptionsOutput, Tag("captions")]
    | Annotated[SpriteOutput, Tag("sprite")]
    | Annotated[WaveformOutput, Tag("waveform")]
    | Annotated[AnimationOutput, Tag("animation")]
    | Annotated[MetadataOutput, Tag("metadata")]
    | Annotated[ChecksumsOutput, Tag("checksums")]
    | Annotated[SerializeAsAny[OwnOutput], Tag("own")],
    Discriminator(_kind),
]

Label = Annotated[str, Field(max_length=256)]


class Recipe(Document):
    """The whole document that a job is submitted with.

    ``tags`` are for finding jobs; ``pass_through`` is any JSON that comes back with every
    answer and event. Of jobs that wait, those of a higher ``priority`` go first; jobs that
    name a ``group`` share the workers with those of other groups, however many they are.
    With ``royalty_free``, what is made is only in codecs that nobody asks to be paid for.
    Several ``inputs`` become one film, end to end; ``join`` says what they are made alike
    in.
    """

    inputs: Annotated[tuple[Input, ...], Field(min_length=1, max_length=MOST_INPUTS)]
    join: Join | None = None
    destination: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    outputs: Annotated[tuple[AnyOutput, ...], Field(min_length=1, max_length=100)]
    tags: Annotated[dict[Label, Label], Field(max_length=50)] = Field(default_factory=dict)
    pass_through: Any = None
    if_exists: Literal["fail", "replace"] = "fail"
    priority: Literal["high", "normal", "low"] = "normal"
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")] | None = None
    royalty_free: bool = False
