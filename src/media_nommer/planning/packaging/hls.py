"""Playlists of HTTP Live Streaming: RFC 8216, and Apple's rules for authors."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from media_nommer.planning.packaging.hls_lines import (
    VERSION,
    attributes,
    playlist_head,
    playlist_text,
)
from media_nommer.planning.packaging.hls_texts import TEXTS_GROUP, text_media
from media_nommer.planning.packaging.languages import language_tag
from media_nommer.planning.packaging.names import (
    Place,
    file_name,
    header_name,
    key_frames_name,
    playlist_name,
    segment_name,
)
from media_nommer.planning.packaging.packed import Packed
from media_nommer.planning.packaging.segments import Segment, mean_bits, peak_bits
from media_nommer.planning.packaging.texts import PackedText

_VERSION_TS = 4
_GROUP = "audio"
_BEGIN_BELOW = 2_500_000  # bit/s: players begin with what is listed first


def target_duration(renditions: Iterable[Packed]) -> int:
    """Return the target duration, which all playlists of one master must share."""
    longest = (part.duration for each in renditions for part in each.segments)
    return max(1, max(_rounded(length) for length in longest))


def media_playlist(
    packed: Packed, target: int, *, segments: str, keys: Sequence[str] = ()
) -> str:
    """Return the playlist of one rendition; ``keys`` are lines that tell of its keys."""
    ts = segments == "ts"
    lines = playlist_head(_VERSION_TS if ts else VERSION, target)
    if not ts:
        lines.append(_map(packed, segments))  # what comes before the key is in the clear
    lines += keys
    for number, part in enumerate(packed.segments, start=1):
        lines.append(f"#EXTINF:{float(part.duration):.6f},")
        lines += _address(_place(packed, number, part, segments))
    return playlist_text([*lines, "#EXT-X-ENDLIST"])


def key_frames_playlist(
    packed: Packed, target: int, *, segments: str, keys: Sequence[str] = ()
) -> str:
    """Return the playlist of a rendition's key frames alone, for winding through a film."""
    lines = [*playlist_head(VERSION, target), "#EXT-X-I-FRAMES-ONLY"]
    lines += [_map(packed, segments), *keys]
    for part, place in zip(key_frames(packed), _key_places(packed, segments), strict=True):
        lines.append(f"#EXTINF:{float(part.duration):.6f},")
        lines += _address(place)
    return playlist_text([*lines, "#EXT-X-ENDLIST"])


def key_frames(packed: Packed) -> list[Segment]:
    """Return the key frames of a rendition as segments, each lasting until the next."""
    scale = packed.file.timescale
    return [
        Segment(
            start=Fraction(each.time, scale),
            duration=Fraction(each.duration, scale),
            offset=each.offset,
            size=each.first_end - each.offset,
        )
        for each in packed.file.fragments
    ]


def master_playlist(
    renditions: Sequence[Packed],
    target: int,
    *,
    key_frames: bool,
    texts: Sequence[PackedText] = (),
) -> str:
    """Return the playlist that lists the renditions; its addresses are beside it."""
    pictures = [each for each in renditions if each.rendition.video]
    sounds = [each for each in renditions if each.rendition.audio]
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += [_sound(each) for each in sounds]
    lines += [text_media(each) for each in texts]
    for group in _groups(sounds):
        for each in _in_order(pictures or group[:1], target):
            lines += [_variant(each, group, texts, target), playlist_name(each.base)]
    if key_frames:
        lines += [_key_frames_variant(each, target) for each in pictures]
    return playlist_text(lines)


def _groups(sounds: Sequence[Packed]) -> list[list[Packed]]:
    """Return the groups of sounds, of which players take one; the only one may be empty."""
    numbers = dict.fromkeys(each.rendition.group for each in sounds)
    found = [[each for each in sounds if each.rendition.group == one] for one in numbers]
    return found or [[]]


def _in_order(pictures: Sequence[Packed], target: int) -> list[Packed]:
    """Return the best that most lines carry, and then all others from the best down."""
    bits = {each.base: peak_bits(each.segments, target) for each in pictures}
    falling = sorted(pictures, key=lambda each: -bits[each.base])
    first = next((p for p in falling if bits[p.base] <= _BEGIN_BELOW), falling[-1])
    return [first, *(each for each in falling if each is not first)]


