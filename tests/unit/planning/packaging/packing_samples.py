"""Renditions as they might have been made, without anything having been encoded."""

from dataclasses import replace
from fractions import Fraction

from media_nommer.core.fragments import Fragment, FragmentedFile
from media_nommer.core.media import AudioStream, Media, VideoStream
from media_nommer.planning.captions import Cue
from media_nommer.planning.packaging.packed import Packed
from media_nommer.planning.packaging.segments import segments_of
from media_nommer.planning.packaging.texts import PackedText, packed_text
from media_nommer.planning.pictures.shapes import Shape
from media_nommer.planning.pictures.sizes import Size
from media_nommer.planning.pictures.timing import Timing
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.sounds.sound import AudioPlan
from media_nommer.planning.streaming.adaptive import AdaptivePlan, Rendition
from media_nommer.planning.texts.streamed_texts import TextRendition
from media_nommer.planning.texts.subtitles import Track
from media_nommer.planning.video import VideoPlan

AVC = "0164001facd9"
ESDS = (
    "000000000380808025000100048080801740150000000001770000017700"
    "0580808005120856e500068080800102"
)
HEADER = 700


def fragmented(
    sizes: list[int],
    *,
    frames: int = 48,
    tick: int = 1001,
    timescale: int = 24_000,
    entry: str = "avc1",
    config: str = AVC,
    last: int | None = None,
) -> FragmentedFile:
    """Return a file of fragments of these sizes, each of so many frames but the last."""
    room = 40 + 12 * len(sizes)
    offset, time = HEADER + room, 0
    found: list[Fragment] = []
    for number, size in enumerate(sizes):
        count = last if last is not None and number == len(sizes) - 1 else frames
        found.append(
            Fragment(
                offset=offset,
                size=size,
                first_end=offset + size // 4,
                time=time,
                duration=count * tick,
                frames=count,
                keys=1,
                begins_with_key=True,
            )
        )
        offset, time = offset + size, time + count * tick
    return FragmentedFile(
        size=offset,
        header=HEADER,
        index_offset=HEADER,
        index_size=room,
        timescale=timescale,
        entry=entry,
        config=config,
        fragments=tuple(found),
    )


def video_plan(width: int, height: int) -> VideoPlan:
    size = Size(width, height)
    rate = Fraction(24_000, 1001)
    return VideoPlan(
        stream=0,
        codec="h264",
        shape=Shape(size, size),
        timing=Timing(kind="constant", rate=rate, frames=None, gop=48),
        duration=None,
    )


def picture(
    number: int, width: int, height: int, file: FragmentedFile, *, transfer: str = "bt709"
) -> Packed:
    rendition = Rendition(
        key=f"v{number}",
        label=f"{height}p",
        title=f"{height}p",
        video=video_plan(width, height),
    )
    stream = VideoStream(
        index=0, codec="h264", width=width, height=height, color_transfer=transfer
    )
    media = Media(format="mov,mp4", size=file.size, video=(stream,))
    return packed(rendition, media, file)


def sound(
    number: int, file: FragmentedFile, *, language: str | None = "eng", channels: int = 2
) -> Packed:
    rendition = Rendition(
        key=f"a{number}",
        label=language or "",
        title=language or "sound",
        audio=AudioPlan(
            stream=number,
            codec="aac",
            channels=channels,
            sample_rate=48_000,
            source_channels=channels,
            language=language,
        ),
        fragment=2.0,
        default=number == 1,
    )
    stream = AudioStream(index=0, codec="aac", channels=channels, sample_rate=48_000)
    media = Media(format="mov,mp4", size=file.size, audio=(stream,))
    return packed(rendition, media, file)


def sound_file(sizes: list[int]) -> FragmentedFile:
    return fragmented(
        sizes, frames=94, tick=1024, timescale=48_000, entry="mp4a", config=ESDS
    )


def packed(rendition: Rendition, media: Media, file: FragmentedFile) -> Packed:
    return Packed(
        rendition=rendition,
        base=f"{rendition.key}-{rendition.label}-id",
        media=media,
        file=file,
        segments=segments_of(file, 6.006),
    )


def text(
    number: int, *, language: str | None = "eng", title: str | None = None, **shown: bool
) -> PackedText:
    rendition = TextRendition(
        key=f"s{number}",
        label=language or "",
        title=title or language or "subtitles",
        track=Track(stream=2 + number),
        language=language,
        **shown,
    )
    cues = [Cue(500, 2000, "Hello <i>there</i>"), Cue(3000, 5500, "R&B")]
    length = Fraction("9.009")
    return packed_text(rendition, f"s{number}-{language}-id", cues, length, ts=False)


def adaptive(
    *made: Packed, segments: str = "ranges", formats: tuple[str, ...] = ("hls", "dash")
) -> OutputPlan:
    names = {"hls": "film/index.m3u8", "dash": "film/index.mpd"}
    plan = AdaptivePlan(
        renditions=tuple(each.rendition for each in made),
        formats=formats,  # type: ignore[arg-type]
        segments=segments,  # type: ignore[arg-type]
        segment=6.006,
        gop=2.002,
    )
    return OutputPlan(
        index=0,
        kind="adaptive",
        names=tuple(names[each] for each in formats),
        container="mp4",
        adaptive=plan,
    )


def with_fragment(made: Packed, number: int, **changes: object) -> Packed:
    """Return a rendition with one fragment that is not as it should be."""
    fragments = list(made.file.fragments)
    fragments[number] = replace(fragments[number], **changes)  # type: ignore[arg-type]
    file = replace(made.file, fragments=tuple(fragments))
    return replace(made, file=file, segments=segments_of(file, 6.006))


LARGE = picture(
    1, 1280, 720, fragmented([600_000, 500_000, 400_000, 900_000, 300_000], last=24)
)
SMALL = picture(
    2, 640, 360, fragmented([150_000, 120_000, 100_000, 200_000, 80_000], last=24)
)
ENGLISH = sound(1, sound_file([32_000] * 4))
FRENCH = sound(2, sound_file([40_000] * 4), language="fra", channels=6)