def _sound(packed: Packed) -> str:
    audio, rendition = packed.rendition.audio, packed.rendition
    assert audio is not None
    language = language_tag(audio.language)
    default = "YES" if rendition.default else "NO"
    return "#EXT-X-MEDIA:" + attributes(
        ("TYPE", "AUDIO"),
        ("GROUP-ID", f'"{_group_id(packed)}"'),
        ("NAME", f'"{rendition.title}"'),
        ("LANGUAGE", f'"{language}"' if language else None),
        ("DEFAULT", default),
        ("AUTOSELECT", "YES" if rendition.default or language else "NO"),
        ("CHANNELS", f'"{audio.channels}"'),
        ("URI", f'"{playlist_name(packed.base)}"'),
    )


def _group_id(packed: Packed) -> str:
    """Return how variants call the group that a sound is in."""
    number = packed.rendition.group
    return _GROUP if number == 1 else f"{_GROUP}-{number}"


def _variant(
    packed: Packed, sounds: Sequence[Packed], texts: Sequence[PackedText], target: int
) -> str:
    """Return what is told of one choice: the picture with the dearest of all others."""
    others = sounds if packed.rendition.video else ()
    peaks = [peak_bits(each.segments, target) for each in others]
    means = [mean_bits(each.segments) for each in others]
    more = max((each.bits for each in texts), default=0)
    codecs = [packed.codec, *(each.codec for each in others)]
    rate = packed.frame_rate
    return "#EXT-X-STREAM-INF:" + attributes(
        ("BANDWIDTH", peak_bits(packed.segments, target) + max(peaks, default=0) + more),
        ("AVERAGE-BANDWIDTH", mean_bits(packed.segments) + max(means, default=0) + more),
        ("CODECS", f'"{",".join(dict.fromkeys(codecs))}"'),
        ("RESOLUTION", _resolution(packed)),
        ("FRAME-RATE", None if rate is None else f"{float(rate):.3f}"),
        ("VIDEO-RANGE", packed.light if packed.rendition.video else None),
        ("AUDIO", f'"{_group_id(sounds[0])}"' if sounds else None),
        ("SUBTITLES", f'"{TEXTS_GROUP}"' if texts else None),
    )


def _key_frames_variant(packed: Packed, target: int) -> str:
    parts = key_frames(packed)
    return "#EXT-X-I-FRAME-STREAM-INF:" + attributes(
        ("BANDWIDTH", peak_bits(parts, target)),
        ("AVERAGE-BANDWIDTH", mean_bits(parts)),
        ("CODECS", f'"{packed.codec}"'),
        ("RESOLUTION", _resolution(packed)),
        ("VIDEO-RANGE", packed.light),
        ("URI", f'"{key_frames_name(packed.base)}"'),
    )


def _resolution(packed: Packed) -> str | None:
    video = packed.rendition.video
    return None if video is None else f"{video.width}x{video.height}"


def _map(packed: Packed, segments: str) -> str:
    if segments == "files":
        return f'#EXT-X-MAP:URI="{header_name(packed.base)}"'
    name = file_name(packed.base, sound=packed.rendition.video is None)
    return f'#EXT-X-MAP:URI="{name}",BYTERANGE="{packed.file.header}@0"'


def _place(packed: Packed, number: int, part: Segment, segments: str) -> Place:
    if segments == "ranges":
        name = file_name(packed.base, sound=packed.rendition.video is None)
        return Place(name, part.size, part.offset)
    return Place(segment_name(packed.base, number, ts=segments == "ts"), part.size)


def _key_places(packed: Packed, segments: str) -> list[Place]:
    """Return where each key frame is: in the one file, or in the file of its segment."""
    if segments == "ranges":
        name = file_name(packed.base, sound=False)
        return [Place(name, each.size, each.offset) for each in key_frames(packed)]
    found: list[Place] = []
    for number, part in enumerate(packed.segments, start=1):
        name = segment_name(packed.base, number)
        found += [
            Place(name, each.size, each.offset - part.offset)
            for each in key_frames(packed)
            if part.offset <= each.offset < part.offset + part.size
        ]
    return found


def _address(place: Place) -> list[str]:
    if place.offset is None:
        return [place.uri]
    return [f"#EXT-X-BYTERANGE:{place.size}@{place.offset}", place.uri]


def _rounded(length: Fraction) -> int:
    """Return a duration rounded to seconds as the RFC means it: a half goes up."""
    return int(length + Fraction(1, 2))
